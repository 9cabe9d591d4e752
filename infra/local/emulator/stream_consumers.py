"""CloudFormation's AWS::Kinesis::StreamConsumer, by Kinesis' own calls: stock ministack's CloudFormation lacks it.

CloudFormation template reference, "AWS::Kinesis::StreamConsumer": Ref answers the consumer's ARN, and both its
properties can only be replaced.
"""

import json
from typing import Any

from ministack.services import kinesis
from ministack.services.cloudformation import provisioners

TYPE = "AWS::Kinesis::StreamConsumer"


def install() -> None:
    """Teach CloudFormation the type."""
    provisioners._RESOURCE_HANDLERS[TYPE] = {"create": _create, "update": _update, "delete": _delete}


def _create(_logical_id: str, properties: Any, _stack: str) -> tuple[str, dict[str, Any]]:
    status, _headers, body = kinesis._register_consumer(
        {name: properties[name] for name in ("ConsumerName", "StreamARN")}
    )
    answer = json.loads(body)
    if status >= 400:
        raise ValueError(f"{TYPE}: {answer.get('message', answer)}")
    arn = answer["Consumer"]["ConsumerARN"]
    return arn, {**answer["Consumer"], "StreamARN": properties["StreamARN"]}


def _update(arn: str, old: Any, new: Any, stack: str) -> tuple[str, dict[str, Any]]:
    if old != new:
        _delete(arn, old)
        return _create("", new, stack)
    return arn, dict(kinesis._consumers[arn])


def _delete(arn: str, _properties: Any) -> None:
    kinesis._deregister_consumer({"ConsumerARN": arn})
