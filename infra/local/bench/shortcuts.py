"""What the local Athena's shortcuts gain (`python -m infra.local.bench.shortcuts`): judging with and without them.

Raw objects of the simulator's readings, with its default faults, are judged by the product's own statement, each time
in a new process. The sides take turns, in an order that turns round, so that what else the machine does touches all
alike; judged are ratios within a round, of CPU seconds. On a shared machine even those are unsteady: where valgrind is
installed, the instructions of one turn of each side are counted too, which no neighbour can change.
"""

import os
import platform as machine
import re
import shutil
import statistics
import subprocess
import sys
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import patch

import boto3
import duckdb
import psutil
from rich.console import Console
from rich.table import Table

from infra.local.athena.config import REGION, Config
from infra.local.bench.bench_session import bench_session
from infra.local.bench.judging_turn import BUCKET, OFF, ON, Task, execution
from infra.local.bench.judging_turn import statements as engine
from infra.local.bench.raw_objects import put_raw
from infra.local.emulator.process import start_emulator
from iot_pipeline.contract import PARTITION_KEYS, tables
from iot_pipeline.lake.hours import Hour

FIRST, HOURS = Hour.of(datetime(2026, 11, 18, 11, tzinfo=UTC)), 6
READINGS, ROUNDS = 200_000, 4
COUNTED_READINGS = 20_000
PACKS = (25, 1)
SIDES = [ON, OFF]


def main() -> None:
    """Measure both ways of packing readings and print the figures."""
    console = Console()
    for pack in PACKS:
        seconds = _measured(READINGS, pack, ROUNDS, console, counted=False)
        _print(console, f"{READINGS:,} readings, {pack} a message: CPU seconds", seconds)
    if shutil.which("valgrind"):
        for pack in PACKS:
            billions = _measured(COUNTED_READINGS, pack, 1, console, counted=True)
            _print(console, f"{COUNTED_READINGS:,} readings, {pack} a message: instructions in billions", billions)
    console.print(
        f"{psutil.cpu_count()} cores, Python {machine.python_version()}, DuckDB {duckdb.__version__}. Planning is "
        "counted in."
    )


def _measured(readings: int, pack: int, rounds: int, console: Console, *, counted: bool) -> dict[str, list[float]]:
    """Each side's cost, round by round."""
    with bench_session("shortcuts") as folder, ExitStack() as stack:
        emulator = start_emulator(folder / "aws")
        stack.callback(emulator.stop)
        stack.enter_context(patch.dict(os.environ, emulator.environment))
        arrivals = _put(folder, readings, pack)
        costs: dict[str, list[float]] = {side: [] for side in SIDES}
        for number in range(rounds):
            for side in SIDES if number % 2 == 0 else reversed(SIDES):
                task = Task(side, str(folder), [list(hour.values) for hour in arrivals], Config.threads, counted)
                costs[side].append(_turn(task))
            console.print(f"round {number + 1}: " + ", ".join(f"{s} {c[-1]:.2f}" for s, c in costs.items()))
        return costs


def _put(folder: Path, readings: int, pack: int) -> list[Hour]:
    """Raw objects, and the table over them; the arrival hours."""
    boto3.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})  # type: ignore[typeddict-item]  # a region like any
    boto3.client("glue").create_database(DatabaseInput={"Name": "default"})
    arrivals, _ = put_raw(BUCKET, FIRST, HOURS, readings, pack)
    keys = ", ".join(f"{key} string" for key in PARTITION_KEYS)
    location = f"s3://{BUCKET}/{tables().raw_lines.prefix}"
    athena = engine(folder)
    athena.run(
        execution(f"CREATE EXTERNAL TABLE raw_lines (line string) PARTITIONED BY ({keys}) LOCATION '{location}'")
    )
    for hour in arrivals:
        values = ", ".join(f"{key} = '{value}'" for key, value in zip(PARTITION_KEYS, hour.values, strict=True))
        athena.run(execution(f"ALTER TABLE raw_lines ADD PARTITION ({values}) LOCATION '{location}{hour.path}'"))
    return arrivals


def _turn(task: Task) -> float:
    """CPU seconds of the statement in a new process, or its instructions in billions."""
    command = [sys.executable, "-m", "infra.local.bench.judging_turn", task.argument()]
    if task.counted:
        out = f"--callgrind-out-file={task.state_dir}/callgrind.out"
        command = ["valgrind", "--tool=callgrind", "--instr-atstart=no", out, *command]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{task.side}: {done.stderr[-2000:]}")
    if not task.counted:
        return float(done.stdout.split()[0])
    found = re.search(r"Collected : (\d+)", done.stderr)
    if not found:
        raise RuntimeError(f"no count from callgrind: {done.stderr[-2000:]}")
    return int(found[1]) / 1e9


def _print(console: Console, title: str, costs: dict[str, list[float]]) -> None:
    table = Table("side", "median", "against shortcuts, round by round", title=title)
    for side, values in costs.items():
        ratios = [value / on for value, on in zip(values, costs[ON], strict=True)]
        spread = f"{statistics.median(ratios):.2f}x ({min(ratios):.2f}-{max(ratios):.2f}, {len(ratios)} rounds)"
        table.add_row(side, f"{statistics.median(values):.2f}", spread)
    console.print(table)


if __name__ == "__main__":
    main()
