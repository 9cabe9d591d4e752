"""Dagster runs whose processes were killed: they would keep their places in pools, and others would wait for ever."""

import dagster as dg
import psutil

from iot_pipeline.defs.dagster_internals import GRPC_INFO_TAG, EngineEventData

_BEGUN = (dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING)


def fail_orphaned_runs(instance: dg.DagsterInstance) -> list[str]:
    """Mark the runs of an instance that no process works on as failed, give their places in pools back; their ids.

    To be called while nothing runs on the instance. Those that Dagster had launched its daemon starts again, once, as
    `run_retries` says; what a person began on the command line is theirs to begin again.
    """
    runs = instance.get_runs(dg.RunsFilter(statuses=list(_BEGUN)))
    for run in runs:
        _fail(instance, run, "The process of this run ended with the last session.")
    return [run.run_id for run in runs]


def fail_dead_runs(instance: dg.DagsterInstance) -> list[str]:
    """The same for runs that a command of this machine began, such as `dagster asset materialize`, and that died.

    Nobody else watches those; the runs that a code server began it watches itself.
    """
    begun = instance.get_runs(dg.RunsFilter(statuses=list(_BEGUN)))
    dead = [run for run in begun if GRPC_INFO_TAG not in run.tags and _is_dead(instance, run)]
    for run in dead:
        _fail(instance, run, "The process of this run is gone, without a word: killed, or out of memory.")
    return [run.run_id for run in dead]


def _is_dead(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Whether processes are known to have worked on it, and none of them is there any more."""
    told = [entry.dagster_event.event_specific_data for entry in instance.all_logs(run.run_id) if entry.dagster_event]
    pids = {
        int(str(data.metadata["pid"].value))
        for data in told
        if isinstance(data, EngineEventData) and "pid" in data.metadata
    }
    return bool(pids) and not any(psutil.pid_exists(pid) for pid in pids)


def _fail(instance: dg.DagsterInstance, run: dg.DagsterRun, why: str) -> None:
    instance.report_run_failed(run, why)
    instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
