"""What Dagster's daemon does, step by step in this process: its own code, at the time that the simulation says.

Each step is one iteration of a part of the daemon over a workspace whose code is loaded in process; the runs that it
asks for are executed at once, so that none waits, retries or is killed. Between two of our wakes the daemon of a real
deployment would have ticked hundreds of times with nothing new.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import dagster as dg
import psycopg
import sqlalchemy.pool
import yaml
from dagster._core.execution.backfill import BulkActionsFilter, BulkActionStatus
from dagster._core.remote_origin import CodeLocationOrigin, InProcessCodeLocationOrigin
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import WorkspaceLoadTarget
from dagster._daemon import sensor as sensor_daemon
from dagster._daemon.asset_daemon import AssetDaemon
from dagster._daemon.backfill import execute_backfill_iteration
from dagster._daemon.freshness import FreshnessDaemon
from dagster._daemon.types import DaemonHeartbeat
from dagster._scheduler.scheduler import ScheduleIterationTimes, launch_scheduled_runs

from infra.local.bench.quarter import scheduled_parts
from infra.local.postgres.process import SUPERUSER, Postgres
from infra.local.servers.loopback import HOST

_INSTANCE: dict[str, Any] = {
    "telemetry": {"enabled": False},
    "python_logs": {"python_log_level": "CRITICAL"},
    "run_coordinator": {"module": "dagster.core.run_coordinator", "class": "DefaultRunCoordinator"},
    "run_launcher": {
        "module": "dagster._core.launcher.sync_in_memory_run_launcher",
        "class": "SyncInMemoryRunLauncher",
    },
    "compute_logs": {
        "module": "dagster.core.storage.noop_compute_log_manager",
        "class": "NoOpComputeLogManager",
    },
}


# A backfill is begun, its runs are asked for, they are looked at, and it ends.
_BACKFILL_STEPS = 10
_UNFINISHED = BulkActionsFilter(
    statuses=[BulkActionStatus.REQUESTED, BulkActionStatus.CANCELING, BulkActionStatus.FAILING]
)


class _Code(WorkspaceLoadTarget):
    """The definitions of the simulation, loaded in this process."""

    def create_origins(self) -> Sequence[CodeLocationOrigin]:
        target = LoadableTargetOrigin(module_name=scheduled_parts.__name__, attribute="defs")
        return [InProcessCodeLocationOrigin(target, location_name="iot_pipeline")]


@dataclass
class DaemonSteps:
    """The daemon's parts over one Dagster instance."""

    instance: dg.DagsterInstance
    workspace: WorkspaceProcessContext
    log: logging.Logger
    _assets: AssetDaemon = field(default_factory=lambda: AssetDaemon({}, 30))
    _freshness: FreshnessDaemon = field(default_factory=FreshnessDaemon)
    _schedules: dict[str, ScheduleIterationTimes] = field(default_factory=dict)

    def schedules(self) -> None:
        """All schedules that are due, each at the time that it was due."""
        list(launch_scheduled_runs(self.workspace, self.log, datetime.now(UTC), self._schedules))

    def automation(self) -> None:
        """Evaluate the automation conditions once. What they ask for of several partitions is a backfill of Dagster."""
        self._assets._run_iteration_impl(self.workspace, None, {}, {})
        for _ in range(_BACKFILL_STEPS):
            if not self.instance.get_backfills(filters=_UNFINISHED, limit=1):
                return
            list(execute_backfill_iteration(self.workspace, self.log))
        raise RuntimeError(f"a backfill that automation asked for has not ended after {_BACKFILL_STEPS} iterations")

    def sensors(self, *names: str) -> None:
        """Tick these sensors, in this order, unless one ticked within its interval."""

        def chosen(found: Any, **_: object) -> list[Any]:
            by_name = {each.name: each for each in found}
            return [by_name[name] for name in names]

        with patch.object(sensor_daemon, "shuffled_round_robin_by_key", chosen):
            list(sensor_daemon.execute_sensor_iteration(self.workspace, self.log, None, None))

    def freshness(self) -> None:
        """Evaluate the freshness of all assets."""
        list(self._freshness.run_iteration(self.workspace))

    def beat(self) -> None:
        """All parts of the daemon are alive now."""
        now = datetime.now(UTC).timestamp()
        for part in self.instance.get_required_daemon_types():
            self.instance.add_daemon_heartbeat(DaemonHeartbeat(now, part, "simulated", []))


@contextmanager
def daemon_steps(home: Path, postgres: Postgres) -> Iterator[DaemonSteps]:
    """The daemon over the instance in the folder `home`, made if it is not there, with its history on PostgreSQL."""
    if not home.exists():
        home.mkdir()
        with psycopg.connect(postgres.dsn("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE dagster")
        _configure(home, postgres, makes_tables=True)
        dg.DagsterInstance.from_config(str(home)).dispose()
    # Each tick and run opens the instance anew, and would look for its tables each time.
    _configure(home, postgres, makes_tables=False)
    log = logging.getLogger(__name__)
    log.setLevel(logging.CRITICAL)
    with (
        # Dagster connects anew for each thing that it asks, which costs more than most of what it asks.
        patch.object(sqlalchemy.pool, "NullPool", sqlalchemy.pool.QueuePool),
        dg.DagsterInstance.from_config(str(home)) as instance,
        WorkspaceProcessContext(instance, _Code()) as workspace,
    ):
        yield DaemonSteps(instance, workspace, log)


def _configure(home: Path, postgres: Postgres, *, makes_tables: bool) -> None:
    address = {"hostname": HOST, "port": postgres.port, "db_name": "dagster"}
    login = {"username": SUPERUSER, "password": postgres.password}
    storage = {"postgres": {"postgres_db": address | login, "should_autocreate_tables": makes_tables}}
    (home / "dagster.yaml").write_text(yaml.safe_dump({**_INSTANCE, "storage": storage}))
