"""Lambda functions, and who may call them."""

from base64 import b64encode
from collections.abc import Callable, Iterator
from functools import partial
from hashlib import sha256
from typing import Any

from infra.local.deploy.readback.clients import Clients
from infra.local.deploy.readback.setting import Setting, document
from infra.local.deploy.resources import Resource


def function(resource: Resource, clients: Clients) -> Iterator[Setting]:
    """AWS::Lambda::Function: its properties are the API's fields by the same names, a few apart."""
    lambda_, name = clients.functions, resource.physical_id

    def field(key: str) -> Any:
        return lambda_.get_function_configuration(FunctionName=name).get(key)

    def concurrency() -> Any:
        return lambda_.get_function_concurrency(FunctionName=name).get("ReservedConcurrentExecutions")

    for key, value in resource.properties.items():
        if key == "Code":
            if "S3Key" in value:
                yield Setting(key, _sha256(clients, value), partial(field, "CodeSha256"), needed=True)
        elif key == "ReservedConcurrentExecutions":
            reserve = partial(lambda_.put_function_concurrency, FunctionName=name)
            yield Setting(key, value, concurrency, partial(reserve, ReservedConcurrentExecutions=int(value)))
        elif key == "Tags":
            yield _tags(value, clients, partial(field, "FunctionArn"))
        else:
            yield Setting(key, value, partial(field, key))


def event_source_mapping(resource: Resource, clients: Clients) -> Iterator[Setting]:
    """AWS::Lambda::EventSourceMapping: what CloudFormation left out is set through the API where that takes it."""
    lambda_, uuid = clients.functions, resource.physical_id

    def field(key: str) -> Any:
        return lambda_.get_event_source_mapping(UUID=uuid).get(key)

    def update(key: str, value: Any) -> Any:
        return lambda_.update_event_source_mapping(UUID=uuid, **{key: value})

    for key, value in resource.properties.items():
        if key == "FunctionName":
            # A name, an ARN or an alias; the API answers an ARN.
            wanted = str(value).rpartition(":function:")[2]
            yield Setting(key, wanted, lambda: field("FunctionArn").rpartition(":function:")[2], needed=True)
        elif key == "Enabled":
            yield Setting(key, value, lambda: field("State") in {"Enabled", "Enabling"}, partial(update, key, value))
        elif key == "Tags":
            yield _tags(value, clients, partial(field, "EventSourceMappingArn"))
        elif key in _FIXED:
            yield Setting(key, value, partial(field, key), needed=True)
        else:
            yield Setting(key, value, partial(field, key), partial(update, key, _numbers(value)))


# What a mapping keeps for its life (AWS Lambda API reference, "UpdateEventSourceMapping").
_FIXED = {"EventSourceArn", "StartingPosition", "StartingPositionTimestamp"}


def _sha256(clients: Clients, code: Any) -> str:
    body = clients.s3.get_object(Bucket=code["S3Bucket"], Key=code["S3Key"])["Body"].read()
    return b64encode(sha256(body).digest()).decode()


def _tags(wanted: Any, clients: Clients, arn: Callable[[], str]) -> Setting:
    tags = {tag["Key"]: tag["Value"] for tag in wanted}
    return Setting(
        "Tags",
        tags,
        lambda: clients.functions.list_tags(Resource=arn())["Tags"],
        lambda: clients.functions.tag_resource(Resource=arn(), Tags=tags),
    )


def _numbers(value: Any) -> Any:
    """A property as the API's parameters want it: a template may write a number as text."""
    return int(value) if isinstance(value, str) and value.lstrip("-").isdigit() else value


def event_invoke_config(resource: Resource, clients: Clients) -> Iterator[Setting]:
    """AWS::Lambda::EventInvokeConfig: what becomes of asynchronous calls that fail."""
    lambda_, asked = clients.functions, resource.properties
    function = {name: asked[name] for name in ("FunctionName", "Qualifier")}

    def field(key: str) -> Any:
        return lambda_.get_function_event_invoke_config(**function).get(key)

    for key, value in asked.items():
        if key not in function:
            update = partial(lambda_.update_function_event_invoke_config, **function)
            yield Setting(key, value, partial(field, key), partial(update, **{key: _numbers(value)}))


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
