"""Everything that this project takes from Dagster's private modules, which may change with any release.

Nothing else imports from `dagster._...`. When Dagster is upgraded, read this file against the new release, run the
tests, and set `WRITTEN_FOR`.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import dagster as dg
from dagster._core.definitions.assets.graph.asset_graph import AssetGraph
from dagster._core.definitions.freshness import FreshnessState, FreshnessStateChange
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.events import EngineEventData
from dagster._core.scheduler.instigation import InstigatorState, InstigatorTick, TickStatus
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager
from dagster._core.storage.runs.sql_run_storage import SqlRunStorage
from dagster._core.storage.schedules.sql_schedule_storage import SqlScheduleStorage
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    GRPC_INFO_TAG,
    WILL_RETRY_TAG,
)
from sqlalchemy.engine import Connection

__all__ = [
    "ASSET_PARTITION_RANGE_END_TAG",
    "ASSET_PARTITION_RANGE_START_TAG",
    "GRPC_INFO_TAG",
    "WILL_RETRY_TAG",
    "WRITTEN_FOR",
    "AssetGraph",
    "DagsterVersionError",
    "EngineEventData",
    "FreshnessState",
    "FreshnessStateChange",
    "InstigatorState",
    "InstigatorTick",
    "InstigatorType",
    "TickStatus",
    "compute_logs",
    "daemon_heartbeats",
    "events_after",
    "forget_run_events",
    "last_evaluation",
    "newest_event",
    "noted",
    "partition_range_tags",
    "require_version",
    "storage_connections",
    "take_note",
]

WRITTEN_FOR: Final = "1.13.27"
# Of a run that ended long ago these stay: what became of it and of its steps.
_KEPT_EVENTS = frozenset(
    kind.value
    for kind in (
        dg.DagsterEventType.RUN_ENQUEUED,
        dg.DagsterEventType.RUN_START,
        dg.DagsterEventType.RUN_SUCCESS,
        dg.DagsterEventType.RUN_FAILURE,
        dg.DagsterEventType.RUN_CANCELED,
        dg.DagsterEventType.STEP_START,
        dg.DagsterEventType.STEP_SUCCESS,
        dg.DagsterEventType.STEP_FAILURE,
        dg.DagsterEventType.ASSET_CHECK_EVALUATION,
    )
)
# Runs of a check that were planned and came to nothing, at most, before one that did.
_LOOKED_BACK = 20


class DagsterVersionError(RuntimeError):
    """Another release of Dagster is installed than the one whose private modules this file was written for."""


def require_version(installed: str) -> None:
    """Raise DagsterVersionError unless `installed` is the release of Dagster that this file was written for."""
    if installed != WRITTEN_FOR:
        raise DagsterVersionError(
            f"Dagster {installed} is installed; {__name__} uses private modules of Dagster {WRITTEN_FOR}. Install that "
            "release (requirements.txt), or read the file against the new one and set WRITTEN_FOR"
        )


def partition_range_tags(first: str, last: str) -> dict[str, str]:
    """The tags of a run over all partitions from the key `first` to the key `last`, both included."""
    return {ASSET_PARTITION_RANGE_START_TAG: first, ASSET_PARTITION_RANGE_END_TAG: last}


def events_after(
    instance: dg.DagsterInstance, event_type: dg.DagsterEventType, cursor: int | None, limit: int
) -> Sequence[dg.EventLogRecord]:
    """The first `limit` events of a type that were stored after the storage id `cursor`, in the order of storing.

    SQLite's own `get_event_records` takes no storage id as cursor for check evaluations, since it reads run by run;
    they stand in its index all the same, and the general SQL storage, PostgreSQL's too, reads them there.
    Raises TypeError if the instance's event log is not kept in SQL.
    """
    storage = instance.event_log_storage
    if not isinstance(storage, SqlEventLogStorage):
        raise TypeError(f"the event log is a {type(storage).__name__}; alerts need one in SQL")
    return SqlEventLogStorage.get_event_records(
        storage, dg.EventRecordsFilter(event_type=event_type, after_cursor=cursor), limit=limit, ascending=True
    )


def newest_event(instance: dg.DagsterInstance) -> int:
    """The storage id of the newest event in the log; 0 if there is none."""
    return instance.event_log_storage.get_maximum_record_id() or 0


def last_evaluation(
    instance: dg.DagsterInstance, key: dg.AssetCheckKey, since: datetime | None = None
) -> dg.AssetCheckEvaluation | None:
    """What a check found last, if that was not before `since` (aware); a run that has only planned to is left out."""
    for record in instance.event_log_storage.get_asset_check_execution_history(key, limit=_LOOKED_BACK):
        entry = record.event
        event = entry.dagster_event if entry is not None else None
        if entry is None or event is None or event.event_type is not dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            continue
        is_too_old = since is not None and entry.timestamp < since.timestamp()
        return None if is_too_old else event.asset_check_evaluation_data
    return None


def forget_run_events(instance: dg.DagsterInstance, run_id: str) -> int:
    """Remove the events of a run, all but those of assets and checks, and those that say what became of run and steps.

    Returns how many. Raises TypeError if the instance's event log is not kept in SQL.
    """
    storage, table = instance.event_log_storage, SqlEventLogStorageTable
    if not isinstance(storage, SqlEventLogStorage):
        raise TypeError(f"the event log is a {type(storage).__name__}; only one in SQL can be pruned")
    kind = table.c.dagster_event_type
    goes = (table.c.run_id == run_id) & table.c.asset_key.is_(None) & (kind.is_(None) | kind.not_in(_KEPT_EVENTS))
    with storage.run_connection(run_id) as connection:
        return int(connection.execute(table.delete().where(goes)).rowcount)


def noted(instance: dg.DagsterInstance, name: str) -> str | None:
    """What `take_note` has kept under a name."""
    return instance.daemon_cursor_storage.get_cursor_values({name}).get(name)


def take_note(instance: dg.DagsterInstance, name: str, value: str) -> None:
    """Keep a small text with the instance, as the daemon keeps its cursors."""
    instance.daemon_cursor_storage.set_cursor_values({name: value})


def storage_connections(instance: dg.DagsterInstance) -> Iterator[tuple[str, AbstractContextManager[Connection]]]:
    """Every database that the instance keeps anything in, by a name for people, each to be opened and closed.

    On SQLite each run has a database of its own beside the index; elsewhere all events are in one. Raises TypeError if
    a storage is not in SQL.
    """
    events, runs, schedules = instance.event_log_storage, instance.run_storage, instance.schedule_storage
    if not isinstance(events, SqlEventLogStorage) or not isinstance(runs, SqlRunStorage):
        raise TypeError(f"events and runs are kept by {type(events).__name__} and {type(runs).__name__}, not in SQL")
    yield "event log", events.index_connection()
    if isinstance(events, SqliteEventLogStorage):
        for run_id in events.get_all_run_ids():
            yield f"event log of run {run_id}", events.run_connection(run_id)
    yield "runs", runs.connect()
    if isinstance(schedules, SqlScheduleStorage):
        yield "schedules and sensors", schedules.connect()


def compute_logs(instance: dg.DagsterInstance) -> Path | tuple[Any, str, str] | None:
    """Where the instance keeps what runs print: a folder, or a client of S3 with bucket and prefix; None elsewhere."""
    manager = instance.compute_log_manager
    if isinstance(manager, LocalComputeLogManager):
        return Path(manager._base_dir)  # it has no public name
    if type(manager).__name__ == "S3ComputeLogManager":
        kept: Any = manager
        return kept._s3_session, kept._s3_bucket, kept._s3_prefix
    return None


def daemon_heartbeats(instance: dg.DagsterInstance) -> dict[str, float | None]:
    """Of each part of Dagster's daemon that this instance needs its last heartbeat, epoch seconds; None: never."""
    beats = instance.get_daemon_heartbeats()
    return {name: beats[name].timestamp if name in beats else None for name in instance.get_required_daemon_types()}


require_version(version("dagster"))
