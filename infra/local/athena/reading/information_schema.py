"""information_schema: what Glue knows, as tables (AWS Athena user guide, "Query the AWS Glue Data Catalog").

The columns are those that the guide's results show; `comment` and `extra_info` of `columns` are Athena's own.
"""

import re
from collections.abc import Iterator

from infra.local.athena.errors import UnsupportedError
from infra.local.athena.reading.glue_tables import Catalog, Table
from infra.local.athena.sql.typed.kinds import of_hive
from infra.local.athena.sql.types import hive_to_duckdb, literal, quote

NAME = "information_schema"
_CATALOG = "awsdatacatalog"
_COLUMNS = {
    "schemata": "catalog_name schema_name",
    "tables": "table_catalog table_schema table_name table_type",
    "views": "table_catalog table_schema table_name view_definition",
    "columns": "table_catalog table_schema table_name column_name ordinal_position column_default is_nullable "
    "data_type comment extra_info",
}
Row = tuple[str | int | None, ...]


def table(name: str) -> Table:
    """A table of information_schema as if Glue had it; UnsupportedError for those that are not there."""
    if name not in _COLUMNS:
        raise UnsupportedError(f"table {NAME}.{name}; {', '.join(_COLUMNS)} are there")
    columns = [
        {"Name": column, "Type": "bigint" if column == "ordinal_position" else "string"}
        for column in _COLUMNS[name].split()
    ]
    return Table({"DatabaseName": NAME, "Name": name, "StorageDescriptor": {"Columns": columns}})


def relation(catalog: Catalog, described: Table) -> str:
    """A DuckDB subquery with the rows of this moment."""
    rows = list(
        {"schemata": _schemata, "tables": _tables, "views": _views, "columns": _columns}[described.name](catalog)
    )
    columns = described.columns
    names = ", ".join(quote(name) for name, _ in columns)
    typed = ", ".join(f"CAST({quote(name)} AS {hive_to_duckdb(hive)}) AS {quote(name)}" for name, hive in columns)
    listed = ", ".join(f"({', '.join(_value(value) for value in row)})" for row in rows)
    empty = f"({', '.join('NULL' for _ in columns)})"
    return f"(SELECT {typed} FROM (VALUES {listed or empty}) AS __rows({names}){'' if rows else ' WHERE false'})"


def _value(value: str | int | None) -> str:
    if value is None:
        return "NULL"
    return literal(value) if isinstance(value, str) else str(value)


def _schemata(catalog: Catalog) -> Iterator[Row]:
    yield from ((_CATALOG, name) for name in sorted({*catalog.databases(), NAME}))


def _every(catalog: Catalog) -> Iterator[Table]:
    for database in catalog.databases():
        yield from catalog.tables(database)
    yield from (table(name) for name in _COLUMNS)


def _tables(catalog: Catalog) -> Iterator[Row]:
    for found in _every(catalog):
        yield _CATALOG, found.database, found.name, "VIEW" if found.is_view else "BASE TABLE"


def _views(catalog: Catalog) -> Iterator[Row]:
    for found in _every(catalog):
        if found.is_view:
            yield _CATALOG, found.database, found.name, found.view_sql()


def _columns(catalog: Catalog) -> Iterator[Row]:
    for found in _every(catalog):
        listed: list[tuple[dict[str, str], str | None]] = [
            (column, None) for column in found.storage.get("Columns", [])
        ]
        listed += [(key, "partition key") for key in found.glue.get("PartitionKeys") or []]
        for position, (column, extra) in enumerate(listed, start=1):
            kind = column.get("Type", "string")
            names = _CATALOG, found.database, found.name, column["Name"].lower()
            yield *names, position, None, "YES", _trino(kind), column.get("Comment"), extra


def _trino(hive: str) -> str:
    """A column's type as Trino displays it; of texts with a length Hive's spelling is Trino's."""
    if hive.lower().startswith(("varchar(", "char(")):
        return hive.lower()
    return re.sub(r"decimal\((\d+), (\d+)\)", r"decimal(\1,\2)", str(of_hive(hive) or hive))
