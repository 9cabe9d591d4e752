"""ListDatabases, ListSchemas, ListTables and DescribeTable, asked of the catalog as the caller's database user."""

from collections.abc import Sequence
from typing import Any

import psycopg

from infra.local.emulator.redshift_data.api_errors import DataApiError, no_connection
from infra.local.emulator.redshift_data.typed_results import ResultColumn
from infra.local.emulator.redshift_data.warehouse_login import Login

_DATABASES = "SELECT datname FROM pg_catalog.pg_database WHERE datname = current_database()"
# What is ours alone, what is PostgreSQL's alone, and what is another session's.
_SEEN = (
    r"""n.nspname NOT LIKE 'pg\_toast%' AND n.nspname NOT LIKE 'pg\_temp%' AND n.nspname <> 'redshift_late_binding'"""
)
_SCHEMAS = f"SELECT n.nspname FROM pg_catalog.pg_namespace n WHERE {_SEEN} AND n.nspname LIKE $1 ORDER BY 1"
_TABLES = rf"""
SELECT n.nspname, c.relname,
    CASE WHEN n.nspname IN ('pg_catalog', 'information_schema') THEN 'SYSTEM ' ELSE '' END
        || CASE c.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'v') AND {_SEEN} AND c.relname NOT LIKE 'redshift\_%'
    AND n.nspname LIKE $1 AND c.relname LIKE $2
ORDER BY 1, 2
"""
_COLUMNS = rf"""
SELECT n.nspname, c.relname, a.attname, a.atttypid, a.atttypmod, a.attnotnull, pg_get_expr(d.adbin, d.adrelid)
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'v') AND {_SEEN} AND c.relname NOT LIKE 'redshift\_%'
    AND ($1 = '' OR n.nspname = $1) AND ($2 = '' OR c.relname = $2)
ORDER BY n.nspname, c.relname, a.attnum
"""


def databases(login: Login) -> list[str]:
    """The names of the databases."""
    return [str(name) for (name,) in _rows(login, _DATABASES)]


def schemas(login: Login, pattern: str | None) -> list[str]:
    """The names of the schemas that match a pattern of LIKE."""
    return [str(name) for (name,) in _rows(login, _SCHEMAS, _pattern(pattern))]


def tables(login: Login, schema_pattern: str | None, table_pattern: str | None) -> list[dict[str, Any]]:
    """The tables and views that match, as TableMember."""
    found = _rows(login, _TABLES, _pattern(schema_pattern), _pattern(table_pattern))
    return [{"schema": schema, "name": name, "type": kind} for schema, name, kind in found]


def table_columns(login: Login, schema: str | None, table: str | None) -> list[dict[str, Any]]:
    """The columns of the tables of these names (None: of all), as ColumnMetadata."""
    return [_column(*row) for row in _rows(login, _COLUMNS, schema or "", table or "")]


def _column(
    schema: str, table: str, name: str, oid: str, modifier: str, required: str, default: str | None
) -> dict[str, Any]:
    found = ResultColumn(name, int(oid), int(modifier)).metadata()
    del found["label"]
    found |= {"schemaName": schema, "tableName": table, "nullable": 0 if required == "t" else 1}
    found |= {"length": found["precision"]}
    return found | ({"columnDefault": default} if default is not None else {})


def _pattern(pattern: str | None) -> str:
    return pattern or "%"


def _rows(login: Login, sql: str, *values: str) -> Sequence[Sequence[Any]]:
    """Raises DatabaseConnectionException, and InternalServerException for what should not be."""
    try:
        connection = login.connect()
    except psycopg.Error as error:
        raise no_connection(str(error).strip()) from error
    try:
        found = connection.pgconn.exec_params(sql.encode(), [value.encode() for value in values])
    finally:
        connection.close()
    if found.error_message:
        raise DataApiError("InternalServerException", found.error_message.decode().strip(), status=500)
    values_of = [[found.get_value(row, column) for column in range(found.nfields)] for row in range(found.ntuples)]
    return [[None if value is None else value.decode() for value in row] for row in values_of]
