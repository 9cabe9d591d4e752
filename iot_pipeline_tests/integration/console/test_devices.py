"""A device's page on the local AWS: its parts, its values joined to live ones, and what a foreign tenant sees of it."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from fastapi.testclient import TestClient

from infra.local.session.platform import Platform
from iot_pipeline.connections.edge import open_states
from iot_pipeline.connections.registry import open_registry
from iot_pipeline.console.bounded_athena import Meter
from iot_pipeline.console.devices.questions import Devices, open_devices
from iot_pipeline.console.live.hub import Hub
from iot_pipeline.console.viewer import Role, Viewer
from iot_pipeline.contract.judge import Judge
from iot_pipeline.edge.device_state import DeviceState, Series
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.lake import Lake
from iot_pipeline.registry.registration import Request, add_device
from iot_pipeline.registry.sites import apply
from iot_pipeline_tests.support.console_parts import Signed
from iot_pipeline_tests.support.console_routes import client_of
from iot_pipeline_tests.support.emulator import unique
from iot_pipeline_tests.support.messages import RawZone, Sender, build, line, message, reading
from iot_pipeline_tests.support.registry import World, catalog


@pytest.fixture
def hub() -> Hub:
    return Hub(Judge())


@pytest.fixture
def devices(platform: Platform) -> Devices:
    return open_devices(open_registry, Meter())


@pytest.fixture
def world(registry: psycopg.Connection[Any]) -> World:
    tenant = unique("tenant")
    apply(registry, catalog(tenant))
    registry.commit()
    return World(tenant, f"{tenant}-model")


@pytest.fixture
def meter(registry: psycopg.Connection[Any], world: World) -> Sender:
    request = world.request()
    add_device(registry, request)
    registry.commit()
    return Sender(request.device_id, world.tenant, "a")


@pytest.fixture
def viewer() -> Signed:
    return Signed(Viewer("ada", Role.OPERATOR))


@pytest.fixture
def client(viewer: Signed, devices: Devices, hub: Hub) -> TestClient:
    return client_of(viewer, devices=devices, live=SimpleNamespace(hub=hub))


def batch(*lines: bytes) -> Any:
    return SimpleNamespace(shard="s", behind_ms=0, lines=lines)


def test_values_are_joined_without_a_seam_and_without_doubles(
    client: TestClient, lake: Lake, raw: RawZone, hub: Hub, meter: Sender
) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    times = [now - timedelta(minutes=30) + timedelta(minutes=3 * n) for n in range(10)]
    sent = [line(message(reading(at, n, temperature=20.0 + n)), at, meter) for n, at in enumerate(times)]
    arrival = Hour.of(now)
    raw.put(arrival, [*sent[:6], sent[2]])
    build(lake, [arrival])
    hub.take(batch(*sent[4:], sent[9]))
    path = f"/api/devices/{meter.device}/series"
    before = client.get(path, params={"metric": "temperature", "hours": 2})
    assert before.status_code == 200, before.text
    found = before.json()
    points = found["series"][0]["points"]
    assert [point["mean"] for point in points] == [20.0 + n for n in range(10)]
    assert [(point["readings"], point["live"]) for point in points] == [(1, 0)] * 4 + [(1, 1)] * 6
    assert found["in_both"] == 2
    assert found["live_newer"] == 4
    assert datetime.fromisoformat(found["curated_until"]) == times[5].replace(
        microsecond=times[5].microsecond // 1000 * 1000
    )
    assert found["unknown_between"] is None
    # What was live becomes curated: nothing moves, and nothing is there twice.
    raw.put(arrival, sent[6:])
    build(lake, [arrival])
    after = client.get(path, params={"metric": "temperature", "hours": 2}).json()
    assert after["in_both"] == 6
    assert after["live_newer"] == 0
    assert [(p["at"], p["mean"], p["readings"]) for p in after["series"][0]["points"]] == [
        (p["at"], p["mean"], p["readings"]) for p in points
    ]


def test_a_device_has_its_parts(client: TestClient, meter: Sender, lake: Lake, raw: RawZone) -> None:
    now = datetime.now(UTC)
    state = DeviceState(meter.device, meter.tenant, meter.site, firmware="2.1", arrival_ms=int(now.timestamp() * 1000))
    state.counts = {"valid": 7, "invalid_value": 2, "late": 3}
    state.series["temperature"] = Series(21.5, state.arrival_ms - 1000, state.arrival_ms, 1, 0)
    open_states().save(state, [], state.arrival_ms)
    raw.put(
        Hour.of(now),
        [
            line(message(reading(now, 1), reading(now, 2, temperature="hot")), now, meter),
            line(message(reading(now, 1)), now, meter),
        ],
    )
    build(lake, [Hour.of(now)])
    answer = client.get(f"/api/devices/{meter.device}")
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert [(it["tenant"], it["site"], it["status"]) for it in found["history"]["data"]] == [
        (meter.tenant, "a", "active")
    ]
    assert (found["state"]["data"]["valid"], found["state"]["data"]["quarantined"]) == (7, 2)
    assert found["state"]["data"]["latest"][0]["value"] == 21.5
    assert found["alerts"] == {"data": [], "down": None}
    quality = client.get(f"/api/devices/{meter.device}/quality").json()
    assert (quality["valid"], quality["quarantined"], quality["rows"], quality["duplicates"]) == (2, 1, 1, 1)
    rows = client.get("/api/devices", params={"tenant": meter.tenant}).json()["devices"]
    assert [(row["device"], row["state"]["valid"]) for row in rows] == [(meter.device, 7)]


def test_a_foreign_device_is_answered_as_an_unknown_one(client: TestClient, viewer: Signed, meter: Sender) -> None:
    unknown = unique("device")
    viewer.known = Viewer("eve", Role.TENANT, "another")
    for rest in ("", "/quality", "/series?metric=temperature"):
        foreign, nothing = client.get(f"/api/devices/{meter.device}{rest}"), client.get(f"/api/devices/{unknown}{rest}")
        assert foreign.status_code == nothing.status_code == 404
        assert foreign.text.replace(meter.device, "X") == nothing.text.replace(unknown, "X")
    assert client.get("/api/devices", params={"tenant": meter.tenant}).json()["devices"] == []
    viewer.known = Viewer("tom", Role.TENANT, meter.tenant)
    assert client.get(f"/api/devices/{meter.device}").status_code == 200
    assert [row["device"] for row in client.get("/api/devices").json()["devices"]] == [meter.device]


def test_what_was_another_tenants_is_not_shown_to_the_next(
    client: TestClient, viewer: Signed, meter: Sender, lake: Lake, raw: RawZone
) -> None:
    """The registry says whose the device is now; each row says whose it was."""
    now = datetime.now(UTC)
    former = Sender(meter.device, "former", "x")
    raw.put(
        Hour.of(now),
        [
            line(message(reading(now - timedelta(minutes=2), 1, temperature=11.0)), now, former),
            line(message(reading(now - timedelta(minutes=1), 2, temperature=22.0)), now, meter),
        ],
    )
    build(lake, [Hour.of(now)])
    state = DeviceState(meter.device, "former", "x", arrival_ms=1)
    open_states().save(state, [], 1)
    viewer.known = Viewer("tom", Role.TENANT, meter.tenant)
    found = client.get(f"/api/devices/{meter.device}/series", params={"metric": "temperature"}).json()
    assert [point["mean"] for point in found["series"][0]["points"]] == [22.0]
    assert client.get(f"/api/devices/{meter.device}").json()["state"]["data"] is None
    assert client.get(f"/api/devices/{meter.device}/quality").json()["valid"] == 1
    assert client.get("/api/devices").json()["devices"][0]["state"] is None


def test_the_fleet_is_paged_by_name(
    client: TestClient, registry: psycopg.Connection[Any], world: World, viewer: Signed
) -> None:
    names = sorted(unique("device") for _ in range(5))
    for name in names:
        add_device(registry, Request(name, world.tenant, "b", world.model))
    registry.commit()
    viewer.known = Viewer("tom", Role.TENANT, world.tenant)
    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        answer = client.get("/api/devices", params={"after": after, "limit": 2, "site": "b"}).json()
        seen += [row["device"] for row in answer["devices"]]
        after = answer["next"]
    assert seen == names


@pytest.mark.parametrize(
    "query", ["metric=nothing", "metric=temperature&hours=0", "metric=temperature&hours=999", "metric=a&points=1"]
)
def test_what_cannot_be_asked_is_refused(client: TestClient, meter: Sender, query: str) -> None:
    answer = client.get(f"/api/devices/{meter.device}/series?{query}")
    assert answer.status_code == 422
    assert answer.json()["type"] == "invalid_request"
