"""How fast a bulk import is and how much memory it takes: `python -m infra.local.bench.bulk_import --rows 10000000`.

A Parquet file of a thousand devices that measured once a minute, device by device, so that each of its row groups holds
all hours: the order in which an import has most to sort. The import runs in a process of its own, against the local S3;
its memory is the most that was resident (VmHWM). In the end the readings in all objects are counted.
"""

import argparse
import gzip
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from rich.console import Console

from infra.local.athena.config import REGION
from infra.local.bench.bench_session import bench_session
from infra.local.emulator.process import start_emulator
from iot_pipeline.bulk_import.importer import Bounds, Importer
from iot_pipeline.bulk_import.mapping_file import read_mapping
from iot_pipeline.bulk_import.source_files import Sources
from iot_pipeline.contract.layout import RAW

BUCKET, DEVICES, GROUP_ROWS = "bulk-import-bench", 1000, 1_000_000
BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
GOAL = 2 * 2**30
MAPPING = """
import = "bench"
tenant = "acme"
site = "oslo"
device = { column = "device" }
ts = { column = "at" }
[metrics]
temperature = { column = "temperature", unit = "F" }
humidity = { column = "humidity", unit = "%" }
battery = { column = "battery", unit = "V" }
"""


def main() -> None:
    """Measure and print the figures. It exits with 1 if memory is above the goal or a reading is missing."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    arguments.add_argument("--rows", type=int, default=10_000_000)
    arguments.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.child:
        _import(given.child)
        return
    sys.exit(int(not _measure(given.rows)))


def _measure(rows: int) -> bool:
    console = Console()
    with bench_session("bulk-import") as folder, ExitStack() as stack:
        emulator = start_emulator(folder / "aws")
        stack.callback(emulator.stop)
        os.environ.update(emulator.environment)
        boto3.setup_default_session()  # forgets the emulator before
        boto3.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})  # type: ignore[typeddict-item]  # a region like any
        size = _write_parquet(folder / "history.parquet", rows)
        console.print(f"{rows:,} rows of {DEVICES:,} devices, {size / 2**20:,.0f} MiB of Parquet")
        command = [sys.executable, "-m", "infra.local.bench.bulk_import", "--child", str(folder)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        found = json.loads(done.stdout.splitlines()[-1])
        counted = _count()
        console.print(
            f"{found['readings']:,} readings in {found['objects']:,} objects of {found['hours']:,} hours, "
            f"{found['bytes'] / 2**20:,.0f} MiB; {counted:,} counted in the objects\n"
            f"read and sorted in {found['read']:.0f} s, written in {found['seconds'] - found['read']:.0f} s: "
            f"{rows / found['seconds']:,.0f} rows/s; {found['cpu']:.0f} s of CPU\n"
            f"most memory {found['peak'] / 2**20:,.0f} MiB, most on disk {found['disk'] / 2**20:,.0f} MiB"
        )
        return bool(counted == found["readings"] == rows and found["peak"] <= GOAL)


def _write_parquet(path: Path, rows: int) -> int:
    """Device by device, a reading a minute; a group of rows at a time."""
    of_device = -(-rows // DEVICES)
    schema = pa.schema(
        [
            ("device", pa.string()),
            ("at", pa.timestamp("ms", "UTC")),
            *((name, pa.float64()) for name in ("temperature", "humidity", "battery")),
        ]
    )
    with pq.ParquetWriter(path, schema) as writer:
        for first in range(0, rows, GROUP_ROWS):
            n = np.arange(first, min(rows, first + GROUP_ROWS))
            device = pa.array(n // of_device).cast(pa.string())
            at = round(BEGIN.timestamp() * 1000) + (n % of_device) * 60_000 + n // of_device
            values = [np.round(60 + 20 * np.sin(n / 700), 2), np.round(n % 1000 / 10, 1), np.round(3 + n % 97 / 100, 2)]
            columns = [pc.binary_join_element_wise("meter-", device, ""), pa.array(at, schema.field("at").type)]
            writer.write_table(pa.table([*columns, *values], schema=schema))
    return path.stat().st_size


def _import(folder: Path) -> None:
    s3, started = boto3.client("s3"), time.monotonic()
    bounds = Bounds(BEGIN, None)
    importer = Importer(s3, BUCKET, Sources(s3), read_mapping(MAPPING), folder / "work", bounds)
    source = str(folder / "history.parquet")
    importer.plan(source)
    read = time.monotonic() - started
    disk = sum(path.stat().st_size for path in (folder / "work").rglob("*.arrow"))
    books: dict[str, Any] = dict(importer.run(source))
    status = Path("/proc/self/status").read_text()
    peak = int(status.partition("VmHWM:")[2].split()[0]) * 1024
    figures = {"read": read, "seconds": time.monotonic() - started, "cpu": time.process_time(), "peak": peak}
    sys.stdout.write(json.dumps({**books, **figures, "disk": disk}) + "\n")


def _count() -> int:
    """The readings in all objects, by their text."""
    with ThreadPoolExecutor(2) as pool:
        return sum(pool.map(_readings, _keys()))


def _keys() -> Iterator[str]:
    pages = boto3.client("s3").get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=RAW)
    return (item["Key"] for page in pages for item in page.get("Contents", []))


def _readings(key: str) -> int:
    return gzip.decompress(boto3.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()).count(b'{"ts":')


if __name__ == "__main__":
    main()
