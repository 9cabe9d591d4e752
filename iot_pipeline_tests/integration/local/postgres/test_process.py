"""The embedded PostgreSQL: started without its package's launcher, stopped, killed, started again."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import psycopg
import pytest

from infra.local.postgres.process import Postgres, start_postgres
from infra.local.servers.checkout import CHECKOUT
from infra.local.servers.local_server import LocalError
from infra.local.servers.loopback import free_port

# A process that starts PostgreSQL as a user who is not root, whoever runs the tests.
_AS_USER = """
import os, sys
from pathlib import Path
import psycopg
from infra.local.postgres.process import start_postgres
assert os.geteuid() != 0
postgres = start_postgres(Path(sys.argv[1]), databases=["registry"])
with psycopg.connect(postgres.dsn("registry")) as connection:
    print(connection.execute("select current_database()").fetchone()[0])
postgres.stop()
"""


def _count(postgres: Postgres) -> int:
    with psycopg.connect(postgres.dsn("registry")) as connection:
        row = connection.execute("select count(*) from kept").fetchone()
    assert row is not None
    return int(row[0])


def test_data_survives_a_stop_and_a_kill(tmp_path: Path) -> None:
    postgres = start_postgres(tmp_path, databases=["registry", "telemetry"])
    try:
        with psycopg.connect(postgres.dsn("registry")) as connection:
            connection.execute("create table kept as select g from generate_series(1, 1000) g")
        postgres.stop()

        postgres = start_postgres(tmp_path, port=postgres.port, databases=["registry", "telemetry"])
        assert _count(postgres) == 1000
        with psycopg.connect(postgres.dsn("registry"), autocommit=True) as connection:
            connection.execute("insert into kept values (1001)")
            os.kill(postgres.pid, signal.SIGKILL)

        postgres = start_postgres(tmp_path, port=postgres.port, databases=["registry", "telemetry"])
        assert _count(postgres) == 1001
    finally:
        postgres.stop()
    assert not psutil.pid_exists(postgres.pid)


def test_listens_on_loopback_alone_and_wants_the_password(tmp_path: Path) -> None:
    postgres = start_postgres(tmp_path)
    try:
        listening = [c for c in psutil.Process(postgres.pid).net_connections("all") if c.status == "LISTEN"]
        assert {(c.laddr.ip, c.laddr.port) for c in listening} == {("127.0.0.1", postgres.port)}
        assert (tmp_path / "password").stat().st_mode & 0o077 == 0
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(postgres.dsn("postgres"), password="guessed")
    finally:
        postgres.stop()


def test_two_at_once_and_errors_that_say_why(tmp_path: Path) -> None:
    first = start_postgres(tmp_path / "first")
    try:
        second = start_postgres(tmp_path / "second")
        second.stop()
        with pytest.raises(LocalError, match="could not bind"):
            start_postgres(tmp_path / "second", port=first.port)
    finally:
        first.stop()


def test_a_postmaster_that_outlived_its_parent_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    postgres = start_postgres(tmp_path)
    try:
        monkeypatch.setattr("infra.local.postgres.process.GONE_SECONDS", 0.1)
        with pytest.raises(LocalError, match=f"as process {postgres.pid};"):
            start_postgres(tmp_path)
        with psycopg.connect(postgres.dsn("postgres")) as connection:
            assert connection.execute("select 1").fetchone() == (1,)
    finally:
        postgres.stop()


def test_a_lock_whose_process_is_somebody_else(tmp_path: Path) -> None:
    postgres = start_postgres(tmp_path)
    postgres.stop()
    lines = [str(os.getpid()), str(tmp_path / "data"), "0", str(free_port()), "", "127.0.0.1", "0 0", "ready"]
    (tmp_path / "data" / "postmaster.pid").write_text("\n".join(lines) + "\n")
    start_postgres(tmp_path).stop()


def test_a_first_start_that_was_killed_begins_anew(tmp_path: Path) -> None:
    (tmp_path / "data.part").mkdir(parents=True)
    (tmp_path / "data.part" / "PG_VERSION").write_text("16")
    start_postgres(tmp_path, databases=["registry"]).stop()


@pytest.mark.parametrize("mode", [0o755, 0o700])
def test_root_and_a_user_may_start_it(tmp_path: Path, mode: int) -> None:
    """Below a folder that others cannot enter, too; the tests may be run by root or by a user."""
    tmp_path.chmod(mode)
    start_postgres(tmp_path / "mine").stop()
    assert tmp_path.stat().st_mode & 0o777 == mode
    prefix = ["unshare", "--user", "--map-user=1000", "--map-group=1000"] if os.geteuid() == 0 else []
    done = subprocess.run(
        [*prefix, sys.executable, "-c", _AS_USER, str(tmp_path / "user")],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    if prefix and "unshare failed" in done.stderr:
        pytest.skip("no user namespaces here")
    assert done.stdout == "registry\n", done.stderr
