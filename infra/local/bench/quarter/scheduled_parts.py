"""Dagster's definitions for a simulated quarter: what builds the lake and loads the warehouse, run in this process.

Left out is what costs more than it builds, and builds no partition of the lake: dbt's models and reports (and the check
of closed hours, which waits for their facts), the registry's snapshot, the export of alerts, crawlers, the sensors of
the edge, which gets no message here, retention, and of the checks those beside the books, the keys, the contract and
the sites: stored objects, schemas, drift, what each device was to send.
"""

import dagster as dg

from iot_pipeline.defs.backfill import definitions as backfill
from iot_pipeline.defs.curated import definitions as curated
from iot_pipeline.defs.daily import definitions as daily
from iot_pipeline.defs.judged import definitions as judged
from iot_pipeline.defs.ops.automation_sensor import automation
from iot_pipeline.defs.ops.event_log import daily_pruning, prune_event_log
from iot_pipeline.defs.ops.schedules import clean_up_job, close_hour, closing_build, daily_clean_up
from iot_pipeline.defs.ops.site_arrival import every_site_sends, site_arrival
from iot_pipeline.defs.pipeline_alerts import definitions as pipeline_alerts
from iot_pipeline.defs.raw import definitions as raw
from iot_pipeline.defs.warehouse import definitions as warehouse
from iot_pipeline.resources import RESOURCES

defs = dg.Definitions.merge(
    raw.defs,
    judged.defs,
    curated.defs,
    daily.defs,
    warehouse.defs,
    pipeline_alerts.defs,
    backfill.defs,
    dg.Definitions(
        asset_checks=[every_site_sends],
        jobs=[prune_event_log, closing_build, clean_up_job],
        schedules=[daily_pruning, close_hour, daily_clean_up],
        sensors=[automation, site_arrival],
        resources=RESOURCES,
        executor=dg.in_process_executor,
    ),
)
