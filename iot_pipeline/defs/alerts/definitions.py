"""Dagster's objects of the alerts' history, and of how the edge is."""

import dagster as dg

from iot_pipeline.defs.alerts.assets import alert_episodes, alert_history, warehouse_alerts
from iot_pipeline.defs.alerts.checks import edge_checks
from iot_pipeline.defs.alerts.schedules import export_alerts, regular_export
from iot_pipeline.defs.alerts.sensors import edge_health

defs = dg.Definitions(
    assets=[alert_episodes, alert_history, warehouse_alerts],
    asset_checks=edge_checks,
    jobs=[export_alerts],
    schedules=[regular_export],
    sensors=[edge_health],
)
