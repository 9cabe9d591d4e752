"""The canary: a device that AWS plays. It sends as a device does, and looks whether the live state has it in time.

Its reading goes the way of all others: broker, rules, stream, edge, live state, lake, books. It writes two metrics in
CloudWatch's embedded format (CloudWatch user guide, "Specification: Embedded metric format"): `arrived`, 1 or 0, and
`arrival_ms` where it did. This file is all of the function's package.
"""

import json
import os
import time
from typing import Any

import boto3

# A message is looked for so often.
_PAUSE_SECONDS = 0.25

broker = boto3.client("iot-data")
states = boto3.client("dynamodb")


def handler(_event: object, _context: object) -> dict[str, Any]:
    """Send one reading and wait for it for WITHIN_SECONDS. Raises botocore's errors, after it has told of the loss."""
    began, sequence = time.monotonic(), int(time.time())
    arrived = False
    try:
        broker.publish(topic=os.environ["TOPIC"], qos=1, payload=json.dumps(message(sequence)).encode())
        while not arrived and time.monotonic() - began < float(os.environ["WITHIN_SECONDS"]):
            arrived = newest() >= sequence
            if not arrived:
                time.sleep(_PAUSE_SECONDS)
    finally:
        metrics = {"arrived": int(arrived)}
        if arrived:
            metrics["arrival_ms"] = round((time.monotonic() - began) * 1000)
        emit(metrics)
    return metrics


def message(sequence: int) -> dict[str, Any]:
    """A message of the contract, whose one reading was taken at `sequence`, in seconds since 1970.

    The value changes from one reading to the next, since one that stays is an alert of its own.
    """
    temperature = 20 + sequence // 60 % 10 / 10
    reading = {"ts": sequence * 1000, "seq": sequence, "temperature": temperature}
    return {
        "v": 1,
        "device_id": os.environ["DEVICE"],
        "sent_at": sequence * 1000,
        "fw": "canary",
        "readings": [reading],
    }


def newest() -> int:
    """The sequence number of the newest reading in the canary's live state; 0 without a state."""
    item = states.get_item(
        TableName=os.environ["TABLE"], Key={"device": {"S": os.environ["DEVICE"]}}, ConsistentRead=True
    ).get("Item")
    return 0 if item is None else int(json.loads(item["body"]["S"])["newest"][1])


def emit(metrics: dict[str, int]) -> None:
    """Print the metrics, in the dimension of the edge's own functions."""
    units = {"arrived": "Count", "arrival_ms": "Milliseconds"}
    definitions = [{"Name": name, "Unit": units[name]} for name in metrics]
    told = {"Namespace": os.environ["METRICS"], "Dimensions": [["function"]], "Metrics": definitions}
    head = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [told]}
    print(json.dumps({"_aws": head, "function": "canary", **metrics}), flush=True)
