"""A PostgreSQL of one's own: its data in a folder that survives stops and kills, reached by TCP on 127.0.0.1 alone."""

import os
import secrets
import shlex
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar

import psutil
import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from infra.local.postgres.program import Programs, programs_for
from infra.local.servers.local_server import START_SECONDS, LocalError, LocalServer, launch, log_tail
from infra.local.servers.loopback import HOST, free_port
from infra.local.servers.private_files import write_private

SUPERUSER = "postgres"
# A killed server is gone as soon as the kernel comes to it.
GONE_SECONDS = 60.0
PORT_ATTEMPTS = 5
# What was committed within them may be lost with the data; Aurora says "typically" five minutes.
ARCHIVE_SECONDS = 1

# What a killed postmaster leaves behind for a moment, while its children notice that it is gone.
_STILL_THERE = "pre-existing shared memory block"
_PORT_TAKEN = "could not bind IPv4 address"

# Processes are killed here (tests do it), machines seldom crash: what is committed must have reached the kernel
# (synchronous_commit), but need not have reached the disk (fsync). After a power cut the folder may have to be deleted.
_SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "on",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "shared_buffers": "256MB",
    "work_mem": "64MB",
    "maintenance_work_mem": "256MB",
    "max_connections": "100",
    "dynamic_shared_memory_type": "mmap",  # containers have a tiny /dev/shm
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


@dataclass
class Postgres(LocalServer):
    """A running PostgreSQL. Told to stop, it rolls back what runs, and writes everything.

    Its process is the postmaster, which lives until it is told to stop, also when its parent dies.
    """

    stop_signal: ClassVar[signal.Signals] = signal.SIGINT  # PostgreSQL's "fast shutdown"
    kill_signal: ClassVar[signal.Signals] = signal.SIGQUIT  # takes the children along, as SIGKILL does not

    port: int
    password: str
    state_dir: Path

    def dsn(self, database: str, user: str = SUPERUSER) -> str:
        """Libpq's connection string, password included (all users have the same)."""
        return make_conninfo(host=HOST, port=self.port, dbname=database, user=user, password=self.password)


def start_postgres(
    state_dir: Path, *, port: int | None = None, databases: Sequence[str] = (), archive: Path | None = None
) -> Postgres:
    """Start PostgreSQL on `port` of 127.0.0.1 (None: a free one), with its data below `state_dir`.

    With an `archive`, a folder, its log of changes is kept there, from which `recovery.py` brings back any moment. The
    data is made at the first start, as are the `databases` that are missing; the superuser `postgres` has a random
    password, kept in `<state_dir>/password`. Waits until connections are accepted. Safe after a kill -9. Raises
    LocalError with the end of the log: the port is taken, the folder is in use, or root cannot be dropped.
    """
    state_dir = state_dir.resolve()
    state_dir.mkdir(parents=True, exist_ok=True)
    programs = programs_for(state_dir)
    if not (state_dir / "data").exists():
        _make_data(state_dir, programs)
    _wait_for_previous(state_dir)
    postgres = _start(state_dir, programs, port, {} if archive is None else archiving(archive.resolve(), programs))
    try:
        _make_databases(postgres, databases)
    except BaseException:
        postgres.stop()
        raise
    return postgres


def archiving(archive: Path, programs: Programs) -> dict[str, str]:
    """The settings by which each segment of the log is copied to a folder when it is full, or ARCHIVE_SECONDS old."""
    archive.mkdir(parents=True, exist_ok=True)
    programs.own(archive)
    kept = shlex.quote(str(archive)) + "/%f"
    return {
        "wal_level": "replica",
        "max_wal_senders": "4",
        "archive_mode": "on",
        # Under its name when it is whole: PostgreSQL documentation, "Setting Up WAL Archiving".
        "archive_command": f"test ! -f {kept} && cp %p {kept}.part && mv {kept}.part {kept}",
        "archive_timeout": str(ARCHIVE_SECONDS),
    }


def _start(state_dir: Path, programs: Programs, port: int | None, more: Mapping[str, str]) -> Postgres:
    """Start it, once more where that helps: a free port was taken meanwhile, a killed server's children still end."""
    deadline, attempts = time.monotonic() + START_SECONDS, PORT_ATTEMPTS
    while True:
        postgres = _launch(state_dir, programs, port or free_port(), more)
        try:
            postgres.start(partial(_is_ready, postgres))
        except LocalError:
            said = log_tail(postgres.log_file)
            attempts -= 1
            again = _STILL_THERE in said or (_PORT_TAKEN in said and port is None and attempts > 0)
            if not again or time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return postgres


def _make_data(state_dir: Path, programs: Programs) -> None:
    """Initdb into a folder that gets its name when it is complete. Sorts as Redshift does, by bytes."""
    unfinished, password = state_dir / "data.part", state_dir / "password"
    subprocess.run(["rm", "-rf", str(unfinished)], check=True)
    unfinished.mkdir(mode=0o700)
    # Redshift, whose users have this password too, asks for an upper case letter, a lower case one and a digit.
    write_private(password, f"Aa1{secrets.token_urlsafe(24)}")
    programs.own(unfinished)
    programs.own(password)
    options = ["-U", SUPERUSER, "-A", "password", f"--pwfile={password}", "-E", "UTF8", "--no-sync"]
    options += ["--locale=C", "--lc-ctype=C.UTF-8"]
    command = programs.command("initdb", "-D", unfinished, *options)
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False, **programs.identity)
    if done.returncode:
        raise LocalError(f"initdb failed in {unfinished}:\n{done.stdout[-500:]}\n{done.stderr[-2000:]}")
    unfinished.rename(state_dir / "data")


def _wait_for_previous(state_dir: Path) -> None:
    """Until a killed postmaster is gone, and its lock with it; its process id may be a zombie's or somebody else's."""
    lock = state_dir / "data" / "postmaster.pid"
    deadline = time.monotonic() + GONE_SECONDS
    while lock.exists():
        pid = int(lock.read_text().split("\n", 1)[0] or 0)
        try:
            alive = str(state_dir / "data") in psutil.Process(pid).cmdline()
        except psutil.NoSuchProcess:
            alive = False
        if not alive:
            lock.unlink()
        elif time.monotonic() > deadline:
            raise LocalError(f"PostgreSQL runs already in {state_dir}, as process {pid}; `make down` stops it")
        else:
            time.sleep(0.02)


def _launch(state_dir: Path, programs: Programs, port: int, more: Mapping[str, str]) -> Postgres:
    settings = [argument for name, value in {**_SETTINGS, **more}.items() for argument in ("-c", f"{name}={value}")]
    command = programs.command("postgres", "-D", state_dir / "data", "-p", port, *settings)
    log_file = state_dir / "postgres.log"
    log_file.unlink(missing_ok=True)
    process = launch(command, log_file, Path("/"), _environment(), **programs.identity)
    return Postgres("PostgreSQL", process, log_file, port, (state_dir / "password").read_text(), state_dir)


def _environment() -> dict[str, str]:
    """Without the caller's PG* variables and locale, which would become settings of the server."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return kept | {"LC_ALL": "C.UTF-8"}


def _is_ready(postgres: Postgres) -> bool:
    """Whether it accepts connections, as the postmaster says itself in the eighth line of its lock."""
    with suppress(FileNotFoundError):
        lines = (postgres.state_dir / "data" / "postmaster.pid").read_text().splitlines()
        return len(lines) > 7 and lines[0] == str(postgres.pid) and lines[7].strip() == "ready"
    return False


def _make_databases(postgres: Postgres, databases: Sequence[str]) -> None:
    with psycopg.connect(postgres.dsn("postgres"), autocommit=True) as connection:
        present = {name for (name,) in connection.execute("select datname from pg_database")}
        for name in databases:
            if name not in present:
                connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
