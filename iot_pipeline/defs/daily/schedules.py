"""When days are compacted."""

from datetime import UTC

import dagster as dg

from iot_pipeline.defs.daily.assets import ScatteredDays, compact, compact_days_that_changed
from iot_pipeline.defs.scattered_hours import is_unfinished
from iot_pipeline.resources import LakeResource

# A run of more would hold the pool for long; the next tick goes on. Days without a reading cost next to nothing.
DAYS_PER_RUN = 100


@dg.schedule(
    job=compact_days_that_changed,
    cron_schedule="20 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description=(
        "Requests days that are over and were never compacted, or of which late data has changed an hour since. Looks "
        "at what the catalog notes, and reads no readings."
    ),
)
def compact_days(context: dg.ScheduleEvaluationContext, lake: LakeResource) -> dg.RunRequest | dg.SkipReason:
    """The oldest of them."""
    if is_unfinished(context.instance, compact_days_that_changed.name):
        return dg.SkipReason("a run is unfinished; what it leaves is found by the next tick")
    found = lake.compaction().look(context.scheduled_execution_time.astimezone(UTC))
    if not found.stale and found.view_stands:
        return dg.SkipReason(f"every day before {found.days_until} holds what its hours hold")
    config = ScatteredDays(days=[str(day) for day in found.stale[:DAYS_PER_RUN]])
    return dg.RunRequest(run_config=dg.RunConfig(ops={compact.name: config}))
