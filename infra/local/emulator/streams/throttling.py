"""Throttled records of PutRecords, for those who test what a producer does then.

A stream with the tag `local:throttled-percent` refuses that share of the records of each request, chosen at random, as
a stream does whose shard is at its limit; the others are put. Kinesis API reference, PutRecords: "A single record
failure does not stop the processing of subsequent records."
"""

import random
from typing import Any

from infra.local.emulator.streams.limits import RefusedRequestError

TAG = "local:throttled-percent"
_chance = random.Random(15)  # noqa: S311  a fault's dice


def share_of(stream: Any) -> float:
    """The share of records that a stream refuses, 0 to 1. Raises RefusedRequestError if the tag is no percentage."""
    text = stream["tags"].get(TAG, "0")
    try:
        percent = float(text)
    except ValueError:
        percent = -1.0
    if not 0 <= percent <= 100:
        raise RefusedRequestError("ValidationException", f"the tag {TAG} is {text!r}: expected a number from 0 to 100")
    return percent / 100


def hits(share: float) -> bool:
    """Whether the next record is refused."""
    return share > 0 and _chance.random() < share


def refusal(stream: Any) -> dict[str, str]:
    """The result of a refused record, with AWS's code and text."""
    return {
        "ErrorCode": "ProvisionedThroughputExceededException",
        "ErrorMessage": f"Rate exceeded for a shard in stream {stream['StreamName']}.",
    }
