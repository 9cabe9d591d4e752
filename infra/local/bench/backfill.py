"""A backfill of 2,000 hours that is killed three times, beside an undisturbed one (`make bench-backfill`).

Small hours, for it is commits that are counted. What is missing is built, from raw to curated; then all of it is forced
anew, twice: undisturbed, and killed three times (SIGKILL) and run again under the same plan. Beside both a reader
counts the curated readings, with some seconds between two counts. Each hour must be committed once more and no more,
and the reader see all readings at all times. Committed is what the catalog shows, looked at after each kill; what was
written and never committed is waste, which the clean-up removes. Both are shown in seconds and in CPU seconds of all
processes, of which other work on the machine takes nothing; both have the reader's in them, and those of the looks at
how far they are.
"""

import argparse
import gzip
import os
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import boto3
import psutil
from rich.console import Console

from infra.local.bench.bench_session import bench_session
from infra.local.bench.raw_objects import lines_of, put_object
from infra.local.servers.checkout import CHECKOUT
from infra.local.session.platform import running
from iot_pipeline.backfill.plan import Zone
from iot_pipeline.connections.backfill import open_planner
from iot_pipeline.connections.lake import open_lake
from iot_pipeline.contract import Table, tables
from iot_pipeline.lake.hours import Hour, hours_between, partition_range
from iot_pipeline.lake.lake import Lake
from iot_pipeline.lake.objects import Objects
from simulator.faults import choose_faults

HOURS, READINGS_AN_HOUR, PACK = 2000, 200, 1
KILLS = ((Zone.JUDGED, 0.2), (Zone.JUDGED, 0.7), (Zone.CURATED, 0.5))
READER_SECONDS = 5.0
# Between two looks at how far it is.
_LOOK_SECONDS = 5.0
FIRST = Hour.of(datetime(2026, 8, 1, tzinfo=UTC))


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print; it exits with 1 if an hour was committed twice or a reader missed readings."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=int, default=HOURS, help="hours to build")
    options = parser.parse_args(arguments)
    console = Console()
    with bench_session("backfill") as folder, running(folder / "state", CHECKOUT / ".local", console):
        boto3.setup_default_session()
        os.environ["DAGSTER_HOME"] = str(folder)
        shutil.copy(CHECKOUT / "dagster.yaml", folder)
        wrong = Bench(console, open_lake(), options.hours).measure()
    raise SystemExit(int(wrong))


@dataclass
class Reader:
    """Counts the curated readings of all hours: `counts` has what it found, and how often."""

    lake: Lake
    sql: str
    counts: Counter[int] = field(default_factory=Counter)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """It reads on and on meanwhile."""
        stop = threading.Event()

        def poll() -> None:
            while not stop.wait(READER_SECONDS):
                self.counts[self.count()] += 1

        with ThreadPoolExecutor(1) as pool:
            polled = pool.submit(poll)
            try:
                yield
            finally:
                stop.set()
            polled.result()

    def count(self) -> int:
        """How many there are."""
        ((count,),) = self.lake.athena.run(self.sql).rows
        return int(count)


@dataclass(frozen=True)
class Took:
    """What a backfill took: seconds, and CPU seconds of this process and of all that it has started."""

    seconds: float
    cpu_seconds: float

    def __str__(self) -> str:
        return f"{self.seconds:,.0f} s ({self.cpu_seconds:,.0f} CPU s)"


@dataclass
class Commits:
    """Which version of each hour the catalog shows: `of` counts, by table and hour, the looks that saw another."""

    lake: Lake
    hours: list[Hour]
    seen: dict[tuple[str, Hour], str] = field(default_factory=dict)
    of: Counter[tuple[str, Hour]] = field(default_factory=Counter)

    def look(self) -> None:
        """Look again; the first look counts nothing."""
        catalog, names = self.lake.catalog, [table.name for table in _tables(self.lake)]
        shown = {
            (name, hour): it.location for name in names for hour, it in catalog.partitions(name, self.hours).items()
        }
        self.of.update({each: int(shown[each] != self.seen.get(each, shown[each])) for each in shown})
        self.seen = shown

    def __str__(self) -> str:
        told = {count: sum(n == count for n in self.of.values()) for count in sorted({1, *self.of.values()})}
        return "; ".join(f"{many:,} hours of tables {count} times" for count, many in told.items())


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
        sql = f"SELECT count(*) FROM curated_telemetry WHERE {partition_range(FIRST, self._last)}"
        self._finish(self._plan(force=False))
        reader = Reader(open_lake(), sql)
        rows = reader.count()
        self.console.print(f"{rows:,} readings in {self.hours:,} hours are curated")
        plan = self._plan(force=True)
        with reader.reading():
            undisturbed = self._timed(lambda: self._finish(plan))
        self.console.print(f"undisturbed: {undisturbed}")
        written, plan = len(self._versions()), self._plan(force=True)
        commits = Commits(self.lake, hours_between(FIRST, self._last))
        commits.look()
        with reader.reading():
            killed = self._timed(lambda: self._killed(plan, commits))
        wasted = len(self._versions()) - written - commits.of.total()
        self.console.print(
            f"killed three times: {killed}, "
            f"{killed.seconds / undisturbed.seconds:.2f}x ({killed.cpu_seconds / undisturbed.cpu_seconds:.2f}x)"
        )
        self.console.print(f"committed: {commits}; written and never committed: {wasted:,}")
        wrong = reader.counts.total() - reader.counts[rows]
        self.console.print(f"the reader counted {reader.counts.total():,} times, {wrong} times other than {rows:,}")
        return bool(wrong) or set(commits.of.values()) != {1}

    def _killed(self, plan: str, commits: Commits) -> None:
        steps = {zone: len(self._left(plan, zone)) for zone, _ in KILLS}
        self.console.print(f"hours to build: {steps}")
        for zone, share in KILLS:
            with self._started(plan) as process:
                while len(self._left(plan, zone)) > (1 - share) * steps[zone]:
                    if process.poll() is not None:
                        raise RuntimeError(f"the backfill ended by itself, with {process.returncode}")
                    time.sleep(_LOOK_SECONDS)
                process.kill()
            commits.look()
            left = {it.value: len(self._left(plan, it)) for it in (Zone.JUDGED, Zone.CURATED)}
            self.console.print(f"killed with so many hours left: {left}")
        self._finish(plan)
        commits.look()

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
            while process.poll() is None:
                self._left(plan_id, Zone.CURATED)
                time.sleep(_LOOK_SECONDS)
            if process.returncode:
                raise RuntimeError(f"the backfill failed, with {process.returncode}")

    def _timed(self, work: Callable[[], object]) -> Took:
        began, used = time.monotonic(), _cpu_seconds()
        work()
        return Took(time.monotonic() - began, _cpu_seconds() - used)

    def _versions(self) -> set[str]:
        """The folders of all versions of all hours that are in S3."""
        places = [f"s3://{self.lake.bucket}/{table.prefix}" for table in _tables(self.lake)]
        return {item.uri.rpartition("/")[0] for place in places for item in Objects(boto3.client("s3")).at(place)}

    @property
    def _last(self) -> Hour:
        return Hour(FIRST.start + timedelta(hours=self.hours - 1))


def _tables(lake: Lake) -> list[Table]:
    found = tables(lake.contract)
    return [found.judged_telemetry, found.ledger, found.curated_telemetry]


def _cpu_seconds() -> float:
    """Of this process, of those it has waited for, and of those that live."""
    this = psutil.Process()
    ended = this.cpu_times()
    living = [process.cpu_times() for process in (this, *this.children(recursive=True))]
    return ended.children_user + ended.children_system + sum(each.user + each.system for each in living)


def _gzipped(lines: Sequence[bytes]) -> bytes:
    return gzip.compress(b"".join(line + b"\n" for line in lines), 6)


if __name__ == "__main__":
    main()
