"""What admins change, on the local registry and AWS IoT: done, recorded, refused by name."""

from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import psycopg
import pytest
from fastapi.testclient import TestClient

from infra.local.session.platform import Platform
from iot_pipeline.connections.registry import open_registry
from iot_pipeline.console.admin.means import open_admin
from iot_pipeline.console.bounded_athena import Meter
from iot_pipeline.console.viewer import Role, Viewer
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.lake import Lake
from iot_pipeline.registry.sites import apply
from iot_pipeline_tests.support.console_parts import Signed
from iot_pipeline_tests.support.console_routes import client_of
from iot_pipeline_tests.support.emulator import unique
from iot_pipeline_tests.support.messages import RawZone, Sender, build, line, message, reading
from iot_pipeline_tests.support.registry import World, catalog


class Audit:
    """Keeps what is recorded in memory."""

    def __init__(self) -> None:
        self.entries: list[tuple[str, str, str, str]] = []

    def record(self, viewer: Viewer, action: str, subject: str, reason: str = "") -> None:
        self.entries.append((viewer.name, action, subject, reason))


@pytest.fixture
def audit() -> Audit:
    return Audit()


@pytest.fixture
def viewer() -> Signed:
    return Signed(Viewer("ada", Role.ADMIN))


@pytest.fixture
def client(platform: Platform, viewer: Signed, audit: Audit) -> TestClient:
    return client_of(viewer, audit=audit, admin=open_admin(open_registry, None, Meter()))


@pytest.fixture
def world(registry: psycopg.Connection[Any]) -> World:
    tenant = unique("tenant")
    apply(registry, catalog(tenant))
    registry.commit()
    return World(tenant, f"{tenant}-model")


def test_a_device_is_let_in_moved_and_ended(client: TestClient, world: World, audit: Audit) -> None:
    device = unique("device")
    wanted = {"device": device, "tenant": world.tenant, "site": "a", "model": world.model, "reason": "new meter"}
    made = client.post("/api/admin/devices", json=wanted)
    assert made.status_code == 201, made.text
    assert made.headers["cache-control"] == "no-store"
    assert made.json()["private_key"].startswith("-----BEGIN")
    iot = boto3.client("iot")
    assert iot.describe_thing(thingName=device)["attributes"]["site"] == "a"
    moved = client.post(f"/api/admin/devices/{device}/move", json={"site": "b", "reason": "rebuilt"})
    assert (moved.status_code, moved.json()["site"]) == (200, "b")
    assert iot.describe_thing(thingName=device)["attributes"]["site"] == "b"
    ended = client.post(f"/api/admin/devices/{device}/decommission", json={"reason": "worn out"})
    assert (ended.status_code, ended.json()["status"]) == (200, "decommissioned")
    assert iot.list_thing_principals(thingName=device)["principals"] == []
    assert audit.entries == [
        ("ada", "onboard a device", device, "new meter"),
        ("ada", "move a device", device, "rebuilt"),
        ("ada", "decommission a device", device, "worn out"),
    ]


def test_what_is_refused_changes_and_records_nothing(client: TestClient, world: World, audit: Audit) -> None:
    wanted = {"device": unique("device"), "tenant": world.tenant, "site": "a", "model": world.model, "reason": "new"}
    for wrong, status, kind, words in (
        ({"site": "nowhere"}, 422, "unknown_reference", "nowhere"),
        ({"device": "a b"}, 422, "refused", "device id 'a b'"),
        ({"reason": " "}, 422, "invalid_request", "body.reason"),
        ({"installed_at": "2026-01-01T00:00:00"}, 422, "invalid_request", "body.installed_at"),
    ):
        answer = client.post("/api/admin/devices", json=wanted | wrong)
        assert (answer.status_code, answer.json()["type"]) == (status, kind), answer.text
        assert words in answer.json()["detail"]
    nobody = client.post("/api/admin/devices/nobody/move", json={"site": "a", "reason": "because"})
    assert (nobody.status_code, nobody.json()["type"]) == (422, "unknown_reference")
    assert audit.entries == []


def test_a_correction_that_would_overwrite_says_what_and_asks(client: TestClient, world: World) -> None:
    device = unique("device")
    wanted = {"device": device, "tenant": world.tenant, "site": "a", "model": world.model, "reason": "new"}
    at = datetime.now(UTC) - timedelta(days=2)
    assert client.post("/api/admin/devices", json=wanted | {"installed_at": at.isoformat()}).status_code == 201
    moment = (at + timedelta(days=1)).isoformat()
    path = f"/api/admin/devices/{device}/move"
    assert client.post(path, json={"site": "b", "at": moment, "reason": "moved"}).status_code == 200
    again = {"site": "c", "at": moment, "reason": "it was c"}
    refused = client.post(path, json=again)
    assert (refused.status_code, refused.json()["type"]) == (409, "overwrite")
    assert refused.json()["losses"][0]["recorded"].startswith("site_id b since")
    assert client.post(path, json=again | {"overwrite": True}).json()["site"] == "c"


def test_a_rule_is_tried_set_and_ended(
    client: TestClient, world: World, audit: Audit, lake: Lake, raw: RawZone
) -> None:
    now = datetime.now(UTC)
    meter = Sender(unique("device"), world.tenant, "a")
    sent = [line(message(reading(now - timedelta(minutes=n), 10 - n, temperature=35.0)), now, meter) for n in range(5)]
    raw.put(Hour.of(now), sent)
    build(lake, [Hour.of(now)])
    rule = {"rule": "range", "metric": "temperature", "parameters": {"warning_above": 30.0}}
    tried = client.post("/api/admin/rules/try", json=rule | {"device": meter.device})
    assert tried.status_code == 200, tried.text
    assert (tried.json()["alerts"], tried.json()["readings"]) == (1, 5)
    assert tried.json()["episodes"][0]["worst"] == 35.0
    assert audit.entries == []
    made = client.post("/api/admin/rules", json=rule | {"scope": {"tenant": world.tenant}, "reason": "hot summer"})
    assert made.status_code == 201, made.text
    number = made.json()["rule"]["id"]
    assert [it["note"] for it in client.get("/api/admin/rules").json()["in_force"] if it["id"] == number] == [
        "hot summer"
    ]
    ended = client.post(f"/api/admin/rules/{number}/end", json={"reason": "it is cool"})
    assert ended.status_code == 200, ended.text
    assert ended.json()["version"] > made.json()["version"]
    assert client.post(f"/api/admin/rules/{number}/end", json={"reason": "once more"}).json()["type"] == "refused"
    assert audit.entries == [
        ("ada", "set a rule", str(number), "hot summer"),
        ("ada", "end a rule", str(number), "it is cool"),
    ]


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.ANALYST, Role.TENANT])
def test_only_admins_change(client: TestClient, viewer: Signed, role: Role) -> None:
    viewer.known = Viewer("eve", role, "acme" if role is Role.TENANT else None)
    for path in ("/api/admin/devices", "/api/admin/devices/x/move", "/api/admin/rules", "/api/admin/rules/1/end"):
        assert client.post(path, json={}).json()["type"] == "role"
