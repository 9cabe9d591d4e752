"""The safety net under the curated zone's sensor."""

from datetime import UTC

import dagster as dg

from iot_pipeline.defs.curated.assets import rebuild_event_hours
from iot_pipeline.defs.curated.sensors import run_request
from iot_pipeline.lake.hours import Hour
from iot_pipeline.partitions import hours, partition_key
from iot_pipeline.resources import LakeResource
from iot_pipeline.settings import policy


@dg.schedule(
    job=rebuild_event_hours,
    cron_schedule="40 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description=(
        "Requests event hours within the lateness bound that are still not what the ledger holds: the sensor asks once "
        "for each change, and a run of it may have failed."
    ),
)
def sweep_stale_hours(context: dg.ScheduleEvaluationContext, lake: LakeResource) -> dg.RunRequest | dg.SkipReason:
    """One run for all of them."""
    last = Hour.of(context.scheduled_execution_time.astimezone(UTC))
    bound = int(policy().contract.lateness_bound.total_seconds() // 3600)
    wanted = [last + -age for age in range(bound + 1)]
    stale = lake.open().stale(hour for hour in wanted if hours.has_partition_key(partition_key(hour)))
    return run_request(stale) if stale else dg.SkipReason(f"{bound} hours looked at, all of them up to date")
