"""Raw objects as they come out of the IoT rules and Firehose, and what the lake made of them."""

import base64
import gzip
import hashlib
import json
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3

from iot_pipeline.contract import CONTRACT, PARTITION_KEYS, Column, Contract, Table, tables
from iot_pipeline.contract.judge import Judge
from iot_pipeline.contract.judged_reading import Reading
from iot_pipeline.lake.hours import Hour, partition_predicate
from iot_pipeline.lake.lake import Lake

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True)
class Sender:
    """Who the topic says has published."""

    device: str = "meter-1"
    tenant: str = "acme"
    site: str = "north"

    def fields(self, received_at: datetime, trace: str | None) -> dict[str, Any]:
        """What the IoT rules add to a message."""
        return {
            "iot_tenant": self.tenant,
            "iot_site": self.site,
            "iot_device": self.device,
            "iot_received_at": round(received_at.timestamp() * 1000),
            "iot_client": self.device,
            "iot_trace": trace or str(uuid.uuid4()),
        }


METER = Sender()
JUDGE = Judge()


def reading(at: datetime | str | int | None, seq: int, **values: Any) -> dict[str, Any]:
    """One reading; a temperature unless other values are given."""
    ts = at.isoformat(timespec="milliseconds") if isinstance(at, datetime) else at
    return {"ts": ts, "seq": seq, **(values or {"temperature": 21.5})}


def message(*readings: Any, **fields: Any) -> bytes:
    """A payload with these readings, as a device sends it."""
    return json.dumps({"v": 1, "readings": list(readings), **fields}, separators=(",", ":")).encode()


def line(payload: bytes, received_at: datetime, sender: Sender = METER, trace: str | None = None) -> bytes:
    """What the two IoT rules (infra/stacks/ingest/rules.py) make of a payload: the object with the rule's fields, its
    text as sent, or, where it has no `readings`, its bytes in base64.
    """
    added = sender.fields(received_at, trace)
    if _has_readings(payload):
        return payload.strip()[:-1] + b"," + _json(added)[1:]
    return _json({"iot_payload": base64.b64encode(payload).decode(), **added})


def judged(payload: bytes, device_id: str, received_ms: int) -> list[Reading]:
    """The contract's verdict on a payload from a device's topic, received at a time (epoch ms)."""
    return JUDGE.line(line(payload, datetime.fromtimestamp(received_ms / 1000, UTC), Sender(device_id)))


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _has_readings(payload: bytes) -> bool:
    try:
        # As floats whole numbers may have any number of digits.
        value = json.loads(payload, parse_int=float)
    except ValueError:
        return False
    except RecursionError:
        return payload.lstrip().startswith(b"{") and b'"readings":' in payload
    return isinstance(value, dict) and "readings" in value


@dataclass(frozen=True)
class RawZone:
    """Writes to the raw zone of a bucket."""

    bucket: str
    written: list[str] = field(default_factory=list)

    @cached_property
    def s3(self) -> "S3Client":
        """One client for all writes."""
        return boto3.client("s3")

    def put(self, arrival: Hour, lines: Iterable[bytes]) -> str:
        """Write one object of an arrival hour; its s3://bucket/key."""
        key = f"{tables().raw_lines.prefix}{arrival.path}telemetry-{uuid.uuid4()}.gz"
        body = gzip.compress(b"".join(item + b"\n" for item in lines), compresslevel=1)
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)
        return f"s3://{self.bucket}/{key}"

    def delete(self, uri: str) -> None:
        """Remove an object, which a real raw zone never does."""
        self.s3.delete_object(Bucket=self.bucket, Key=uri.removeprefix(f"s3://{self.bucket}/"))


def build(lake: Lake, arrivals: Sequence[Hour]) -> list[Hour]:
    """Profile and quarantine arrival hours, then curate what they touch; the event hours."""
    lake.judge(arrivals)
    lake.quarantine(arrivals)
    event_hours = lake.touched(arrivals)
    if event_hours:
        lake.curate(event_hours)
    return event_hours


def rows_of(lake: Lake, table: Table, hours: Iterable[Hour], order: str) -> list[dict[str, Any]]:
    """Rows of a table's partitions, each by column name."""
    columns = ", ".join(_column(column) for column in table.columns)
    result = lake.athena.run(f"SELECT {columns} FROM {table.name} WHERE {partition_predicate(hours)} ORDER BY {order}")
    maps = {column.name for column in table.columns if column.type.startswith("map")}
    return [
        {
            name: json.loads(value) if name in maps and value else value
            for name, value in zip(result.columns, row, strict=True)
        }
        for row in result.rows
    ]


def _column(column: Column) -> str:
    """Maps as JSON text: a map's own text in results is ambiguous."""
    if column.type.startswith("map"):
        return f"json_format(CAST({column.name} AS JSON)) AS {column.name}"
    return f'"{column.name}"'


def curated(lake: Lake, event_hours: Iterable[Hour]) -> list[dict[str, Any]]:
    """The curated rows of event hours, by key."""
    return rows_of(lake, tables(lake.contract).curated_telemetry, event_hours, "device_id, event_time, seq")


def quarantined(lake: Lake, arrivals: Iterable[Hour]) -> list[dict[str, Any]]:
    """The quarantined records of arrival hours, by message and position."""
    return rows_of(lake, tables(lake.contract).quarantined_telemetry, arrivals, "message_id, position")


def content(lake: Lake, table: Table, hours: Iterable[Hour]) -> list[tuple[Any, ...]]:
    """Per partition its values, the number of its rows and a checksum of them, whatever their order or files."""
    rows = lake.athena.run(f"SELECT * FROM {table.name} WHERE {partition_predicate(hours)}").rows
    by_partition: dict[tuple[Any, ...], list[str]] = {}
    for row in rows:
        by_partition.setdefault(row[-len(PARTITION_KEYS) :], []).append(repr(row))
    return [
        (*values, len(texts), hashlib.sha256("\n".join(sorted(texts)).encode()).hexdigest())
        for values, texts in sorted(by_partition.items())
    ]


def curated_content(lake: Lake, hours: Iterable[Hour], contract: Contract = CONTRACT) -> list[tuple[Any, ...]]:
    """The content of curated event hours."""
    return content(lake, tables(contract).curated_telemetry, hours)
