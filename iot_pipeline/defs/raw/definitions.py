"""Dagster's objects of what Firehose lands, and the sensor that reports it."""

import dagster as dg

from iot_pipeline.defs.freshness import with_freshness
from iot_pipeline.defs.raw.assets import raw_telemetry
from iot_pipeline.defs.raw.sensors import raw_objects

defs = dg.Definitions(assets=with_freshness(raw_telemetry), sensors=[raw_objects])
