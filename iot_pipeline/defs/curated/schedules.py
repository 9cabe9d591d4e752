"""The safety net under the curated zone's sensor."""

from datetime import UTC

import dagster as dg

from iot_pipeline.defs.curated.assets import build_event_hours, rebuild_event_hours
from iot_pipeline.defs.scattered_hours import hourly_sweep, hours_of_failed_runs, in_turn, request_swept
from iot_pipeline.lake.hours import Hour
from iot_pipeline.resources import LakeResource
from iot_pipeline.settings import policy


@hourly_sweep(
    rebuild_event_hours,
    minute=40,
    description=(
        "Requests event hours that are still not what the ledger holds: at once those of runs that failed, since the "
        "sensor asks once for each change; in their turn all others that a reading within the lateness bound touches."
    ),
)
def sweep_stale_hours(context: dg.ScheduleEvaluationContext, lake: LakeResource) -> dg.RunRequest | dg.SkipReason:
    """Look at what failed runs left, and in turn at the hours that a reading which arrives now may belong to."""
    last = Hour.of(context.scheduled_execution_time.astimezone(UTC))
    first = Hour.of(max(policy().partitions_start, last.start - policy().contract.lateness_bound))
    failed = hours_of_failed_runs(context, {rebuild_event_hours: build_event_hours})

    def stale() -> list[Hour]:
        opened = lake.open()
        return sorted({*opened.stale(failed), *opened.stale_among(in_turn(first, last))})

    return request_swept(context, rebuild_event_hours, build_event_hours, stale)
