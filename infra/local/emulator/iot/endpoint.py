"""DescribeEndpoint: where devices find this broker.

AWS IoT API reference, DescribeEndpoint; developer guide, "AWS IoT device data and service endpoints". On AWS the data
endpoint is a host alone, whose MQTT port is 8883. Here each local AWS has a port of its own, so that the answer names
it, `localhost:<port>`; stock ministack names the API's port instead. SDKs reach the HTTP operations of the same
endpoint (Publish, shadows) by `AWS_ENDPOINT_URL`.
"""

from typing import Any

from ministack.core.responses import json_response
from ministack.services import iot

# A name, since a device asks for the host by it (SNI), and the broker's certificate has it.
HOST_NAME = "localhost"
DATA = "iot:Data-ATS"

_stock_describe = iot._describe_endpoint


def install(mqtt_port: int) -> None:
    """Replace the answer for the data endpoint; the others' stay."""

    def describe(query: dict[str, Any]) -> Any:
        if query.get("endpointType", DATA) == DATA:
            return json_response({"endpointAddress": f"{HOST_NAME}:{mqtt_port}"})
        return _stock_describe(query)

    iot._describe_endpoint = describe
