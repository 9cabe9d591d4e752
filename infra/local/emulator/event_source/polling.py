"""When a mapping sees a shard's records: once a second by a standard iterator, at once by enhanced fan-out.

AWS Lambda developer guide, "Process Amazon Kinesis Data Streams records with Lambda": "Lambda polls each shard in your
Kinesis stream for records using HTTP protocol at a base rate of once per second", and "when more records are
available, Lambda keeps processing batches until the function catches up with the stream". Kinesis developer guide,
"Develop enhanced fan-out consumers with dedicated throughput": records are pushed, typically 70 ms after their put.
"""

import time
from bisect import bisect_right
from collections.abc import Sequence
from typing import Any, Protocol

# The most that one GetRecords answers (Kinesis API reference, GetRecords, Limit).
GET_RECORDS_LIMIT = 10_000
PUSH_SECONDS = 0.07
# How often a reader looks whether there is something to do.
LOOK_SECONDS = 0.05
PUSH_LOOK_SECONDS = 0.005


class Polling(Protocol):
    """How far into a shard a reader sees."""

    look_seconds: float

    def visible(self, records: Sequence[Any], start: int) -> int:
        """The index behind the last record that the reader has been given by now; it has done with those below `start`.

        `records` are a shard's, in order.
        """
        ...


class StandardIterator:
    """A GetRecords every `interval` seconds; what comes after it waits for the next one."""

    def __init__(self, interval: float) -> None:
        self.look_seconds = min(LOOK_SECONDS, interval)
        self._interval = interval
        self._due = 0.0
        self._last = ""

    def visible(self, records: Sequence[Any], start: int) -> int:
        """See `Polling`."""
        seen = bisect_right(records, self._last, lo=start, key=_sequence_number)
        now = time.monotonic()
        if now >= self._due:
            answered = min(GET_RECORDS_LIMIT, len(records) - seen)
            # A full answer means that the reader is behind, and it asks again as soon as it can.
            self._due = now if answered == GET_RECORDS_LIMIT else now + self._interval
            seen += answered
            if seen:
                self._last = records[seen - 1]["SequenceNumber"]
        return seen


class FanOut:
    """A subscription: each record by itself, a little after it was put."""

    look_seconds = PUSH_LOOK_SECONDS

    def visible(self, records: Sequence[Any], start: int) -> int:
        """See `Polling`."""
        return bisect_right(records, time.time() - PUSH_SECONDS, lo=start, key=_arrival)


def polling_of(event_source_arn: str, interval: float) -> Polling:
    """A stream's ARN is read by a standard iterator, a consumer's by fan-out."""
    return FanOut() if "/consumer/" in event_source_arn else StandardIterator(interval)


def stream_arn_of(event_source_arn: str) -> str:
    """The stream of a mapping's source, which may be one of the stream's consumers."""
    return event_source_arn.partition("/consumer/")[0]


def _sequence_number(record: Any) -> str:
    return str(record["SequenceNumber"])


def _arrival(record: Any) -> float:
    return float(record["ApproximateArrivalTimestamp"])
