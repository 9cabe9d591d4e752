"""Dagster's objects that tell how Dagster itself is."""

import dagster as dg

from iot_pipeline.defs.pipeline_alerts.budget import spending_watch
from iot_pipeline.defs.pipeline_alerts.sensors import pipeline_alerts

defs = dg.Definitions(sensors=[pipeline_alerts, spending_watch])
