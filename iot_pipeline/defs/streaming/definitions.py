"""Dagster's objects of the streaming job; loaded where IOT_STREAMING says that there is one."""

import dagster as dg

from iot_pipeline.defs.streaming.assets import streamed_telemetry

reconcile_stream = dg.define_asset_job(
    "reconcile_stream",
    selection=[streamed_telemetry],
    description="Compares what was streamed with the batch result, which replaces it.",
)

# Half an hour after an hour's end it counts as closed; the sweep of stale event hours was at 40.
hourly_reconciliation = dg.ScheduleDefinition(
    name="hourly_reconciliation",
    job=reconcile_stream,
    cron_schedule="50 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Compares the event hours that have closed, and removes the micro-batches that the batch replaces.",
)

defs = dg.Definitions(assets=[streamed_telemetry], jobs=[reconcile_stream], schedules=[hourly_reconciliation])
