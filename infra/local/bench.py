"""The benchmark (`make bench`): the curated build against a bare DuckDB COPY, and curated against raw queries.

It starts a local AWS of its own in a temporary folder and measures in turns, so that what else the machine does
touches both sides alike; only ratios within a turn are judged.
"""

import gzip
import math
import platform as machine
import shutil
import statistics
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import duckdb
import numpy as np
import orjson
import psutil
from rich.console import Console
from rich.table import Table

from infra.local.athena.config import ACCOUNT_ID, Config
from infra.local.figures import QueryFigure, curated_query, query_figure, raw_query
from infra.local.platform import CHECKOUT, Platform, running
from infra.local.report import SCAN_SHARE, SPEED_UP
from iot_pipeline.contract import CONTRACT, tables
from iot_pipeline.lake import statements
from iot_pipeline.lake.builds import Lake
from iot_pipeline.lake.hours import Hour
from iot_pipeline.resources import LakeResource

READINGS, PACK, HOURS, OBJECTS_PER_HOUR, DEVICES = 1_000_000, 25, 24, 4, 200
ROUNDS, QUERY_RUNS = 5, 3
GOAL, FAR_GOAL = 0.6, 0.9
MEMORY = Config.memory_limit
THREADS = Config.threads


@dataclass(frozen=True)
class Round:
    """Seconds of one turn: the bare COPY, then the build."""

    copy: float
    build: float

    @property
    def ratio(self) -> float:
        """Rows per second of the build as a share of the COPY's."""
        return self.copy / self.build


def main() -> None:
    """Run it all and print the figures."""
    console = Console()
    folder = Path(tempfile.mkdtemp(prefix="iot-bench-"))
    try:
        with running(folder / "state", CHECKOUT / ".local", console) as local:
            _measure(local, folder, console)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _measure(local: Platform, folder: Path, console: Console) -> None:
    lake = LakeResource().open()
    lake = replace(lake, athena=replace(lake.athena, poll_seconds=0.01))
    first = Hour.of(datetime.now(UTC) - timedelta(days=2))
    hours = [first + n for n in range(HOURS)]
    console.print(f"writing {READINGS:,} readings, {PACK} a message, over {HOURS} hours")
    raw_bytes = sum(_put_hour(lake, hour, n) for n, hour in enumerate(hours))
    console.print("profiling")
    lake.profile(hours)
    rounds = []
    for number in range(ROUNDS + 1):
        turn = Round(_copy(_objects(local, lake), folder / "copy"), _build(lake, hours, number))
        if number:  # the first one warms both up
            console.print(f"round {number}: COPY {turn.copy:.2f} s, build {turn.build:.2f} s, {turn.ratio:.2f}x")
            rounds.append(turn)
    lake.curate(hours)
    curated = query_figure(lake.athena, curated_query(first.start), QUERY_RUNS)
    raw = query_figure(lake.athena, raw_query(hours, first.start), QUERY_RUNS)
    _print(console, rounds, raw_bytes, raw, curated)


def _put_hour(lake: Lake, hour: Hour, number: int) -> int:
    """Write one hour's raw objects; their size in bytes."""
    lines = list(_lines(hour, np.random.default_rng(number)))
    size = 0
    for part in range(OBJECTS_PER_HOUR):
        body = gzip.compress(b"".join(lines[part::OBJECTS_PER_HOUR]), 6)
        key = f"{tables().raw_lines.prefix}{hour.path}bench-{part}.gz"
        boto3.client("s3").put_object(Bucket=lake.bucket, Key=key, Body=body)
        size += len(body)
    return size


def _lines(hour: Hour, rng: np.random.Generator) -> Iterator[bytes]:
    """The hour's messages as Firehose lands them: every tenth device speaks Fahrenheit, few readings say more."""
    packs = math.ceil(READINGS / HOURS / PACK / DEVICES)
    step = timedelta(hours=1) / (packs * PACK)
    for message in range(READINGS // HOURS // PACK):
        device, pack = message % DEVICES, message // DEVICES
        fahrenheit = device % 10 == 0
        celsius = 20 + device % 7 + np.cumsum(rng.normal(0, 0.1, PACK))
        columns = {
            "temperature": np.round(celsius * 1.8 + 32 if fahrenheit else celsius, 1).tolist(),
            "humidity": np.round(rng.normal(50, 3, PACK), 1).tolist(),
            "pressure": np.round(rng.normal(1013, 1, PACK), 1).tolist(),
            "battery": np.round(rng.normal(3.7, 0.01, PACK), 3).tolist(),
            "rssi": rng.integers(-90, -50, PACK).tolist(),
        }
        readings = []
        for n in range(PACK):
            at = hour.start + (pack * PACK + n + device / DEVICES) * step
            texts = {"ts": at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"}
            values = {name: column[n] for name, column in columns.items()}
            unit = {"unit": {"temperature": "F"}} if fahrenheit else {}
            more = {"co2": 400} if message % 8 == 0 and n == 0 else {}
            readings.append(texts | {"seq": 1000 * device + pack * PACK + n} | values | unit | more)
        received = hour.start + (pack + 1) * PACK * step
        yield orjson.dumps(
            {
                "v": 1,
                "device_id": f"dev-{device:05d}",
                "sent_at": received.isoformat(timespec="milliseconds"),
                "fw": "1.4.2",
                "readings": readings,
                "iot_tenant": "acme",
                "iot_site": f"site-{device % 20}",
                "iot_device": f"dev-{device:05d}",
                "iot_received_at": round(received.timestamp() * 1000),
                "iot_client": f"dev-{device:05d}",
                "iot_trace": str(uuid.UUID(bytes=rng.bytes(16))),
            },
            option=orjson.OPT_APPEND_NEWLINE,
        )


def _objects(local: Platform, lake: Lake) -> list[str]:
    """The raw objects' files: both sides read them where the emulator keeps them, none through HTTP."""
    root = local.state_dir / "aws" / "s3" / ACCOUNT_ID / lake.bucket / tables().raw_lines.prefix
    return sorted(str(path) for path in root.rglob("*.gz"))


def _copy(objects: list[str], out: Path) -> float:
    """Seconds of a bare DuckDB COPY of the curated table's columns, without judging, units or deduplication."""
    metrics = ", ".join(m.name for m in CONTRACT.metrics)
    types = ", ".join(f"{m.name} DOUBLE" for m in CONTRACT.metrics)
    reading = f"STRUCT(ts VARCHAR, seq BIGINT, {types}, location STRUCT(lat DOUBLE, lon DOUBLE))[]"
    message = (
        f"{{fw: 'VARCHAR', readings: '{reading}', iot_tenant: 'VARCHAR', iot_site: 'VARCHAR', iot_device: 'VARCHAR', "
        "iot_received_at: 'BIGINT'}"
    )
    fields = ", ".join(f"r.{m.name}" for m in CONTRACT.metrics)
    query = f"""
SELECT device_id, event_time, seq, {metrics}, lat, lon, tenant, site, fw, received_at,
    year(event_time) AS year, month(event_time) AS month, day(event_time) AS day, hour(event_time) AS hour
FROM (
    SELECT iot_device AS device_id, CAST(r.ts AS TIMESTAMP) AS event_time, r.seq, {fields}, r.location.lat AS lat,
        r.location.lon AS lon, iot_tenant AS tenant, iot_site AS site, fw,
        make_timestamp(iot_received_at * 1000) AS received_at
    FROM (
        SELECT *, unnest(readings) AS r
        FROM read_json({objects!r}, format = 'newline_delimited', columns = {message}, hive_partitioning = false)
    )
)"""
    shutil.rmtree(out, ignore_errors=True)
    with duckdb.connect() as con:
        for setting in (f"threads = {THREADS}", f"memory_limit = '{MEMORY}'", "preserve_insertion_order = false"):
            con.execute(f"SET {setting}")
        started = time.monotonic()
        con.execute(
            f"COPY ({query}) TO '{out}' (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (year, month, day, hour))"
        )
        return time.monotonic() - started


def _build(lake: Lake, hours: list[Hour], number: int) -> float:
    """Seconds of the curated build's statement, from StartQueryExecution to SUCCEEDED."""
    target = statements.Target(f"bench_{number}", f"s3://{lake.bucket}/bench/{number}/")
    sql = statements.build_curated(CONTRACT, hours, hours, target)
    started = time.monotonic()
    lake.athena.run(sql)
    seconds = time.monotonic() - started
    lake.catalog.drop_table(target.table)
    return seconds


def _print(console: Console, rounds: list[Round], raw_bytes: int, raw: QueryFigure, curated: QueryFigure) -> None:
    ratios = [r.ratio for r in rounds]
    rows = HOURS * (READINGS // HOURS // PACK) * PACK
    copy, build = (statistics.median(s) for s in zip(*((r.copy, r.build) for r in rounds), strict=True))
    table = Table("figure", "measured", "goal", title=f"{rows:,} readings, {raw_bytes / 1e6:.1f} MB of gzipped raw")
    table.add_row("bare partitioned DuckDB COPY", f"{rows / copy:,.0f} rows/s", "")
    table.add_row("curated build through Athena's API", f"{rows / build:,.0f} rows/s", "")
    spread = f"{statistics.median(ratios):.2f}x ({min(ratios):.2f}-{max(ratios):.2f}, {len(ratios)} rounds)"
    table.add_row("build against COPY", spread, f">= {GOAL}x ({FAR_GOAL}x)")
    table.add_row("raw query", f"{raw.scanned_bytes:,} B, {raw.seconds:.2f} s", "")
    table.add_row("curated query", f"{curated.scanned_bytes:,} B, {curated.seconds:.3f} s", "")
    table.add_row("bytes scanned, of raw", f"{curated.scanned_bytes / raw_bytes:.1%}", f"<= {SCAN_SHARE:.0%}")
    table.add_row("curated query faster than raw", f"{raw.seconds / curated.seconds:.0f}x", f">= {SPEED_UP}x")
    console.print(table)
    memory = psutil.virtual_memory().total / 2**30
    console.print(
        f"{psutil.cpu_count()} cores ({THREADS} DuckDB threads a side), {memory:.0f} GiB, "
        f"Python {machine.python_version()}, DuckDB {duckdb.__version__}. "
        "The COPY has the curated columns but extras, duplicates and conflicts, and judges nothing."
    )


if __name__ == "__main__":
    main()
