"""What Athena scans when one late reading re-opens one event hour, as a share of a day's bytes."""

import gzip
import json
from collections.abc import Callable
from datetime import timedelta

import boto3
from rich.console import Console
from rich.table import Table

from infra.local.bench.raw_objects import put_raw
from iot_pipeline.contract import tables
from iot_pipeline.lake import statements
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.lake import Lake

READINGS, HOURS, PACK = 480_000, 24, 25
GOAL = 0.01


def print_late_reading(console: Console, lake: Lake, first: Hour) -> None:
    """Judge and curate a day from `first` on, re-open its sixth hour by one reading 19 hours late, and print."""
    arrivals, raw_bytes = put_raw(lake.bucket, first, HOURS, READINGS, PACK)
    event_hours = [first + n for n in range(HOURS)]
    lake.judge(arrivals)
    lake.curate(event_hours)
    zones = tables(lake.contract)
    judged_bytes = sum(
        _size(lake, partition.location)
        for partition in lake.catalog.partitions(zones.judged_telemetry.name, arrivals).values()
    )
    late, hour = first + 24, first + 5
    sources = len(lake.plan([hour]).all_arrivals)
    put_late(lake, late, hour)
    table = Table(
        "step",
        "bytes scanned",
        f"of a day's raw, {raw_bytes:,} B gzipped",
        f"of a day's judged, {judged_bytes:,} B",
        title=f"One reading, 19 hours late, in a day of {READINGS:,} readings (goal <= {GOAL:.0%} of a day's bytes)",
    )
    total = 0
    for name, step in _steps(lake, late, hour):
        before = lake.athena.scanned_bytes
        step()
        scanned = lake.athena.scanned_bytes - before
        total += scanned
        table.add_row(name, f"{scanned:,}", f"{scanned / raw_bytes:.2%}", f"{scanned / judged_bytes:.2%}")
    table.add_row("all", f"{total:,}", f"{total / raw_bytes:.2%}", f"{total / judged_bytes:.2%}")
    console.print(table)
    console.print(
        f"The readings of this hour came in {sources} arrival hours of the day, whose judged rows are read for it, and "
        f"1/24 of a day is {1 / 24:.1%}. Finding out which hour is stale scans nothing."
    )


def _steps(lake: Lake, late: Hour, hour: Hour) -> list[tuple[str, Callable[[], object]]]:
    """What the assets do, in their order: `judge`, the sensor, `quarantined_telemetry`, `curated_telemetry`."""
    return [
        ("judging the arrival hour of the late object, and its ledger", lambda: lake.judge([late])),
        ("its quarantine and balance", lambda: _quarantine(lake, late)),
        ("which event hours it touched, and which are stale", lambda: lake.stale(lake.touched([late]))),
        ("building the event hour, audited", lambda: lake.curate([hour])),
        (
            "lateness and preview",
            lambda: _run(lake, statements.lateness_of_event_hours([hour]), statements.preview(hour)),
        ),
        ("balance as published", lambda: lake.event_balances([hour])),
        (
            "keys and ranges",
            lambda: _run(
                lake, statements.repeated_keys([hour]), statements.rows_out_of_contract(lake.contract, [hour])
            ),
        ),
    ]


def _quarantine(lake: Lake, arrival: Hour) -> None:
    lake.quarantine([arrival])


def _run(lake: Lake, *texts: str) -> None:
    for sql in texts:
        lake.athena.run(sql)


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
