"""Dagster's storage: lost, and restored from a copy; and what the lake says without any history.

On one machine it is SQLite, copied as SQLite copies a database in use; on AWS it is a database on Aurora, restored as
the registry is.
"""

import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg

from infra.local.drill.outcome import DATABASE, REBUILT, Outcome, timed
from infra.local.session.dagster_runs import curate_stale_hours, snapshot_registry
from infra.local.session.platform import dagster_home
from iot_pipeline.connections.lake import open_lake
from iot_pipeline.lake.hours import Hour

_STORAGES = ("history", "storage", "schedules")


def drill(state_dir: Path, arrivals: list[Hour], folder: Path) -> list[Outcome]:
    """Copy, run once more, lose, restore; then lose all and ask the lake what is to be built."""
    home = dagster_home(state_dir)
    with dg.DagsterInstance.get() as instance:
        _copy(home, folder)
        copied_at, before = datetime.now(UTC), _runs(instance)
        snapshot_registry(instance)
        lost = _runs(instance)
    lost_at = datetime.now(UTC)
    _destroy(home)
    with timed() as watch:
        for name in _STORAGES:
            if (folder / name).exists():
                shutil.copytree(folder / name, home / name)
        with dg.DagsterInstance.get() as instance:
            after = _runs(instance)
    wrong = () if after == before else (f"{after} runs instead of the {before} that were copied",)
    early = (lost_at - copied_at).total_seconds()
    restored = Outcome("Dagster's storage", "copy", watch.seconds, lost, after, early, DATABASE, wrong)
    return [restored, _without_history(home, arrivals)]


def _without_history(home: Path, arrivals: list[Hour]) -> Outcome:
    """With an empty history the lake is as it was: it says itself what is stale, and that is nothing."""
    lake = open_lake()
    hours = lake.touched(arrivals)
    rows = sum(balance.built.rows for balance in lake.event_balances(hours))
    _destroy(home)
    with timed() as watch, dg.DagsterInstance.get() as instance:
        curate_stale_hours(instance)
    balances = open_lake().event_balances(hours)
    stale = open_lake().stale(hours)
    wrong = [f"{hour} is stale" for hour in stale] + [f"{b.hour} does not balance" for b in balances if not b.balances]
    found = sum(balance.built.rows for balance in balances)
    return Outcome("Dagster's storage", "nothing: curated rows", watch.seconds, rows, found, 0.0, REBUILT, tuple(wrong))


def _copy(home: Path, folder: Path) -> None:
    for database in home.rglob("*.db"):
        target = folder / database.relative_to(home)
        target.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(target)) as copy:
            source.backup(copy)


def _destroy(home: Path) -> None:
    for name in _STORAGES:
        shutil.rmtree(home / name, ignore_errors=True)


def _runs(instance: dg.DagsterInstance) -> int:
    return len(instance.get_run_records())
