"""Building any set of hours in one run, however far apart they are, and asking for such runs.

A run over a range of partitions would have to cover, or wait for, all the hours between two late ones. A job over
scattered hours takes their list in its configuration, and reports a materialization of each.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg

from iot_pipeline.defs.common import EVENTS_PER_TICK
from iot_pipeline.defs.evaluations import evaluation_of
from iot_pipeline.lake.hours import HOUR, Hour, hours_between
from iot_pipeline.partitions import hour_of, hours, hours_of, partition_key

# What a sweep looks at: see `in_turn`.
NEWEST, BLOCK = 6, 18
FAILED_RUNS_REMEMBERED = timedelta(days=1)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNFINISHED = (
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
)


class ScatteredHours(dg.Config):
    """The partition keys of the hours to build."""

    hours: list[str]


@dataclass(frozen=True)
class Built:
    """What a build of some hours reports: an event of each hour, the assets' checks, and metadata of the whole."""

    materializations: Sequence[dg.AssetMaterialization]
    checks: Sequence[dg.AssetCheckResult]
    metadata: Mapping[str, Any]

    def result(self) -> dg.MaterializeResult:
        """The same as the result of a run over a range of partitions, which repeats its metadata for each of them."""
        return dg.MaterializeResult(metadata=self.metadata, check_results=self.checks)


def report(context: dg.OpExecutionContext, built: Built) -> None:
    """Report what a step over scattered hours has built. Raises dagster.Failure if one of its checks failed.

    All checks count as blocking: after a failed one no hour is reported as built.
    """
    evaluations = [evaluation_of(check, blocking=True) for check in built.checks]
    failed = [f"{e.check_name}: {e.description or 'failed'}" for e in evaluations if not e.passed]
    if failed:
        # What a failed step has logged is lost; this is recorded at once.
        for evaluation in evaluations:
            context.instance.report_runless_asset_event(evaluation)
        raise dg.Failure(f"checks failed: {'; '.join(failed)}", metadata=built.metadata)
    for materialization in built.materializations:
        context.log_event(materialization)
    # As events of this run they count for the materializations above, which are stored later than a runless event.
    for evaluation in evaluations:
        context.log_event(evaluation)  # type: ignore[arg-type]  # taken, though its annotation leaves it out
    context.add_output_metadata(built.metadata)


def run_request(step: dg.OpDefinition, wanted: Iterable[Hour]) -> dg.RunRequest:
    """A request for one run of the job of `step` that builds these hours."""
    config = ScatteredHours(hours=[partition_key(hour) for hour in wanted])
    return dg.RunRequest(run_config=dg.RunConfig(ops={step.name: config}))


def requested_hours(request: dg.RunRequest) -> list[Hour]:
    """The hours that a request made by `run_request` asks for, in order."""
    (step,) = request.run_config["ops"].values()
    return hours_of(step["config"]["hours"])


def hours_of_partition(record: dg.EventLogRecord) -> list[Hour]:
    """The hour whose partition was materialized."""
    return [hour_of(record.partition_key)] if record.partition_key else []


def request_news(
    context: dg.SensorEvaluationContext,
    watched: dg.AssetKey,
    step: dg.OpDefinition,
    stale: Callable[[Sequence[Hour]], Sequence[Hour]],
    hours_in: Callable[[dg.EventLogRecord], Iterable[Hour]] = hours_of_partition,
) -> dg.SkipReason | dg.SensorResult:
    """Evaluate a sensor that asks for hours which new materializations of an asset have made stale.

    Takes the materializations of `watched` since the sensor's cursor, finds by `hours_in` which hours each of them
    concerns, and requests one run of `step` for those that `stale` returns. Hours before the first partition are
    logged as errors and left out.
    """
    records = context.instance.fetch_materializations(
        dg.AssetRecordsFilter(asset_key=watched, after_storage_id=int(context.cursor) if context.cursor else None),
        limit=EVENTS_PER_TICK,
        ascending=True,
    ).records
    if not records:
        return dg.SkipReason(f"{watched.to_user_string()} was not materialized since")
    found = {hour for record in records for hour in hours_in(record)}
    outside = {hour for hour in found if not _has_partition(hour)}
    if outside:
        context.log.error("%d hours have no partition, see IOT_PARTITIONS_START: %s", len(outside), min(outside))
    inside = sorted(found - outside)
    wanted = stale(inside) if inside else []
    return dg.SensorResult(
        run_requests=[run_request(step, wanted)] if wanted else [],
        cursor=str(records[-1].storage_id),
        skip_reason=None if wanted else dg.SkipReason(f"{len(found)} hours looked at, all of them up to date"),
    )


def hourly_sweep(
    job: dg.JobDefinition, minute: int, description: str
) -> Callable[[Callable[..., dg.RunRequest | dg.SkipReason]], dg.ScheduleDefinition]:
    """A decorator that makes a schedule, the safety net under a sensor, which runs at this minute of each hour."""
    return dg.schedule(
        job=job,
        cron_schedule=f"{minute} * * * *",
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=description,
    )


def request_swept(
    context: dg.ScheduleEvaluationContext,
    job: dg.JobDefinition,
    step: dg.OpDefinition,
    stale: Callable[[], Iterable[Hour]],
) -> dg.RunRequest | dg.SkipReason:
    """Evaluate a sweep: request one run for all hours that `stale` returns and that are partitions.

    While a run of the job is unfinished nothing is requested, since that run may be building the same hours.
    """
    if is_unfinished(context.instance, job.name):
        return dg.SkipReason(f"a run of {job.name} is unfinished; what it leaves is found by the next sweep")
    wanted = [hour for hour in stale() if _has_partition(hour)]
    return run_request(step, wanted) if wanted else dg.SkipReason("every hour looked at is up to date")


def in_turn(first: Hour, last: Hour) -> list[Hour]:
    """The hours from the first to the last that a sweep in the hour `last` is to look at: 24 at most, however many.

    They are the newest six, and one block of 18 hours whose turn it is. Each block has its turn again and again: within
    64 sweeps where all hours are those of a month, within 512 where they are those of a year.
    """
    if last < first + (NEWEST + BLOCK):
        return hours_between(first, last)
    now = _index(last)
    blocks = range(_index(first) // BLOCK, now // BLOCK + 1)
    # A power of two changes seldom: when it does, all turns have been had several times over.
    turns = 1 << (len(blocks) - 1).bit_length()
    due = [block for block in blocks if block % turns == now % turns]
    # More turns than blocks: a turn without a block of its own is one more for another.
    due = due or [block for block in blocks if block % (turns // 2) == now % (turns // 2)][:1]
    hours_due = {Hour(_EPOCH) + number for block in due for number in range(block * BLOCK, (block + 1) * BLOCK)}
    newest = {last + -age for age in range(NEWEST)}
    return sorted(hour for hour in hours_due | newest if first <= hour <= last)


def _index(hour: Hour) -> int:
    return int((hour.start - _EPOCH) / HOUR)


def hours_of_failed_runs(
    context: dg.ScheduleEvaluationContext, steps: Mapping[dg.JobDefinition, dg.OpDefinition]
) -> list[Hour]:
    """The hours that runs of these jobs, which failed or were cancelled in the last day, should have built.

    A sensor asks once for each change. So a sweep asks again for what a failed run leaves, without looking for it.
    """
    found: set[str] = set()
    for job, step in steps.items():
        failed = dg.RunsFilter(
            job_name=job.name,
            statuses=[dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED],
            updated_after=context.scheduled_execution_time.astimezone(UTC) - FAILED_RUNS_REMEMBERED,
        )
        for run in context.instance.get_runs(failed):
            # Dagster refuses a run without them. A person may have written one that is no hour, or a variable's name.
            ops: Any = run.run_config["ops"]
            found.update(map(str, ops[step.name]["config"]["hours"]))
    return hours_of(key for key in found if hours.has_partition_key(key))


def is_unfinished(instance: dg.DagsterInstance, job_name: str) -> bool:
    """Whether a run of this job is queued or under way."""
    return instance.get_runs_count(dg.RunsFilter(job_name=job_name, statuses=list(_UNFINISHED))) > 0


def _has_partition(hour: Hour) -> bool:
    return hours.has_partition_key(partition_key(hour))
