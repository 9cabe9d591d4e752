"""The rows of a database's tables, before a loss and after a restore."""

from collections.abc import Mapping, Sequence

import psycopg
from psycopg import sql

TABLES, TABLES_AND_VIEWS = ("BASE TABLE",), ("BASE TABLE", "VIEW")


def row_counts(dsn: str, schemas: Sequence[str], kinds: Sequence[str] = TABLES) -> dict[str, int]:
    """How many rows each table of some schemas has, by `schema.table`."""
    named = (
        "SELECT table_schema, table_name FROM information_schema.tables"
        " WHERE table_schema = ANY(%s) AND table_type = ANY(%s) ORDER BY 1, 2"
    )
    found = {}
    with psycopg.connect(dsn) as connection:
        for schema, table in connection.execute(named, (list(schemas), list(kinds))).fetchall():
            query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, table))
            row = connection.execute(query).fetchone()
            found[f"{schema}.{table}"] = int(row[0]) if row else 0
    return found


def differences(expected: Mapping[str, int], found: Mapping[str, int]) -> list[str]:
    """A line for each table that has other rows than expected, or is in one of both only."""
    return [
        f"{name}: {found.get(name)} rows instead of {expected.get(name)}"
        for name in sorted({*expected, *found})
        if expected.get(name) != found.get(name)
    ]
