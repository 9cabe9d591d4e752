"""The registry: lost, and brought back from a dump, as of a moment before a mistake, and as of the last one there is.

A copy of the platform's registry on a server of its own, as Aurora is one; a writer commits to it until it is lost.
"""

import os
import shutil
import signal
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from infra.local.drill.outcome import DATABASE, Outcome, timed
from infra.local.drill.row_counts import differences, row_counts
from infra.local.postgres.process import Postgres, start_postgres
from infra.local.postgres.recovery import base_backup, dump, load, recover
from infra.local.session.database_users import make_registry_users
from infra.local.session.platform import REGISTRY_DATABASE, Platform

# Commits go on for so long before the mistake, and again before the loss.
WRITING_SECONDS = 4.0
_PAUSE = 0.02
_SCHEMA = "registry"


class Writer(threading.Thread):
    """Commits a numbered row at a time, with the moment, until its server is gone."""

    def __init__(self, server: Postgres) -> None:
        super().__init__(daemon=True)
        self._server = server
        self.committed: list[datetime] = []
        with psycopg.connect(server.dsn(REGISTRY_DATABASE)) as connection:
            connection.execute("CREATE TABLE drill_commits (number int PRIMARY KEY)")

    def run(self) -> None:
        """Until the connection breaks."""
        with psycopg.connect(self._server.dsn(REGISTRY_DATABASE), autocommit=True) as connection:
            while True:
                try:
                    connection.execute("INSERT INTO drill_commits VALUES (%s)", (len(self.committed),))
                except psycopg.OperationalError:
                    return
                self.committed.append(datetime.now(UTC))
                time.sleep(_PAUSE)


def drill(platform: Platform, folder: Path) -> list[Outcome]:
    """Restore three ways; `folder` is new."""
    folder.mkdir(parents=True)
    folder.chmod(0o755)  # PostgreSQL's programs may run as nobody
    dumped = folder / "registry.dump"
    dump(platform.postgres, REGISTRY_DATABASE, dumped)
    server = start_postgres(folder / "lost", databases=[REGISTRY_DATABASE], archive=folder / "archive")
    password = server.password
    try:
        by_dump = _from_dump(server, dumped, _counts(platform.postgres))
        base_backup(server, folder / "base")
        writer = Writer(server)
        writer.start()
        time.sleep(WRITING_SECONDS)
        good, kept, before = datetime.now(UTC), len(writer.committed), _counts(server)
        _delete_all_devices(server)
        time.sleep(WRITING_SECONDS)
        after = _counts(server)
    finally:
        _destroy(server)
    writer.join()
    lost_at = datetime.now(UTC)
    made = [by_dump]
    for name, moment, expected in (("before a mistake", good, before), ("latest", None, after)):
        with timed() as watch:
            found = recover(folder / "base", folder / "archive", password, folder / name.replace(" ", "-"), moment)
        try:
            restored = _restored(found)
            wrong = differences(expected, _counts(found))
        finally:
            found.stop()
        # As of a moment, what was committed before it counts, and the moment is what was asked for.
        committed = writer.committed[:kept] if moment else writer.committed
        end = committed[restored - 1] if restored else committed[0]
        early = 0.0 if moment else (lost_at - end).total_seconds()
        if moment and restored != kept:
            wrong = [*wrong, f"{restored} commits instead of {kept}"]
        rows = sum(expected.values())
        source = f"base backup and log, {name}"
        made.append(
            Outcome(
                "registry", source, watch.seconds, rows + len(committed), rows + restored, early, DATABASE, tuple(wrong)
            )
        )
    return made


def _from_dump(server: Postgres, dumped: Path, expected: dict[str, int]) -> Outcome:
    with timed() as watch:
        # The users are the server's and in no dump; the migrations make them, and the tables come from the dump.
        make_registry_users(server, REGISTRY_DATABASE)
        with psycopg.connect(server.dsn("postgres"), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {REGISTRY_DATABASE}")
            connection.execute(f"CREATE DATABASE {REGISTRY_DATABASE}")
        load(server, REGISTRY_DATABASE, dumped)
    found = _counts(server)
    wrong = tuple(differences(expected, found))
    rows = sum(expected.values())
    return Outcome("registry", "dump, as of then", watch.seconds, rows, sum(found.values()), 0.0, DATABASE, wrong)


def _counts(server: Postgres) -> dict[str, int]:
    return row_counts(server.dsn(REGISTRY_DATABASE), [_SCHEMA])


def _delete_all_devices(server: Postgres) -> None:
    """The mistake."""
    with psycopg.connect(server.dsn(REGISTRY_DATABASE)) as connection:
        connection.execute(f"TRUNCATE {_SCHEMA}.device_versions CASCADE")


def _restored(server: Postgres) -> int:
    """How many of the writer's commits came back."""
    with psycopg.connect(server.dsn(REGISTRY_DATABASE)) as connection:
        row = connection.execute("SELECT count(*) FROM drill_commits").fetchone()
    return int(row[0]) if row else 0


def _destroy(server: Postgres) -> None:
    """As a disk that is gone: without a word, and with what was not archived."""
    os.kill(server.pid, signal.SIGKILL)
    server.process.wait()
    shutil.rmtree(server.state_dir / "data")
