"""Legal holds: while one is in force, nothing of its tenant is removed or erased. Who placed and lifted it stays."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.errors import UniqueViolation
from psycopg.rows import class_row

from iot_pipeline.registry.errors import RegistryError

_COLUMNS = "tenant_id, reason, placed_by, placed_at, lifted_by, lifted_at, lift_reason"


class HoldError(RegistryError):
    """A legal hold is in force: what was asked for would remove what it holds. Nothing was changed."""


@dataclass(frozen=True)
class Hold:
    """A legal hold of a tenant; `lifted_...` are None while it is in force. Times are aware."""

    tenant_id: str
    reason: str
    placed_by: str
    placed_at: datetime
    lifted_by: str | None
    lifted_at: datetime | None
    lift_reason: str | None

    @property
    def in_force(self) -> bool:
        """Whether it holds now."""
        return self.lifted_at is None


def place(connection: Connection[Any], tenant_id: str, author: str, reason: str) -> None:
    """Place a hold on a tenant, whether or not the registry knows it: its data may be there all the same.

    Raises RegistryError if one is in force, or if it is not said who places it and why.
    """
    _check(author, reason)
    try:
        with connection.transaction():
            connection.execute(
                "INSERT INTO registry.legal_holds (tenant_id, reason, placed_by) VALUES (%s, %s, %s)",
                (tenant_id, reason, author),
            )
    except UniqueViolation as error:
        raise RegistryError(f"a legal hold of {tenant_id} is in force already; `holds` shows it") from error


def lift(connection: Connection[Any], tenant_id: str, author: str, reason: str) -> None:
    """Lift the hold of a tenant. Raises RegistryError if none is in force, or it is not said who lifts it and why."""
    _check(author, reason)
    with connection.transaction():
        lifted = connection.execute(
            "UPDATE registry.legal_holds SET lifted_at = clock_timestamp(), lifted_by = %s, lift_reason = %s"
            " WHERE tenant_id = %s AND lifted_at IS NULL",
            (author, reason, tenant_id),
        )
        if not lifted.rowcount:
            raise RegistryError(f"no legal hold of {tenant_id} is in force")


def all_holds(connection: Connection[Any]) -> list[Hold]:
    """Every hold there ever was, the oldest first."""
    with connection.transaction(), connection.cursor(row_factory=class_row(Hold)) as cursor:
        return cursor.execute(f"SELECT {_COLUMNS} FROM registry.legal_holds ORDER BY hold_id".encode()).fetchall()


def held_tenants(connection: Connection[Any]) -> frozenset[str]:
    """The tenants under a hold that is in force."""
    return frozenset(hold.tenant_id for hold in all_holds(connection) if hold.in_force)


def require_none(connection: Connection[Any], tenants: frozenset[str]) -> None:
    """Raise HoldError, naming it, if one of these tenants is held."""
    for hold in all_holds(connection):
        if hold.in_force and hold.tenant_id in tenants:
            raise HoldError(
                f"tenant {hold.tenant_id} is under a legal hold since {hold.placed_at:%Y-%m-%d %H:%M}Z by "
                f"{hold.placed_by} ({hold.reason}): nothing of it is erased. `unhold` lifts it"
            )


def _check(author: str, reason: str) -> None:
    if not author.strip() or not reason.strip():
        raise RegistryError("a legal hold needs who places or lifts it, and why")
