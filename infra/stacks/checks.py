"""Checks of the synthesised templates for what cfn-lint and cdk-nag do not look at."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from infra.stacks.ingest.devices import THING_NAME, telemetry_topic
from infra.stacks.ingest.provisioning import is_for_claims

Template = Mapping[str, Any]


@dataclass(frozen=True)
class Finding:
    """One resource that breaks one check."""

    check: str
    resource: str
    problem: str


def findings(template: Template) -> list[Finding]:
    """Every finding of one template; empty if it is clean."""
    return [Finding(check.__name__, resource, problem) for check in CHECKS for resource, problem in check(template)]


def iot_rule_has_error_action(template: Template) -> Iterator[tuple[str, str]]:
    """A message whose action fails is gone, unless the rule has an error action."""
    for name, rule in _of_type(template, "AWS::IoT::TopicRule"):
        if not rule["TopicRulePayload"].get("ErrorAction"):
            yield name, "has no ErrorAction: a message that its action cannot deliver is lost"


def iot_policy_is_bound_to_the_thing(template: Template) -> Iterator[tuple[str, str]]:
    """A device may act as itself only; who holds a claim certificate may ask for one of its own, and nothing else."""
    for name, policy in _of_type(template, "AWS::IoT::Policy"):
        allowed = _allowed(policy["PolicyDocument"])
        for statement in allowed:
            if wide := [action for action in _listed(statement["Action"]) if "*" in action]:
                yield name, f"allows {', '.join(wide)}: name the actions"
        resources = [str(resource) for statement in allowed for resource in _listed(statement["Resource"])]
        if all(map(is_for_claims, resources)):
            continue
        for resource in resources:
            if THING_NAME not in resource:
                yield name, f"allows {resource}, which does not hold {THING_NAME}"
            elif ":topic/" in resource and resource.partition(":topic/")[2].partition("/")[2] != _OWN_TOPIC:
                yield name, f"allows {resource}, which is not the device's own topic .../{_OWN_TOPIC}"


def plain_http_is_denied(template: Template) -> Iterator[tuple[str, str]]:
    """Buckets, queues and topics refuse requests without TLS."""
    for kind, (policy_type, targets, actions) in _TLS_POLICIES.items():
        denying = {
            target
            for _, policy in _of_type(template, policy_type)
            if any(_denies_plain_http(s, actions) for s in _listed(policy["PolicyDocument"]["Statement"]))
            for target in map(_reference, _listed(policy[targets]))
        }
        for name, _ in _of_type(template, kind):
            if name not in denying:
                yield name, f"no {policy_type} denies it plain HTTP (aws:SecureTransport false)"


def queue_has_dead_letter_queue(template: Template) -> Iterator[tuple[str, str]]:
    """A queue that somebody consumes sets aside what cannot be consumed; a dead-letter queue needs none."""
    queues = dict(_of_type(template, "AWS::SQS::Queue"))
    dead = {
        _reference(queue["RedrivePolicy"]["deadLetterTargetArn"])
        for queue in queues.values()
        if "RedrivePolicy" in queue
    }
    for _, rule in _of_type(template, "AWS::IoT::TopicRule"):
        error = rule["TopicRulePayload"].get("ErrorAction", {})
        dead.add(_reference(error.get("Sqs", {}).get("QueueUrl", "")))
    # The rules are in another stack, and find their dead-letter queue by this parameter.
    for _, parameter in _of_type(template, "AWS::SSM::Parameter"):
        if str(parameter["Name"]).endswith("/rule-errors-url"):
            dead.add(_reference(parameter["Value"]))
    # So are the senders to the edge's; these queues say by their name what they are.
    dead |= {name for name, queue in queues.items() if str(queue.get("QueueName", "")).endswith("-dead-letters")}
    for name, queue in queues.items():
        if name not in dead and "RedrivePolicy" not in queue:
            yield name, "has no RedrivePolicy, and is no dead-letter queue itself"


def firehose_has_error_prefix(template: Template) -> Iterator[tuple[str, str]]:
    """Failed records go elsewhere than the data: under the data's prefix a query would read them."""
    for name, stream in _of_type(template, "AWS::KinesisFirehose::DeliveryStream"):
        for key, destination in stream.items():
            if not key.endswith("S3DestinationConfiguration"):
                continue
            errors = destination.get("ErrorOutputPrefix")
            # The folder above the first expression is where a table's location is.
            literal = destination.get("Prefix", "").split("!{", maxsplit=1)[0]
            folder = literal[: literal.rfind("/") + 1]
            if not errors:
                yield name, "has no ErrorOutputPrefix"
            elif errors.startswith(folder):
                yield name, f"puts failed records ({errors}) under the data's prefix {folder!r}"


CHECKS: tuple[Callable[[Template], Iterator[tuple[str, str]]], ...] = (
    iot_rule_has_error_action,
    iot_policy_is_bound_to_the_thing,
    plain_http_is_denied,
    queue_has_dead_letter_queue,
    firehose_has_error_prefix,
)

# Below the environment's root.
_OWN_TOPIC = telemetry_topic("").removeprefix("/")

# Resource type: the type of its policy, where the policy names its targets, the actions that must be denied.
_TLS_POLICIES = {
    "AWS::S3::Bucket": ("AWS::S3::BucketPolicy", "Bucket", {"s3:*"}),
    "AWS::SQS::Queue": ("AWS::SQS::QueuePolicy", "Queues", {"sqs:*"}),
    "AWS::SNS::Topic": ("AWS::SNS::TopicPolicy", "Topics", {"sns:*", "sns:Publish"}),
}


def _of_type(template: Template, resource_type: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, resource in template["Resources"].items():
        if resource["Type"] == resource_type:
            yield name, resource.get("Properties", {})


def _denies_plain_http(statement: Mapping[str, Any], actions: set[str]) -> bool:
    return (
        statement["Effect"] == "Deny"
        and statement.get("Principal") in ("*", {"AWS": "*"})
        and bool(actions & set(_listed(statement["Action"])))
        and statement.get("Condition", {}).get("Bool", {}).get("aws:SecureTransport") == "false"
    )


def _allowed(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [statement for statement in _listed(document["Statement"]) if statement["Effect"] == "Allow"]


def _reference(node: Any) -> str:
    """The logical id that a Ref or Fn::GetAtt names; other values as text."""
    if isinstance(node, Mapping):
        if "Ref" in node:
            return str(node["Ref"])
        if "Fn::GetAtt" in node:
            return str(node["Fn::GetAtt"][0])
    return str(node)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
