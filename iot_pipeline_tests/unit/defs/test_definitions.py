"""What Dagster loads: everything described, owned and grouped, and running by itself."""

import math
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
import time_machine

from iot_pipeline.contract import CONTRACT
from iot_pipeline.definitions import defs
from iot_pipeline.defs.ops.schedules import close_hour
from iot_pipeline.partitions import hours
from iot_pipeline.settings import policy
from iot_pipeline_tests.support.assets import HOURLY

SPECS = {spec.key.to_user_string(): spec for spec in defs.resolve_all_asset_specs()}
GROUPS = {"raw", "judged", "curated", "daily", "warehouse", "registry", "alerts", "upkeep"}
MODEL_GROUPS = {"staging", "dimensions", "facts", "reporting", "reports"}


def test_everything_loads() -> None:
    dg.Definitions.validate_loadable(defs)
    assert {spec.group_name for spec in SPECS.values()} == GROUPS | MODEL_GROUPS


@pytest.mark.parametrize("name", sorted(SPECS))
def test_an_asset_tells_a_person_what_it_is(name: str) -> None:
    spec = SPECS[name]
    assert spec.owners
    assert spec.kinds
    assert spec.description
    assert len(spec.description) > 25


@pytest.mark.parametrize("name", HOURLY)
def test_an_hourly_asset_shows_its_columns(name: str) -> None:
    spec = SPECS[name]
    assert spec.partitions_def == hours
    if name != "raw_telemetry":
        assert "dagster/column_schema" in spec.metadata


def test_the_graph_follows_the_data() -> None:
    parents = {name: {dep.asset_key.to_user_string() for dep in spec.deps} for name, spec in SPECS.items()}
    assert {name: parents[name] for name, spec in SPECS.items() if spec.group_name in GROUPS} == {
        "raw_telemetry": set(),
        "judged_telemetry": {"raw_telemetry"},
        "ledger": {"judged_telemetry"},
        "quarantined_telemetry": {"judged_telemetry", "ledger"},
        "curated_telemetry": {"judged_telemetry", "ledger"},
        "daily_telemetry": {"curated_telemetry"},
        "warehouse_readings": {"curated_telemetry"},
        "registry_snapshot": set(),
        "registry_history": set(),
        "alert_rules": set(),
        "alert_episodes": set(),
        "alert_history": {"alert_episodes"},
        "warehouse_alerts": {"alert_history"},
        "retention": set(),
    }
    loads = {"warehouse_readings", "warehouse_alerts", "registry_snapshot"}
    sources = {name for name, deps in parents.items() if deps & loads}
    assert sources == {name for name, spec in SPECS.items() if spec.group_name == "staging"}
    assert all(parents[name] for name, spec in SPECS.items() if spec.group_name in MODEL_GROUPS)


@pytest.mark.parametrize("name", HOURLY[1:])
def test_a_backfill_is_one_run_and_one_build_of_a_zone_at_a_time(name: str) -> None:
    key = dg.AssetKey(name)
    (asset,) = [asset for asset in defs.assets or [] if isinstance(asset, dg.AssetsDefinition) and key in asset.keys]
    assert asset.backfill_policy == dg.BackfillPolicy.single_run()
    assert asset.op.pool


def test_partitions_reach_as_far_into_the_future_as_clocks_may_be_ahead() -> None:
    now = datetime(2026, 11, 5, 12, 34, tzinfo=UTC)
    with time_machine.travel(now, tick=False):
        keys = hours.get_partition_keys()
    ahead = math.ceil(CONTRACT.future_bound / timedelta(hours=1))
    assert keys[0] == policy().partitions_start.strftime("%Y-%m-%d-%H:%M")
    assert keys[-1] == (now + timedelta(hours=ahead)).strftime("%Y-%m-%d-%H:00")


def test_the_checks_that_guard_the_books_block() -> None:
    blocking = {
        spec.name
        for asset in defs.assets or []
        if isinstance(asset, dg.AssetsDefinition)
        for spec in asset.check_specs
        if spec.blocking and spec.asset_key.to_user_string() in {*HOURLY, "registry_snapshot"}
    }
    assert blocking == {
        "received_equals_valid_plus_quarantined",
        "valid_equals_curated_plus_duplicates",
        "keys_are_unique",
        "rows_are_within_the_contract",
        "loaded_equals_curated",
        "versions_do_not_overlap",
    }


def test_sensors_and_schedules_run_by_default_and_say_what_for() -> None:
    for sensor in defs.sensors or []:
        assert isinstance(sensor, dg.SensorDefinition)
        assert sensor.default_status is dg.DefaultSensorStatus.RUNNING, sensor.name
        assert sensor.description, sensor.name
    for schedule in defs.schedules or []:
        assert isinstance(schedule, dg.ScheduleDefinition)
        assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING, schedule.name
        assert schedule.execution_timezone == "UTC"
    repository = defs.get_repository_def()
    assert {sensor.name for sensor in repository.sensor_defs} == {
        "raw_objects",
        "stale_event_hours",
        "sweep_stale_arrivals",
        "unloaded_event_hours",
        "stale_models",
        "automation",
        "pipeline_alerts",
        "site_arrival",
        "closed_hours_watch",
        "spending_watch",
        "arrived_objects",
        "edge_health",
    }


def test_the_closing_build_takes_the_hour_that_closed() -> None:
    context = dg.build_schedule_context(scheduled_execution_time=datetime(2026, 3, 1, 0, 10, tzinfo=UTC))
    request = close_hour(context)
    assert isinstance(request, dg.RunRequest)
    assert request.partition_key == "2026-02-28-23:00"
