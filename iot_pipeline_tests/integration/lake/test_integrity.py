"""Objects that somebody's hand removed, added or overwrote are named with their hour, and building again mends it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from iot_pipeline.lake.faults import Fault
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.integrity import Audit
from iot_pipeline.lake.lake import Lake
from iot_pipeline.resources import LakeResource
from iot_pipeline_tests.support.hours import wait_for_the_next_second
from iot_pipeline_tests.support.messages import RawZone, build, line, message, reading

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Hand:
    """Somebody's hand in the lake's bucket."""

    s3: Any
    bucket: str

    def keys(self, location: str) -> list[str]:
        """What lies below a location."""
        prefix = location.removeprefix(f"s3://{self.bucket}/")
        found = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix).get("Contents", [])
        assert found, f"nothing lies at {location}"
        return [item["Key"] for item in found]

    def remove(self, location: str) -> None:
        """All objects of a version."""
        for key in self.keys(location):
            self.s3.delete_object(Bucket=self.bucket, Key=key)

    def copy(self, location: str) -> None:
        """An object beside itself."""
        key = self.keys(location)[0]
        self._put(f"{key}-copy", self._read(key))

    def garble(self, location: str) -> None:
        """An object that is no Parquet beside the others."""
        self._put(f"{self.keys(location)[0]}-garbage", b"not Parquet")

    def rewrite(self, location: str) -> None:
        """An object with the bytes that it has."""
        key = self.keys(location)[0]
        self._put(key, self._read(key))

    def _read(self, key: str) -> bytes:
        body: bytes = self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return body

    def _put(self, key: str, body: bytes) -> None:
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)


@pytest.fixture
def hand(lake: Lake) -> Hand:
    return Hand(boto3.client("s3"), lake.bucket)


@pytest.fixture
def audit(lake: Lake) -> Audit:
    return Audit(lake, LakeResource().audit().objects)


@pytest.fixture
def event_hours(lake: Lake, raw: RawZone, arrival: Hour) -> list[Hour]:
    """Two event hours that came in one arrival hour, with faults, a duplicate and a conflict; built."""
    first, second = reading(arrival.start, 1), reading((arrival + -1).start, 1)
    faulty = [{**first, "temperature": "warm"}, {**first, "seq": "x"}]
    raw.put(arrival, [line(message(first, second, first, *faulty), arrival.start + MINUTE)])
    raw.put(arrival, [line(message({**second, "temperature": 3}), arrival.start + 2 * MINUTE)])
    built = build(lake, [arrival])
    wait_for_the_next_second()
    return built


TAMPERING: dict[str, tuple[Callable[[Hand, str], None], str]] = {
    "a version removed": (Hand.remove, "should hold"),
    "an object added": (Hand.copy, "written after the hour was built"),
    "garbage added": (Hand.garble, "written after the hour was built"),
    "an object overwritten with the same rows": (Hand.rewrite, "written after the hour was built"),
}


@pytest.mark.parametrize(("tamper", "said"), TAMPERING.values(), ids=TAMPERING)
def test_a_curated_hour_that_was_tampered_with_is_named(
    lake: Lake, audit: Audit, hand: Hand, event_hours: list[Hour], tamper: Callable[[Hand, str], None], said: str
) -> None:
    assert audit.curated(event_hours) == []
    hour = event_hours[1]
    tamper(hand, lake.catalog.partitions("curated_telemetry", [hour])[hour].location)
    (fault,) = audit.curated(event_hours)
    assert (fault.hour, fault.table) == (hour, "curated_telemetry")
    assert said in fault.what
    assert "Materialize the hour" in fault.remedy
    lake.curate([hour])
    assert audit.curated(event_hours) == []


def test_a_curated_hour_that_holds_fewer_rows_than_were_noted_is_named_by_its_counts(
    lake: Lake, raw: RawZone, audit: Audit, arrival: Hour, event_hours: list[Hour]
) -> None:
    """Its version before in its place, as after a rollback: what lies there is older than the build."""
    before = lake.catalog.partitions("curated_telemetry", [arrival])[arrival].location
    raw.put(arrival, [line(message(reading(arrival.start, 9)), arrival.start)])
    build(lake, [arrival])
    now = lake.catalog.partitions("curated_telemetry", [arrival])[arrival]
    lake.catalog.publish("curated_telemetry", [replace(now, location=before)])
    (fault,) = audit.curated(event_hours)
    assert fault.hour == arrival
    assert "should hold 2 rows with 1 duplicates and 0 conflicts and holds 1 rows with 1 duplicates" in fault.what
    lake.curate([arrival])
    assert audit.curated(event_hours) == []


@pytest.mark.parametrize("table", ["judged_telemetry", "ledger", "quarantined_telemetry"])
@pytest.mark.parametrize(("tamper", "said"), TAMPERING.values(), ids=TAMPERING)
def test_an_arrival_hour_that_was_tampered_with_is_named(
    lake: Lake,
    audit: Audit,
    hand: Hand,
    arrival: Hour,
    event_hours: list[Hour],
    table: str,
    tamper: Callable[[Hand, str], None],
    said: str,
) -> None:
    assert audit.judged([arrival]) == []
    tamper(hand, lake.catalog.partitions(table, [arrival])[arrival].location)
    (fault,) = audit.judged([arrival])
    assert (fault.hour, fault.table) == (arrival, table)
    assert said in fault.what
    assert "judge_arrival_hours" in fault.remedy
    build(lake, [arrival])
    assert audit.judged([arrival]) == []


def test_a_quarantine_that_is_yet_to_follow_is_no_fault(
    lake: Lake, raw: RawZone, audit: Audit, arrival: Hour, event_hours: list[Hour]
) -> None:
    raw.put(arrival, [line(message({**reading(arrival.start, 9), "temperature": "hot"}), arrival.start)])
    lake.judge([arrival])
    assert audit.judged([arrival]) == []


def _raw(audit: Audit, arrival: Hour, now: datetime | None = None) -> list[Fault]:
    return audit.raw([arrival], now or datetime.now(UTC))


def test_a_raw_object_that_was_overwritten_is_named_until_it_is_judged(
    lake: Lake, audit: Audit, hand: Hand, arrival: Hour, event_hours: list[Hour]
) -> None:
    assert _raw(audit, arrival) == []
    hand.rewrite(f"s3://{lake.bucket}/raw/telemetry/{arrival.path}")
    (fault,) = _raw(audit, arrival)
    assert (fault.hour, fault.table) == (arrival, "raw_telemetry")
    assert "judged, and written after that began" in fault.what
    assert fault.remedy.startswith("Restore the versions from before, or judge the arrival hour again")
    wait_for_the_next_second()
    lake.judge([arrival])
    assert _raw(audit, arrival) == []


def test_a_raw_object_that_is_gone_is_named(
    lake: Lake, raw: RawZone, audit: Audit, arrival: Hour, event_hours: list[Hour]
) -> None:
    raw.delete(raw.put(arrival, [line(message(reading(arrival.start, 5)), arrival.start)]))
    assert _raw(audit, arrival) == [], "it was never judged"
    uri = raw.put(arrival, [line(message(reading(arrival.start, 6)), arrival.start)])
    lake.judge([arrival])
    raw.delete(uri)
    (fault,) = _raw(audit, arrival)
    assert fault.what == f"{uri} was judged, and is not in S3 any more"
    (fault,) = _raw(audit, arrival, arrival.start + 30 * MINUTE)
    assert "not in S3" in fault.what, "of an open hour too"


@pytest.mark.parametrize("judged_before", [True, False])
def test_a_raw_object_whose_notification_was_lost_is_named_when_its_hour_has_closed_long_ago(
    lake: Lake, raw: RawZone, audit: Audit, arrival: Hour, judged_before: bool
) -> None:
    if judged_before:
        raw.put(arrival, [line(message(reading(arrival.start, 1)), arrival.start)])
        lake.judge([arrival])
        wait_for_the_next_second()
    uri = raw.put(arrival, [line(message(reading(arrival.start, 2)), arrival.start)])
    assert _raw(audit, arrival, arrival.start + 119 * MINUTE) == [], "it may still be judged by itself"
    (fault,) = _raw(audit, arrival, arrival.start + 120 * MINUTE)
    assert uri in fault.what
    assert "never judged" in fault.what
    assert "judge the arrival hour again (job judge_arrival_hours)" in fault.remedy
    wait_for_the_next_second()
    lake.judge([arrival])
    assert _raw(audit, arrival) == []


def test_an_object_without_a_line_is_no_fault_once_it_was_there_to_be_judged(
    lake: Lake, raw: RawZone, audit: Audit, arrival: Hour, event_hours: list[Hour]
) -> None:
    raw.put(arrival, [])
    wait_for_the_next_second()
    lake.judge([arrival])
    assert _raw(audit, arrival) == []


def test_hours_without_anything_have_no_faults(audit: Audit, arrival: Hour) -> None:
    wanted = [arrival + n for n in range(3)]
    assert audit.curated(wanted) == audit.judged(wanted) == audit.raw(wanted, datetime.now(UTC)) == []
