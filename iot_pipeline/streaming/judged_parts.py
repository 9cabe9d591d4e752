"""A part of a micro-batch as it travels from the executor that judged it to the driver that publishes it."""

import io
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from iot_pipeline.contract import Contract
from iot_pipeline.contract.event_time import moment
from iot_pipeline.contract.judge import Judge
from iot_pipeline.contract.tables import streamed_telemetry
from iot_pipeline.lake.hours import Hour
from iot_pipeline.streaming.verdicts import StreamRecord, Unjudged, Verdicts, judge_records

_HOUR_MS = 3_600_000
_TYPES: Mapping[str, pa.DataType] = {
    "string": pa.string(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    # As the lake's other tables have them: milliseconds, UTC by convention (Athena user guide, "Data types in Athena").
    "timestamp": pa.timestamp("ms"),
}


@dataclass(frozen=True)
class Part:
    """Judged records: `rows` as a Parquet file of `streamed_telemetry`, empty without any; the rest as `Verdicts`.

    `event_hours` are those of the rows; `sequences` the least and the greatest sequence number, None without records.
    """

    rows: bytes
    row_count: int
    records: int
    outcomes: Counter[str]
    unjudged: tuple[Unjudged, ...]
    event_hours: frozenset[Hour]
    first_received: int | None
    last_received: int | None
    sequences: tuple[int, int] | None

    @property
    def notes(self) -> str:
        """All but the rows, as JSON."""
        return json.dumps(
            {
                "row_count": self.row_count,
                "records": self.records,
                "outcomes": self.outcomes,
                "unjudged": [each.document for each in self.unjudged],
                "event_hours": sorted("-".join(hour.values) for hour in self.event_hours),
                "first_received": self.first_received,
                "last_received": self.last_received,
                "sequences": self.sequences,
            }
        )

    @classmethod
    def of(cls, rows: bytes, notes: str) -> "Part":
        """From the rows and the `notes`."""
        told: dict[str, Any] = json.loads(notes)
        return cls(
            rows,
            told["row_count"],
            told["records"],
            Counter(told["outcomes"]),
            tuple(Unjudged.of(each) for each in told["unjudged"]),
            frozenset(Hour.from_values(text.split("-")) for text in told["event_hours"]),
            told["first_received"],
            told["last_received"],
            tuple(told["sequences"]) if told["sequences"] else None,
        )


def part_of(records: Iterable[StreamRecord], contract: Contract) -> Part:
    """Judge records by a contract. Never raises for what a device sent."""
    taken = list(records)
    verdicts = judge_records(taken, Judge(contract))
    numbers = [int(record.sequence) for record in taken]
    return Part(
        _parquet(verdicts, contract),
        len(verdicts.versions),
        verdicts.records,
        verdicts.outcomes,
        tuple(verdicts.unjudged),
        frozenset(_hour(ms) for ms in {version["event_time"] // _HOUR_MS for version in verdicts.versions}),
        verdicts.first_received,
        verdicts.last_received,
        (min(numbers), max(numbers)) if numbers else None,
    )


def schema(contract: Contract) -> pa.Schema:
    """Of the rows: the columns of `streamed_telemetry`."""
    return pa.schema([(column.name, _TYPES[column.type]) for column in streamed_telemetry(contract).columns])


def _parquet(verdicts: Verdicts, contract: Contract) -> bytes:
    if not verdicts.versions:
        return b""
    # In the order of a device's time neighbours are alike, which makes small Parquet.
    ordered = sorted(verdicts.versions, key=lambda row: (row["device_id"], row["event_time"], row["seq"]))
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(ordered, schema(contract)), buffer, compression="zstd")
    return buffer.getvalue()


def _hour(hours_since_epoch: int) -> Hour:
    return Hour(moment(hours_since_epoch * _HOUR_MS))
