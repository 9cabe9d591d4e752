"""Each tile on the local AWS: what it finds is so, and what breaks its dependency breaks it alone."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from fastapi.testclient import TestClient

from infra.local.session.platform import Platform
from iot_pipeline import settings
from iot_pipeline.connections.lake import open_catalog
from iot_pipeline.console.bounded_athena import BoundedAthena, Meter
from iot_pipeline.console.health import balance, books, reasons_seen, warehouse, zones
from iot_pipeline.console.health.balance import Balance
from iot_pipeline.console.health.findings import State
from iot_pipeline.console.health.hours_seen import open_lake
from iot_pipeline.console.health.tiles import open_health
from iot_pipeline.console.viewer import Role, Viewer
from iot_pipeline.contract import tables
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.lake import Lake
from iot_pipeline.lake.notes import BuildNotes, Counts
from iot_pipeline_tests.support.console_parts import HeldStore, Signed
from iot_pipeline_tests.support.console_routes import client_of
from iot_pipeline_tests.support.emulator import eventually
from iot_pipeline_tests.support.gate import Gate, gate_to
from iot_pipeline_tests.support.messages import RawZone, build, line, message, reading

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
    found = zones.look(watched, later(built))
    row = cell(found.data, built)
    assert (row.raw, row.judged, row.quarantined, row.curated) == ("built", "built", "built", "missing")
    assert found.state is State.WARNING
    assert f"curated {built} missing" in found.sentence


def test_what_arrived_and_was_not_judged_is_missing(watched: Lake, raw: RawZone, dagster_hour: Hour) -> None:
    raw.put(dagster_hour, [line(message(reading(dagster_hour.start, 1)), dagster_hour.start)])
    row = cell(zones.look(watched, later(dagster_hour)).data, dagster_hour)
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
    keys = [
        each["Key"]
        for each in raw.s3.list_objects_v2(Bucket=raw.bucket, Prefix=location.removeprefix(f"s3://{raw.bucket}/"))[
            "Contents"
        ]
    ]
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
    found = reasons_seen.look(athena, later(built)).data
    assert isinstance(found, reasons_seen.Quarantine)
    rows = lake.athena.run(
        "SELECT reason, count(*) FROM quarantined_telemetry WHERE "
        + " AND ".join(
            f"{key} = '{value}'" for key, value in zip(("year", "month", "day"), built.values[:3], strict=True)
        )
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


class Clock:
    """The time, which the test can put forward."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass
class Watched:
    """The service of a test: its client, its clock, and the doors to what it depends on."""

    client: TestClient
    clock: Clock
    gates: dict[str, Gate]

    def settled(self) -> dict[str, Any]:
        """All tiles by name, looked at anew, once no look is under way."""
        self.clock.ahead += timedelta(hours=1)
        begun = self._tiles()
        assert all(tile["is_looking"] for tile in begun.values())
        found = eventually(self._settled, 120)
        assert found is not None
        return found

    def _settled(self) -> dict[str, Any] | None:
        tiles = self._tiles()
        return None if any(tile["is_looking"] for tile in tiles.values()) else tiles

    def _tiles(self) -> dict[str, Any]:
        answer = self.client.get("/api/health")
        assert answer.status_code == 200, answer.text
        return {tile["name"]: tile for tile in answer.json()["tiles"]}


@pytest.fixture(scope="module")
def gates(platform: Platform) -> Iterator[dict[str, Gate]]:
    """A door to each dependency, and an environment that leads through them."""
    assert platform.redshift is not None
    emulator, athena = (
        int(url.rpartition(":")[2])
        for url in (platform.environment["AWS_ENDPOINT_URL"], platform.environment["AWS_ENDPOINT_URL_ATHENA"])
    )
    targets = {
        "AWS_ENDPOINT_URL_ATHENA": athena,
        "AWS_ENDPOINT_URL_DYNAMODB": emulator,
        "AWS_ENDPOINT_URL_GLUE": emulator,
        "IOT_WAREHOUSE_PORT": platform.redshift.port,
        "IOT_REGISTRY_PORT": platform.postgres.port,
    }
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patched:
        opened = {name: stack.enter_context(gate_to(port)) for name, port in targets.items()}
        for name, gate in opened.items():
            patched.setenv(name, f"http://127.0.0.1:{gate.port}" if "URL" in name else str(gate.port))
        patched.setenv("AWS_MAX_ATTEMPTS", "1")
        patched.setenv("IOT_DAGSTER_URL", "http://127.0.0.1:9")
        settings.forget()
        boto3.setup_default_session()
        yield opened
    settings.forget()
    boto3.setup_default_session()


@pytest.fixture(scope="module")
def service(gates: dict[str, Gate]) -> Watched:
    clock = Clock()
    health = open_health(HeldStore(), clock)
    return Watched(client_of(OPERATOR, health=health), clock, gates)


def failing(tiles: dict[str, Any]) -> dict[str, str]:
    return {name: tile["failure"]["dependency"] for name, tile in tiles.items() if tile["failure"]}


@pytest.mark.parametrize(
    ("gate", "broken"),
    [
        ("AWS_ENDPOINT_URL_ATHENA", {"lag": "Athena", "quarantine": "Athena", "spending": "Athena"}),
        ("AWS_ENDPOINT_URL_DYNAMODB", {"alerts": "DynamoDB", "edge": "Kinesis or DynamoDB"}),
        (
            "AWS_ENDPOINT_URL_GLUE",
            {"arrivals": "Glue", "events": "Glue", "partitions": "Glue or S3", "warehouse": "Glue"},
        ),
        ("IOT_WAREHOUSE_PORT", {"warehouse": "the warehouse"}),
    ],
)
def test_what_is_down_is_said_by_its_own_tiles_alone_and_they_come_back(
    service: Watched, gate: str, broken: dict[str, str]
) -> None:
    before = service.settled()
    assert failing(before) == {"runs": "Dagster"}
    service.gates[gate].shut()
    during = service.settled()
    service.gates[gate].open()
    # Only where another test has left a quarantine in these last days is Athena asked to count it.
    asked = failing(during)
    if gate == "AWS_ENDPOINT_URL_ATHENA":
        asked.pop("arrivals", None)
    assert asked == {"runs": "Dagster", **broken}
    for name in broken:
        tile = during[name]
        assert (tile["state"], tile["stale"]) == ("unknown", True)
        assert (
            tile["failure"]["since"] in tile["sentence"].replace(" ", "T")
            or tile["failure"]["since"][:19].replace("T", " ") in tile["sentence"]
        )
        assert tile["known"]["data"].keys() == before[name]["known"]["data"].keys()
        assert tile["known"]["at"] == before[name]["known"]["at"]
    after = service.settled()
    assert failing(after) == {"runs": "Dagster"}
    assert all(after[name]["known"]["at"] > before[name]["known"]["at"] for name in broken)


def test_without_the_registry_what_has_arrived_is_still_told(service: Watched) -> None:
    service.gates["IOT_REGISTRY_PORT"].shut()
    during = service.settled()
    service.gates["IOT_REGISTRY_PORT"].open()
    assert failing(during) == {"runs": "Dagster"}
    assert during["lag"]["state"] == "unknown"
    assert "the registry has not answered" in during["lag"]["sentence"]


def test_a_tenant_sees_nothing_of_the_pipeline(service: Watched, platform: Platform) -> None:
    tenant = client_of(Signed(Viewer("eve", Role.TENANT, "acme")))
    for path in ("/api/health", "/api/health/lag", "/api/health/hours/2026-11-21T10/books"):
        assert (tenant.get(path).status_code, tenant.get(path).json()["type"]) == (403, "role")


@pytest.mark.parametrize("hour", ["2026-11-21T24", "2026-02-30T01", "now", "2026-11-21", "2026-11-21T10:00"])
def test_what_is_no_hour_is_refused_by_name(service: Watched, hour: str) -> None:
    answer = service.client.get(f"/api/health/hours/{hour}/books")
    assert answer.status_code == 422
    assert repr(hour) in answer.json()["detail"]


def test_books_and_tiles_over_http(service: Watched, built: Hour) -> None:
    answer = service.client.get(f"/api/health/hours/{built.start:%Y-%m-%dT%H}/books")
    assert answer.status_code == 200, answer.text
    assert answer.json()["arrivals"]["received"] == 5
    assert service.client.get("/api/health/nothing").status_code == 404
    assert service.client.get("/api/health/lag").json()["name"] == "lag"
