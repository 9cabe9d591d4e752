"""The user records of a batch of a stream."""

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from iot_pipeline.contract.aggregation import UserRecord, user_records


@dataclass(frozen=True, slots=True)
class Sent:
    """A user record: its record's place in the batch, sequence number and time of arrival, and its place within it.

    `received_ms` is when Kinesis took it, epoch milliseconds UTC.
    """

    position: int
    sequence: str
    received_ms: int
    part: int
    record: UserRecord


def sent_in(position: int, record: Mapping[str, Any]) -> Iterator[Sent]:
    """The user records of a record, as AWS Lambda's Kinesis event source mapping hands it over."""
    of = record["kinesis"]
    received_ms = round(of["approximateArrivalTimestamp"] * 1000)
    for part, each in enumerate(user_records(of["partitionKey"], base64.b64decode(of["data"]))):
        yield Sent(position, of["sequenceNumber"], received_ms, part, each)
