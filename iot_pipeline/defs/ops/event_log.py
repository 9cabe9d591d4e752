"""Dagster keeps the events of every run for ever. What nobody reads any more of old runs goes; their outcome stays."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg

from iot_pipeline.defs.dagster_internals import forget_run_events, noted, take_note
from iot_pipeline.settings import policy

_PRUNED_UNTIL = "iot_pipeline/event_log_pruned_until"
_RUNS_AT_ONCE = 500
_FINISHED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]


def prune(instance: dg.DagsterInstance, now: datetime, kept: timedelta) -> Iterator[tuple[int, int]]:
    """Remove from the log what runs that ended longer than `kept` ago have said, all but what became of run, steps and
    assets. Yields runs and events, by as many runs as are done together; after each it may be interrupted.
    """
    until = now - kept
    while True:
        since = noted(instance, _PRUNED_UNTIL)
        wanted = dg.RunsFilter(
            statuses=_FINISHED,
            updated_after=datetime.fromisoformat(since) if since else None,
            updated_before=until,
        )
        records = instance.get_run_records(wanted, limit=_RUNS_AT_ONCE, order_by="update_timestamp", ascending=True)
        if not records:
            return
        events = sum(forget_run_events(instance, record.dagster_run.run_id) for record in records)
        last = records[-1].update_timestamp
        take_note(instance, _PRUNED_UNTIL, last.replace(tzinfo=last.tzinfo or UTC).isoformat())
        yield len(records), events


@dg.op
def prune_events(context: dg.OpExecutionContext) -> None:
    """Prune what is older than IOT_EVENT_LOG_DAYS."""
    runs = events = 0
    for some_runs, some_events in prune(context.instance, datetime.now(UTC), timedelta(days=policy().event_log_days)):
        runs, events = runs + some_runs, events + some_events
        context.log.info("%d events of %d runs removed", events, runs)
    context.add_output_metadata({"runs": runs, "events": events})


@dg.job(description="Removes from Dagster's event log what old runs have said; what became of them stays.")
def prune_event_log() -> None:
    """The job has one step."""
    prune_events()


daily_pruning = dg.ScheduleDefinition(
    name="daily_pruning",
    job=prune_event_log,
    cron_schedule="20 3 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="At 03:20 UTC: the event log of runs that ended long ago.",
)
