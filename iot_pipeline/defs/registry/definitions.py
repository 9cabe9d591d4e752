"""Dagster's objects of the registry: its copies in warehouse and lake, the rules of alerts."""

import dagster as dg

from iot_pipeline.defs.freshness import with_freshness
from iot_pipeline.defs.registry.assets import alert_rules, registry_history, registry_snapshot

defs = dg.Definitions(assets=with_freshness(registry_history))
# Of what a prototype does not have: the edge reads the rules, the warehouse the snapshot.
with_edge = dg.Definitions(assets=with_freshness(alert_rules))
with_warehouse = dg.Definitions(assets=with_freshness(registry_snapshot))
