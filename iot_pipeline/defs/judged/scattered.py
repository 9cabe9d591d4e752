"""Judging scattered arrival hours again: after a change of the contract, those whose verdicts it may change."""

from datetime import UTC

import dagster as dg

from iot_pipeline.defs.common import JUDGE_POOL, NOTHING_FOLLOWS_TAG
from iot_pipeline.defs.judged.assets import judge_arrivals, quarantine_arrivals
from iot_pipeline.defs.metadata import query_cost
from iot_pipeline.defs.scattered_hours import Built, ScatteredHours, hourly_sweep, report, request_swept
from iot_pipeline.partitions import hours, hours_of
from iot_pipeline.resources import LakeResource

# A week of hours a run, so that a change of the contract in a lake of years holds the pool for minutes, not for days.
HOURS_PER_SWEEP = 168


@dg.op(pool=JUDGE_POOL)
def judge_hours(context: dg.OpExecutionContext, config: ScatteredHours, lake: LakeResource) -> list[str]:
    """Judge any set of arrival hours and count their ledger; returns their partition keys for the quarantine."""
    opened = lake.open(context.log.info)
    judged = judge_arrivals(opened, hours_of(config.hours))
    metadata = {**judged.all.of_ledger(), **query_cost(opened.athena)}
    report(context, Built(list(judged.materializations()), [], metadata))
    return config.hours


@dg.op(pool=JUDGE_POOL)
def quarantine_hours(context: dg.OpExecutionContext, judged: list[str], lake: LakeResource) -> None:
    """Quarantine what broke the contract in the arrival hours that were judged."""
    report(context, quarantine_arrivals(lake.open(context.log.info), hours_of(judged)))


@dg.job(
    description="Judges any set of arrival hours again, with their ledger and quarantine, however far apart they are.",
    # Its second step is what the quarantine's automation condition would ask for.
    tags={NOTHING_FOLLOWS_TAG: "true"},
)
def judge_arrival_hours() -> None:
    """The quarantine follows in the same run, since it is no longer built by itself in hours that closed long ago."""
    quarantine_hours(judge_hours())


@hourly_sweep(
    judge_arrival_hours,
    minute=20,
    description=(
        "Requests arrival hours that were judged by another contract, if the change may concern what they hold: the "
        f"newest {HOURS_PER_SWEEP} of them at a time."
    ),
)
def sweep_stale_arrivals(context: dg.ScheduleEvaluationContext, lake: LakeResource) -> dg.RunRequest | dg.SkipReason:
    """Look at all arrival hours since the first partition."""
    keys = hours.get_partition_keys(current_time=context.scheduled_execution_time.astimezone(UTC))
    return request_swept(
        context,
        judge_arrival_hours,
        judge_hours,
        lambda: lake.open().stale_arrivals(hours_of(keys))[-HOURS_PER_SWEEP:],
    )
