"""Statements on the warehouse, and transactions that write: one at a time, whole or not at all."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from redshift_connector.core import Connection
from redshift_connector.error import ProgrammingError

from iot_pipeline.warehouse import statements
from iot_pipeline.warehouse.tables import WRITE_LOCK, LandingTable

T = TypeVar("T")

# Our own writers wait for each other; what is left to conflict with is somebody else's session.
ATTEMPTS = 3
PAUSE_SECONDS = 1.0


def run(connection: Connection, sql: str) -> list[tuple[Any, ...]]:
    """Run a statement in the connection's transaction; its rows, none if it gives none."""
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return [tuple(row) for row in cursor.fetchall()] if cursor.description else []


def read(connection: Connection, sql: str) -> list[tuple[Any, ...]]:
    """Run a query in a transaction of its own, so that no later statement sees an old snapshot."""
    try:
        return run(connection, sql)
    finally:
        connection.rollback()


@contextmanager
def writing(connection: Connection) -> Iterator[None]:
    """A transaction that no other writer runs beside; committed at the end, rolled back by any error.

    Redshift's transactions are serializable: two that delete from and count the same table conflict, though their
    hours differ, and one of them fails at its end ("1023 Serializable isolation violation"). A lock before anything
    else makes them follow one another (Redshift database developer guide, "Troubleshooting serializable isolation
    errors"). Locking the tables themselves would make readers wait too ("LOCK": ACCESS EXCLUSIVE).
    """
    try:
        run(connection, statements.lock(WRITE_LOCK))
        yield
        connection.commit()
    except BaseException:
        connection.rollback()
        raise


@contextmanager
def alone(connection: Connection, lock: LandingTable) -> Iterator[None]:
    """Wait for the other sessions inside `alone` with this lock, and keep others out; writes nothing itself.

    The lock goes with the session: a killed process leaves none behind. The connection is to be left alone meanwhile.
    """
    try:
        run(connection, statements.lock(lock))
        yield
    finally:
        connection.rollback()


def retried(write: Callable[[], T], progress: Callable[[str], None]) -> T:
    """What `write` returns; a transaction that conflicted with another session's is tried again, a few times."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return write()
        except ProgrammingError as error:
            if attempt == ATTEMPTS or not is_conflict(error):
                raise
            progress(f"conflict with another session (attempt {attempt} of {ATTEMPTS}); trying again")
            time.sleep(PAUSE_SECONDS * attempt)
    raise AssertionError("unreachable: the last attempt returns or raises")


def is_conflict(error: ProgrammingError) -> bool:
    """Whether Redshift ended a transaction because of another's, and it may succeed when tried again."""
    return "Serializable isolation violation" in str(error)
