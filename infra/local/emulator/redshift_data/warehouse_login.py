"""Which warehouse a request means, and as whom it signs in there.

Redshift management guide, "Choosing database authentication credentials when calling the Amazon Redshift Data API": a
secret of Secrets Manager, or temporary credentials of a database user, or those of the caller's IAM identity. Locally
there is one warehouse, under the name with which the platform registers it; an IAM identity is its administrator.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

from infra.local.emulator.redshift_data.api_errors import invalid
from infra.local.servers.loopback import HOST
from infra.local.servers.private_files import write_private

_FILE = "warehouse.json"
_TARGET = ("ClusterIdentifier", "WorkgroupName")
# Only a superuser may, and PostgreSQL takes a query of its catalog alone through the proxy as it is.
_BECOME = b"SELECT pg_catalog.set_config('session_authorization', $1, false) FROM pg_catalog.pg_database LIMIT 1"


@dataclass(frozen=True)
class RegisteredWarehouse:
    """The local Redshift, as the Data API knows it: by `name`, as a cluster and as a workgroup.

    `superuser` with its `password` may become any user; `administrator` is who an IAM identity becomes.
    """

    name: str
    port: int
    database: str
    superuser: str
    password: str
    administrator: str


def register_warehouse(state_dir: Path, warehouse: RegisteredWarehouse) -> None:
    """Make the warehouse known to the emulator with this state, which reads it at each request."""
    write_private(state_dir / _FILE, json.dumps(asdict(warehouse)))


def registered_warehouse(state_dir: Path) -> RegisteredWarehouse | None:
    """The warehouse that was registered, if one was."""
    path = state_dir / _FILE
    return RegisteredWarehouse(**json.loads(path.read_text())) if path.exists() else None


@dataclass(frozen=True)
class Login:
    """A warehouse, a database of it, and a user; `password` is None for temporary credentials.

    `target` has the members of the request that say so, which responses repeat.
    """

    warehouse: RegisteredWarehouse
    database: str
    user: str
    password: str | None
    target: Mapping[str, str]

    def connect(self) -> "psycopg.Connection[Any]":
        """Sign in, through the proxy. Raises psycopg.OperationalError, with Redshift's words."""
        warehouse = self.warehouse
        if self.database != warehouse.database:
            raise psycopg.OperationalError(f'FATAL: database "{self.database}" does not exist')
        signs_in = (self.user, self.password) if self.password else (warehouse.superuser, warehouse.password)
        dsn = make_conninfo(
            host=HOST,
            port=warehouse.port,
            dbname=self.database,
            user=signs_in[0],
            password=signs_in[1],
            sslmode="disable",
            connect_timeout=30,
        )
        connection = psycopg.connect(dsn, autocommit=True)
        if self.password is None:
            became = connection.pgconn.exec_params(_BECOME, [self.user.encode()])
            if became.error_message:
                connection.close()
                raise psycopg.OperationalError(f'FATAL: user "{self.user}" does not exist')
        return connection


def login_of(
    request: Mapping[str, Any], state_dir: Path, secret_string: Callable[[str], str | None], database: str
) -> Login:
    """As whom a request signs in to `database`. `secret_string` looks a secret up. Raises ValidationException."""
    target = {name: str(request[name]) for name in (*_TARGET, "DbUser", "SecretArn") if request.get(name)}
    named = [target[name] for name in _TARGET if name in target]
    if len(named) != 1:
        raise invalid("Exactly one of ClusterIdentifier and WorkgroupName must be specified.")
    if not database:
        raise invalid("Database must be specified.")
    warehouse = registered_warehouse(state_dir)
    if warehouse is None or named[0].rsplit("/", 1)[-1] != warehouse.name:
        raise invalid("Redshift endpoint doesn't exist in this region.")
    target["Database"] = database
    if "SecretArn" in target:
        if "DbUser" in target:
            raise invalid("Only one of SecretArn and DbUser can be specified.")
        user, password = _secret(target["SecretArn"], target, secret_string)
        return Login(warehouse, database, user, password, target)
    if "DbUser" in target and "WorkgroupName" in target:
        raise invalid("DbUser cannot be specified with a serverless workgroup: it is derived from the IAM identity.")
    return Login(warehouse, database, target.get("DbUser", warehouse.administrator), None, target)


def _secret(arn: str, target: Mapping[str, str], secret_string: Callable[[str], str | None]) -> tuple[str, str]:
    """(user, password) of a secret: "Storing database credentials in AWS Secrets Manager", same guide."""
    text = secret_string(arn)
    if text is None:
        raise invalid("Secrets Manager can't find the specified secret.")
    try:
        held = json.loads(text)
        user, password = str(held["username"]), str(held["password"])
    except (ValueError, TypeError, KeyError) as error:
        raise invalid("The secret is not JSON with username and password.") from error
    cluster = held.get("dbClusterIdentifier")
    if cluster and "ClusterIdentifier" in target and cluster != target["ClusterIdentifier"]:
        raise invalid("The cluster identifier does not match the one that is stored in the secret.")
    return user, password
