"""Runs that hang, and runs that wait too long for their turn."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import dagster as dg

from iot_pipeline.alerting.episodes import About
from iot_pipeline.alerting.lifecycle import Severity
from iot_pipeline.defs.pipeline_alerts.kinds import LONG_RUN, QUEUED_RUN, Kind
from iot_pipeline.defs.pipeline_alerts.seen import Seen, bad, clear

LONGEST_RUN, LONGEST_WAIT = timedelta(hours=2), timedelta(minutes=30)
_AT_WORK = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
_WAITING = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING]
_LISTED = 10


def seen_now(instance: dg.DagsterInstance, now: datetime) -> Iterator[Seen]:
    """The oldest run at work, and the oldest that waits."""
    yield _oldest(instance, LONG_RUN, "runs/at_work", _AT_WORK, LONGEST_RUN, now)
    yield _oldest(instance, QUEUED_RUN, "runs/waiting", _WAITING, LONGEST_WAIT, now)


def _oldest(
    instance: dg.DagsterInstance,
    kind: Kind,
    subject: str,
    statuses: Sequence[dg.DagsterRunStatus],
    longest: timedelta,
    now: datetime,
) -> Seen:
    before = dg.RunsFilter(statuses=statuses, created_before=now - longest)
    records = [
        (_since(record), record) for record in instance.get_run_records(before, limit=_LISTED * 10, ascending=True)
    ]
    old = sorted((each for each in records if now - each[0] >= longest), key=lambda each: each[0])
    now_ms = round(now.timestamp() * 1000)
    if not old:
        return clear(kind, subject, now_ms)
    since, first = old[0]
    lines = [f"{begun:%Y-%m-%d %H:%M}Z {run.dagster_run.job_name} {run.dagster_run.run_id}" for begun, run in old]
    about = About(f"{len(old)} runs, the oldest of {first.dagster_run.job_name}", "\n".join(lines[:_LISTED]))
    return bad(kind, subject, now_ms, Severity.WARNING, about, since_ms=round(since.timestamp() * 1000))


def _since(record: dg.RunRecord) -> datetime:
    """When it started; if it has not, when it was made."""
    if record.start_time:
        return datetime.fromtimestamp(record.start_time, UTC)
    return record.create_timestamp.replace(tzinfo=record.create_timestamp.tzinfo or UTC)
