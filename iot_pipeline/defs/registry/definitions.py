"""Dagster's objects of the registry's copy in the warehouse."""

import dagster as dg

from iot_pipeline.defs.registry.assets import registry_snapshot

defs = dg.Definitions(assets=[registry_snapshot])
