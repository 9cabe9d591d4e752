"""What is asked for by the clock: the registry's snapshot and the search for stray readings."""

from datetime import UTC, datetime, timedelta

import dagster as dg

from iot_pipeline.defs.registry.assets import registry_snapshot
from iot_pipeline.defs.warehouse.assets import no_orphaned_readings, warehouse_readings
from iot_pipeline.resources import RESOURCES


def test_the_snapshot_is_asked_for_at_once_and_every_quarter_of_an_hour_and_the_check_once_a_day() -> None:
    definitions = dg.Definitions(
        assets=[registry_snapshot, warehouse_readings], asset_checks=[no_orphaned_readings], resources=RESOURCES
    )
    (check,) = no_orphaned_readings.check_keys
    start = datetime(2026, 11, 5, 3, 1, 5, tzinfo=UTC)
    snapshots: list[int] = []
    checks: list[int] = []
    with dg.DagsterInstance.ephemeral() as instance:
        cursor = None
        for minute in range(75):
            now = start + timedelta(minutes=minute)
            result = dg.evaluate_automation_conditions(definitions, instance, evaluation_time=now, cursor=cursor)
            cursor = result.cursor
            requested = {r.key for r in result.results if r.true_subset.size}
            if registry_snapshot.key in requested:
                snapshots.append(now.minute)
                instance.report_runless_asset_event(dg.AssetMaterialization(registry_snapshot.key))
            if check in requested:
                checks.append(now.minute)
    assert snapshots == [1, 15, 30, 45, 0, 15], "the first at once"
    assert checks == [50]
