"""Starting the local Redshift as a process of its own in front of a running PostgreSQL, and stopping it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from infra.local.emulator.settings import HOST
from infra.local.postgres.process import Postgres
from infra.local.redshift.sql.dialect import CATALOG_SQL

READY_SECONDS = 30.0
STOP_SECONDS = 30.0
LOG_LINES_SHOWN = 15
COPY_SQL = Path(__file__).parent / "copy" / "copy_functions.sql"
CHECKOUT = Path(__file__).parents[3]


class RedshiftStartError(RuntimeError):
    """The local Redshift did not start; the text says why."""


@dataclass
class Redshift:
    """A running local Redshift: `user` may do all in `database`, and signs in with `password`."""

    port: int
    database: str
    user: str
    password: str
    process: subprocess.Popen[bytes]

    @property
    def dsn(self) -> str:
        """Libpq's connection string."""
        return make_conninfo(
            host=HOST, port=self.port, dbname=self.database, user=self.user, password=self.password, sslmode="disable"
        )

    def stop(self) -> None:
        """SIGTERM; what runs is rolled back. After half a minute SIGKILL, and TimeoutExpired."""
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise


def start_redshift(
    state_dir: Path,
    postgres: Postgres,
    *,
    port: int | None = None,
    database: str = "telemetry",
    user: str = "pipeline",
    environment: Mapping[str, str] | None = None,
) -> Redshift:
    """Start the local Redshift on `port` of 127.0.0.1 (None: a free one) and wait until it listens.

    `database` must exist in `postgres`; it is given to `user` (made if missing, with the password of `postgres`), and
    Redshift's functions and catalog are installed in it. COPY and UNLOAD reach S3 by this process's environment,
    with `environment` added. Output goes to `<state_dir>/redshift.log`. Raises RedshiftStartError.
    """
    state_dir = state_dir.resolve()
    state_dir.mkdir(parents=True, exist_ok=True)
    _prepare(postgres, database, user)
    ready, log_file = state_dir / "redshift.ready", state_dir / "redshift.log"
    ready.unlink(missing_ok=True)
    command = [sys.executable, "-m", "infra.local.redshift", "--port", str(port or 0)]
    command += ["--postgres-port", str(postgres.port), "--ready-file", str(ready)]
    variables = {**os.environ, **(environment or {})}
    with log_file.open("ab") as log:
        process = subprocess.Popen(command, cwd=CHECKOUT, env=variables, stdout=log, stderr=log, start_new_session=True)
    deadline = time.monotonic() + READY_SECONDS
    while not ready.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            process.wait()
            tail = "\n".join(log_file.read_text(errors="replace").splitlines()[-LOG_LINES_SHOWN:])
            raise RedshiftStartError(f"the local Redshift did not start; {log_file} ends with:\n{tail}")
        time.sleep(0.02)
    found = json.loads(ready.read_text())["port"]
    return Redshift(found, database, user, postgres.password, process)


def _prepare(postgres: Postgres, database: str, user: str) -> None:
    """The user, the database's owner, and what PostgreSQL lacks of Redshift's functions and catalog."""
    with psycopg.connect(postgres.dsn(database)) as connection:
        if connection.execute("select 1 from pg_roles where rolname = %s", [user]).fetchone() is None:
            create = sql.SQL("create role {} login password {}")
            connection.execute(create.format(sql.Identifier(user), sql.Literal(postgres.password)))
        alter = sql.SQL("alter database {} owner to {}")
        connection.execute(alter.format(sql.Identifier(database), sql.Identifier(user)))
        connection.execute((CATALOG_SQL + COPY_SQL.read_text()).encode())
