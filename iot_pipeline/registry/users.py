"""The registry's database users: made and granted by the migrations, signed in with passwords that are set here."""

from typing import Any

from psycopg import Connection
from psycopg.sql import SQL, Identifier, Literal

from iot_pipeline.registry.errors import RegistryError

# WRITER is the command line's, READER the warehouse's snapshot's.
WRITER, READER = "registry", "registry_reader"
USERS = (WRITER, READER)


def set_password(connection: Connection[Any], user: str, password: str) -> None:
    """Give a user a password; the connection is the administrator's.

    What is sent is the password's SCRAM verifier, so that no log of statements has the password. Raises RegistryError
    for a user who is none of the registry's.
    """
    if user not in USERS:
        raise RegistryError(f"{user!r} is no user of the registry; there are {WRITER} and {READER}")
    verifier = connection.pgconn.encrypt_password(password.encode(), user.encode(), b"scram-sha-256").decode()
    connection.execute(SQL("ALTER ROLE {} PASSWORD {}").format(Identifier(user), Literal(verifier)))
