"""Starting the local Redshift as a process of its own in front of a running PostgreSQL, and stopping it."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from infra.local.postgres.process import Postgres
from infra.local.redshift.dialect import CATALOG_SQL
from infra.local.servers.checkout import CHECKOUT
from infra.local.servers.freed_memory import GIVING_BACK
from infra.local.servers.local_server import LocalServer, launch
from infra.local.servers.loopback import HOST, free_port

COPY_SQL = Path(__file__).parent / "copy" / "copy_functions.sql"


@dataclass
class Redshift(LocalServer):
    """A running local Redshift: `user` may do all in `database`, and signs in with `password`.

    Told to stop, it rolls back what runs.
    """

    port: int
    database: str
    user: str
    password: str

    @property
    def dsn(self) -> str:
        """Libpq's connection string."""
        return make_conninfo(
            host=HOST, port=self.port, dbname=self.database, user=self.user, password=self.password, sslmode="disable"
        )


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
    with `environment` added. Output goes to `<state_dir>/redshift.log`. Raises LocalError.
    """
    state_dir = state_dir.resolve()
    state_dir.mkdir(parents=True, exist_ok=True)
    _prepare(postgres, database, user)
    ready, log_file = state_dir / "redshift.ready", state_dir / "redshift.log"
    ready.unlink(missing_ok=True)
    port = port or free_port()
    command = [sys.executable, "-m", "infra.local.redshift", "--port", str(port)]
    command += ["--postgres-port", str(postgres.port), "--ready-file", str(ready)]
    process = launch(command, log_file, CHECKOUT, {**os.environ, **GIVING_BACK, **(environment or {})})
    redshift = Redshift("the local Redshift", process, log_file, port, database, user, postgres.password)
    redshift.start(ready.exists)
    return redshift


def _prepare(postgres: Postgres, database: str, user: str) -> None:
    """The user, the database's owner, and what PostgreSQL lacks of Redshift's functions and catalog."""
    with psycopg.connect(postgres.dsn(database)) as connection:
        if connection.execute("select 1 from pg_roles where rolname = %s", [user]).fetchone() is None:
            create = sql.SQL("create role {} login password {}")
            connection.execute(create.format(sql.Identifier(user), sql.Literal(postgres.password)))
        alter = sql.SQL("alter database {} owner to {}")
        connection.execute(alter.format(sql.Identifier(database), sql.Identifier(user)))
        connection.execute((CATALOG_SQL + COPY_SQL.read_text()).encode())
