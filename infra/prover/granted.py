"""What roles are allowed: every role of an environment, the statements of its policies, and who takes it on."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from infra.iam.one_or_many import listed
from infra.iam.policy import Policy, parse
from infra.prover.deployed import Environment, Resource
from infra.prover.managed import managed_policy

PASSING = "iam:PassRole"


@dataclass(frozen=True)
class Use:
    """A resource that acts by a role, and the property by which it does."""

    resource: Resource
    property: str


@dataclass(frozen=True)
class Role:
    """A role: its statements as they stand in the templates, in order; whose it is; who may take it on."""

    name: str
    arn: str
    statements: tuple[Mapping[str, Any], ...] = field(hash=False)
    trust: Mapping[str, Any] = field(hash=False)
    uses: tuple[Use, ...] = ()
    managed: tuple[str, ...] = ()
    """AWS's own policies that are attached, by their names: nobody can take a statement out of them."""

    @property
    def policies(self) -> list[Policy]:
        """The role's own statements and those of AWS's policies, to be evaluated."""
        own = parse({"Version": "2012-10-17", "Statement": list(self.statements)})
        return [own, *(parse(managed_policy(name)) for name in self.managed)]

    def title(self, number: int) -> str:
        """What a statement is called: its Sid, or its place."""
        return str(self.statements[number].get("Sid") or f"statement {number + 1}")


def roles(environment: Environment) -> list[Role]:
    """All roles of an environment, by name."""
    found = [_role(environment, resource) for resource in environment.of_type("AWS::IAM::Role")]
    return sorted(found, key=lambda role: role.name)


def _role(environment: Environment, resource: Resource) -> Role:
    arn = environment.arn(resource)
    properties = resource.properties
    inline = [policy["PolicyDocument"] for policy in properties.get("Policies", ())]
    attached = [
        policy.properties["PolicyDocument"]
        for kind in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy")
        for policy in environment.of_type(kind)
        if arn.rpartition("/")[2] in policy.properties.get("Roles", ())
        or environment.arn(policy) in properties.get("ManagedPolicyArns", ())
    ]
    own = {environment.arn(policy) for policy in environment.of_type("AWS::IAM::ManagedPolicy")}
    managed = [name for name in properties.get("ManagedPolicyArns", ()) if name not in own]
    documents = [*inline, *attached]
    return Role(
        name=resource.name,
        arn=arn,
        statements=tuple(statement for document in documents for statement in listed(document["Statement"])),
        trust=properties["AssumeRolePolicyDocument"],
        uses=(*_uses(environment, arn), *_passing(environment, arn)),
        managed=tuple(name.partition(":policy/")[2] for name in managed),
    )


def _uses(environment: Environment, arn: str) -> Iterator[Use]:
    for resource in environment.resources:
        if resource.type.startswith("AWS::IAM::"):
            continue
        for path in _paths(resource.properties, arn):
            # What is told of a role is no use of it: a policy's text, an output by parameter, a variable.
            if path.rpartition(".")[2].lower().endswith(("role", "rolearn", "roles", "permissionarn")):
                yield Use(resource, path)


def _passing(environment: Environment, arn: str) -> Iterator[Use]:
    """Roles that a task is given when it is started, in place of its definition's: some other role may pass them."""
    for kind in ("AWS::IAM::Policy", "AWS::IAM::Role"):
        for resource in environment.of_type(kind):
            if any(
                statement.get("Action") == PASSING and arn in listed(statement["Resource"])
                for statement in _all(resource)
            ):
                yield Use(resource, PASSING)


def _all(resource: Resource) -> Iterator[Mapping[str, Any]]:
    documents = [policy["PolicyDocument"] for policy in resource.properties.get("Policies", ())]
    if "PolicyDocument" in resource.properties:
        documents.append(resource.properties["PolicyDocument"])
    for document in documents:
        yield from listed(document["Statement"])


def _paths(value: Any, wanted: str, path: str = "") -> Iterator[str]:
    if value == wanted:
        yield path
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield from _paths(one, wanted, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for one in value:
            yield from _paths(one, wanted, path)
