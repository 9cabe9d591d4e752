"""How large messages, lines, objects and rows are: measured here, and the same for every fleet.

Measured on 2026-11-29 with the simulator's fleet (half climate sensors, a third water meters, some trackers): payloads
by kind over 8 messages of 400 devices each; everything else in a demo of 100 devices, 318,270 readings in 15,000
messages of up to 25, every fault on. `make demo` prints what it made beside what these sizes predict.
"""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """A kind of device: its share of the fleet, and the bytes of its messages: `base`, and `reading` for each."""

    share: float
    base: float
    reading: float

    def payload(self, pack: int) -> float:
        """Bytes of a message's payload."""
        return self.base + self.reading * pack


# Climate sensors, water meters, trackers (simulator/fleet.py).
KINDS = (Kind(0.50, 143, 123.1), Kind(0.35, 144, 105.6), Kind(0.15, 100, 148.6))
TOPIC_BYTES = 43
# `$aws/rules/telemetry/`; the rule's name is the environment's (AWS IoT guide, "Reducing messaging costs with Basic
# Ingest").
BASIC_INGEST_PREFIX_BYTES = 21
# What the rules add to a message (iot_pipeline/contract/envelope.py), names and punctuation included.
ENVELOPE_BYTES = 190
# A line's share of a gzipped object of many lines, and its readings'.
_GZIP_LINE_BYTES, _GZIP_READING_BYTES = 65.0, 12.3
# Parquet, ZSTD: bytes a reading. The quarantine's are those of a fleet with every fault on.
JUDGED_BYTES, CURATED_BYTES, QUARANTINE_BYTES = 7.7, 8.3, 0.7
# Of Firehose's Parquet, by what the gzipped lines are: a raw object, and its column of lines, which is what judging
# reads (`python -m infra.local.bench.raw_formats`: 200,000 readings in messages of 25, columns by gzip).
RAW_PARQUET_SHARE, RAW_PARQUET_LINES_SHARE = 1.56, 0.955
# The ledger: bytes of a partition for each raw object of many messages, with two tenants and some 40 event hours; of a
# message that is an object of its own it has a row, and about 30 bytes.
LEDGER_OBJECT_BYTES, LEDGER_ROW_BYTES = 4_200, 30
# A warm device's state of six metrics as DynamoDB counts it: `make bench-alerts` (docs/edge-latency.md).
STATE_BYTES = 8_696


def over_kinds(pack: int, measure: Callable[[float], float]) -> float:
    """The mean over the fleet of what `measure` makes of a payload's bytes: steps are taken kind by kind."""
    return sum(kind.share * measure(kind.payload(pack)) for kind in KINDS)


def largest_payload(pack: int) -> float:
    """Bytes of the largest kind's payload."""
    return max(kind.payload(pack) for kind in KINDS)


def line_bytes(payload: float) -> float:
    """Bytes of the line that a payload becomes on the stream and in the raw zone."""
    return payload + ENVELOPE_BYTES


def gzip_bytes(messages: float, readings: float) -> float:
    """Bytes of so many lines with so many readings in the raw zone, in objects of many lines."""
    return messages * _GZIP_LINE_BYTES + readings * _GZIP_READING_BYTES
