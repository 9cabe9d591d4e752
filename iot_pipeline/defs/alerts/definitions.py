"""Dagster's objects of the alerts' history, and of how the edge is."""

import dagster as dg

from iot_pipeline.defs.alerts.assets import alert_episodes, alert_history, warehouse_alerts
from iot_pipeline.defs.alerts.checks import edge_checks
from iot_pipeline.defs.alerts.jobs import replay_dead_letters, try_alert_rule
from iot_pipeline.defs.alerts.schedules import export_alerts, regular_export
from iot_pipeline.defs.alerts.sensors import edge_health
from iot_pipeline.defs.freshness import with_freshness

defs = dg.Definitions(
    assets=with_freshness(alert_episodes, alert_history, warehouse_alerts),
    asset_checks=edge_checks,
    jobs=[export_alerts, try_alert_rule, replay_dead_letters],
    schedules=[regular_export],
    sensors=[edge_health],
)
