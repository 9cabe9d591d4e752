"""Publish by HTTP within the broker's limits: those of a topic and of a payload hold "for every publish request".

AWS IoT data API reference, Publish (InvalidRequestException); AWS general reference, "AWS IoT Core message broker and
protocol limits and quotas". Stock ministack takes any payload and any number of slashes.
"""

from typing import Any

from ministack.core.responses import error_response_json
from ministack.services import iot_data

from infra.local.emulator.iot import limits

_stock_publish = iot_data._publish


def install() -> None:
    """Check a request before stock ministack publishes."""
    iot_data._publish = _publish


async def _publish(topic: str, body: bytes, *more: Any) -> Any:
    problem = limits.topic_problem(topic)
    if len(body or b"") > limits.MAXIMUM_PAYLOAD:
        problem = f"a payload has at most {limits.MAXIMUM_PAYLOAD} bytes (128 KB), not {len(body)}"
    if problem:
        return error_response_json("InvalidRequestException", f"The request is not valid: {problem}", 400)
    return await _stock_publish(topic, body, *more)
