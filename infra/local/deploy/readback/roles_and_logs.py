"""Roles, their policies, and logs."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from infra.local.deploy.readback.clients import Clients
from infra.local.deploy.readback.setting import Setting, document, or_none
from infra.local.deploy.resources import Resource


def role(resource: Resource, clients: Clients) -> Iterator[Setting]:
    """AWS::IAM::Role: its properties are the API's fields by the same names."""

    def read() -> Any:
        return clients.iam.get_role(RoleName=resource.physical_id)["Role"]

    def field(name: str) -> Any:
        return read().get(name)

    for name, value in resource.properties.items():
        if name == "AssumeRolePolicyDocument":
            yield Setting(name, value, lambda: document(read()["AssumeRolePolicyDocument"]))
        elif name == "ManagedPolicyArns":
            yield Setting(name, sorted(value), lambda: sorted(_attached(clients, resource.physical_id)))
        elif name == "Tags":
            # CloudFormation adds tags of its own.
            yield Setting(name, _by_key(value), lambda: _by_key(read().get("Tags", [])))
        else:
            yield Setting(name, value, partial(field, name))


def inline_policy(resource: Resource, clients: Clients) -> Iterator[Setting]:
    """AWS::IAM::Policy."""
    asked = resource.properties
    for holder in asked["Roles"]:
        yield Setting(
            "PolicyDocument",
            asked["PolicyDocument"],
            partial(_role_policy, clients, holder, asked["PolicyName"]),
        )


def _role_policy(clients: Clients, role_name: str, policy_name: str) -> Any:
    def read() -> Any:
        return clients.iam.get_role_policy(RoleName=role_name, PolicyName=policy_name)["PolicyDocument"]

    return document(or_none(read, "NoSuchEntity"))


def log_group(resource: Resource, clients: Clients) -> Iterator[Setting]:
    """AWS::Logs::LogGroup."""
    days = resource.properties["RetentionInDays"]

    def read() -> Any:
        groups = clients.logs.describe_log_groups(logGroupNamePrefix=resource.physical_id)["logGroups"]
        return _named(groups, "logGroupName", resource.physical_id)

    if "LogGroupName" in resource.properties:
        yield Setting("LogGroupName", resource.properties["LogGroupName"], lambda: read().get("logGroupName"))
    yield Setting(
        "RetentionInDays",
        days,
        lambda: read().get("retentionInDays"),
        lambda: clients.logs.put_retention_policy(logGroupName=resource.physical_id, retentionInDays=days),
    )


def log_stream(resource: Resource, clients: Clients) -> Iterator[Setting]:
    """AWS::Logs::LogStream."""
    group, name = resource.properties["LogGroupName"], resource.physical_id
    yield Setting(
        "LogStreamName",
        name,
        lambda: _named(
            clients.logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=name)["logStreams"],
            "logStreamName",
            name,
        ).get("logStreamName"),
    )


def _attached(clients: Clients, role_name: str) -> list[str]:
    return [p["PolicyArn"] for p in clients.iam.list_attached_role_policies(RoleName=role_name)["AttachedPolicies"]]


def _by_key(tags: list[Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags}


def _named(items: list[Any], key: str, name: str) -> Any:
    """The item of that name among those that begin with it; an empty one if there is none."""
    return next((item for item in items if item[key] == name), {})
