"""Devices and sites through time, and the snapshot that the warehouse loads."""

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from iot_pipeline.registry.devices import (
    as_of,
    change_device,
    history,
    move_device,
    record_calibration,
    retire_device,
)
from iot_pipeline.registry.errors import DifferentDeviceError, OverwriteError, RegistryError, UnknownReferenceError
from iot_pipeline.registry.placements import placements
from iot_pipeline.registry.registration import Request, add_device
from iot_pipeline.registry.sites import apply, change_site
from iot_pipeline.registry.timeline import Recorded, Version, changed
from iot_pipeline.warehouse.registry_export import SCHEMAS, snapshot
from iot_pipeline_tests.support.emulator import unique
from iot_pipeline_tests.support.registry import OPENED, Connection, World, catalog

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
FUTURE = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture
def device(connection: Connection, world: World) -> str:
    """A device that stands at site a since the site was opened."""
    return add_device(connection, world.request(installed_at=OPENED, firmware="1")).device_id


def anything(_what: str, _recorded: Recorded) -> bool:
    return True


def places(connection: Connection, device_id: str) -> list[tuple[datetime, datetime | None, str, str | None]]:
    return [(v.valid_from, v.valid_to, v.site_id, v.firmware) for v in history(connection, device_id)]


def test_a_move_at_noon_splits_the_day_at_noon(connection: Connection, device: str) -> None:
    moved = move_device(connection, device, "b", NOON)
    assert (moved.site_id, moved.valid_from, moved.valid_to) == ("b", NOON, None)
    assert places(connection, device) == [(OPENED, NOON, "a", "1"), (NOON, None, "b", "1")]
    before, at = as_of(connection, device, NOON - timedelta(microseconds=1)), as_of(connection, device, NOON)
    assert before is not None
    assert at is not None
    assert (before.site_id, at.site_id) == ("a", "b")
    assert as_of(connection, device, OPENED - HOUR) is None


def test_the_placements_of_all_devices_tell_where_one_was_and_when(
    connection: Connection, world: World, device: str
) -> None:
    other = add_device(connection, world.request("c", installed_at=NOON)).device_id
    move_device(connection, device, "b", NOON)
    found = placements(connection)
    assert [row[1:] for row in found if row[0] == device] == [
        (OPENED, NOON, world.tenant, "a"),
        (NOON, None, world.tenant, "b"),
    ]
    assert [row[1:] for row in found if row[0] == other] == [(NOON, None, world.tenant, "c")]


def test_a_correction_in_the_past_keeps_what_was_changed_later(connection: Connection, device: str) -> None:
    move_device(connection, device, "b", NOON)
    change_device(connection, device, firmware="2", at=NOON - 2 * HOUR)
    assert places(connection, device) == [
        (OPENED, NOON - 2 * HOUR, "a", "1"),
        (NOON - 2 * HOUR, NOON, "a", "2"),
        (NOON, None, "b", "2"),
    ]


@pytest.mark.parametrize(("site", "at"), [("b", NOON - HOUR), ("c", NOON), ("a", NOON)])
def test_a_move_that_would_overwrite_a_recorded_one_says_so(
    connection: Connection, device: str, site: str, at: datetime
) -> None:
    move_device(connection, device, "b", NOON)
    before = places(connection, device)
    with pytest.raises(OverwriteError, match=f"device_id {device}: site_id b since 2026-01-01T12:00:00") as refused:
        move_device(connection, device, site, at)
    assert places(connection, device) == before
    agreed = refused.value.losses
    move_device(connection, device, site, at, lambda what, recorded: (what, recorded) in agreed)
    assert (NOON, None, "b", "1") not in places(connection, device)


def test_a_backdated_move_before_a_recorded_one_stands_beside_it(connection: Connection, device: str) -> None:
    move_device(connection, device, "b", NOON)
    moved = move_device(connection, device, "c", NOON - HOUR)
    assert (moved.valid_to, [site for _, _, site, _ in places(connection, device)]) == (NOON, ["a", "c", "b"])


def test_other_changes_that_would_overwrite_say_so_as_well(connection: Connection, world: World, device: str) -> None:
    change_device(connection, device, firmware="2", at=NOON)
    with pytest.raises(OverwriteError, match="firmware 2 since 2026-01-01T12"):
        change_device(connection, device, firmware="3", at=NOON)
    retire_device(connection, device, NOON)
    with pytest.raises(OverwriteError, match="status decommissioned since 2026-01-01T12"):
        retire_device(connection, device, NOON - HOUR)
    with pytest.raises(RegistryError, match="cannot be installed again before or at that moment"):
        add_device(connection, Request(device, world.tenant, "b", world.model, installed_at=NOON))
    apply(connection, catalog(world.tenant, lat=1.5), NOON)
    with pytest.raises(OverwriteError, match=r"site_id a: lat 1\.5 since .*site_id b: lat 1\.5.*site_id c: lat 1\.5"):
        apply(connection, catalog(world.tenant, lat=2.5), NOON)
    with pytest.raises(OverwriteError, match=r"lat 1\.5 since"):
        change_site(connection, world.tenant, "a", {"lat": 2.5}, NOON)
    apply(connection, catalog(world.tenant, lat=2.5), NOON, anything)


def test_only_what_changed_is_recorded_anew(connection: Connection, device: str) -> None:
    move_device(connection, device, "b", NOON)
    query = "SELECT valid_from, recorded_at FROM registry.device_versions WHERE device_id = %s ORDER BY valid_from"
    before = connection.execute(query, (device,)).fetchall()
    change_device(connection, device, firmware="2", at=NOON + HOUR)
    after = connection.execute(query, (device,)).fetchall()
    assert after[0] == before[0]
    assert after[1][1] > before[1][1]


def test_without_a_time_it_happens_now_and_the_views_show_it(connection: Connection, world: World, device: str) -> None:
    moved = move_device(connection, device, "c")
    assert abs(moved.valid_from - datetime.now(UTC)) < timedelta(minutes=5)
    row = connection.execute("SELECT site_id, valid_from FROM registry.devices WHERE device_id = %s", (device,))
    assert row.fetchall() == [("c", moved.valid_from)]
    change_site(connection, world.tenant, "c", {"name": "Another name"})
    row = connection.execute("SELECT name FROM registry.sites WHERE tenant_id = %s AND site_id = 'c'", (world.tenant,))
    assert row.fetchall() == [("Another name",)]


def test_another_model_brings_its_interval(connection: Connection, world: World, device: str) -> None:
    other = catalog(unique("tenant")).models[0].model_copy(update={"expected_interval_s": 900.0})
    apply(connection, catalog(world.tenant).model_copy(update={"models": (other,)}))
    assert change_device(connection, device, model_id=other.model_id).expected_interval_s == 900
    assert change_device(connection, device, model_id=world.model, expected_interval_s=30).expected_interval_s == 30
    with pytest.raises(UnknownReferenceError, match="model 'none' is not in the registry"):
        change_device(connection, device, model_id="none")
    with pytest.raises(RegistryError, match="firmware '' must have 1 to 128 bytes"):
        change_device(connection, device, firmware="")


@pytest.mark.parametrize(
    ("at", "message"),
    [
        (OPENED - HOUR, "registered since 2025-01-01.*not yet at"),
        (FUTURE, "is in the future"),
        (datetime(2026, 1, 1), "has no zone"),  # noqa: DTZ001  # that is what is refused
    ],
)
def test_a_time_that_cannot_be_is_refused(connection: Connection, device: str, at: datetime, message: str) -> None:
    with pytest.raises(RegistryError, match=message):
        move_device(connection, device, "b", at)
    assert len(history(connection, device)) == 1


def test_a_device_cannot_stand_where_no_site_is(connection: Connection, world: World, device: str) -> None:
    with pytest.raises(UnknownReferenceError, match="site 'z' of tenant"):
        move_device(connection, device, "z")
    later = catalog(world.tenant).sites[0].model_copy(update={"site_id": "d", "since": NOON})
    apply(connection, catalog(world.tenant).model_copy(update={"sites": (later,)}))
    with pytest.raises(UnknownReferenceError, match=r"exists since 2026-01-01T12.*not yet"):
        move_device(connection, device, "d", NOON - HOUR)
    assert move_device(connection, device, "d", NOON).site_id == "d"


def test_an_unknown_device_is_named(connection: Connection) -> None:
    for asked in (history, move_unknown, retire_device):
        with pytest.raises(UnknownReferenceError, match="device 'nothing' is not in the registry"):
            asked(connection, "nothing")


def move_unknown(connection: Connection, device_id: str) -> None:
    move_device(connection, device_id, "a")


def test_a_retired_device_changes_no_more_but_its_past_may(connection: Connection, device: str) -> None:
    retired = retire_device(connection, device, NOON)
    assert (retired.status, retired.valid_from, retired.valid_to) == ("decommissioned", NOON, None)
    assert retire_device(connection, device) == retired
    with pytest.raises(RegistryError, match="is decommissioned at"):
        move_device(connection, device, "b")
    move_device(connection, device, "b", NOON - HOUR)
    told = [(version.valid_from, version.site_id, version.status) for version in history(connection, device)]
    assert told == [(OPENED, "a", "active"), (NOON - HOUR, "b", "active"), (NOON, "b", "decommissioned")]


def test_a_retired_device_may_come_back_to_its_tenant_only(connection: Connection, world: World, device: str) -> None:
    retire_device(connection, device, NOON)
    stranger = unique("tenant")
    apply(connection, catalog(stranger))
    with pytest.raises(DifferentDeviceError, match=f"belonged to tenant {world.tenant}"):
        add_device(connection, Request(device, stranger, "a", f"{stranger}-model"))
    with pytest.raises(RegistryError, match="cannot be installed again before"):
        add_device(connection, Request(device, world.tenant, "b", world.model, installed_at=NOON - HOUR))
    add_device(connection, Request(device, world.tenant, "b", world.model, installed_at=NOON + HOUR))
    assert [(v.valid_from, v.site_id, v.status) for v in history(connection, device)] == [
        (OPENED, "a", "active"),
        (NOON, "a", "decommissioned"),
        (NOON + HOUR, "b", "active"),
    ]
    with pytest.raises(RegistryError, match="is registered already"):
        add_device(connection, Request(device, world.tenant, "b", world.model))


def test_a_change_joins_the_callers_transaction(connection: Connection, device: str) -> None:
    with connection.transaction(force_rollback=True):
        move_device(connection, device, "b")
        assert history(connection, device)[-1].site_id == "b"
    assert history(connection, device)[-1].site_id == "a"


moves = st.lists(
    st.tuples(
        st.integers(0, 9), st.fixed_dictionaries({"name": st.sampled_from("xyz"), "firmware": st.sampled_from("12")})
    ),
    max_size=8,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves)
def test_the_database_holds_what_the_timeline_says(
    connection: Connection, world: World, told: list[tuple[int, dict[str, str]]]
) -> None:
    request = world.request(installed_at=NOON, firmware="1", name="x")
    add_device(connection, request)
    expected = [Version(NOON, None, {"name": "x", "firmware": "1"})]
    for hour, values in told:
        at = NOON + hour * HOUR
        change_device(
            connection,
            request.device_id,
            at=at,
            may_overwrite=anything,
            name=values["name"],
            firmware=values["firmware"],
        )
        expected = changed(expected, at, values)
    held = [(v.valid_from, v.valid_to, v.name, v.firmware) for v in history(connection, request.device_id)]
    assert held == [(v.valid_from, v.valid_to, v.attributes["name"], v.attributes["firmware"]) for v in expected]


def test_a_calibration_is_recorded_once(connection: Connection, device: str) -> None:
    for _ in range(2):
        record_calibration(
            connection, device, "temperature", offset=0.5, gain=1, calibrated_by="lab", calibrated_at=NOON
        )
    rows = connection.execute("SELECT offset_value, gain FROM registry.calibrations WHERE device_id = %s", (device,))
    assert rows.fetchall() == [(0.5, 1.0)]
    with pytest.raises(RegistryError, match="another calibration"):
        record_calibration(connection, device, "temperature", offset=1, gain=1, calibrated_by="lab", calibrated_at=NOON)
    with pytest.raises(UnknownReferenceError, match="metric 'taste' is not of the contract: temperature"):
        record_calibration(connection, device, "taste", offset=1, gain=1, calibrated_by="lab")


def test_a_catalog_is_applied_as_often_as_you_like(connection: Connection) -> None:
    tenant = unique("tenant")
    assert apply(connection, catalog(tenant)) == {"tenants": 1, "customers": 1, "sites": 3, "models": 1}
    assert apply(connection, catalog(tenant)) == {"tenants": 0, "customers": 0, "sites": 0, "models": 0}
    assert apply(connection, catalog(tenant, lat=1.5), NOON)["sites"] == 3
    rows = connection.execute(
        "SELECT valid_from, valid_to, lat FROM registry.site_versions WHERE tenant_id = %s AND site_id = 'a'"
        " ORDER BY valid_from",
        (tenant,),
    )
    assert rows.fetchall() == [(OPENED, NOON, 52.5), (NOON, None, 1.5)]


def test_a_catalog_is_applied_whole_or_not(connection: Connection) -> None:
    tenant = unique("tenant")
    broken = catalog(tenant)
    broken = broken.model_copy(
        update={"sites": (*broken.sites, broken.sites[0].model_copy(update={"tenant_id": "no"}))}
    )
    with pytest.raises(UnknownReferenceError, match="site a of tenant no: tenant 'no' is not in the registry"):
        apply(connection, broken)
    assert connection.execute("SELECT 1 FROM registry.tenants WHERE tenant_id = %s", (tenant,)).fetchone() is None


def test_a_site_is_corrected_in_the_past(connection: Connection, world: World) -> None:
    change_site(connection, world.tenant, "a", {"lat": 1.0}, NOON)
    corrected = change_site(connection, world.tenant, "a", {"name": "New", "timezone": "UTC"}, NOON - HOUR)
    assert (corrected.valid_from, corrected.valid_to) == (NOON - HOUR, NOON)
    assert corrected.attributes["lat"] == 52.5
    with pytest.raises(RegistryError, match="a site has no height; it has customer_id, name"):
        change_site(connection, world.tenant, "a", {"height": 1.0})
    with pytest.raises(UnknownReferenceError, match="site 'z' of tenant"):
        change_site(connection, world.tenant, "z", {"lat": 1.0})


def rows_of(table: pa.Table, column: str, value: str) -> list[dict[str, Any]]:
    return [row for row in table.to_pylist() if row[column] == value]


def test_the_snapshot_holds_every_table_with_the_warehouses_columns(
    connection: Connection, world: World, device: str
) -> None:
    move_device(connection, device, "b", NOON)
    record_calibration(connection, device, "humidity", offset=-1, gain=2, calibrated_by="lab", calibrated_at=NOON)
    tables = snapshot(connection)
    assert {name: table.schema for name, table in tables.items()} == SCHEMAS
    assert {name: table.column_names for name, table in tables.items()} == {
        "tenants": ["tenant_id", "name", "plan", "created_at"],
        "customers": ["customer_id", "tenant_id", "name", "created_at"],
        "site_versions": [
            *("tenant_id", "site_id", "customer_id", "name", "country", "timezone"),
            *("lat", "lon", "valid_from", "valid_to", "recorded_at"),
        ],
        "device_models": ["model_id", "manufacturer", "name", "metrics", "expected_interval_s"],
        "device_versions": [
            *("device_id", "tenant_id", "site_id", "model_id", "name", "status", "firmware"),
            *("expected_interval_s", "valid_from", "valid_to", "recorded_at"),
        ],
        "calibrations": ["device_id", "metric", "offset_value", "gain", "calibrated_at", "calibrated_by"],
    }
    first, second = rows_of(tables["device_versions"], "device_id", device)
    noon = NOON.replace(tzinfo=None)
    assert (first["site_id"], first["valid_from"], first["valid_to"]) == ("a", OPENED.replace(tzinfo=None), noon)
    assert (second["site_id"], second["valid_from"], second["valid_to"]) == ("b", noon, None)
    (model,) = rows_of(tables["device_models"], "model_id", world.model)
    assert (model["metrics"], model["expected_interval_s"]) == ("temperature,humidity", 60.0)
    (calibration,) = rows_of(tables["calibrations"], "device_id", device)
    assert (calibration["offset_value"], calibration["gain"], calibration["calibrated_at"]) == (-1.0, 2.0, noon)
    assert len(rows_of(tables["site_versions"], "tenant_id", world.tenant)) == 3


def test_the_snapshot_is_in_utc_whatever_the_sessions_zone(
    connection: Connection, device: str, registry_dsn: str
) -> None:
    with psycopg.connect(registry_dsn, options="-c timezone=Asia/Kolkata") as elsewhere:
        assert snapshot(elsewhere)["device_versions"].equals(snapshot(connection)["device_versions"])


def test_the_snapshot_is_of_one_moment(
    connection: Connection, world: World, device: str, registry_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tenant and a site that are committed while the snapshot reads are in none of its tables."""
    meanwhile = unique("tenant")
    real = connection.cursor
    reads = 0

    def cursor(*args: Any, **options: Any) -> Any:
        nonlocal reads
        reads += 1
        if reads == 3:  # the first sets the isolation, the second reads tenants
            with psycopg.connect(registry_dsn) as other:
                apply(other, catalog(meanwhile))
        return real(*args, **options)

    monkeypatch.setattr(connection, "cursor", cursor)
    tables = snapshot(connection)
    assert reads == 1 + len(SCHEMAS)
    for name in ("tenants", "customers", "site_versions"):
        assert meanwhile not in tables[name].column("tenant_id").to_pylist()
    monkeypatch.undo()
    assert meanwhile in snapshot(connection)["tenants"].column("tenant_id").to_pylist()


def test_a_snapshot_needs_its_own_transaction(connection: Connection) -> None:
    connection.execute("SELECT 1")
    with pytest.raises(ValueError, match="transaction of its own"):
        snapshot(connection)
