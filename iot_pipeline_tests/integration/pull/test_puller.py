"""A puller against a vendor with faults, on the local AWS: what stops, what goes on, what is told."""

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from iot_pipeline.contract.judge import Judge
from iot_pipeline.pull.pull_state import LeaseLostError
from iot_pipeline.pull.puller import Backfill, Puller
from iot_pipeline_tests.support.emulator import LocalAws, unique
from iot_pipeline_tests.support.pulled import (
    HOUR_MS,
    KEY_SECRET,
    OAUTH_SECRET,
    WATER,
    Calls,
    Place,
    SetClock,
    make_table,
    vendor_of,
    water,
    weather,
)
from simulator import vendor_api
from simulator.vendor_api import VendorApi, serving
from simulator.vendor_file import WEATHER

START, START_MS = "2026-11-01T00:00:00Z", 1_793_491_200_000
SECONDS = 100.0


class Scene:
    """A vendor with three hours of data, a bucket and a table of its own, and a clock two hours after its beginning."""

    def __init__(self, aws: LocalAws, api: VendorApi, folder: Path, form: str = WEATHER) -> None:
        self.place = Place(aws.client("dynamodb"), unique("pull"), aws.client("s3"), aws.bucket())
        make_table(self.place.dynamodb, self.place.table)
        self.vendor = vendor_of(folder, form, api.url, START)
        self.secret = OAUTH_SECRET if form == WEATHER else KEY_SECRET
        self.clock = SetClock(START_MS / 1000 + 2 * 3600 + 360)

    def puller(self, calls: Calls | None = None) -> Puller:
        """As a new process has it."""
        return self.place.puller(self.vendor, self.secret, self.clock, calls)

    def objects(self, prefix: str = "raw/") -> dict[str, bytes]:
        """What was written, unpacked."""
        s3, bucket = self.place.s3, self.place.bucket
        keys = [each["Key"] for each in s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", ())]
        return {key: gzip.decompress(s3.get_object(Bucket=bucket, Key=key)["Body"].read()) for key in keys}

    def temperatures(self) -> list[float]:
        """What the contract's judge reads in the raw zone, in Fahrenheit."""
        judged = [each for body in self.objects().values() for line in body.splitlines() for each in Judge().line(line)]
        assert {each.outcome for each in judged} <= {"valid"}
        return sorted(round(each.values["temperature"] * 9 / 5 + 32, 6) for each in judged)

    def item(self, name: str) -> dict[str, Any]:
        """An item of the table."""
        found = self.place.dynamodb.get_item(TableName=self.place.table, Key={"id": {"S": name}})
        item: dict[str, Any] = found.get("Item", {})
        return item


@pytest.fixture
def api() -> Iterator[VendorApi]:
    """A vendor with three hours of data."""
    with serving(weather(START_MS, 3)) as made:
        yield made


@pytest.fixture
def scene(local_aws: LocalAws, api: VendorApi, tmp_path: Path) -> Scene:
    """The weather."""
    return Scene(local_aws, api, tmp_path)


def _sent(api: VendorApi, hours: int = 2) -> list[float]:
    return [each.values["temp_f"] for each in api.window(START_MS, START_MS + hours * HOUR_MS)]


def test_each_call_reads_what_is_new_and_names_objects_by_the_hour_of_arrival(scene: Scene, api: VendorApi) -> None:
    (did,) = scene.puller().run(SECONDS)
    assert (did.pages, did.readings, did.gaps, did.error, did.behind_ms) == (6, 20, 0, "", 0)
    assert scene.temperatures() == _sent(api)
    assert {key.rpartition("/")[0] for key in scene.objects()} == {"raw/telemetry/year=2026/month=11/day=01/hour=02"}
    (did,) = scene.puller().run(SECONDS)
    assert (did.pages, did.readings) == (0, 0)
    scene.clock.at += 3600
    (did,) = scene.puller().run(SECONDS)
    assert (did.pages, did.readings) == (3, 10)
    assert scene.temperatures() == _sent(api, 3)


def test_a_vendor_that_fails_stops_by_name_and_goes_on_where_it_was(scene: Scene, api: VendorApi) -> None:
    api.faults.extend([None, None, *[vendor_api.status(500)] * 4])
    (did,) = scene.puller().run(SECONDS)
    assert did.error.startswith("status 500")
    assert did.error.endswith("given up after 4 attempts")
    assert (did.pages, did.behind_ms) == (2, 2 * HOUR_MS)
    assert scene.item("weather/observations")["error"]["S"] == did.error
    (did,) = scene.puller().run(SECONDS)
    assert (did.pages, did.error, did.behind_ms) == (4, "", 0)
    assert scene.temperatures() == _sent(api)


@pytest.mark.parametrize("body", [b"<html>", b'{"data": 5, "meta": {}}', b'{"data": []}', b"[" * 200 + b"]" * 200])
def test_an_answer_that_cannot_be_read_stops_the_resource_and_is_kept(
    scene: Scene, api: VendorApi, body: bytes
) -> None:
    api.faults.extend([None, vendor_api.body(body)])
    (did,) = scene.puller().run(SECONDS)
    assert did.error.startswith("a page is")
    assert list(scene.objects("failed-delivery/pull/weather/observations/").values()) == [body]
    scene.puller().run(SECONDS)
    assert scene.temperatures() == _sent(api)


def test_one_resource_that_fails_does_not_stop_the_other(local_aws: LocalAws, api: VendorApi, tmp_path: Path) -> None:
    api.observations = water(START_MS, 3)
    scene = Scene(local_aws, api, tmp_path, WATER)
    api.faults.append(vendor_api.status(404))
    flows, levels = scene.puller().run(SECONDS)
    assert (flows.pages, flows.error.partition(":")[0]) == (0, "status 404")
    assert (levels.readings, levels.error) == (30, "")
    flows, levels = scene.puller().run(SECONDS)
    # Windows of 7 or 8 items in pages of 5: where a page is full, the next is asked for.
    assert (flows.readings, levels.readings) == (30, 0)


def test_a_long_retry_after_is_kept_for_the_next_calls(scene: Scene, api: VendorApi) -> None:
    api.faults.append(vendor_api.status(429, Retry_After="600"))
    scene.puller().run(SECONDS)
    asked = len(api.asked)
    scene.clock.at += 300
    (did,) = scene.puller().run(SECONDS)
    assert (did.pages, len(api.asked)) == (0, asked)
    scene.clock.at += 301
    (did,) = scene.puller().run(SECONDS)
    assert did.readings == 20


def test_missing_pages_are_told_and_a_back_fill_closes_the_gap(scene: Scene, api: VendorApi) -> None:
    api.rearranged = lambda _: [0, 2]
    (did,) = scene.puller().run(SECONDS)
    assert (did.gaps, did.error) == (2, "")
    gap = scene.item(f"gap/weather/observations/{START_MS}")
    assert (gap["expected"]["N"], gap["found"]["N"]) == ("10", "6")
    api.rearranged = list
    (did,) = scene.puller().backfill(Backfill(START_MS, START_MS + 2 * HOUR_MS), SECONDS)
    assert (did.is_finished, did.gaps, did.readings) == (True, 0, 20)
    assert not scene.item(f"gap/weather/observations/{START_MS}")
    assert set(scene.temperatures()) == set(_sent(api))
    assert "expires_at" in scene.item(f"weather/observations/{START_MS}-{START_MS + 2 * HOUR_MS}")


def test_a_page_that_comes_twice_counts_once_and_hides_no_missing_one(scene: Scene, api: VendorApi) -> None:
    api.rearranged = lambda pages: [0, 0, *pages[1:]]
    (did,) = scene.puller().run(SECONDS)
    assert (did.repeated, did.gaps) == (2, 0)
    assert sorted(set(scene.temperatures())) == _sent(api)
    api.rearranged = lambda _: [0, 0, 2]
    scene.clock.at += 3600
    (did,) = scene.puller().run(SECONDS)
    assert (did.repeated, did.gaps) == (1, 1)


def test_a_cursor_that_does_not_move_is_not_followed_for_ever(scene: Scene, api: VendorApi) -> None:
    api.faults.extend([None, vendor_api.body(b'{"data": [], "meta": {"total": 9, "next_cursor": "c1"}}')])
    (did,) = scene.puller().run(SECONDS)
    assert "the next page is the same page again" in did.error


def test_two_invocations_never_read_one_resource_at_once(scene: Scene, api: VendorApi) -> None:
    meanwhile = []
    calls = Calls()
    puller = scene.puller(calls)

    def reading(_: object, __: object) -> None:
        meanwhile.extend(scene.puller().run(SECONDS))

    api.faults.extend([None, reading])
    (did,) = puller.run(SECONDS)
    assert [each.is_busy for each in meanwhile] == [True]
    assert (did.readings, did.error) == (20, "")


def test_an_invocation_that_was_away_too_long_moves_no_cursor(scene: Scene, api: VendorApi) -> None:
    other = []

    def away(_: object, __: object) -> None:
        scene.clock.at += SECONDS + 1
        other.extend(scene.puller().run(SECONDS))

    api.faults.extend([None, away])
    with pytest.raises(LeaseLostError, match="weather/observations is read by another invocation"):
        scene.puller().run(SECONDS)
    assert [each.behind_ms for each in other] == [0]
    assert scene.temperatures() == _sent(api)


def test_without_time_nothing_is_begun_and_the_next_call_goes_on(scene: Scene, api: VendorApi) -> None:
    (did,) = scene.puller().run(10.5)
    assert (did.pages, did.error, did.behind_ms) == (0, "", 2 * HOUR_MS)
    (did,) = scene.puller().run(SECONDS)
    assert did.readings == 20


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        (Backfill(START_MS + 1, START_MS + HOUR_MS), "read in windows of 60 minutes since midnight UTC"),
        (Backfill(START_MS, START_MS), "ends after it begins"),
        (Backfill(START_MS, START_MS + HOUR_MS, "x"), "weather has no resource 'x'"),
        (Backfill(START_MS, START_MS + 9 * HOUR_MS), "can be read up to 2026-11-01T02:00:00"),
    ],
)
def test_a_back_fill_that_cannot_be_is_refused(scene: Scene, api: VendorApi, wanted: Backfill, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        scene.puller().backfill(wanted, SECONDS)
    assert not api.asked
