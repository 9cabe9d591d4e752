"""Erasures on record: of whom while they are under way, and by a salted hash alone once they are done."""

import hashlib
import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from psycopg import Connection
from psycopg.rows import class_row

from iot_pipeline.registry.errors import RegistryError

Kind = Literal["device", "tenant"]
_LOCK = "registry.erasure/"
_SELECT = (
    "SELECT erasure_id, kind, subject, salt, digest, author, reason, state, progress, planned_at, finished_at"
    " FROM registry.erasures "
)


@dataclass(frozen=True)
class Erasure:
    """A row of registry.erasures. `subject` is None once it is done; `progress` is what its steps have noted."""

    erasure_id: str
    kind: Kind
    subject: str | None
    salt: str
    digest: str
    author: str
    reason: str
    state: Literal["planned", "running", "done"]
    progress: Mapping[str, Any]
    planned_at: datetime
    finished_at: datetime | None

    def is_of(self, kind: Kind, name: str) -> bool:
        """Whether it erased, or erases, this device or tenant."""
        return self.kind == kind and self.digest == digest_of(self.salt, name)


def digest_of(salt: str, name: str) -> str:
    """The salted hash by which an erasure is known after its end."""
    return hashlib.sha256(f"{salt}{name}".encode()).hexdigest()[:32]


def begin(connection: Connection[Any], kind: Kind, name: str, author: str, reason: str) -> Erasure:
    """The erasure of a device or a tenant that is planned or under way; a new one if there is none.

    Raises RegistryError if it is not said who asks for it and why, or if that names the subject: it stays on record.
    """
    if not author.strip() or not reason.strip():
        raise RegistryError("an erasure needs who asks for it, and why")
    if name in author or name in reason:
        raise RegistryError(f"who asks for an erasure, and why, stay on record: do not name {name} there")
    salt = secrets.token_hex(16)
    erasure_id = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
    with connection.transaction():
        connection.execute(
            "INSERT INTO registry.erasures (erasure_id, kind, subject, salt, digest, author, reason, state, progress)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, 'planned', '{}') ON CONFLICT DO NOTHING",
            (erasure_id, kind, name, salt, digest_of(salt, name), author, reason),
        )
        (found,) = _where(connection, "WHERE kind = %s AND subject = %s", (kind, name))
    return found


def read(connection: Connection[Any], erasure_id: str) -> Erasure:
    """An erasure. Raises RegistryError if there is none of that id."""
    found = _where(connection, "WHERE erasure_id = %s", (erasure_id,))
    if not found:
        raise RegistryError(f"there is no erasure {erasure_id!r}; `plan` makes one and prints its id")
    return found[0]


def all_erasures(connection: Connection[Any]) -> list[Erasure]:
    """Every erasure, the oldest first."""
    return _where(connection, "ORDER BY planned_at", ())


def note(connection: Connection[Any], erasure_id: str, **progress: Any) -> None:
    """Note what a step has done, beside what others have. From the first note on the erasure is under way."""
    with connection.transaction():
        connection.execute(
            "UPDATE registry.erasures SET state = 'running', progress = progress || %s::jsonb"
            " WHERE erasure_id = %s AND state <> 'done'",
            (json.dumps(progress), erasure_id),
        )


def erase(connection: Connection[Any], erasure_id: str) -> dict[str, int]:
    """Remove the erasure's subject from the registry's own tables; rows by table. Safe to repeat.

    Raises psycopg.errors.RaiseException if the erasure is not under way, or a legal hold is in force.
    """
    with connection.transaction():
        row = connection.execute("SELECT registry.erase(%s)", (erasure_id,)).fetchone()
    return dict(row[0]) if row else {}


def finish(connection: Connection[Any], erasure_id: str) -> None:
    """The erasure is done: of whom it was nobody can tell any more but by the salted hash of a name that is given."""
    with connection.transaction():
        connection.execute(
            "UPDATE registry.erasures SET state = 'done', subject = NULL, finished_at = clock_timestamp(),"
            " progress = progress - 'devices' WHERE erasure_id = %s AND state <> 'done'",
            (erasure_id,),
        )


@contextmanager
def alone(connection: Connection[Any], erasure_id: str) -> Iterator[None]:
    """Inside, no other process works on this erasure. Raises RegistryError if one does; a killed one leaves no lock."""
    key = _LOCK + erasure_id
    with connection.transaction():
        row = connection.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", (key,)).fetchone()
    if row is None or not row[0]:
        raise RegistryError(f"another process works on the erasure {erasure_id}")
    try:
        yield
    finally:
        with connection.transaction():
            connection.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", (key,))


def _where(connection: Connection[Any], where: str, values: tuple[Any, ...]) -> list[Erasure]:
    with connection.transaction(), connection.cursor(row_factory=class_row(Erasure)) as cursor:
        return cursor.execute((_SELECT + where).encode(), values).fetchall()
