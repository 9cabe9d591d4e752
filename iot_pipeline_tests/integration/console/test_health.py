"""Each tile on the local AWS: what it finds is so, and what breaks its dependency breaks it alone."""

import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from fastapi import Request
from fastapi.testclient import TestClient

from infra.local.session.platform import Platform
from iot_pipeline import settings
from iot_pipeline.connections.lake import open_catalog
from iot_pipeline.console.app import create_app
from iot_pipeline.console.health import balance, books, partitions, quarantine, warehouse
from iot_pipeline.console.health.balance import Balance
from iot_pipeline.console.health.bounded_athena import BoundedAthena, Meter
from iot_pipeline.console.health.findings import State
from iot_pipeline.console.health.health import Health, open_health
from iot_pipeline.console.health.hours_seen import open_lake
from iot_pipeline.console.parts import Parts
from iot_pipeline.console.viewer import Role, Viewer
from iot_pipeline.contract import tables
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.lake import Lake
from iot_pipeline.lake.notes import BuildNotes, Counts
from iot_pipeline_tests.support.emulator import eventually
from iot_pipeline_tests.support.messages import RawZone, build, line, message, reading


class Signed:
    """An identity whose viewer the test sets."""

    def __init__(self, viewer: Viewer) -> None:
        self.known = viewer

    def viewer(self, request: Request) -> Viewer | None:
        return self.known

    def check_csrf(self, request: Request) -> None:
        return None


OPERATOR = Signed(Viewer("ada", Role.OPERATOR))


@pytest.fixture
def built(lake: Lake, raw: RawZone, dagster_hour: Hour) -> Hour:
    """An hour with three valid readings, one of them twice, and two that break the contract."""
    at = dagster_hour.start + timedelta(minutes=5)
    good = message(reading(at, 1), reading(at, 2), fw="2.1")
    bad = message(reading(at, 3, temperature="hot"), reading("never", 4), fw="2.2")
    raw.put(dagster_hour, [line(good, at), line(message(reading(at, 1), fw="2.1"), at), line(bad, at)])
    build(lake, [dagster_hour])
    return dagster_hour


@pytest.fixture
def watched(platform: Platform) -> Lake:
    return open_lake(Meter(), 20)


def later(hour: Hour) -> datetime:
    """When nothing of an hour is recent any more."""
    return hour.start + timedelta(hours=4)


def cell(data: Any, hour: Hour) -> Any:
    return next(each for each in data.hours if each.hour == hour.start)


def test_a_built_hour_balances_both_ways(watched: Lake, built: Hour) -> None:
    arrived = cell(balance.arrivals(watched, later(built)).data, built)
    assert (arrived.balance, arrived.received, arrived.valid, arrived.quarantined) == (Balance.BALANCED, 5, 3, 2)
    event = cell(balance.events(watched, later(built)).data, built)
    assert (event.balance, event.valid, event.rows, event.duplicates) == (Balance.BALANCED, 3, 2, 1)


def test_a_partition_that_is_gone_is_missing_in_the_map_and_in_the_zones(watched: Lake, built: Hour) -> None:
    watched.catalog.remove(tables().curated_telemetry.name, [built])
    found = balance.events(watched, later(built))
    assert cell(found.data, built).balance is Balance.MISSING
    assert found.state is not State.OK
    found = partitions.look(watched, later(built))
    row = cell(found.data, built)
    assert (row.raw, row.judged, row.quarantined, row.curated) == ("built", "built", "built", "missing")
    assert found.state is State.WARNING
    assert f"curated {built} missing" in found.sentence


def test_what_arrived_and_was_not_judged_is_missing(watched: Lake, raw: RawZone, dagster_hour: Hour) -> None:
    raw.put(dagster_hour, [line(message(reading(dagster_hour.start, 1)), dagster_hour.start)])
    row = cell(partitions.look(watched, later(dagster_hour)).data, dagster_hour)
    assert (row.raw, row.judged, row.curated, row.recent) == ("built", "missing", "empty", False)


def test_a_build_that_lost_a_reading_is_an_imbalance(watched: Lake, built: Hour) -> None:
    table = tables().curated_telemetry.name
    partition = watched.catalog.partitions(table, [built])[built]
    notes = BuildNotes(datetime.now(UTC), partition.content, Counts(1, 1, 0), partition.marks)
    watched.catalog.publish(table, [type(partition)(built, partition.location, notes)])
    found = balance.events(watched, later(built))
    assert cell(found.data, built).balance is Balance.UNBALANCED
    assert found.state is State.CRITICAL
    assert str(built) in found.sentence
    counted = books.books_of(watched, built).events
    assert (counted.balance, counted.is_as_noted) == (Balance.UNBALANCED, False)
    assert counted.counted == Counts(2, 1, 0)


def test_a_quarantined_record_that_is_gone_is_an_imbalance(watched: Lake, raw: RawZone, built: Hour) -> None:
    table = tables().quarantined_telemetry.name
    location = watched.catalog.partitions(table, [built])[built].location
    keys = [each["Key"] for each in raw.s3.list_objects_v2(
        Bucket=raw.bucket, Prefix=location.removeprefix(f"s3://{raw.bucket}/")
    )["Contents"]]
    for key in keys:
        raw.s3.delete_object(Bucket=raw.bucket, Key=key)
    arrived = cell(balance.arrivals(watched, later(built)).data, built)
    assert (arrived.balance, arrived.received, arrived.quarantined) == (Balance.UNBALANCED, 5, 0)


def test_the_books_of_an_hour_say_from_where_and_where_to(watched: Lake, built: Hour) -> None:
    found = books.books_of(watched, built)
    assert {it.outcome: it.readings for it in found.arrivals.ledger}["valid"] == 3
    assert sum(found.arrivals.quarantine.values()) == found.arrivals.quarantined == 2
    assert [(it.hour, it.readings) for it in found.arrivals.touches] == [(built.start, 3)]
    assert [(it.hour, it.readings) for it in found.events.comes_from] == [(built.start, 3)]
    assert found.events.is_as_noted


def test_the_quarantine_is_counted_as_sql_counts_it(platform: Platform, lake: Lake, built: Hour) -> None:
    athena = BoundedAthena(meter := Meter(), 20)
    found = quarantine.look(athena, later(built)).data
    assert isinstance(found, quarantine.Quarantine)
    rows = lake.athena.run(
        "SELECT reason, count(*) FROM quarantined_telemetry WHERE "
        + " AND ".join(f"{key} = '{value}'" for key, value in zip(("year", "month", "day"), built.values[:3], strict=True))
        + " GROUP BY reason"
    ).rows
    assert found.reasons == {reason: int(count) for reason, count in rows}
    by_firmware = {it.firmware: (it.readings, it.quarantined) for it in found.firmwares}
    assert by_firmware == {"2.1": (3, 0), "2.2": (2, 2)}
    assert (meter.queries, athena.results) == (1, [])


def test_what_is_curated_and_not_loaded_is_missing_in_the_warehouse(loader: Any, built: Hour) -> None:
    row = cell(warehouse.look(open_catalog(), later(built)).data, built)
    assert (row.loaded, row.facts, row.rows) == ("missing", "empty", None)
    loader.load([built])
    row = cell(warehouse.look(open_catalog(), later(built)).data, built)
    assert (row.loaded, row.rows) == ("built", 2)


def closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


class Clock:
    """The time, which the test can put forward."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def health(platform: Platform, clock: Clock) -> Iterator[Health]:
    opened = open_health(clock=clock)
    yield opened
    opened.close()


@pytest.fixture
def client(health: Health) -> TestClient:
    return TestClient(create_app(Parts(OPERATOR, health=health)))


def seen_by(client: TestClient) -> dict[str, Any] | None:
    """All tiles by name, once none is looked at any more."""
    answer = client.get("/api/health")
    assert answer.status_code == 200
    tiles = {tile["name"]: tile for tile in answer.json()["tiles"]}
    return None if any(tile["is_looking"] for tile in tiles.values()) else tiles


def failing(tiles: dict[str, Any]) -> dict[str, str]:
    return {name: tile["failure"]["dependency"] for name, tile in tiles.items() if tile["failure"]}


BROKEN = [
    ({"AWS_ENDPOINT_URL_ATHENA": "http://127.0.0.1:{port}"}, {"lag", "quarantine", "spending"}, "Athena"),
    ({"AWS_ENDPOINT_URL_SQS": "http://127.0.0.1:{port}"}, {"dead_letters"}, "SQS or S3"),
    ({"IOT_ALERTS_TABLE": "no-such-table"}, {"alerts"}, "DynamoDB"),
    ({"IOT_WAREHOUSE_PORT": "{port}"}, {"warehouse"}, "the warehouse"),
]


@pytest.mark.parametrize(("broken", "names", "dependency"), BROKEN, ids=lambda it: str(it)[:30])
def test_what_is_down_is_said_by_its_own_tiles_alone_and_comes_back(
    client: TestClient,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    broken: dict[str, str],
    names: set[str],
    dependency: str,
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    whole = eventually(lambda: seen_by(client))
    assert whole is not None
    before = failing(whole)
    assert set(before) == {"runs"}, whole
    with monkeypatch.context() as patched:
        for name, value in broken.items():
            patched.setenv(name, value.format(port=closed_port()))
        settings.forget()
        open_anew(client)
        clock.ahead += timedelta(hours=1)
        found = eventually(lambda: seen_by(client))
        assert found is not None
        assert {name for name in failing(found) if name not in before} >= names
        for name in names:
            tile = found[name]
            assert tile["failure"]["dependency"] == dependency
            assert (tile["state"], tile["stale"]) == ("unknown", True)
            assert tile["known"]["data"] == whole[name]["known"]["data"] or tile["known"]["age_s"] > 0
    settings.forget()
    clock.ahead += timedelta(hours=1)
    found = eventually(lambda: seen_by(client))
    assert found is not None
    assert failing(found).keys() == before.keys()
