"""Dagster's objects of the registry: its copies in warehouse and lake, the rules of alerts."""

import dagster as dg

from iot_pipeline.defs.freshness import with_freshness
from iot_pipeline.defs.registry.assets import alert_rules, registry_history, registry_snapshot

defs = dg.Definitions(assets=with_freshness(alert_rules, registry_history, registry_snapshot))
