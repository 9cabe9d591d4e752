"""A pull that is killed at every call that leaves the process, and the lake's books of what it read."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import boto3
import pytest

from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.lake import Lake
from iot_pipeline.pull.vendor import Vendor
from iot_pipeline_tests.support.emulator import unique
from iot_pipeline_tests.support.messages import build, curated
from iot_pipeline_tests.support.pulled import (
    KEY_SECRET,
    OAUTH_SECRET,
    WATER,
    Calls,
    KilledError,
    Place,
    SetClock,
    When,
    make_table,
    vendor_of,
    water,
    weather,
)
from simulator.vendor_api import VendorApi, serving
from simulator.vendor_file import WEATHER

# Of one invocation, and so of its lease.
SECONDS = 100.0
WHEN: tuple[When, ...] = ("before", "after")


@pytest.fixture
def place(lake: Lake) -> Place:
    """The deployed lake's bucket, and a table of the test's own."""
    dynamodb, table = boto3.client("dynamodb"), unique("pull")
    make_table(dynamodb, table)
    return Place(dynamodb, table, boto3.client("s3"), lake.bucket)


@pytest.fixture
def api() -> Iterator[VendorApi]:
    """A vendor without data."""
    with serving([]) as made:
        yield made


def _pull_killed(place: Place, vendor: Vendor, secret: dict[str, str], calls: Calls, at: float) -> None:
    """Pull; where that ends with the process, pull again when the lease is over, in the next hour of arrival."""
    clock = SetClock(at)
    try:
        place.puller(vendor, secret, clock, calls).run(SECONDS)
    except KilledError:
        clock.at += 2 * SECONDS
        did = place.puller(vendor, secret, clock).run(SECONDS)
        assert [(each.is_busy, each.error, each.behind_ms) for each in did] == [(False, "", 0)] * len(did)


@pytest.mark.parametrize("shape", ["weather", "water"])
def test_killed_at_every_call_nothing_is_lost_or_doubled(
    lake: Lake, place: Place, api: VendorApi, arrival: Hour, tmp_path: Path, shape: str
) -> None:
    begin = arrival.start - timedelta(hours=1)
    start, at = begin.isoformat(), (arrival.start + timedelta(minutes=58)).timestamp()
    form, secret = (WEATHER, OAUTH_SECRET) if shape == "weather" else (WATER, KEY_SECRET)
    make = weather if shape == "weather" else water
    api.observations = make(round(begin.timestamp() * 1000), 1)
    calls = Calls()
    _pull_killed(place, vendor_of(tmp_path, form, api.url, start, "whole"), secret, calls, at)
    names = ["whole"]
    for number in range(len(calls.made)):
        for when in WHEN:
            names.append(f"k{number}{when[0]}")
            vendor = vendor_of(tmp_path, form, api.url, start, names[-1])
            _pull_killed(place, vendor, secret, Calls(number, when), at)
    arrivals = [arrival, arrival + 1]
    event_hours = build(lake, arrivals)
    assert event_hours == [arrival + -1]
    each_vendor = len(api.observations) * (1 if shape == "weather" else 2)
    balances = lake.arrival_balances(arrivals)
    expected = each_vendor * len(names)
    assert sum(each.received for each in balances) == sum(each.valid for each in balances) == expected
    assert all(each.received for each in balances)
    rows = curated(lake, event_hours)
    assert [(row["duplicates"], row["conflicts"]) for row in rows] == [(0, 0)] * expected
    for name in names:
        own = [row for row in rows if row["device_id"].rpartition("-")[0] == name]
        if shape == "weather":
            found = sorted(round(row["temperature"] * 9 / 5 + 32, 6) for row in own)
            assert found == sorted(each.values["temp_f"] for each in api.observations)
        else:
            flows = {row["seq"]: row["flow_rate"] for row in own if row["flow_rate"] is not None}
            assert flows == {each.number: each.values["flow"] for each in api.observations}
            found = sorted(row["pressure"] for row in own if row["pressure"] is not None)
            assert found == sorted(each.values["hpa"] for each in api.observations)
    print(f"\n{shape}: {len(calls.made)} calls, killed {2 * len(calls.made)} times; {expected} readings, each once")
