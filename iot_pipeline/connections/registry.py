"""Opening the device registry."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

from iot_pipeline import settings
from iot_pipeline.connections.credentials import Credentials, credentials, signed_in


@contextmanager
def open_registry() -> Iterator[psycopg.Connection[Any]]:
    """A connection of its own, in UTC; committed at the end of a `with` block, rolled back by an error, then closed.

    Raises pydantic.ValidationError naming each variable that is missing or wrong, psycopg.OperationalError if the
    database does not answer or refuses the credentials.
    """
    with connect() as connection:
        yield connection


def connect() -> psycopg.Connection[Any]:
    """A connection in UTC that the caller closes. Raises as `open_registry` does."""
    where = settings.registry()
    return signed_in(where, lambda found: psycopg.connect(_conninfo(where, found)), psycopg.OperationalError)


def conninfo() -> str:
    """Libpq's connection string, the password of this moment included: for one use, at once."""
    where = settings.registry()
    return _conninfo(where, credentials(where))


# A server that does not even refuse is given up within a sensor's tick (60 s), which has other things to say besides.
_CONNECT_SECONDS = 10


def _conninfo(where: settings.Registry, found: Credentials) -> str:
    return make_conninfo(
        host=where.host,
        port=where.port,
        dbname=where.database,
        user=found.user,
        password=found.password,
        connect_timeout=_CONNECT_SECONDS,
        sslmode=where.sslmode,
        sslrootcert=where.sslrootcert,
        options="-c timezone=UTC",
    )
