"""What a change means for security: who may do what, who is let in, what the network admits, what is public."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from infra.stacks.checks.documents import principals
from infra.stacks.checks.synthesised import Resource, Synthesised, listed, text, walk

# Properties that a reviewer wants to see first, whatever resource they are of.
_WATCHED = frozenset(
    {
        "AccessControl",
        "AdminCreateUserConfig",
        "AssignPublicIp",
        "AuthType",
        "BucketEncryption",
        "DeletionProtection",
        "DeletionProtectionEnabled",
        "EnableKeyRotation",
        "EnhancedVpcRouting",
        "ExplicitAuthFlows",
        "KmsKeyId",
        "KmsMasterKeyId",
        "ManagedPolicyArns",
        "MapPublicIpOnLaunch",
        "MfaConfiguration",
        "Principal",
        "PublicAccessBlockConfiguration",
        "PubliclyAccessible",
        "SSESpecification",
        "SecurityGroupEgress",
        "SecurityGroupIngress",
        "SourceAccount",
        "SourceArn",
        "SqsManagedSseEnabled",
        "StorageEncrypted",
        "StreamEncryption",
        "VersioningConfiguration",
    }
)
# Types all of whose properties say who is let in.
_WHOLE = frozenset(
    {"AWS::EC2::SecurityGroupEgress", "AWS::EC2::SecurityGroupIngress", "AWS::Lambda::Permission", "AWS::Lambda::Url"}
)
# The statements of each resource, as lines that can be compared.
Statements = Mapping[tuple[str, str], frozenset[str]]


def statements_of(environment: Synthesised) -> Statements:
    """The statements of every resource's policies and trusts, by stack and logical id."""
    return {
        (resource.stack, resource.name): frozenset(_statement_lines(resource)) for resource in environment.resources
    }


def security_lines(old: Resource | None, new: Resource | None, allowed: tuple[Statements, Statements]) -> Iterator[str]:
    """What a resource's change adds (+) and takes away (-) of what somebody may do."""
    resource = new or old
    if resource is None:
        return
    place = (resource.stack, resource.name)
    before = allowed[0].get(place, frozenset()) if old else frozenset()
    after = allowed[1].get(place, frozenset()) if new else frozenset()
    yield from (f"+ {line}" for line in sorted(after - before))
    yield from (f"- {line}" for line in sorted(before - after))
    was, now = _watched(old), _watched(new)
    for name in sorted(was.keys() | now.keys()):
        if was.get(name) == now.get(name):
            continue
        if old and new:
            yield f"~ {name}: {was.get(name, 'nothing')} -> {now.get(name, 'nothing')}"
        elif resource.type in _WHOLE or name.startswith("SecurityGroup"):
            yield f"{'+' if new else '-'} {name}: {(now if new else was)[name]}"


def _watched(resource: Resource | None) -> dict[str, str]:
    if resource is None:
        return {}
    whole = resource.type in _WHOLE
    return {
        name: _plain(value)
        for name, value in resource.properties.items()
        if (name in _WATCHED or whole) and name != "Tags"
    }


def _statement_lines(resource: Resource) -> Iterator[str]:
    for path, value in walk(resource.properties):
        if isinstance(value, Mapping) and "Statement" in value:
            trust = "AssumeRolePolicyDocument" in path
            for statement in listed(value["Statement"]):
                yield from _lines(statement, trust=trust)


def _lines(statement: Mapping[str, Any], *, trust: bool) -> Iterator[str]:
    """A line an action, so that one more action is one more line."""
    whom = ", ".join(sorted(name for _, name in principals(statement)))
    if "NotPrincipal" in statement:
        whom = f"all but {_plain(statement['NotPrincipal'])}"
    condition = f" if {_plain(statement['Condition'])}" if statement.get("Condition") else ""
    where = ", ".join(sorted(text(r) for r in listed(statement.get("Resource", statement.get("NotResource")))))
    where = "" if trust else f" on {where}"
    for action in map(str, listed(statement.get("Action", statement.get("NotAction")))):
        but = "all but " if "NotAction" in statement else ""
        yield f"{statement.get('Effect')} {f'{whom} ' if whom else ''}{but}{action}{where}{condition}"


def _plain(value: Any) -> str:
    return text(value) if isinstance(value, str | bool | int) else json.dumps(value, sort_keys=True)
