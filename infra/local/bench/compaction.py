"""What compaction saves readers, and whether they notice it (`make bench-compaction`).

Some days of a fleet are built as they would be, and six queries asked of their hours and, through the view, of their
days: bytes that Athena scans, and its charge with 10 MB at least a query. Then one day is re-opened by late data and
compacted again and again, while a reader counts its readings through the view without a pause: re-opening here moves
one hour between two versions that were built before, one of them with a late reading.
"""

import argparse
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import boto3
from rich.console import Console
from rich.progress import track
from rich.table import Table

from infra.local.bench.bench_session import bench_session
from infra.local.bench.late_reading import put_late
from infra.local.bench.raw_objects import put_raw
from infra.local.servers.checkout import CHECKOUT
from infra.local.session.platform import running
from iot_pipeline.connections.lake import open_compaction, open_lake
from iot_pipeline.contract import tables
from iot_pipeline.lake.compaction import Compaction
from iot_pipeline.lake.hours import Day, Hour, partition_range
from iot_pipeline.lake.lake import Lake
from iot_pipeline.lake.objects import Objects

DAYS, READINGS_A_DAY, PACK, CYCLES = 3, 480_000, 25, 1000
FIRST = Day.of(datetime(2026, 11, 18, tzinfo=UTC))
# Ids as the simulator's fleet has them.
DEVICE = "acme-berlin-0001"

QUERIES = {
    "one device, a day": "SELECT event_time, temperature FROM {source} WHERE {day} AND device_id = '{device}'",
    "one device, all days": "SELECT event_time, temperature FROM {source} WHERE {all} AND device_id = '{device}'",
    "mean by site and hour, a day": (
        "SELECT tenant, site, hour, avg(temperature) FROM {source} WHERE {day} GROUP BY tenant, site, hour"
    ),
    "extremes by device, all days": (
        "SELECT device_id, min(battery), max(battery) FROM {source} WHERE {all} GROUP BY device_id"
    ),
    "readings by firmware, all days": "SELECT fw, count(*) FROM {source} WHERE {all} GROUP BY fw",
    "last reading of a tenant's devices, a day": (
        "SELECT device_id, max_by(temperature, event_time) FROM {source} WHERE {day} AND tenant = 'acme' "
        "GROUP BY device_id"
    ),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print; it exits with 1 if a reader saw a reading twice or missed one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cycles", type=int, default=CYCLES, help="re-openings and compactions under the reader")
    parser.add_argument("--readings", type=int, default=READINGS_A_DAY, help="readings a day")
    options = parser.parse_args(arguments)
    console = Console()
    with bench_session("compaction") as folder, running(folder / "state", CHECKOUT / ".local", console):
        boto3.setup_default_session()
        lake = open_lake()
        compaction = replace(open_compaction(), first=FIRST)
        now = (FIRST + DAYS).start + timedelta(hours=4)
        _print_queries(console, lake, compaction, now, options.readings)
        wrong = _print_cycles(console, lake, compaction, now, options.cycles)
    raise SystemExit(int(wrong))


def _print_queries(console: Console, lake: Lake, compaction: Compaction, now: datetime, readings: int) -> None:
    arrivals, _ = put_raw(lake.bucket, Hour(FIRST.start), DAYS * 24, DAYS * readings, PACK)
    lake.judge(arrivals)
    lake.curate(lake.touched(arrivals))
    compaction.compact([], now)
    hours = {name: _asked(lake, "curated_telemetry", sql) for name, sql in QUERIES.items()}
    before = lake.athena.scanned_bytes
    compaction.compact([FIRST + n for n in range(DAYS)], now)
    title = f"{DAYS} days of {readings:,} readings; {_objects(lake)}"
    table = Table("query", "bytes, hours", "bytes, days", "of it", "dollars, hours", "dollars, days", title=title)
    total: Counter[str] = Counter()
    for name, sql in QUERIES.items():
        (bytes_of_hours, dollars_of_hours), (scanned, dollars) = hours[name], _asked(lake, "telemetry", sql)
        total["hours"] += bytes_of_hours
        total["days"] += scanned
        shown = (f"{bytes_of_hours:,}", f"{scanned:,}", f"{scanned / bytes_of_hours:.2f}x")
        table.add_row(name, *shown, f"{dollars_of_hours:.6f}", f"{dollars:.6f}")
    table.add_row("all six", f"{total['hours']:,}", f"{total['days']:,}", f"{total['days'] / total['hours']:.2f}x")
    console.print(table)
    console.print(f"compacting scanned {lake.athena.scanned_bytes + compaction.athena.scanned_bytes - before:,} bytes")


def _asked(lake: Lake, source: str, sql: str) -> tuple[int, float]:
    """Bytes and dollars of a query of these days."""
    first, last = FIRST.hours[0], (FIRST + DAYS).hours[0] + -1
    day, whole = partition_range(first, FIRST.hours[-1]), partition_range(first, last)
    result = lake.athena.run(sql.format(source=source, day=day, all=whole, device=DEVICE))
    return result.scanned_bytes, result.dollars


def _objects(lake: Lake) -> str:
    """How many objects hold the days, and how many bytes."""
    found = []
    for table in (tables().curated_telemetry, tables().daily_telemetry):
        partitions = lake.catalog.partitions(table.name).values()
        stored = [item for partition in partitions for item in Objects(boto3.client("s3")).at(partition.location)]
        found.append(f"{table.name}: {len(stored)} objects, {sum(item.size for item in stored):,} B")
    return "; ".join(found)


@dataclass
class Reader:
    """Counts the readings of a day through the view, until it is stopped."""

    lake: Lake
    expected: set[int]
    reads: int = 0
    doubled: int = 0
    missing: int = 0
    stop: threading.Event = field(default_factory=threading.Event)

    def poll(self) -> None:
        """Read on and on."""
        where = partition_range(FIRST.hours[0], FIRST.hours[-1])
        sql = f"SELECT count(*), count(DISTINCT (device_id, event_time, seq)) FROM telemetry WHERE {where}"
        while not self.stop.is_set():
            ((rows, keys),) = self.lake.athena.run(sql).rows
            self.reads += 1
            self.doubled += rows != keys
            self.missing += keys not in self.expected


def _print_cycles(console: Console, lake: Lake, compaction: Compaction, now: datetime, cycles: int) -> bool:
    table = tables().curated_telemetry.name
    hour = FIRST.hours[5]
    without = lake.catalog.partitions(table, [hour])[hour]
    late = Hour((FIRST + DAYS).start) + 1
    put_late(lake, late, hour)
    lake.judge([late])
    lake.curate([hour])
    versions = [lake.catalog.partitions(table, [hour])[hour], without]
    where = partition_range(FIRST.hours[0], FIRST.hours[-1])
    ((rows,),) = lake.athena.run(f"SELECT count(*) FROM curated_telemetry WHERE {where}").rows
    reader = Reader(open_lake(), {rows, rows - 1})
    loads = lake.catalog.partitions(table, FIRST.hours)
    thread = threading.Thread(target=reader.poll)
    thread.start()
    try:
        for cycle in track(range(cycles), "re-opening and compacting", console=console):
            lake.catalog.publish(table, [versions[cycle % 2]])
            compaction.compact([FIRST], now)
    finally:
        reader.stop.set()
        thread.join()
    lake.catalog.publish(table, [versions[0]])
    moved = sum(it.content != loads[at].content for at, it in lake.catalog.partitions(table, FIRST.hours).items())
    console.print(
        f"{cycles:,} re-openings and compactions under a reader that read {reader.reads:,} times: {reader.doubled} "
        f"doubled, {reader.missing} missing; {moved} of the day's hours are other ones for the warehouse than before"
    )
    return bool(reader.doubled or reader.missing or moved)


if __name__ == "__main__":
    main()
