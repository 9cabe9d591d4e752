"""Policy documents: where they stand in a template, whom they let in, on which condition."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from infra.stacks.checks.synthesised import Resource, Synthesised, listed, reference, text, walk

Statement = Mapping[str, Any]
ROLE = "AWS::IAM::Role"
_IDENTITY_POLICIES = ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::UserPolicy", "AWS::IAM::GroupPolicy")
_EQUAL = frozenset({"stringequals", "stringlike", "arnequals", "arnlike", "stringequalsignorecase"})
_ACCOUNT = re.compile(r"\b\d{12}\b")
_OWN_ACCOUNT = "${AWS::AccountId}"


@dataclass(frozen=True)
class Granted:
    """A statement that allows something: of a resource's policy, or of a role's trust."""

    resource: Resource
    statement: Statement
    trust: bool


def granted_by_resources(environment: Synthesised) -> Iterator[Granted]:
    """Every Allow with a principal, wherever in a resource's properties it stands, also as JSON within a text."""
    for resource in environment.resources:
        for path, value in walk(resource.properties):
            for statement in _statements(value):
                if statement.get("Effect") == "Allow" and {"Principal", "NotPrincipal"} & statement.keys():
                    yield Granted(resource, statement, "AssumeRolePolicyDocument" in path)


def allowed_to(environment: Synthesised, role: Resource) -> Iterator[tuple[Resource, Statement]]:
    """Every Allow of a role's own policies, with the resource that it stands at."""
    for policy in listed(role.properties.get("Policies")):
        yield from ((role, s) for s in allows(policy["PolicyDocument"]))
    for resource in environment.of_type(*_IDENTITY_POLICIES):
        roles = map(reference, listed(resource.properties.get("Roles")))
        if resource.stack == role.stack and role.name in roles:
            yield from ((resource, s) for s in allows(resource.properties["PolicyDocument"]))


def allows(document: Mapping[str, Any]) -> list[Statement]:
    """The statements of a document that allow."""
    return [statement for statement in listed(document["Statement"]) if statement.get("Effect") == "Allow"]


def actions(statement: Statement) -> list[str]:
    """A statement's actions."""
    return [str(action) for action in listed(statement.get("Action"))]


def resources(statement: Statement) -> list[str]:
    """A statement's resources, as text."""
    return [text(resource) for resource in listed(statement.get("Resource"))]


def principals(statement: Statement) -> Iterator[tuple[str, str]]:
    """(kind, name) of each principal; `*` alone is of the kind AWS."""
    principal = statement.get("Principal", {})
    if not isinstance(principal, Mapping):
        principal = {"AWS": principal}
    for kind, names in principal.items():
        yield from ((kind, text(name)) for name in listed(names))


def trusted_services(role: Resource) -> set[str]:
    """The services that may take on a role."""
    document = role.properties.get("AssumeRolePolicyDocument", {"Statement": []})
    return {name for s in allows(document) for kind, name in principals(s) if kind == "Service"}


def equal_to(statement: Statement, key: str) -> list[str]:
    """What a condition demands that the key equals; empty if it demands nothing, or lets the key be absent."""
    return [
        text(value)
        for operator, asked in statement.get("Condition", {}).items()
        if operator.lower() in _EQUAL
        for name, values in asked.items()
        if name.lower() == key.lower()
        for value in listed(values)
    ]


def only_account(values: list[str], account: str) -> bool:
    """Whether the values name this account, and no other."""
    return bool(values) and all(set(_ACCOUNT.findall(v)) == {account} or _OWN_ACCOUNT in v for v in values)


def foreign(name: str, account: str) -> bool:
    """Whether an AWS principal belongs to another account."""
    return bool(set(_ACCOUNT.findall(name)) - {account})


def _statements(value: Any) -> list[Statement]:
    if isinstance(value, str) and '"Statement"' in value:
        try:
            value = json.loads(value)
        except ValueError:
            return []
    if isinstance(value, Mapping) and "Fn::Join" in value and '"Statement"' in text(value):
        return _statements(text(value))
    if isinstance(value, Mapping) and "Statement" in value:
        return [statement for statement in listed(value["Statement"]) if isinstance(statement, Mapping)]
    return []
