"""Cognito's user pools, their groups, clients and domains."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from infra.local.deploy.readback.clients import Clients
from infra.local.deploy.readback.setting import Setting
from infra.local.deploy.resources import Resource


def user_pool(resource: Resource, clients: Clients) -> Iterator[Setting]:
    """AWS::Cognito::UserPool: its properties are the API's by the same names, but for these."""

    def described(name: str) -> Any:
        return clients.cognito.describe_user_pool(UserPoolId=resource.physical_id)["UserPool"].get(name)

    def second_factors() -> list[str]:
        found = clients.cognito.get_user_pool_mfa_config(UserPoolId=resource.physical_id)
        return ["SOFTWARE_TOKEN_MFA"] if found.get("SoftwareTokenMfaConfiguration", {}).get("Enabled") else []

    for name, value in resource.properties.items():
        if name == "EnabledMfas":
            yield Setting(name, value, second_factors)
        else:
            yield Setting(name, value, partial(described, "Name" if name == "UserPoolName" else name))


def group(resource: Resource, clients: Clients) -> Iterator[Setting]:
    """AWS::Cognito::UserPoolGroup: without it nobody can be given its role."""
    where = {"UserPoolId": resource.properties["UserPoolId"], "GroupName": resource.properties["GroupName"]}
    for name, value in resource.properties.items():
        yield Setting(name, value, partial(_field, clients.cognito.get_group, where, "Group", name), needed=True)


def client(resource: Resource, clients: Clients) -> Iterator[Setting]:
    """AWS::Cognito::UserPoolClient: where people come back to, and what it may ask for, is what sign-ins depend on."""
    where = {"UserPoolId": resource.properties["UserPoolId"], "ClientId": resource.physical_id}
    read = partial(_field, clients.cognito.describe_user_pool_client, where, "UserPoolClient")
    for name, value in resource.properties.items():
        if name == "GenerateSecret":
            yield Setting(name, value, lambda: read("ClientSecret") is not None, needed=True)
        else:
            yield Setting(name, value, partial(read, name), needed=name.startswith("AllowedOAuth"))


def domain(resource: Resource, clients: Clients) -> Iterator[Setting]:
    """AWS::Cognito::UserPoolDomain."""
    where = {"Domain": resource.properties["Domain"]}
    read = partial(_field, clients.cognito.describe_user_pool_domain, where, "DomainDescription")
    for name, value in resource.properties.items():
        yield Setting(name, value, partial(read, name))


def _field(call: Any, where: dict[str, str], answer: str, name: str) -> Any:
    return call(**where)[answer].get(name)
