"""The clock of the alerts' history."""

import dagster as dg

from iot_pipeline.defs.alerts.assets import alert_history, warehouse_alerts

export_alerts = dg.define_asset_job(
    "export_alerts",
    selection=[alert_history, warehouse_alerts],
    description="Exports what changed of the alerts into the lake, and loads the days that it changed.",
)
regular_export = dg.ScheduleDefinition(
    name="regular_export",
    job=export_alerts,
    cron_schedule="7-59/15 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every 15 minutes, from seven past: the history of the alerts, into lake and warehouse.",
)
