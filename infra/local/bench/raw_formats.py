"""The raw zone as gzipped JSON and as Firehose's Parquet, in bytes and dollars.

Run it by `python -m infra.local.bench.raw_formats`.

The same lines, of the simulator's fleet with every fault on, go through what the local Firehose itself writes with: the
function that makes records columns, the conversion by the raw table's schema, and for JSON lines with newlines by gzip.
Of Parquet, what a query reads is the column chunks that it names (AWS Athena guide, "Columnar storage formats"); of
gzip it is the object. The prices are those of `make cost`, for the fleet that is asked for.
"""

import argparse
import gzip
import json
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table as Shown

from infra.cost.bills import Bill, bill
from infra.cost.design import Landing, design_of, of_size
from infra.cost.fleet import Fleet
from infra.local.bench.raw_objects import lines_of
from infra.local.emulator.firehose.hive_rows import kind_of, struct
from infra.stacks.sizes import Size
from iot_pipeline.arrival.firehose_columns import handle
from iot_pipeline.contract import raw_as_parquet
from iot_pipeline.lake.hours import Hour

READINGS, PACK = 200_000, 25
FIRST = Hour(datetime(2026, 3, 1, tzinfo=UTC))
_COMPRESSIONS = ("gzip", "snappy")
_SERVICES = ("Firehose", "Lambda", "S3", "Athena")


@dataclass(frozen=True)
class Measured:
    """One form of the raw zone: bytes of the objects, and those that judging and a person's query read of them."""

    name: str
    stored: int
    judged: int
    asked: int


def measured(lines: Sequence[bytes]) -> list[Measured]:
    """Each form of these lines, as one object."""
    text = b"".join(line + b"\n" for line in lines)
    packed = len(gzip.compress(text, 6, mtime=0))
    found = [Measured("JSON, gzip", packed, packed, packed)]
    rows = _rows(lines)
    for compression in _COMPRESSIONS:
        body = _parquet(rows, compression)
        found.append(Measured(f"Parquet, {compression}", len(body), _read(body, "line"), _read(body, "readings")))
    return found


def _rows(lines: Sequence[bytes]) -> list[Any]:
    """What the function makes of the records, as rows of the table."""
    kind = struct({column.name: kind_of(column.type) for column in raw_as_parquet()[0].columns})
    rows = []
    for start in range(0, len(lines), 200):
        records = [
            {"recordId": str(n), "data": b64encode(line).decode()} for n, line in enumerate(lines[start : start + 200])
        ]
        for answer in handle({"records": records}, None)["records"]:
            if answer["result"] != "Ok":
                raise ValueError(f"record {answer['recordId']} is {answer['result']}: the bytes would be too few")
            rows.append(kind.value(json.loads(b64decode(answer["data"]))))
    return rows


def _parquet(rows: list[Any], compression: str) -> bytes:
    kind = struct({column.name: kind_of(column.type) for column in raw_as_parquet()[0].columns})
    buffer = BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema=pa.schema(list(kind.arrow))), buffer, compression=compression)
    return buffer.getvalue()


def _read(body: bytes, column: str) -> int:
    """Bytes of a column's chunks, and of the footer."""
    metadata = pq.ParquetFile(BytesIO(body)).metadata
    chunks = 0
    for group in range(metadata.num_row_groups):
        row_group = metadata.row_group(group)
        found = (row_group.column(each) for each in range(row_group.num_columns))
        chunks += sum(
            int(chunk.total_compressed_size) for chunk in found if chunk.path_in_schema.partition(".")[0] == column
        )
    return chunks + int(metadata.serialized_size) + 8


def _bills(fleet: Fleet) -> Mapping[str, Bill]:
    config = of_size(Size.TEAM)
    as_parquet = replace(config, firehose_format="parquet")
    by_tenant = replace(as_parquet, firehose_partition="tenant")
    return {
        "JSON, gzip": bill(config, fleet),
        "Parquet": bill(as_parquet, fleet, replace(design_of(config), landing=Landing.FIREHOSE_PARQUET)),
        "Parquet, by tenant": bill(by_tenant, fleet, replace(design_of(config), landing=Landing.FIREHOSE_PARQUET)),
    }


def main() -> None:
    """Measure, and print both tables."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--readings", type=int, default=READINGS, help="Readings of the object")
    options.add_argument("--devices", type=int, default=10_000, help="Devices of the bill")
    given = options.parse_args()
    lines = [line for some in lines_of(FIRST, 1, given.readings, PACK).values() for _, line in sorted(some)]
    console = Console(width=120)
    table = Shown(title=f"{len(lines):,} messages, {given.readings:,} readings, {sum(map(len, lines)):,} bytes of JSON")
    for name in ("raw zone", "bytes", "a message", "a reading", "judging reads", "a query of readings reads"):
        table.add_column(name, justify="left" if name == "raw zone" else "right")
    for each in measured(lines):
        message, reading = each.stored / len(lines), each.stored / given.readings
        cells = (f"{each.stored:,}", f"{message:.1f}", f"{reading:.1f}", f"{each.judged:,}", f"{each.asked:,}")
        table.add_row(each.name, *cells)
    console.print(table)
    costs = Shown(title=f"US dollars a month: {given.devices:,} devices, a reading a minute, {PACK} a message")
    for name in ("raw zone", *_SERVICES, "all"):
        costs.add_column(name, justify="left" if name == "raw zone" else "right")
    for name, of in _bills(Fleet(given.devices, 60, PACK)).items():
        costs.add_row(name, *(f"{of.by_service.get(service, 0):,.2f}" for service in _SERVICES), f"{of.total:,.2f}")
    console.print(costs)


if __name__ == "__main__":
    main()
