"""Dagster's objects of the readings in the warehouse."""

import dagster as dg

from iot_pipeline.defs.freshness import with_freshness
from iot_pipeline.defs.warehouse.assets import load_event_hours, no_orphaned_readings, warehouse_readings
from iot_pipeline.defs.warehouse.schedules import sweep_unloaded_hours
from iot_pipeline.defs.warehouse.sensors import unloaded_event_hours

defs = dg.Definitions(
    assets=with_freshness(warehouse_readings),
    asset_checks=[no_orphaned_readings],
    jobs=[load_event_hours],
    schedules=[sweep_unloaded_hours],
    sensors=[unloaded_event_hours],
)
