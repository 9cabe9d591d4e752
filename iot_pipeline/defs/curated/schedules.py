"""The safety net under the curated zone's sensor."""

from datetime import UTC

import dagster as dg

from iot_pipeline.defs.curated.assets import build_event_hours, rebuild_event_hours
from iot_pipeline.defs.scattered_hours import hourly_sweep, request_swept
from iot_pipeline.lake.hours import Hour
from iot_pipeline.resources import LakeResource
from iot_pipeline.settings import policy


@hourly_sweep(
    rebuild_event_hours,
    minute=40,
    description=(
        "Requests event hours within the lateness bound that are still not what the ledger holds: the sensor asks once "
        "for each change, and a run of it may have failed."
    ),
)
def sweep_stale_hours(context: dg.ScheduleEvaluationContext, lake: LakeResource) -> dg.RunRequest | dg.SkipReason:
    """Look at all event hours that a reading which arrives now could still belong to."""
    last = Hour.of(context.scheduled_execution_time.astimezone(UTC))
    bound = int(policy().contract.lateness_bound.total_seconds() // 3600)
    wanted = [last + -age for age in range(bound + 1)]
    return request_swept(context, rebuild_event_hours, build_event_hours, lambda: lake.open().stale(wanted))
