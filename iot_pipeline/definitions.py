"""What Dagster loads: the definitions of each domain, with the resources that they share."""

import dagster as dg

from iot_pipeline.defs.alerts import definitions as alerts
from iot_pipeline.defs.backfill import definitions as backfill
from iot_pipeline.defs.curated import definitions as curated
from iot_pipeline.defs.daily import definitions as daily
from iot_pipeline.defs.erasure import definitions as erasure
from iot_pipeline.defs.judged import definitions as judged
from iot_pipeline.defs.models import definitions as models
from iot_pipeline.defs.ops import definitions as ops
from iot_pipeline.defs.pipeline_alerts import definitions as pipeline_alerts
from iot_pipeline.defs.raw import definitions as raw
from iot_pipeline.defs.registry import definitions as registry
from iot_pipeline.defs.warehouse import definitions as warehouse
from iot_pipeline.resources import RESOURCES

defs = dg.Definitions.merge(
    raw.defs,
    judged.defs,
    curated.defs,
    daily.defs,
    warehouse.defs,
    registry.defs,
    alerts.defs,
    models.defs,
    ops.defs,
    pipeline_alerts.defs,
    backfill.defs,
    erasure.defs,
    dg.Definitions(resources=RESOURCES),
)
