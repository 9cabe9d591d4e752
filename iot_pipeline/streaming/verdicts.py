"""What a part of a micro-batch holds: the contract's verdict on its records, and its valid readings by key and values.

Pure: neither Spark nor AWS. The verdict is `contract/judge.py`, the one that the edge uses and that a property test
holds to the SQL of the batch.
"""

import base64
import math
import struct
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from iot_pipeline.contract.aggregation import user_records
from iot_pipeline.contract.judge import Judge
from iot_pipeline.contract.judged_reading import VALID, Reading

# In a version's key a metric that was not sent; no reading can have it, since JSON has no NaN.
_UNSENT = math.nan

Version = dict[str, Any]


@dataclass(frozen=True)
class StreamRecord:
    """A record of the stream: its sequence number as Kinesis gave it, and its bytes."""

    sequence: str
    data: bytes


@dataclass(frozen=True)
class Unjudged:
    """A line on which there is no verdict, because judging it failed: its record's number, its bytes and the error."""

    sequence: str
    data: bytes
    error: str

    @property
    def document(self) -> dict[str, str]:
        """As it is kept: the bytes in base64, as Kinesis events have them."""
        return {"sequence": self.sequence, "data": base64.b64encode(self.data).decode(), "error": self.error}

    @classmethod
    def of(cls, document: dict[str, str]) -> "Unjudged":
        """From `document`."""
        return cls(document["sequence"], base64.b64decode(document["data"]), document["error"])


@dataclass
class Verdicts:
    """What records came to.

    `versions` are the valid readings as rows of `streamed_telemetry`: one for each key and values, with `receptions`
    and with the latest arrival. `outcomes` counts readings by outcome. Times are epoch milliseconds UTC:
    `first_received` and `last_received` of the messages that say when they arrived, None without any.
    """

    records: int = 0
    versions: list[Version] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    unjudged: list[Unjudged] = field(default_factory=list)
    first_received: int | None = None
    last_received: int | None = None


def lines_of(data: bytes) -> Iterator[bytes]:
    """The lines of the raw zone that a record carries: several, where a producer has aggregated its messages.

    Firehose takes aggregates apart before it writes that zone (Firehose guide, "Writing to Amazon Data Firehose Using
    Kinesis Data Streams").
    """
    for sent in user_records("", data):
        yield sent.data.rstrip(b"\n")


def judge_records(records: Iterable[StreamRecord], judge: Judge) -> Verdicts:
    """Judge records in their order. Never raises for what a device sent: what no verdict can be had of is kept."""
    found = Verdicts()
    versions: dict[tuple[Any, ...], Version] = {}
    for record in records:
        found.records += 1
        for line in lines_of(record.data):
            try:
                readings = judge.line(line)
            except Exception as error:  # noqa: BLE001  a line that breaks the judge costs itself, not the micro-batch
                found.unjudged.append(Unjudged(record.sequence, line, repr(error)))
                continue
            _take(found, versions, readings, judge)
    found.versions = list(versions.values())
    return found


def _take(found: Verdicts, versions: dict[tuple[Any, ...], Version], readings: list[Reading], judge: Judge) -> None:
    received = readings[0].message.received_ms
    if received is not None:
        found.first_received = received if found.first_received is None else min(found.first_received, received)
        found.last_received = received if found.last_received is None else max(found.last_received, received)
    for reading in readings:
        found.outcomes[str(reading.outcome)] += 1
        if reading.outcome == VALID:
            _merge(versions, reading, judge.metric_names)


def _merge(versions: dict[tuple[Any, ...], Version], reading: Reading, metrics: tuple[str, ...]) -> None:
    """Add a reception to its version. What is kept of several is what lake/winners.py keeps of them: maxima."""
    numbers = [*(reading.values.get(name) for name in metrics), reading.lat, reading.lon]
    extras = reading.extras_text
    message = reading.message
    # Of bytes, so that 0.0 and -0.0 stay apart: whether they are one value, the engine decides for all receptions.
    packed = struct.pack(f"{len(numbers)}d", *(_UNSENT if number is None else number for number in numbers))
    key = (message.device_id, reading.event_ms, reading.seq, packed, extras)
    version = versions.get(key)
    if version is None:
        versions[key] = {
            "device_id": message.device_id,
            "event_time": reading.event_ms,
            "seq": reading.seq,
            **dict(zip((*metrics, "lat", "lon"), numbers, strict=True)),
            "extras": extras,
            "tenant": message.tenant,
            "site": message.site,
            "fw": message.fw,
            "received_at": message.received_ms,
            "position": reading.position,
            "receptions": 1,
        }
        return
    version["receptions"] += 1
    for name, text in (("tenant", message.tenant), ("site", message.site), ("fw", message.fw)):
        version[name] = max((each for each in (version[name], text) if each is not None), default=None)
    arrival = (message.received_ms, reading.position)
    if arrival > (version["received_at"], version["position"]):
        version["received_at"], version["position"] = arrival
