"""Histories in the database: reading one, and writing the difference that a change makes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row, scalar_row
from psycopg.sql import SQL, Composed, Identifier, Placeholder

from iot_pipeline.registry.errors import OverwriteError, RegistryError
from iot_pipeline.registry.timeline import Recorded, Version, overwritten

Key = Mapping[str, str]
# Whether a change on record, of what its first argument names, may be overwritten.
MayOverwrite = Callable[[str, Recorded], bool]


@dataclass(frozen=True)
class History:
    """A versioned table of schema `registry`: its key, its table of keys, and what its versions differ in."""

    table: str
    keys: str
    key: tuple[str, ...]
    attributes: tuple[str, ...]


DEVICES = History(
    "device_versions",
    "device_keys",
    ("device_id",),
    ("tenant_id", "site_id", "model_id", "name", "status", "firmware", "expected_interval_s"),
)
SITES = History(
    "site_versions",
    "site_keys",
    ("tenant_id", "site_id"),
    ("customer_id", "name", "country", "timezone", "lat", "lon"),
)


def read(connection: Connection[Any], history: History, key: Key, *, lock: bool = False) -> list[Version]:
    """All versions of a key in order, times in UTC; none if the key is unknown.

    `lock` keeps other writers out until the transaction ends.
    """
    if lock:
        locking = SQL("SELECT FROM {} WHERE {} FOR NO KEY UPDATE").format(_name(history.keys), _where(history.key))
        connection.execute(locking, key)
    columns = SQL(", ").join(map(Identifier, history.attributes))
    query = SQL("SELECT valid_from, valid_to, {} FROM {} WHERE {} ORDER BY valid_from").format(
        columns, _name(history.table), _where(history.key)
    )
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(query, key).fetchall()
    return [Version(_utc(row.pop("valid_from")), _utc(row.pop("valid_to")), row) for row in rows]


def nothing(_what: str, _recorded: Recorded) -> bool:
    """The default of `may_overwrite`: no change on record may be lost."""
    return False


def write(
    connection: Connection[Any],
    history: History,
    key: Key,
    old: Sequence[Version],
    new: Sequence[Version],
    may_overwrite: MayOverwrite = nothing,
) -> bool:
    """Make the stored versions of a key those of `new`, touching only what differs; whether anything did.

    What vanished goes first and what is new comes last, so that one version at most is open at any time. Raises
    OverwriteError, and writes nothing, if a change on record would be lost that `may_overwrite` does not give away.
    """
    what = " ".join(f"{name} {value}" for name, value in key.items())
    if lost := [(what, change) for change in overwritten(old, new) if not may_overwrite(what, change)]:
        raise OverwriteError(lost)
    before = {version.valid_from: version for version in old}
    after = {version.valid_from: version for version in new}
    for gone in before.keys() - after.keys():
        connection.execute(
            SQL("DELETE FROM {} WHERE {} AND valid_from = %(valid_from)s").format(
                _name(history.table), _where(history.key)
            ),
            {**key, "valid_from": gone},
        )
    for start in sorted(before.keys() & after.keys()):
        if before[start] != after[start]:
            connection.execute(_update(history), _row(key, after[start]))
    for start in sorted(after.keys() - before.keys()):
        connection.execute(_insert(history), _row(key, after[start]))
    return list(old) != list(new)


def moment(connection: Connection[Any], at: datetime | None) -> datetime:
    """`at`, or now by the database's clock, the one all callers share.

    Raises RegistryError for a time without zone or in the future: the registry records what happened.
    """
    with connection.cursor(row_factory=scalar_row) as cursor:
        now: datetime = cursor.execute("SELECT clock_timestamp()").fetchall()[0].astimezone(UTC)
    if at is None:
        return now
    at = aware(at)
    if at > now:
        raise RegistryError(f"{at.isoformat()} is in the future; it is {now.isoformat()} by the registry's clock")
    return at


def aware(time: datetime) -> datetime:
    """The time in UTC. Raises RegistryError for one without zone, or beyond the years 1 to 9999 there."""
    if time.tzinfo is None:
        raise RegistryError(f"the time {time.isoformat()} has no zone; write it as {time.isoformat()}+00:00")
    try:
        return time.astimezone(UTC)
    except OverflowError:
        raise RegistryError(f"the time {time.isoformat()} is beyond the years 1 to 9999 in UTC; correct it") from None


def _utc(time: Any) -> Any:
    return time and time.astimezone(UTC)


def _row(key: Key, version: Version) -> dict[str, Any]:
    return {**key, **version.attributes, "valid_from": version.valid_from, "valid_to": version.valid_to}


def _name(table: str) -> Identifier:
    return Identifier("registry", table)


def _where(columns: Sequence[str]) -> Composed:
    return SQL(" AND ").join(SQL("{} = {}").format(Identifier(column), Placeholder(column)) for column in columns)


def _update(history: History) -> Composed:
    columns = (*history.attributes, "valid_to")
    values = SQL(", ").join(SQL("{} = {}").format(Identifier(column), Placeholder(column)) for column in columns)
    return SQL("UPDATE {} SET {}, recorded_at = clock_timestamp() WHERE {} AND valid_from = %(valid_from)s").format(
        _name(history.table), values, _where(history.key)
    )


def _insert(history: History) -> Composed:
    columns = (*history.key, *history.attributes, "valid_from", "valid_to")
    return SQL("INSERT INTO {} ({}) VALUES ({})").format(
        _name(history.table), SQL(", ").join(map(Identifier, columns)), SQL(", ").join(map(Placeholder, columns))
    )
