"""What an open hour costs that is built again and again while it fills (`make bench-open-hour`).

The same objects are put into two hours, a part before each build. One is judged by what is new in it, as the product
does; the other whole each time, as a lake without access to S3 has to. Both end in the same rows, or this fails. Bytes
are those that Athena scans, which no other load of the machine touches; CPU seconds are those of the local engine.
"""

import argparse
import gzip
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import boto3
from rich.console import Console
from rich.progress import track
from rich.table import Table

from infra.local.bench.bench_session import bench_session
from infra.local.bench.raw_objects import lines_of, put_object
from infra.local.servers.checkout import CHECKOUT
from infra.local.session.platform import running
from iot_pipeline.connections.lake import open_lake
from iot_pipeline.lake.hours import Hour, partition_predicate
from iot_pipeline.lake.lake import Lake

OBJECTS, BUILDS, READINGS, PACK = 10_000, 12, 100_000, 5
FIRST = Hour.of(datetime(2026, 11, 18, 11, tzinfo=UTC))


@dataclass(frozen=True)
class Way:
    """A way to build an hour, with what each build scanned: bytes, and dollars with Athena's least charge a query."""

    name: str
    lake: Lake
    hour: Hour
    scanned: list[int]
    dollars: list[float]

    def build(self) -> None:
        """Judge and quarantine the hour as it is now."""
        self.lake.athena.results.clear()
        self.lake.judge([self.hour])
        self.lake.quarantine([self.hour])
        self.scanned.append(self.lake.athena.scanned_bytes)
        self.dollars.append(self.lake.athena.dollars)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure both ways and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", type=int, default=OBJECTS, help="raw objects that arrive in the hour")
    parser.add_argument("--builds", type=int, default=BUILDS, help="how often the hour is built while they arrive")
    options = parser.parse_args(arguments)
    with bench_session("open-hour") as folder:
        console = Console()
        with running(folder / "state", CHECKOUT / ".local", console):
            boto3.setup_default_session()
            _measure(console, options.objects, options.builds)


def _measure(console: Console, objects: int, builds: int) -> None:
    lake = open_lake()
    ways = [
        Way("by what is new", lake, FIRST, [], []),
        Way("whole each time", replace(open_lake(), s3=None), FIRST + 1, [], []),
    ]
    bodies = list(_bodies(FIRST, objects))
    size = sum(len(body) for body in bodies)
    for build in track(range(builds), "building the open hour", console=console):
        for way in ways:
            for number in range(build * objects // builds, (build + 1) * objects // builds):
                put_object(lake.bucket, way.hour, f"{number:06d}", bodies[number])
            way.build()
    _hold_to_the_same_rows(ways)
    title = f"{objects:,} objects, {size:,} B gzipped, arrive in an hour that is built {builds} times"
    table = Table("", "bytes scanned", "of the hour's raw", "first build", "last build", "dollars", title=title)
    for way in ways:
        total = sum(way.scanned)
        shown = (f"{total:,}", f"{total / size:.2f}x", f"{way.scanned[0]:,}", f"{way.scanned[-1]:,}")
        table.add_row(way.name, *shown, f"{sum(way.dollars):.5f}")
    console.print(table)


def _bodies(hour: Hour, objects: int) -> Iterator[bytes]:
    """What the objects of an hour hold, in the order of their arrival."""
    lines = [line for _, line in sorted(lines_of(hour, 1, READINGS, PACK)[hour])]
    for number in range(objects):
        part = lines[number * len(lines) // objects : (number + 1) * len(lines) // objects]
        yield gzip.compress(b"".join(line + b"\n" for line in part), 6)


def _hold_to_the_same_rows(ways: Sequence[Way]) -> None:
    """Raises AssertionError unless the hours hold the same readings, counted by outcome, and the same quarantine."""
    found = []
    for way in ways:
        where = partition_predicate([way.hour])
        judged = f"SELECT outcome, count(*) FROM judged_telemetry WHERE {where} GROUP BY outcome ORDER BY outcome"
        ledger = f"SELECT outcome, sum(readings) FROM ledger WHERE {where} GROUP BY outcome ORDER BY outcome"
        reasons = f"SELECT reason, count(*) FROM quarantined_telemetry WHERE {where} GROUP BY reason ORDER BY reason"
        found.append([way.lake.athena.run(sql).rows for sql in (judged, ledger, reasons)])
    if found[0] != found[1]:
        raise AssertionError(f"the two ways differ: {found}")


if __name__ == "__main__":
    main()
