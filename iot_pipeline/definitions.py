"""What Dagster loads: the definitions of each domain that this size has, with the resources that they share."""

import dagster as dg

from iot_pipeline.defs.alerts import definitions as alerts
from iot_pipeline.defs.backfill import definitions as backfill
from iot_pipeline.defs.curated import definitions as curated
from iot_pipeline.defs.daily import definitions as daily
from iot_pipeline.defs.erasure import definitions as erasure
from iot_pipeline.defs.glue_workflow import definitions as glue_workflow
from iot_pipeline.defs.judged import definitions as judged
from iot_pipeline.defs.models import definitions as models
from iot_pipeline.defs.ops import definitions as ops
from iot_pipeline.defs.pipeline_alerts import definitions as pipeline_alerts
from iot_pipeline.defs.raw import definitions as raw
from iot_pipeline.defs.registry import definitions as registry
from iot_pipeline.defs.spark_backfill import definitions as spark_backfill
from iot_pipeline.defs.streaming import definitions as streaming
from iot_pipeline.defs.warehouse import definitions as warehouse
from iot_pipeline.resources import RESOURCES
from iot_pipeline.settings import policy

LAKE = (raw.defs, judged.defs, curated.defs, daily.defs, registry.defs, ops.defs)
# What works on edge or warehouse, of which a prototype has neither, or costs by the day.
BEYOND_THE_LAKE = (
    warehouse.defs,
    registry.with_edge,
    registry.with_warehouse,
    alerts.defs,
    models.defs,
    ops.with_warehouse,
    ops.crawled_daily,
    pipeline_alerts.defs,
    backfill.defs,
    spark_backfill.defs,
    erasure.defs,
)

defs = dg.Definitions.merge(
    *LAKE,
    *(() if policy().size == "prototype" else BEYOND_THE_LAKE),
    *((streaming.defs,) if policy().streaming else ()),
    *((glue_workflow.defs,) if policy().glue_workflow else ()),
    dg.Definitions(resources=RESOURCES),
)
