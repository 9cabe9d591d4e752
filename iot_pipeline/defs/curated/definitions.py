"""Dagster's objects of the curated readings by event hour."""

import dagster as dg

from iot_pipeline.defs.curated.assets import curated_telemetry, rebuild_event_hours
from iot_pipeline.defs.curated.schedules import sweep_stale_hours
from iot_pipeline.defs.curated.sensors import stale_event_hours
from iot_pipeline.defs.freshness import with_freshness

defs = dg.Definitions(
    assets=with_freshness(curated_telemetry),
    jobs=[rebuild_event_hours],
    schedules=[sweep_stale_hours],
    sensors=[stale_event_hours],
)
