"""The warehouse's assets, sensor and sweep in Dagster, on the real local warehouse."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import dagster as dg
import psycopg
import pytest

from infra.local.session.dagster_runs import curate_hours, load_unloaded_hours
from iot_pipeline.defs.dagster_internals import partition_range_tags
from iot_pipeline.defs.registry.assets import registry_snapshot
from iot_pipeline.defs.scattered_hours import requested_hours, run_request
from iot_pipeline.defs.warehouse.assets import (
    LOAD_CHECK,
    load_event_hours,
    load_hours,
    no_orphaned_readings,
    warehouse_readings,
)
from iot_pipeline.defs.warehouse.schedules import sweep_unloaded_hours
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.lake import Lake
from iot_pipeline.lake.notes import Counts
from iot_pipeline.partitions import hours_of, partition_key
from iot_pipeline.resources import RESOURCES, WarehouseResource
from iot_pipeline.warehouse.load import Loader
from iot_pipeline.warehouse.transaction import run
from iot_pipeline_tests.support.messages import RawZone, line, message, reading

MINUTE = timedelta(minutes=1)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


@pytest.fixture
def persistent() -> Iterator[dg.DagsterInstance]:
    """An instance on disk, since the contexts of schedules refuse any other."""
    with dg.instance_for_test() as opened:
        yield opened


def arrive(raw: RawZone, lake: Lake, arrival: Hour, hours: list[Hour], seq: int = 0) -> None:
    """A reading of each event hour arrives, and is in the ledger."""
    raw.put(arrival, [line(message(*(reading(hour.start, seq) for hour in hours)), arrival.start)])
    lake.judge([arrival])


def metadata(instance: dg.DagsterInstance, key: dg.AssetKey) -> dict[str, Any]:
    event = instance.get_latest_materialization_event(key)
    assert event
    assert event.asset_materialization
    return {name: value.value for name, value in event.asset_materialization.metadata.items()}


def evaluations(instance: dg.DagsterInstance) -> list[tuple[str, bool]]:
    """The check evaluations so far, in order."""
    records = instance.get_event_records(
        dg.EventRecordsFilter(dg.DagsterEventType.ASSET_CHECK_EVALUATION), limit=100, ascending=True
    )
    events = [record.event_log_entry.dagster_event for record in records]
    checks = [event.asset_check_evaluation_data for event in events if event]
    return [(check.check_name, check.passed) for check in checks if check.asset_key == warehouse_readings.key]


def test_curated_hours_flow_into_the_warehouse_and_late_data_after_them(
    instance: dg.DagsterInstance, loader: Loader, lake: Lake, raw: RawZone, dagster_hour: Hour
) -> None:
    hours = [dagster_hour + -11, dagster_hour]
    arrive(raw, lake, dagster_hour, hours)
    curate_hours(instance, hours)
    loaded, cursor = load_unloaded_hours(instance)
    assert loaded == hours
    assert hours_of(instance.get_materialized_partitions(warehouse_readings.key)) == hours
    assert metadata(instance, warehouse_readings.key) == {"dagster/partition_row_count": 1, "skipped": False}
    assert evaluations(instance) == [(LOAD_CHECK.name, True)]

    arrive(raw, lake, dagster_hour + 1, hours[:1], seq=7)
    curate_hours(instance, hours[:1])
    assert load_unloaded_hours(instance, cursor)[0] == hours[:1]
    assert [balance.counted.rows for balance in loader.balances(hours)] == [2, 1]
    assert loader.unloaded(hours) == []


def test_a_backfill_of_a_range_is_one_run_that_says_what_it_did(
    instance: dg.DagsterInstance, loader: Loader, lake: Lake, raw: RawZone, dagster_hour: Hour
) -> None:
    hours = [dagster_hour + -n for n in reversed(range(4))]
    arrive(raw, lake, dagster_hour, hours)
    lake.curate(hours)
    loader.load(hours[:1])
    tags = partition_range_tags(partition_key(hours[0]), partition_key(hours[-1]))
    result = dg.materialize([warehouse_readings], instance=instance, resources=RESOURCES, tags=tags)
    assert result.success
    assert [(e.check_name, e.passed) for e in result.get_asset_check_evaluations()] == [(LOAD_CHECK.name, True)]
    found = metadata(instance, warehouse_readings.key)
    assert {name: found[name] for name in ("rows", "rows loaded", "hours loaded", "hours skipped")} == {
        "rows": 4,
        "rows loaded": 3,
        "hours loaded": 3,
        "hours skipped": 1,
    }
    assert found["rows per second"] > 0
    assert f"| {hours[0]} | 1 | 0.00 | there already |" in found["hours"]
    assert found["rows by hour"].count("█") == 4 * 30
    assert hours_of(instance.get_materialized_partitions(warehouse_readings.key)) == hours
    assert loader.unloaded(hours) == []


def test_the_sweep_asks_for_hours_whose_load_never_happened(
    persistent: dg.DagsterInstance, loader: Loader, lake: Lake, raw: RawZone, dagster_hour: Hour
) -> None:
    arrive(raw, lake, dagster_hour, [dagster_hour])
    lake.curate([dagster_hour])

    def swept() -> list[Hour]:
        at, resources = dagster_hour.start, {"warehouse": WarehouseResource()}
        with dg.build_schedule_context(persistent, scheduled_execution_time=at, resources=resources) as context:
            result = sweep_unloaded_hours(context)
        return requested_hours(result) if isinstance(result, dg.RunRequest) else []

    assert dagster_hour in swept()
    loader.load([dagster_hour])
    assert dagster_hour not in swept()


def test_an_hour_that_cannot_be_loaded_fails_its_run_and_the_others_are_reported(
    instance: dg.DagsterInstance, loader: Loader, lake: Lake, raw: RawZone, dagster_hour: Hour
) -> None:
    hours = [dagster_hour + -1, dagster_hour]
    arrive(raw, lake, dagster_hour, hours)
    lake.curate(hours)
    right = lake.catalog.partitions("curated_telemetry", hours)[hours[0]]
    assert right.notes
    lake.catalog.publish("curated_telemetry", [replace(right, notes=replace(right.notes, counts=Counts(2)))])
    result = load_event_hours.execute_in_process(
        run_request(load_hours, hours).run_config, instance=instance, resources=RESOURCES, raise_on_error=False
    )
    assert not result.success
    assert hours_of(instance.get_materialized_partitions(warehouse_readings.key)) == hours[1:]
    lake.catalog.publish("curated_telemetry", [right])
    assert loader.unloaded(hours) == hours[:1]


def test_readings_that_no_load_accounts_for_are_found(loader: Loader, arrival: Hour) -> None:
    def orphans() -> dg.AssetCheckResult:
        result = no_orphaned_readings(WarehouseResource())
        assert isinstance(result, dg.AssetCheckResult)
        return result

    assert orphans().passed
    run(loader.connection, f"INSERT INTO lake.readings (device_id, event_time) VALUES ('stray', {arrival.sql})")
    loader.connection.commit()
    try:
        found = orphans()
        assert not found.passed
        assert found.severity == dg.AssetCheckSeverity.WARN
        assert (found.metadata["hours"].value, found.metadata["readings"].value) == (1, 1)
    finally:
        run(loader.connection, "DELETE FROM lake.readings WHERE device_id = 'stray'")
        loader.connection.commit()


def test_the_registrys_snapshot(instance: dg.DagsterInstance, registry: psycopg.Connection[Any]) -> None:
    result = dg.materialize([registry_snapshot], instance=instance, resources=RESOURCES)
    assert [(e.check_name, e.passed) for e in result.get_asset_check_evaluations()] == [
        ("versions_do_not_overlap", True)
    ]
    found = metadata(instance, registry_snapshot.key)
    assert set(found) == {"rows", "versions recorded since the last snapshot", "tables"}
    dg.materialize([registry_snapshot], instance=instance, resources=RESOURCES)
    assert metadata(instance, registry_snapshot.key)["versions recorded since the last snapshot"] == 0
