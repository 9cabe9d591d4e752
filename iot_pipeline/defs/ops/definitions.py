"""Dagster's objects of what keeps the platform running: automation, the clock, upkeep, upgrades."""

import dagster as dg

from iot_pipeline.defs.freshness import with_freshness
from iot_pipeline.defs.ops.automation_sensor import automation
from iot_pipeline.defs.ops.closed_hours import closed_hours_are_built, closed_hours_watch
from iot_pipeline.defs.ops.crawl_on_arrival import arrived_objects
from iot_pipeline.defs.ops.crawled_schemas import crawl, daily_crawl, schema_checks
from iot_pipeline.defs.ops.event_log import daily_pruning, prune_event_log
from iot_pipeline.defs.ops.expected_arrival import (
    devices_send_as_expected,
    hourly_expected,
    look_for_missing_readings,
)
from iot_pipeline.defs.ops.expiry import apply_retention, daily_retention, retention
from iot_pipeline.defs.ops.former_history import adopt_former_history
from iot_pipeline.defs.ops.schedules import (
    clean_up_job,
    close_hour,
    closing_build,
    daily_clean_up,
)
from iot_pipeline.defs.ops.schema_drift import daily_drift, firmwares_keep_to_the_contract, look_for_drift
from iot_pipeline.defs.ops.site_arrival import every_site_sends, site_arrival
from iot_pipeline.defs.ops.stored_objects import (
    audit_stored_objects,
    curated_objects_are_as_built,
    judged_objects_are_as_built,
    raw_objects_are_as_judged,
    sweep_stored_objects,
)

defs = dg.Definitions(
    asset_checks=[
        every_site_sends,
        firmwares_keep_to_the_contract,
        devices_send_as_expected,
        *schema_checks,
        curated_objects_are_as_built,
        judged_objects_are_as_built,
        raw_objects_are_as_judged,
    ],
    jobs=[
        prune_event_log,
        look_for_drift,
        look_for_missing_readings,
        closing_build,
        crawl,
        clean_up_job,
        adopt_former_history,
        audit_stored_objects,
    ],
    schedules=[
        daily_pruning,
        daily_drift,
        hourly_expected,
        close_hour,
        daily_clean_up,
        sweep_stored_objects,
    ],
    sensors=[automation, site_arrival, arrived_objects],
)
# A crawl is billed as ten minutes of two workers at least; the job is there for whoever wants one.
crawled_daily = dg.Definitions(schedules=[daily_crawl])
# What looks into the warehouse too.
with_warehouse = dg.Definitions(
    assets=with_freshness(retention),
    asset_checks=[closed_hours_are_built],
    jobs=[apply_retention],
    schedules=[daily_retention],
    sensors=[closed_hours_watch],
)
