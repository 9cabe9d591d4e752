"""What Athena scans when one late reading re-opens one event hour, as a share of a day's bytes.

A part of `make bench-growth`; alone by `python -m infra.local.bench.late_reading`.
"""

import gzip
import json
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

import boto3
from rich.console import Console
from rich.table import Table

from infra.local.bench.bench_session import bench_session
from infra.local.bench.raw_objects import put_raw
from infra.local.servers.checkout import CHECKOUT
from infra.local.session.platform import running
from iot_pipeline.contract import tables
from iot_pipeline.lake import statements
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.lake import Lake
from iot_pipeline.resources import LakeResource

READINGS, HOURS, PACK = 2_400_000, 24, 25
LATE_BY = 19
GOAL = 0.01


def print_late_reading(console: Console, lake: Lake, first: Hour) -> None:
    """Judge and curate a day from `first` on, re-open an hour of it by one reading LATE_BY hours late, and print.

    The reading arrives in the last hour of the day, beside all that arrived then.
    """
    arrivals, raw_bytes = put_raw(lake.bucket, first, HOURS, READINGS, PACK)
    event_hours = [first + n for n in range(HOURS)]
    lake.judge(arrivals)
    lake.quarantine(arrivals)
    lake.curate(event_hours)
    zones = tables(lake.contract)
    judged_bytes = sum(
        _size(lake, partition.location)
        for partition in lake.catalog.partitions(zones.judged_telemetry.name, arrivals).values()
    )
    late = first + (HOURS - 1)
    hour = late + -LATE_BY
    sources = len(lake.plan([hour]).all_arrivals)
    put_late(lake, late, hour)
    table = Table(
        "step",
        "bytes scanned",
        f"of a day's raw, {raw_bytes:,} B gzipped",
        f"of a day's judged, {judged_bytes:,} B",
        title=f"One reading, {LATE_BY} hours late, in a day of {READINGS:,} (goal <= {GOAL:.0%} of a day's bytes)",
    )

    def add(name: str, scanned: int) -> None:
        table.add_row(name, f"{scanned:,}", f"{scanned / raw_bytes:.2%}", f"{scanned / judged_bytes:.2%}")

    began = lake.athena.scanned_bytes
    for total, steps in (
        ("its arrival hour", _steps_of_arrival(lake, late)),
        ("its event hour, re-opened", _steps_of_event(lake, hour)),
    ):
        before = lake.athena.scanned_bytes
        for name, step in steps:
            so_far = lake.athena.scanned_bytes
            step()
            add(name, lake.athena.scanned_bytes - so_far)
        add(total, lake.athena.scanned_bytes - before)
        table.add_section()
    add("all", lake.athena.scanned_bytes - began)
    console.print(table)
    console.print(
        f"The readings of this hour came in {sources} arrival hours of the day; 1/24 of a day is {1 / 24:.1%}. Finding "
        "out which hour is stale scans nothing."
    )


def _steps_of_arrival(lake: Lake, late: Hour) -> list[tuple[str, Callable[[], object]]]:
    """What the assets do of the arrival hour, in their order: `judge`, the sensor, `quarantined_telemetry`."""
    return [
        ("judging the late object, and the ledger", lambda: lake.judge([late])),
        ("quarantine and balance", lambda: lake.quarantine([late])),
        ("which event hours it touched, and which are stale", lambda: lake.stale(lake.touched([late]))),
    ]


def _steps_of_event(lake: Lake, hour: Hour) -> list[tuple[str, Callable[[], object]]]:
    """What `curated_telemetry` does of the event hour, in its order."""
    return [
        ("building, audited", lambda: lake.curate([hour])),
        ("balance as published", lambda: lake.event_balances([hour])),
        (
            "keys and ranges",
            lambda: _run(lake, hour, statements.repeated_keys, partial(statements.rows_out_of_contract, lake.contract)),
        ),
        ("lateness and preview", lambda: _run(lake, hour, statements.lateness_of_event_hours, _preview)),
    ]


def _run(lake: Lake, hour: Hour, *statements_of: Callable[[Sequence[Hour], Collection[str] | None], str]) -> None:
    for it in lake.written([hour]):
        for statement in statements_of:
            lake.athena.run(statement(it.hours, it.objects))


def _preview(hours: Sequence[Hour], objects: Collection[str] | None) -> str:
    return statements.preview(hours[-1], objects)


def put_late(lake: Lake, arrival: Hour, hour: Hour) -> None:
    """A raw object of one message of one reading."""
    reading = {"ts": (hour.start + timedelta(minutes=1)).isoformat(), "seq": 1, "temperature": 20.5}
    envelope = {
        "iot_tenant": "acme",
        "iot_site": "north",
        "iot_device": "late-1",
        "iot_received_at": round(arrival.start.timestamp() * 1000),
        "iot_client": "late-1",
        "iot_trace": "late",
    }
    body = gzip.compress(json.dumps({"v": 1, "readings": [reading], **envelope}).encode() + b"\n")
    key = f"{tables().raw_lines.prefix}{arrival.path}late.gz"
    boto3.client("s3").put_object(Bucket=lake.bucket, Key=key, Body=body)


def _size(lake: Lake, location: str) -> int:
    prefix = location.removeprefix(f"s3://{lake.bucket}/")
    pages = boto3.client("s3").get_paginator("list_objects_v2").paginate(Bucket=lake.bucket, Prefix=prefix)
    return sum(item["Size"] for page in pages for item in page.get("Contents", []))


def main() -> None:
    """Print this part of `make bench-growth` alone, over a local AWS of its own."""
    console = Console(width=180)
    with bench_session("late-reading") as folder, running(folder / "state", CHECKOUT / ".local", console):
        print_late_reading(console, LakeResource().open(), Hour.of(datetime.now(UTC)) + -3 * HOURS)


if __name__ == "__main__":
    main()
