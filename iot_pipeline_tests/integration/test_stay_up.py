"""What `make up` finds of a session that was killed."""

import shutil
from pathlib import Path

import dagster as dg

from infra.local.platform import CHECKOUT
from infra.local.stay_up import fail_orphaned_runs

POOL = "warehouse"


@dg.op(pool=POOL)
def load() -> None:
    """Has a place in the pool while it runs."""


@dg.job
def loading() -> None:
    load()


def test_a_killed_run_is_failed_and_its_place_in_the_pool_is_free_again(tmp_path: Path) -> None:
    shutil.copy(CHECKOUT / "dagster.yaml", tmp_path)
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
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


def test_dagsters_daemon_frees_the_places_of_ended_runs(tmp_path: Path) -> None:
    shutil.copy(CHECKOUT / "dagster.yaml", tmp_path)
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        assert instance.run_monitoring_enabled
        assert instance.run_monitoring_settings["free_slots_after_run_end_seconds"]
        assert instance.run_monitoring_max_runtime_seconds
