"""What is being done for a device in AWS IoT Core, written down before it is done, so that a crash can be undone.

A session-level advisory lock says that an intent's process is alive: PostgreSQL releases it when that process's
connection ends, however it ended. (A pooler that shares sessions between clients must not stand in between.)
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from psycopg import Connection
from psycopg.pq import TransactionStatus
from psycopg.rows import class_row, scalar_row

from iot_pipeline.registry.errors import RegistryError

State = Literal["creating", "undoing", "active", "decommissioning", "decommissioned"]
Step = Literal["begun", "thing", "certificate", "policy", "principal", "activation", "delivery", "done"]

_DEVICE_LOCK = "registry.onboarding/"


@dataclass(frozen=True)
class Intent:
    """A row of registry.onboardings. `step` is the last one begun; `updated_at` (aware) is when."""

    onboarding_id: int
    device_id: str
    state: State
    step: Step
    certificate_id: str | None
    certificate_arn: str | None
    public_key: str | None
    updated_at: datetime


_SELECT = """
SELECT onboarding_id, device_id, state, step, certificate_id, certificate_arn, public_key, updated_at
FROM registry.onboardings
"""


def find(connection: Connection[Any], device_id: str) -> Intent | None:
    """The intent of a device that is not decommissioned."""
    with connection.transaction(), connection.cursor(row_factory=class_row(Intent)) as cursor:
        query = _SELECT + "WHERE device_id = %s AND state <> 'decommissioned'"
        return cursor.execute(query, (device_id,)).fetchone()


def interrupted(connection: Connection[Any]) -> list[Intent]:
    """All intents that are neither done nor undone, in order."""
    with connection.transaction(), connection.cursor(row_factory=class_row(Intent)) as cursor:
        query = _SELECT + "WHERE state IN ('creating', 'undoing', 'decommissioning') ORDER BY onboarding_id"
        return cursor.execute(query).fetchall()


def begin(connection: Connection[Any], device_id: str, state: State) -> int:
    """Write an intent; its id."""
    with connection.transaction(), connection.cursor(row_factory=scalar_row) as cursor:
        cursor.execute(
            "INSERT INTO registry.onboardings (device_id, state, step) VALUES (%s, %s, 'begun')"
            " RETURNING onboarding_id",
            (device_id, state),
        )
        return int(cursor.fetchall()[0])


def note(connection: Connection[Any], onboarding_id: int, **columns: str | None) -> None:
    """Write columns of an intent. Raises RegistryError if another process has removed it."""
    settings = ", ".join(f"{name} = %({name})s" for name in columns)
    with connection.transaction():
        updated = connection.execute(
            f"UPDATE registry.onboardings SET {settings}, updated_at = clock_timestamp()"
            " WHERE onboarding_id = %(onboarding_id)s",
            {**columns, "onboarding_id": onboarding_id},
        )
    if updated.rowcount != 1:
        raise RegistryError("another process has undone this onboarding; start it again")


def forget(connection: Connection[Any], onboarding_id: int) -> None:
    """Remove an intent of which nothing is left to undo."""
    with connection.transaction():
        connection.execute("DELETE FROM registry.onboardings WHERE onboarding_id = %s", (onboarding_id,))


def was_decommissioned(connection: Connection[Any], device_id: str) -> bool:
    """Whether the device was decommissioned before, whatever it is now."""
    with connection.transaction(), connection.cursor(row_factory=scalar_row) as cursor:
        query = "SELECT count(*) FROM registry.onboardings WHERE device_id = %s AND state = 'decommissioned'"
        return bool(cursor.execute(query, (device_id,)).fetchall()[0])


@contextmanager
def device_lock(connection: Connection[Any], device_id: str) -> Iterator[None]:
    """Keep all other processes from working on a device; waits for the one that does."""
    name = _DEVICE_LOCK + device_id
    with connection.transaction():
        connection.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", (name,))
    try:
        yield
    finally:
        if not connection.closed:  # with the connection, its locks have gone
            with connection.transaction():
                connection.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", (name,))


def is_busy(connection: Connection[Any], device_id: str) -> bool:
    """Whether a live process works on a device."""
    with connection.transaction(), connection.cursor(row_factory=scalar_row) as cursor:
        query = "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))"
        return not cursor.execute(query, (_DEVICE_LOCK + device_id,)).fetchall()[0]


def require_idle(connection: Connection[Any]) -> None:
    """Raise ValueError within a transaction: an intent must be durable before anything is done."""
    if connection.info.transaction_status != TransactionStatus.IDLE:
        raise ValueError("this needs transactions of its own: commit or roll back the connection's first")
