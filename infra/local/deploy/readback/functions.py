"""Lambda functions, and who may call them."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from infra.local.deploy.readback.clients import Clients
from infra.local.deploy.readback.setting import Setting, document
from infra.local.deploy.resources import Resource


def function(resource: Resource, clients: Clients) -> Iterator[Setting]:
    """AWS::Lambda::Function: its properties are the API's fields by the same names."""

    def field(name: str) -> Any:
        return clients.functions.get_function_configuration(FunctionName=resource.physical_id).get(name)

    for name, value in resource.properties.items():
        if name != "Code":
            yield Setting(name, value, partial(field, name))


def permission(resource: Resource, clients: Clients) -> Iterator[Setting]:
    """AWS::Lambda::Permission: a statement of the function's policy."""
    asked = resource.properties
    wanted = {
        "Action": asked["Action"],
        "Principal": {"Service": asked["Principal"]},
        "Condition": {
            "ArnLike": {"AWS:SourceArn": asked["SourceArn"]},
            "StringEquals": {"AWS:SourceAccount": asked["SourceAccount"]},
        },
    }

    def read() -> Any:
        policy = document(clients.functions.get_policy(FunctionName=asked["FunctionName"])["Policy"])
        return next((s for s in policy["Statement"] if s.get("Principal") == wanted["Principal"]), None)

    yield Setting("Permission", wanted, read)
