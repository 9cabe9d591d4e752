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
_KEY_LOCK = "registry.onboarding_key/"


@dataclass(frozen=True)
class Intent:
    """A row of registry.onboardings. `step` is the last one begun; `updated_at` (aware) is when.

    `public_key` is the SHA-256 (hex) of the key that the onboarding makes a certificate for.
    """

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


def begin(connection: Connection[Any], device_id: str, state: State, public_key: str | None = None) -> int:
    """Write an intent; its id. Raises RegistryError if another device holds `public_key`, or is about to."""
    with connection.transaction(), connection.cursor(row_factory=scalar_row) as cursor:
        if public_key:
            _check_key(connection, device_id, public_key)
        cursor.execute(
            "INSERT INTO registry.onboardings (device_id, state, step, public_key) VALUES (%s, %s, 'begun', %s)"
            " RETURNING onboarding_id",
            (device_id, state, public_key),
        )
        return int(cursor.fetchall()[0])


def _check_key(connection: Connection[Any], device_id: str, public_key: str) -> None:
    """Raise RegistryError for a key of another device; until the transaction's end, nobody else can take the key.

    With a key of two devices, undoing the one's onboarding could not tell its certificate from the other's.
    """
    connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (_KEY_LOCK + public_key,))
    holder = connection.execute(
        "SELECT device_id FROM registry.onboardings"
        " WHERE public_key = %s AND device_id <> %s AND state <> 'decommissioned'",
        (public_key, device_id),
    ).fetchone()
    if holder:
        raise RegistryError(
            f"device {device_id}: its CSR is made with the key of device {holder[0]}; have each device make its own key"
        )


def note(connection: Connection[Any], onboarding_id: int, **columns: str | None) -> None:
    """Write columns of an intent, and with a step its time. Raises RegistryError if another process has removed it."""
    settings = ", ".join(f"{name} = %({name})s" for name in columns)
    if "step" in columns:
        settings += ", updated_at = clock_timestamp()"
    with connection.transaction():
        updated = connection.execute(
            f"UPDATE registry.onboardings SET {settings} WHERE onboarding_id = %(onboarding_id)s",
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
