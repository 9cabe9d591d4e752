"""Dagster's definitions for a simulated quarter: the lake's and the warehouse's loads, each run in this process.

Left out are what costs a subprocess or a crawl each time and builds no partition of the lake: dbt's models and reports
(and the check of closed hours, which waits for their facts), the registry's snapshot, the export of alerts, crawlers,
the sensors of the edge, which gets no message here, and the hourly comparison with what each device was to send.
"""

import dagster as dg

from iot_pipeline.defs.backfill import definitions as backfill
from iot_pipeline.defs.curated import definitions as curated
from iot_pipeline.defs.daily import definitions as daily
from iot_pipeline.defs.judged import definitions as judged
from iot_pipeline.defs.ops import definitions as ops
from iot_pipeline.defs.ops.expected_arrival import hourly_expected
from iot_pipeline.defs.pipeline_alerts import definitions as pipeline_alerts
from iot_pipeline.defs.raw import definitions as raw
from iot_pipeline.defs.warehouse import definitions as warehouse
from iot_pipeline.resources import RESOURCES

_OPS = dg.Definitions(
    asset_checks=ops.defs.asset_checks,
    jobs=ops.defs.jobs,
    schedules=[each for each in ops.defs.schedules or () if each is not hourly_expected],
    sensors=ops.defs.sensors,
)

defs = dg.Definitions.merge(
    raw.defs,
    judged.defs,
    curated.defs,
    daily.defs,
    _OPS,
    warehouse.defs,
    pipeline_alerts.defs,
    backfill.defs,
    dg.Definitions(resources=RESOURCES, executor=dg.in_process_executor),
)
