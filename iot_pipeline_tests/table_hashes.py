"""Hashes of all that the lake makes of the benchmark's readings and of hostile payloads.

    python -m iot_pipeline_tests.table_hashes

A change of the SQL that is meant to change no row prints the same hashes before and after it; so does another engine
(`make truth`). They do not depend on the order of rows or on which object holds them; what names an object or a time of
building is left out.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
from rich.console import Console
from rich.table import Table as Printed

from infra.local.bench.raw_objects import put_raw
from infra.local.servers.checkout import CHECKOUT
from infra.local.session.platform import Platform, running
from infra.local.trino.process import CHOICE
from iot_pipeline import settings
from iot_pipeline.contract import CONTRACT, Format, Table, tables
from iot_pipeline.contract.tables import PARTITION_KEYS, Column
from iot_pipeline.lake.hours import Hour, partition_predicate
from iot_pipeline.lake.lake import Lake
from iot_pipeline.resources import LakeResource
from iot_pipeline_tests.support.messages import METER, RawZone, build
from iot_pipeline_tests.support.payloads import Payloads

FIRST, HOURS, READINGS, PACK = Hour.of(datetime(2026, 11, 18, tzinfo=UTC)), 6, 200_000, 25
HOSTILE, SEED = 5_000, 9
# Where something lies, and what follows from it.
PLACES = {"object", "content", "judged_by"}

Hashes = dict[str, tuple[str, str]]
"""Rows and hash by what was built and the table's name."""


def main() -> None:
    """Build both and print the hashes."""
    console = Console()
    printed = Printed("table", "rows", "hash")
    for name, (rows, value) in hashes_on(os.environ.get(CHOICE, "duckdb"), console).items():
        printed.add_row(name, rows, value)
    console.print(printed)


def hashes_on(engine: str, console: Console) -> Hashes:
    """The hashes of a local AWS of its own, whose Athena runs its statements by `engine`."""
    with local_aws_on(engine, console):
        return hashes()


@contextmanager
def local_aws_on(engine: str, console: Console) -> Iterator[Platform]:
    """A local AWS for a while, whose Athena runs its statements by `engine`; nothing of it is left."""
    before = os.environ.get(CHOICE)
    os.environ[CHOICE] = engine
    folder = Path(tempfile.mkdtemp(prefix="iot-hashes-"))
    try:
        with running(folder / "state", CHECKOUT / ".local", console) as platform:
            yield platform
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.environ.pop(CHOICE)
        if before is not None:
            os.environ[CHOICE] = before


def hashes() -> Hashes:
    """The hashes of what the lake that the environment points to makes of both."""
    # What an earlier local AWS of this process had for credentials and settings.
    settings.forget()
    boto3.setup_default_session()
    lake = LakeResource().open()
    arrivals, _ = put_raw(lake.bucket, FIRST, HOURS, READINGS, PACK)
    found = _built(lake, f"{READINGS:,} readings of the benchmark", arrivals)
    hostile = FIRST + 48
    received = hostile.start + timedelta(minutes=6)
    RawZone(lake.bucket).put(hostile, Payloads(SEED, CONTRACT, received).lines(HOSTILE, METER))
    return found | _built(lake, f"{HOSTILE:,} hostile payloads", [hostile])


def _built(lake: Lake, title: str, arrivals: list[Hour]) -> Hashes:
    event_hours = build(lake, arrivals)
    found = {}
    for table in tables().all:
        if table.format is Format.PARQUET and table.partition_keys == PARTITION_KEYS:
            hours = event_hours if table == tables().curated_telemetry else arrivals
            found[f"{title}: {table.name}"] = hash_of(lake, table, hours)
    return found


def hash_of(lake: Lake, table: Table, hours: list[Hour], without: Collection[str] = PLACES) -> tuple[str, str]:
    """The number of rows that a table has in these hours, and a hash of their columns without those named."""
    columns = [column for column in table.columns if column.name not in without]
    names = ", ".join(
        f"json_format(CAST({column.name} AS JSON)) AS {column.name}" if column.type.startswith("map") else column.name
        for column in columns
    )
    rows = lake.athena.run(f"SELECT {names} FROM {table.name} WHERE {partition_predicate(hours)}").rows
    # A sum does not depend on the order, and unlike XOR it notices a row that comes twice.
    texts = (repr([_promised(c, value) for c, value in zip(columns, row, strict=True)]) for row in rows)
    total = sum(int.from_bytes(hashlib.sha256(text.encode()).digest()) for text in texts)
    return f"{len(rows):,}", hashlib.sha256(str(total).encode()).hexdigest()[:16]


def _promised(column: Column, value: Any) -> Any:
    """The value without what no engine promises: the sign of a least or greatest zero, the order of unknown names."""
    if isinstance(value, float):
        return value + 0.0
    return sorted(json.loads(value)) if column.name == "unknown_fields" and value else value


if __name__ == "__main__":
    main()
