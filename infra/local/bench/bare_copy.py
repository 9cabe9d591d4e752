"""What the benchmarks compare with: bare DuckDB copies raw readings to Parquet by event hour, and judges nothing."""

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import psutil

from infra.local.athena.config import ACCOUNT_ID, Config
from infra.local.session.platform import Platform
from iot_pipeline.contract import CONTRACT, PARTITION_KEYS, tables
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.lake import Lake

_VALUES = ", ".join([*(m.name for m in CONTRACT.metrics), "lat", "lon"])
MEMORY = Config.memory_limit
THREADS = Config.threads


@dataclass(frozen=True)
class Turn:
    """Rows, seconds and CPU seconds of one side in one turn."""

    rows: int
    seconds: float
    cpu: float


def raw_files(local: Platform, lake: Lake, arrivals: list[Hour]) -> list[str]:
    """The raw objects' files: both sides read them where the emulator keeps them, none through HTTP."""
    root = local.state_dir / "aws" / "s3" / ACCOUNT_ID / lake.bucket / tables().raw_lines.prefix
    return sorted(str(path) for hour in arrivals for path in (root / hour.path).glob("*.gz"))


def plain_readings(objects: list[str], hours: list[Hour]) -> str:
    """The curated table's columns in plain DuckDB, without judging, units or deduplication."""
    types = ", ".join(f"{m.name} DOUBLE" for m in CONTRACT.metrics)
    reading = f"STRUCT(ts VARCHAR, seq BIGINT, {types}, location STRUCT(lat DOUBLE, lon DOUBLE))[]"
    message = (
        f"{{fw: 'VARCHAR', readings: '{reading}', iot_tenant: 'VARCHAR', iot_site: 'VARCHAR', iot_device: 'VARCHAR', "
        "iot_received_at: 'BIGINT'}"
    )
    fields = ", ".join(f"r.{m.name}" for m in CONTRACT.metrics)
    return f"""
SELECT device_id, event_time, seq, {_VALUES}, tenant, site, fw, received_at
FROM (
    SELECT iot_device AS device_id, TRY_CAST(r.ts AS TIMESTAMP) AS event_time, r.seq, {fields},
        r.location.lat AS lat, r.location.lon AS lon, iot_tenant AS tenant, iot_site AS site, fw,
        make_timestamp(iot_received_at * 1000) AS received_at
    FROM (
        SELECT *, unnest(readings) AS r
        FROM read_json({objects!r}, format = 'newline_delimited', columns = {message}, ignore_errors = true,
            hive_partitioning = false)
    )
)
WHERE event_time >= {hours[0].sql} AND event_time < {(hours[-1] + 1).sql}"""


def deduplicated(readings: str) -> str:
    """The same with each key once, its duplicates and conflicts counted as in the build: what that alone costs."""
    return f"""
SELECT * EXCLUDE (receptions, receptions_of_key, time_before, seq_before), receptions - 1 AS duplicates,
    receptions_of_key - receptions AS conflicts
FROM (
    SELECT *, lag(event_time) OVER w AS time_before, lag(seq) OVER w AS seq_before,
        sum(receptions) OVER (PARTITION BY device_id ORDER BY event_time, seq RANGE BETWEEN CURRENT ROW AND CURRENT ROW)
            AS receptions_of_key
    FROM (
        SELECT device_id, event_time, seq, {_VALUES}, max(tenant) AS tenant, max(site) AS site, max(fw) AS fw,
            max(received_at) AS received_at, count(*) AS receptions
        FROM ({readings})
        GROUP BY device_id, event_time, seq, {_VALUES}
    )
    WINDOW w AS (PARTITION BY device_id ORDER BY event_time, seq, received_at DESC)
)
WHERE event_time IS DISTINCT FROM time_before OR seq IS DISTINCT FROM seq_before"""


def copied(query: str, out: Path) -> Turn:
    """A DuckDB COPY to Parquet partitioned by hour."""
    shutil.rmtree(out, ignore_errors=True)
    parts = ", ".join(f"{part}(event_time) AS {part}" for part in PARTITION_KEYS)
    with duckdb.connect() as con:
        for setting in (f"threads = {THREADS}", f"memory_limit = '{MEMORY}'", "preserve_insertion_order = false"):
            con.execute(f"SET {setting}")

        def run() -> int:
            written = con.execute(
                f"COPY (SELECT *, {parts} FROM ({query})) TO '{out}' "
                f"(FORMAT parquet, COMPRESSION zstd, PARTITION_BY ({', '.join(PARTITION_KEYS)}))"
            ).fetchall()
            return int(written[0][0])

        return timed(psutil.Process(), run)


def timed(process: psutil.Process, run: Callable[[], int]) -> Turn:
    before, started = cpu_seconds(process), time.monotonic()
    rows = run()
    return Turn(rows, time.monotonic() - started, cpu_seconds(process) - before)


def cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def athena_process() -> psutil.Process:
    return next(child for child in psutil.Process().children() if "infra.local.athena" in child.cmdline())
