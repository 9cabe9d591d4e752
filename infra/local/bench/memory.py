"""How much memory a vast hour takes (`make bench-memory`): 10 million readings that arrive and were taken in one hour.

Once of 200 devices, once of one. Raw objects are written by DuckDB, 25 readings a message, of which two conflict;
a new process then runs the product's own statements on the local Athena's engine, and says after each the most memory
it held since the one before (VmHWM of /proc, which it resets).
"""

import gzip
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import boto3
import duckdb
from rich.console import Console
from rich.table import Table

from infra.local.athena.config import REGION
from infra.local.bench.bench_session import bench_session
from infra.local.bench.judging_turn import BUCKET, execution
from infra.local.bench.judging_turn import statements as engine
from infra.local.emulator.process import start_emulator
from iot_pipeline.contract import CONTRACT, PARTITION_KEYS, tables
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.statements import Target, build_curated, build_judged, build_ledger

READINGS, PACK, OBJECTS = 10_000_000, 25, 40
HOUR = Hour.of(datetime(2026, 11, 18, 11, tzinfo=UTC))
GOAL = 2 * 2**30
_STEPS = ("judging", "ledger", "curated build")


def main() -> None:
    """Measure both and print the figures; an argument is another number of readings. It exits with 1 above the goal."""
    if sys.argv[1:2] == ["steps"]:
        _steps(Path(sys.argv[2]))
        return
    console = Console()
    readings = int(sys.argv[1]) if len(sys.argv) > 1 else READINGS
    table = Table("step", "rows", "CPU s", "most memory", title=f"{readings:,} readings in an hour; goal <= 2 GiB")
    worst = 0
    for devices in (200, 1):
        for step, rows, cpu, peak in _measured(readings, devices):
            worst = max(worst, peak)
            table.add_row(f"{devices} device(s): {step}", f"{rows:,}", f"{cpu:.1f}", f"{peak / 2**30:.2f} GiB")
            console.print(f"{devices} device(s): {step}, {rows:,} rows, {cpu:.1f} CPU s, {peak / 2**30:.2f} GiB")
    console.print(table)
    sys.exit(int(worst > GOAL))


def _measured(readings: int, devices: int) -> Iterator[tuple[str, int, float, int]]:
    """Each step's name, rows, CPU seconds and most memory in bytes."""
    with bench_session("memory") as folder, ExitStack() as stack:
        emulator = start_emulator(folder / "aws")
        stack.callback(emulator.stop)
        os.environ.update(emulator.environment)
        boto3.setup_default_session()  # forgets the emulator before
        _put(folder, readings, devices)
        command = [sys.executable, "-m", "infra.local.bench.memory", "steps", str(folder)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            for line in process.stdout or ():
                step, rows, cpu, peak = json.loads(line)
                yield step, rows, cpu, peak
        if process.returncode:
            raise RuntimeError("a step failed")


def _put(folder: Path, readings: int, devices: int) -> None:
    boto3.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})  # type: ignore[typeddict-item]  # a region like any
    boto3.client("glue").create_database(DatabaseInput={"Name": "default"})
    location = f"s3://{BUCKET}/{tables().raw_lines.prefix}"
    keys = ", ".join(f"{key} string" for key in PARTITION_KEYS)
    athena = engine(folder)
    athena.run(
        execution(f"CREATE EXTERNAL TABLE raw_lines (line string) PARTITIONED BY ({keys}) LOCATION '{location}'")
    )
    values = ", ".join(f"{key} = '{value}'" for key, value in zip(PARTITION_KEYS, HOUR.values, strict=True))
    athena.run(execution(f"ALTER TABLE raw_lines ADD PARTITION ({values}) LOCATION '{location}{HOUR.path}'"))
    messages = readings // PACK
    each = messages // OBJECTS
    for number in range(OBJECTS):
        lines = duckdb.execute(_lines(number * each, each, messages // devices, devices)).fetchall()
        body = gzip.compress("".join(f"{line}\n" for (line,) in lines).encode(), 1)
        key = f"{tables().raw_lines.prefix}{HOUR.path}memory-{number}.gz"
        boto3.client("s3").put_object(Bucket=BUCKET, Key=key, Body=body)


def _lines(first: int, count: int, of_device: int, devices: int) -> str:
    """Messages from the `first` on, each device's in turn, spread over the hour.

    The eighth reading of each has the seventh's key, and other values.
    """
    start = round(HOUR.start.timestamp() * 1000)
    return f"""
SELECT '{{"v":1,"device_id":"acme-' || device || '","fw":"1.4.2","readings":[' || string_agg(reading, ',' ORDER BY n) ||
    '],"iot_tenant":"acme","iot_site":"oslo","iot_device":"acme-' || device || '","iot_received_at":' ||
    {start} + min(least(seq * 3590000 // {of_device * PACK} + 200, 3599999))::BIGINT ||
    ',"iot_client":"acme","iot_trace":"' || uuid() || '"}}'
FROM (
    SELECT m, n, m % {devices} AS device, m // {devices} * {PACK} + n - (n = 7)::INT AS seq,
        '{{"ts":"' || strftime(make_timestamp(({start} + seq * 3590000 // {of_device * PACK})::BIGINT * 1000),
            '%Y-%m-%dT%H:%M:%S.%gZ')
        || '","seq":' || seq || ',"temperature":' || 15 + hash(m * 31 + n) % 100 / 10
        || ',"humidity":' || 40 + hash(m * 17 + n) % 300 / 10 || ',"pressure":1013.2,"battery":3.71,"rssi":-'
        || 60 + hash(m + n) % 20 || '}}' AS reading
    FROM range({first}, {first + count}) AS a(m), range({PACK}) AS b(n)
)
GROUP BY m, device"""


def _steps(folder: Path) -> None:
    """The three statements, one after the other, in this process."""
    athena = engine(folder)
    root = f"s3://{BUCKET}/built"
    statements = (
        build_judged(CONTRACT, [HOUR], Target("judged_telemetry", f"{root}/judged/")),
        build_ledger(CONTRACT, "judged_telemetry", Target("ledger", f"{root}/ledger/")),
        build_curated(CONTRACT, [HOUR], [HOUR], Target("curated", f"{root}/curated/")),
    )
    for step, sql in zip(_STEPS, statements, strict=True):
        Path("/proc/self/clear_refs").write_text("5")
        run, before = execution(sql), time.process_time()
        athena.run(run)
        print(json.dumps([step, run.update_count, time.process_time() - before, _peak()]), flush=True)


def _peak() -> int:
    status = Path("/proc/self/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) * 1024


if __name__ == "__main__":
    main()
