"""Judging scattered arrival hours again: after a change of the contract, those whose verdicts it may change."""

import json
from datetime import UTC, datetime

import dagster as dg

from iot_pipeline.defs.common import JUDGE_POOL, NOTHING_FOLLOWS_TAG
from iot_pipeline.defs.judged.assets import judge_arrivals, quarantine_arrivals
from iot_pipeline.defs.metadata import query_cost
from iot_pipeline.defs.scattered_hours import Built, ScatteredHours, is_unfinished, report, run_request
from iot_pipeline.lake.hours import Hour, hours_between
from iot_pipeline.lake.judged_by import all_rules
from iot_pipeline.partitions import hour_of, hours_of, partition_key
from iot_pipeline.resources import LakeResource
from iot_pipeline.settings import policy

# A day a run: a change of the contract in a lake of years holds the pool for minutes, not for days. It is taken
# through a year of hours in some thirty hours.
HOURS_PER_SWEEP = 24


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


@dg.sensor(
    job=judge_arrival_hours,
    minimum_interval_seconds=300,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        f"Looks at {HOURS_PER_SWEEP} arrival hours after the other, from the newest back to the first partition and "
        "then anew, and requests those that another contract judged, if the change may concern what they hold."
    ),
)
def sweep_stale_arrivals(context: dg.SensorEvaluationContext, lake: LakeResource) -> dg.SkipReason | dg.SensorResult:
    """Look at the next hours. With a new contract it begins at the newest."""
    if is_unfinished(context.instance, judge_arrival_hours.name):
        return dg.SkipReason(f"a run of {judge_arrival_hours.name} is unfinished; the sweep goes on after it")
    opened = lake.open()
    rules = all_rules(opened.contract)
    looked_at = _next(context.cursor, rules, Hour.of(datetime.now(UTC)))
    stale = opened.stale_arrivals(looked_at)
    return dg.SensorResult(
        run_requests=[run_request(judge_hours, stale)] if stale else [],
        cursor=json.dumps({"rules": rules, "before": partition_key(looked_at[0])}),
        skip_reason=None
        if stale
        else dg.SkipReason(f"{looked_at[0]} to {looked_at[-1]}: nothing is to be judged again"),
    )


def _next(cursor: str | None, rules: str, newest: Hour) -> list[Hour]:
    """The hours before those that the cursor says were looked at last, or the newest."""
    first = Hour.of(policy().partitions_start)
    seen = json.loads(cursor) if cursor else {}
    before = hour_of(seen["before"]) if seen.get("rules") == rules else first
    last = before + -1 if before > first else max(newest, first)
    return hours_between(max(first, last + (1 - HOURS_PER_SWEEP)), last)
