"""Dagster's objects of dbt's models, the reports on them and their documentation."""

import dagster as dg

from iot_pipeline.defs.freshness import with_freshness
from iot_pipeline.defs.models.assets import warehouse_models
from iot_pipeline.defs.models.docs import dbt_docs
from iot_pipeline.defs.models.reports import reports
from iot_pipeline.defs.models.sensors import build_models, stale_models

defs = dg.Definitions(
    assets=with_freshness(warehouse_models, dbt_docs, *reports),
    jobs=[build_models],
    sensors=[stale_models],
)
