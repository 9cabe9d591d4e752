"""Runs that were killed: what `make up` does about them."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from infra.local.servers.checkout import CHECKOUT
from infra.local.session.dead_runs import fail_dead_runs, fail_orphaned_runs

POOL = "warehouse"


@dg.op(pool=POOL)
def load() -> None:
    """Has a place in the pool while it runs, which is long."""
    time.sleep(120)


@dg.job
def loading() -> None:
    load()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    shutil.copy(CHECKOUT / "dagster.yaml", tmp_path)
    return tmp_path


@pytest.fixture
def instance(home: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.from_config(str(home)) as opened:
        yield opened


def test_a_killed_run_is_failed_and_its_place_in_the_pool_is_free_again(instance: dg.DagsterInstance) -> None:
    killed = instance.create_run_for_job(loading, status=dg.DagsterRunStatus.STARTED)
    other = instance.create_run_for_job(loading, status=dg.DagsterRunStatus.SUCCESS)
    storage = instance.event_log_storage
    storage.initialize_concurrency_limit_to_default(POOL)
    assert storage.claim_concurrency_slot(POOL, killed.run_id, load.name).is_claimed
    assert not storage.claim_concurrency_slot(POOL, other.run_id, load.name).is_claimed

    assert fail_orphaned_runs(instance) == [killed.run_id]

    statuses = [instance.get_runs(dg.RunsFilter([run.run_id]))[0].status for run in (killed, other)]
    assert statuses == [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.SUCCESS]
    assert storage.claim_concurrency_slot(POOL, other.run_id, load.name).is_claimed
    assert fail_orphaned_runs(instance) == []


def test_a_run_killed_on_the_command_line_is_failed_once_all_its_processes_are_gone(
    instance: dg.DagsterInstance, home: Path
) -> None:
    command = [str(Path(sys.executable).with_name("dagster")), "job", "execute", "-f", __file__, "-j", loading.name]
    environment = {**os.environ, "DAGSTER_HOME": str(home), "PYTHONPATH": str(CHECKOUT)}
    process = subprocess.Popen(command, cwd=home, env=environment, start_new_session=True)
    storage = instance.event_log_storage
    try:
        while POOL not in storage.get_concurrency_keys() or not storage.get_concurrency_info(POOL).active_run_ids:
            assert process.poll() is None
            time.sleep(0.2)
        (run,) = instance.get_runs()
        assert fail_dead_runs(instance) == [], "it is alive"
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        while fail_dead_runs(instance) != [run.run_id]:  # the kernel may take a moment over the step's process
            time.sleep(0.2)
        assert instance.get_runs()[0].status == dg.DagsterRunStatus.FAILURE
        assert not storage.get_concurrency_info(POOL).active_run_ids
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_dagsters_daemon_frees_the_places_of_ended_runs(instance: dg.DagsterInstance) -> None:
    assert instance.run_monitoring_enabled
    assert instance.run_monitoring_settings["free_slots_after_run_end_seconds"]
    assert instance.run_monitoring_max_runtime_seconds
