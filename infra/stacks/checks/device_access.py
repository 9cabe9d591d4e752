"""What certificates may do: a device acts as itself, a claim asks for one of its own."""

from collections.abc import Iterator

from infra.stacks.checks.documents import Statement, actions, allows, resources
from infra.stacks.checks.finding import Problems
from infra.stacks.checks.synthesised import Synthesised
from infra.stacks.ingest.devices import THING_NAME, telemetry_topic
from infra.stacks.ingest.provisioning import is_for_claims

# Everything a device may do, and on what (AWS IoT developer guide, "Thing policy variables").
_CONNECT, _PUBLISH = "iot:Connect", "iot:Publish"
_ATTACHED = "iot:Connection.Thing.IsAttached"


def iot_policy_is_bound_to_the_thing(environment: Synthesised) -> Problems:
    """A device may act as itself only; who holds a claim certificate may ask for one of its own, and nothing else."""
    for policy in environment.of_type("AWS::IoT::Policy"):
        allowed = allows(policy.properties["PolicyDocument"])
        for statement in allowed:
            if wide := [action for action in actions(statement) if "*" in action]:
                yield policy, f"allows {', '.join(wide)}: name the actions"
        named = [resource for statement in allowed for resource in resources(statement)]
        if all(map(is_for_claims, named)):
            for resource in named:
                if "*" in resource and ":client/" not in resource:
                    yield policy, f"lets a claim use {resource}: name the environment's own template"
            continue
        for statement in allowed:
            yield from ((policy, problem) for problem in _of_a_device(statement, environment.config.topic_root))


def _of_a_device(statement: Statement, root: str) -> Iterator[str]:
    for resource in resources(statement):
        kind, _, rest = resource.rpartition(":")[2].partition("/") if THING_NAME not in resource else _split(resource)
        if kind == "client" and rest != THING_NAME:
            yield f"allows {resource}: a device connects as client/{THING_NAME}"
        elif kind == "topic" and rest != telemetry_topic(root):
            yield f"allows {resource}, which is not the device's own topic {telemetry_topic(root)}"
        elif kind not in ("client", "topic"):
            yield f"allows {resource}, which no device needs"
    if beyond := set(actions(statement)) - {_CONNECT, _PUBLISH}:
        yield f"allows {', '.join(sorted(beyond))}, which no device needs"
    if _CONNECT in actions(statement) and statement.get("Condition", {}).get("Bool", {}).get(_ATTACHED) != "true":
        yield f"lets a certificate connect that is attached to no thing ({_ATTACHED})"


def _split(arn: str) -> tuple[str, str, str]:
    """Kind, slash and rest of an ARN whose rest has colons of its own."""
    return arn.split(":", maxsplit=5)[5].partition("/")
