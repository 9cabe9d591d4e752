"""Backups of the embedded PostgreSQL: a moment before a mistake, the last one before a loss, and a dump."""

import os
import shutil
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from infra.local.postgres.process import Postgres, start_postgres
from infra.local.postgres.recovery import base_backup, dump, load, recover
from infra.local.servers.local_server import LocalError


@pytest.fixture
def archived(tmp_path: Path) -> Iterator[Postgres]:
    server = start_postgres(tmp_path / "lost", databases=["registry"], archive=tmp_path / "archive")
    yield server
    server.stop()


def rows(server: Postgres) -> list[int]:
    with psycopg.connect(server.dsn("registry")) as connection:
        return [number for (number,) in connection.execute("select g from kept order by g").fetchall()]


def say(server: Postgres, statement: str) -> datetime:
    """Run a statement; the moment after it."""
    with psycopg.connect(server.dsn("registry"), autocommit=True) as connection:
        connection.execute(statement)
        time.sleep(0.05)
        moment = datetime.now(UTC)
        time.sleep(0.05)
        return moment


def test_any_moment_since_the_base_backup_comes_back(archived: Postgres, tmp_path: Path) -> None:
    say(archived, "create table kept as select g from generate_series(1, 10) g")
    base_backup(archived, tmp_path / "base")
    good = say(archived, "insert into kept values (11)")
    say(archived, "delete from kept")
    say(archived, "select pg_switch_wal()")
    say(archived, "insert into kept values (12)")
    archive = tmp_path / "archive"
    time.sleep(3)  # what was committed is archived by then
    os.kill(archived.pid, signal.SIGKILL)
    archived.process.wait()
    shutil.rmtree(tmp_path / "lost" / "data")
    for name, moment, expected in (("before", good, list(range(1, 12))), ("latest", None, [12])):
        server = recover(tmp_path / "base", archive, archived.password, tmp_path / name, moment)
        try:
            assert rows(server) == expected
            say(server, "insert into kept values (99)")
        finally:
            server.stop()


def test_a_dump_comes_back(archived: Postgres, tmp_path: Path) -> None:
    say(archived, "create table kept as select g from generate_series(1, 10) g")
    dump(archived, "registry", tmp_path / "registry.dump")
    say(archived, "drop table kept")
    load(archived, "registry", tmp_path / "registry.dump")
    assert rows(archived) == list(range(1, 11))
    with pytest.raises(LocalError, match=r"pg_restore ended with exit code"):
        load(archived, "registry", tmp_path / "registry.dump")
