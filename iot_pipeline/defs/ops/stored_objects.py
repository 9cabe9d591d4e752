"""Objects that somebody's hand has removed, added or overwritten: three checks, and the sweep that runs them."""

from collections.abc import Sequence
from datetime import UTC, datetime

import dagster as dg

from iot_pipeline.defs.common import CURATE_POOL, JUDGE_POOL, LISTED_HOURS
from iot_pipeline.defs.curated.assets import curated_telemetry
from iot_pipeline.defs.dagster_internals import partition_range_tags
from iot_pipeline.defs.judged.assets import ledger
from iot_pipeline.defs.metadata import markdown_table
from iot_pipeline.defs.raw.assets import raw_telemetry
from iot_pipeline.lake.faults import Fault
from iot_pipeline.lake.hours import Hour
from iot_pipeline.partitions import hours, hours_of, partition_key
from iot_pipeline.resources import LakeResource

# How many hours the sweep looks at, up to the one that closed last.
SWEPT_HOURS = 48
# More than these are in the check's table only.
SHOWN_FAULTS = 5


@dg.asset_check(
    asset=curated_telemetry,
    partitions_def=hours,
    blocking=True,
    pool=CURATE_POOL,
    description="Each event hour holds the rows that its build noted, and no object was written there since.",
)
def curated_objects_are_as_built(context: dg.AssetCheckExecutionContext, lake: LakeResource) -> dg.AssetCheckResult:
    """Look at these event hours, those without a partition left out."""
    wanted = hours_of(context.partition_keys)
    return _result(wanted, lake.audit().curated(wanted))


@dg.asset_check(
    asset=ledger.key,
    partitions_def=hours,
    blocking=True,
    pool=JUDGE_POOL,
    description=(
        "Of each arrival hour judged rows, ledger and quarantine agree, and no object was written there since."
    ),
)
def judged_objects_are_as_built(context: dg.AssetCheckExecutionContext, lake: LakeResource) -> dg.AssetCheckResult:
    """Look at these arrival hours, those without a ledger left out."""
    wanted = hours_of(context.partition_keys)
    return _result(wanted, lake.audit().judged(wanted))


@dg.asset_check(
    asset=raw_telemetry.key,
    partitions_def=hours,
    pool=JUDGE_POOL,
    description=(
        "The raw objects of each arrival hour are those that were judged: none is gone, none was written since, and an "
        "hour that has closed has no other."
    ),
)
def raw_objects_are_as_judged(context: dg.AssetCheckExecutionContext, lake: LakeResource) -> dg.AssetCheckResult:
    """Look at these arrival hours."""
    wanted = hours_of(context.partition_keys)
    return _result(wanted, lake.audit().raw(wanted, datetime.now(UTC)))


def _result(wanted: Sequence[Hour], faults: Sequence[Fault]) -> dg.AssetCheckResult:
    left = f"; and {len(faults) - SHOWN_FAULTS} more, see the table" if len(faults) > SHOWN_FAULTS else ""
    return dg.AssetCheckResult(
        passed=not faults,
        description="; ".join(map(str, faults[:SHOWN_FAULTS])) + left or None,
        metadata={
            "hours": len(wanted),
            "faults": len(faults),
            f"what is wrong (at most {LISTED_HOURS})": markdown_table(
                ("hour", "partition", "table", "what", "what to do"),
                [(it.hour, partition_key(it.hour), it.table, it.what, it.remedy) for it in faults[:LISTED_HOURS]],
            ),
        },
    )


audit_stored_objects = dg.define_asset_job(
    "audit_stored_objects",
    selection=dg.AssetSelection.checks(
        curated_objects_are_as_built, judged_objects_are_as_built, raw_objects_are_as_judged
    ),
    description="Looks whether the objects of some hours, of any age, are what was built and judged.",
)


@dg.schedule(
    job=audit_stored_objects,
    cron_schedule="55 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description=f"Five minutes to each hour, audits the objects of the {SWEPT_HOURS} hours that closed last.",
)
def sweep_stored_objects(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """One run for all these hours, from the first partition on."""
    open_hour = Hour.of(context.scheduled_execution_time.astimezone(UTC))
    first = max(open_hour + -SWEPT_HOURS, hours_of([hours.get_first_partition_key() or ""])[0])
    return dg.RunRequest(tags=partition_range_tags(partition_key(first), partition_key(open_hour + -1)))
