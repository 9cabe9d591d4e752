"""Which types a new table's columns may have, refused in Trino's words (Trino docs, "Hive connector", "Data types")."""

from collections.abc import Sequence

from infra.local.athena.errors import QueryError
from infra.local.athena.sql.typed import kinds
from infra.local.athena.sql.typed.kinds import Kind

DIGITS = 3
"""Of a second in a Hive table's timestamps; Trino refuses to write others (`hive.timestamp-precision`)."""
_UNWRITABLE = {"json", "unknown", "time", kinds.ZONED, kinds.DAY_TIME, kinds.YEAR_MONTH}


def check_types(names: Sequence[str], types: Sequence[Kind | None]) -> None:
    """Raise QueryError for the first column that a Hive table cannot hold; what is not known passes."""
    for name, kind in zip(names, types, strict=True):
        if kind == kinds.UNKNOWN:
            raise QueryError(f"COLUMN_TYPE_UNKNOWN: line 1:1: Column type is unknown: {name}")
        if kind is not None:
            _check(name, kind)


def _check(name: str, kind: Kind) -> None:
    if kind.name == "timestamp" and kind.numbers[0] != DIGITS:
        raise QueryError(
            f"NOT_SUPPORTED: Incorrect timestamp precision for {kind}; the configured precision is MILLISECONDS; "
            f"column name: {name}"
        )
    if kind.name in _UNWRITABLE:
        raise QueryError(f"NOT_SUPPORTED: Unsupported Hive type: {kind}")
    if kind.name == "row" and None in kind.fields:
        raise QueryError(
            f"NOT_SUPPORTED: Anonymous row type is not supported in Hive. Please give each field a name: {kind}"
        )
    for part in kind.parts:
        if part is not None:
            _check(name, part)
