"""The load's benchmark (`make bench`): curated Parquet into the local warehouse, against COPY of the same rows as CSV.

It starts a local AWS of its own in a temporary folder and measures in turns, so that what else the machine does touches
both sides alike; only ratios within a turn are judged.
"""

import io
import platform as machine
import statistics
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import boto3
import numpy as np
import psutil
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv
from rich.console import Console
from rich.table import Table

from infra.local.bench.bench_session import bench_session
from infra.local.servers.checkout import CHECKOUT
from infra.local.session.platform import WAREHOUSE_DATABASE, Platform, running
from iot_pipeline.contract import METRICS, tables
from iot_pipeline.lake.catalog import Catalog, Partition
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.notes import BuildNotes, Counts
from iot_pipeline.resources import LakeResource, WarehouseResource
from iot_pipeline.warehouse.transaction import run

READINGS, HOURS, DEVICES, ROUNDS = 2_000_000, 24, 200, 3
GOAL_ROWS_PER_SECOND = 250_000
ROWS_AN_HOUR = READINGS // HOURS


@dataclass(frozen=True)
class Round:
    """Seconds of one turn."""

    csv: float
    parquet: float


def main() -> None:
    """Run it and print the figures."""
    console = Console()
    with bench_session("load") as folder, running(folder / "state", CHECKOUT / ".local", console) as local:
        _measure(local, console)


def _measure(local: Platform, console: Console) -> None:
    catalog, bucket = LakeResource().open().catalog, LakeResource().open().bucket
    first = Hour.of(datetime.now(UTC) - timedelta(days=2))
    hours = [first + n for n in range(HOURS)]
    console.print(f"writing {HOURS} curated hours of {ROWS_AN_HOUR:,} readings")
    texts = [_put_hour(catalog, bucket, hour, n) for n, hour in enumerate(hours)]
    rounds = []
    for number in range(ROUNDS + 1):
        _empty(local)
        by_csv = _copy_csv(local, texts)
        _empty(local)
        turn = Round(by_csv, _load(hours))
        if number:  # the first one warms both up
            console.print(f"round {number}: CSV {turn.csv:.2f} s, Parquet {turn.parquet:.2f} s")
            rounds.append(turn)
    _print(console, rounds)


def _put_hour(catalog: Catalog, bucket: str, hour: Hour, number: int) -> bytes:
    """Publish one curated hour, as a build does; the same rows as CSV."""
    rows = _rows(hour, np.random.default_rng(number))
    body = io.BytesIO()
    pq.write_table(rows, body, compression="zstd")
    table = tables().curated_telemetry
    key = f"{table.prefix}v=bench/{hour.path}part.parquet"
    boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=body.getvalue())
    notes = BuildNotes(datetime.now(UTC), f"bench {number}", Counts(rows.num_rows))
    catalog.publish(table.name, [Partition(hour, f"s3://{bucket}/{table.prefix}v=bench/{hour.path}", notes)])
    text = io.BytesIO()
    csv.write_csv(rows.drop_columns(["extras"]), text, csv.WriteOptions(include_header=False))
    return text.getvalue()


def _rows(hour: Hour, rng: np.random.Generator) -> pa.Table:
    """One hour of the curated table's columns, sorted by device and time, every metric there."""
    device = np.repeat(np.arange(DEVICES), -(-ROWS_AN_HOUR // DEVICES))[:ROWS_AN_HOUR]
    start = np.datetime64(hour.start.replace(tzinfo=None), "us")
    times = np.sort(rng.integers(0, 3_600_000, ROWS_AN_HOUR)) * np.timedelta64(1000, "us") + start
    ids = pa.array([f"dev-{number:05d}" for number in range(DEVICES)]).take(pa.array(device))
    count = len(device)
    columns = {
        "device_id": ids,
        "event_time": pa.array(times),
        "seq": pa.array(np.arange(count)),
        **{metric.name: pa.array(np.round(rng.normal(20, 5, count), 2)) for metric in METRICS},
        "lat": pa.nulls(count, pa.float64()),
        "lon": pa.nulls(count, pa.float64()),
        "extras": pa.nulls(count, pa.map_(pa.string(), pa.string())),
        "tenant": pa.array(["acme"] * count),
        "site": pa.array([f"site-{number % 20}" for number in device]),
        "fw": pa.array(["1.4.2"] * count),
        "received_at": pa.array(times + np.timedelta64(1, "s")),
        "duplicates": pa.array(np.zeros(count, np.int64)),
        "conflicts": pa.array(np.zeros(count, np.int64)),
    }
    names = [column.name for column in tables().curated_telemetry.columns]
    return pa.table([columns[name] for name in names], names=names)


def _empty(local: Platform) -> None:
    with WarehouseResource().loader() as loader:
        for table in ("lake.readings", "lake.loads"):
            run(loader.connection, f"DELETE FROM {table}")
        loader.connection.commit()
    with psycopg.connect(local.postgres.dsn(WAREHOUSE_DATABASE), autocommit=True) as connection:
        connection.execute("VACUUM lake.readings, lake.loads")


def _copy_csv(local: Platform, texts: list[bytes]) -> float:
    """Seconds of a bare CSV COPY straight into PostgreSQL, a transaction an hour, the CSV made beforehand."""
    names = ", ".join(c.name for c in tables().curated_telemetry.columns if c.name != "extras")
    started = time.monotonic()
    with psycopg.connect(local.postgres.dsn(WAREHOUSE_DATABASE)) as connection:
        for text in texts:
            with connection.cursor().copy(f"COPY lake.readings ({names}) FROM STDIN (FORMAT csv)") as copy:
                copy.write(text)
            connection.commit()
    return time.monotonic() - started


def _load(hours: list[Hour]) -> float:
    """Seconds of the pipeline's own load: the hours compared, deleted, copied, counted and noted."""
    with WarehouseResource().loader() as loader:
        started = time.monotonic()
        loaded = loader.load(hours)
        seconds = time.monotonic() - started
    if sum(hour.rows for hour in loaded) != HOURS * ROWS_AN_HOUR:
        raise RuntimeError(f"loaded {sum(hour.rows for hour in loaded):,} rows, not {HOURS * ROWS_AN_HOUR:,}")
    return seconds


def _print(console: Console, rounds: list[Round]) -> None:
    rows = HOURS * ROWS_AN_HOUR
    by_csv, by_parquet = (statistics.median(s) for s in zip(*((r.csv, r.parquet) for r in rounds), strict=True))
    ratios = [r.csv / r.parquet for r in rounds]
    table = Table("figure", "measured", "goal", title=f"{rows:,} readings in {HOURS} event hours into the warehouse")
    table.add_row("bare CSV COPY into PostgreSQL", f"{rows / by_csv:,.0f} rows/s", "")
    table.add_row(
        "load of curated Parquet, by COPY through the Redshift proxy",
        f"{rows / by_parquet:,.0f} rows/s",
        f">= {GOAL_ROWS_PER_SECOND:,} rows/s",
    )
    spread = f"{statistics.median(ratios):.2f}x ({min(ratios):.2f}-{max(ratios):.2f}, {len(ratios)} rounds)"
    table.add_row("load against CSV COPY", spread, "")
    console.print(table)
    memory = psutil.virtual_memory().total / 2**30
    console.print(
        f"{psutil.cpu_count()} cores, {memory:.0f} GiB, Python {machine.python_version()}. The load also compares, "
        "deletes, counts and notes each hour, in its transaction; the CSV was made beforehand and lacks `extras`."
    )


if __name__ == "__main__":
    main()
