"""A backfill of 2,000 hours that is killed three times, beside an undisturbed one (`make bench-backfill`).

Small hours, for it is commits that are counted: an undisturbed backfill builds what is missing, from raw to curated;
then all of it is forced anew, killed three times (SIGKILL) and run again under the same plan, while a reader counts the
curated readings without a pause. Each hour must be committed once more and no more, and the reader see all readings at
all times. Seconds are shown beside it.
"""

import argparse
import gzip
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
from rich.console import Console

from infra.local.bench.raw_objects import lines_of, put_object
from infra.local.servers.checkout import CHECKOUT
from infra.local.session.platform import running
from iot_pipeline.backfill.plan import Zone
from iot_pipeline.connections.backfill import open_planner
from iot_pipeline.connections.lake import open_lake
from iot_pipeline.contract import Table, tables
from iot_pipeline.lake.hours import Hour, partition_range
from iot_pipeline.lake.lake import Lake
from iot_pipeline.lake.objects import Objects
from simulator.faults import choose_faults

HOURS, READINGS_AN_HOUR, PACK = 2000, 200, 1
KILLS = ((Zone.JUDGED, 0.2), (Zone.JUDGED, 0.7), (Zone.CURATED, 0.5))
FIRST = Hour.of(datetime(2026, 8, 1, tzinfo=UTC))


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print; it exits with 1 if an hour was committed twice or a reader missed readings."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=int, default=HOURS, help="hours to build")
    options = parser.parse_args(arguments)
    folder = Path(tempfile.mkdtemp(prefix="iot-bench-"))
    console = Console()
    try:
        with running(folder / "state", CHECKOUT / ".local", console):
            boto3.setup_default_session()
            os.environ["DAGSTER_HOME"] = str(folder)
            shutil.copy(CHECKOUT / "dagster.yaml", folder)
            wrong = Bench(console, open_lake(), options.hours).measure()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    raise SystemExit(int(wrong))


@dataclass
class Reader:
    """Counts the curated readings of all hours until it is stopped."""

    lake: Lake
    sql: str
    expected: int
    reads: int = 0
    wrong: int = 0
    stop: threading.Event = field(default_factory=threading.Event)

    def poll(self) -> None:
        """Read on and on."""
        while not self.stop.is_set():
            ((count,),) = self.lake.athena.run(self.sql).rows
            self.reads += 1
            self.wrong += count != self.expected


@dataclass(frozen=True)
class Bench:
    """The two backfills."""

    console: Console
    lake: Lake
    hours: int

    def measure(self) -> bool:
        """Whether anything was wrong."""
        for hour, lines in lines_of(
            FIRST, self.hours, self.hours * READINGS_AN_HOUR, PACK, choose_faults("none", [])
        ).items():
            put_object(self.lake.bucket, hour, "0", _gzipped([line for _, line in lines]))
        self.console.print(f"{self.hours:,} hours are there")
        undisturbed = self._timed(lambda: self._finish(self._plan(force=False)))
        sql = f"SELECT count(*) FROM curated_telemetry WHERE {partition_range(FIRST, self._last)}"
        ((rows,),) = self.lake.athena.run(sql).rows
        before = {table.name: self._versions(table) for table in self._tables}
        reader = Reader(open_lake(), sql, rows)
        thread = threading.Thread(target=reader.poll)
        thread.start()
        try:
            killed = self._timed(self._killed)
        finally:
            reader.stop.set()
            thread.join()
        again = {table.name: Counter(self._versions(table)) - Counter(before[table.name]) for table in self._tables}
        once = {name: sum(count == 1 for count in found.values()) for name, found in again.items()}
        more = {name: sum(count > 1 for count in found.values()) for name, found in again.items()}
        self.console.print(
            f"{rows:,} readings in {self.hours:,} hours; undisturbed {undisturbed:.0f} s, killed three times "
            f"{killed:.0f} s ({killed / undisturbed:.2f}x, with the reader beside it)"
        )
        self.console.print(f"hours committed once more: {once}; written more than once: {more}")
        self.console.print(f"the reader counted {reader.reads:,} times, {reader.wrong} times other than {rows:,}")
        return bool(reader.wrong)

    def _killed(self) -> None:
        plan = self._plan(force=True)
        steps = {zone: len(self._left(plan, zone)) for zone, _ in KILLS}
        self.console.print(f"hours to build: {steps}")
        for zone, share in KILLS:
            with self._started(plan) as process:
                while len(self._left(plan, zone)) > (1 - share) * steps[zone]:
                    if process.poll() is not None:
                        raise RuntimeError(f"the backfill ended by itself, with {process.returncode}")
                    time.sleep(1)
                process.kill()
            left = {it.value: len(self._left(plan, it)) for it in (Zone.JUDGED, Zone.CURATED)}
            self.console.print(f"killed with so many hours left: {left}")
        self._finish(plan)

    def _plan(self, *, force: bool) -> str:
        made = open_planner().make(FIRST, self._last, [Zone.JUDGED, Zone.CURATED], force=force)
        return made.id

    def _left(self, plan_id: str, zone: Zone) -> list[Hour]:
        planner = open_planner()
        plan = planner.read(plan_id)
        return planner.left(plan, plan.of(zone))

    def _started(self, plan_id: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "iot_pipeline.backfill", "run", plan_id, "--budget", "100"]
        return subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def _finish(self, plan_id: str) -> None:
        with self._started(plan_id) as process:
            if process.wait():
                raise RuntimeError(f"the backfill failed, with {process.returncode}")

    def _timed(self, work: Callable[[], object]) -> float:
        began = time.monotonic()
        work()
        return time.monotonic() - began

    def _versions(self, table: Table) -> list[str]:
        """For each version of each hour that is in S3, the hour."""
        found = Objects(boto3.client("s3")).at(f"s3://{self.lake.bucket}/{table.prefix}")
        folders = {item.uri.rpartition("/")[0] for item in found}
        return [folder.partition("/year=")[2] for folder in folders]

    @property
    def _tables(self) -> list[Table]:
        found = tables(self.lake.contract)
        return [found.judged_telemetry, found.ledger, found.curated_telemetry]

    @property
    def _last(self) -> Hour:
        return Hour(FIRST.start + timedelta(hours=self.hours - 1))


def _gzipped(lines: Sequence[bytes]) -> bytes:
    return gzip.compress(b"".join(line + b"\n" for line in lines), 6)


if __name__ == "__main__":
    main()
