"""Dagster's objects of the days that are over."""

import dagster as dg

from iot_pipeline.defs.daily.assets import compact_days_that_changed, daily_telemetry
from iot_pipeline.defs.daily.schedules import compact_days
from iot_pipeline.defs.freshness import with_freshness

defs = dg.Definitions(
    assets=with_freshness(daily_telemetry),
    jobs=[compact_days_that_changed],
    schedules=[compact_days],
)
