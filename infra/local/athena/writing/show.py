"""SHOW statements (AWS Athena user guide, "SHOW COLUMNS", "SHOW CREATE TABLE", "SHOW CREATE VIEW", "SHOW DATABASES",
"SHOW PARTITIONS", "SHOW TABLES", "SHOW TBLPROPERTIES", "SHOW VIEWS").
"""

import re

from infra.local.athena.errors import QueryError
from infra.local.athena.reading.glue_tables import Table, partition_name
from infra.local.athena.writing.create_table import show_create
from infra.local.athena.writing.ddl_result import FLAGS, DdlResult, Handlers, Scope, shown
from infra.local.athena.writing.hive_text import DATABASE, NAME, TEXT, TableName, database_name, table_name, text_value
from infra.local.servers.wildcards import wildcard_pattern


def show_partitions(scope: Scope, match: re.Match[str]) -> DdlResult:
    """The registered partitions, as `key=value/key=value`."""
    table = scope.table(match["name"])
    if not table.keys:
        raise QueryError(f"FAILED: SemanticException [Error 10241]: Table {table.name} is not a partitioned table")
    listed = sorted(partition_name(table, p.values) for p in scope.catalog.partitions(table))
    return shown(["partition"], [[p] for p in listed])


def show_tables(scope: Scope, match: re.Match[str]) -> DdlResult:
    """Tables and views, or views alone, whose names fit the pattern."""
    database = database_name(match["database"]) if match["database"] else scope.database
    views = match["kind"].lower() == "views"
    if database not in scope.catalog.databases():
        raise QueryError(f"FAILED: SemanticException [Error 10072]: Database does not exist: {database}")
    names = [t.name for t in scope.catalog.tables(database) if t.is_view or not views]
    column = "views" if views else "tab_name"
    return shown([column], [[name] for name in fitting(names, _pattern(match))])


def show_databases(scope: Scope, match: re.Match[str]) -> DdlResult:
    """Databases whose names fit the pattern."""
    return shown(["database_name"], [[name] for name in fitting(scope.catalog.databases(), _pattern(match))])


def show_create_table(scope: Scope, match: re.Match[str]) -> DdlResult:
    """The statement that makes the table, a row a line."""
    table = scope.table(match["name"])
    return shown(["createtab_stmt"], [[line] for line in show_create(table).split("\n")])


def show_create_view(scope: Scope, match: re.Match[str]) -> DdlResult:
    """The statement that makes the view, a row a line; QueryError for a table."""
    table = scope.table(match["name"])
    if not table.is_view:
        raise QueryError(f"NOT_SUPPORTED: line 1:1: Relation '{table.database}.{table.name}' is a table, not a view")
    return shown(["Create View"], [[line] for line in show_create(table).split("\n")])


def show_columns(scope: Scope, match: re.Match[str]) -> DdlResult:
    """The names of a table's or view's columns, partition keys last, each padded to 20 characters."""
    name: TableName = table_name(match["name"], scope.database)
    database = database_name(match["database"]) if match["database"] else name.database
    table = scope.catalog.get(database, name.table)
    return shown(["field"], [[f"{column:<20}"] for column, _ in table.columns + table.keys])


def show_properties(scope: Scope, match: re.Match[str]) -> DdlResult:
    """The table's properties as `name<tab>value`, or the value of one."""
    table = scope.table(match["name"])
    found = _properties(table)
    if not match["property"]:
        return shown(["prpt_name", "prpt_value"], [[f"{key}\t{value}"] for key, value in sorted(found.items())])
    wanted = text_value(match["property"])
    missing = f"Table {table.database}.{table.name} does not have property: {wanted}"
    return shown(["prpt_name", "prpt_value"], [[found.get(wanted, missing)]])


def _properties(table: Table) -> dict[str, str]:
    comment = {"comment": table.glue["Description"]} if table.glue.get("Description") else {}
    return {**(table.glue.get("Parameters") or {}), **comment}


def _pattern(match: re.Match[str]) -> str | None:
    return text_value(match["pattern"]) if match["pattern"] else None


def fitting(names: list[str], pattern: str | None) -> list[str]:
    """The names that fit a pattern of Hive's SHOW: `*` any text, `.` any character, `|` between choices."""
    choices = [wildcard_pattern(choice, run="*", one=".") for choice in (pattern or "*").split("|")]
    return [name for name in names if any(choice.fullmatch(name) for choice in choices)]


_LIKE = rf"(?:\s+(?:like\s+)?(?P<pattern>{TEXT}))?\s*$"
HANDLERS: Handlers = [
    (re.compile(rf"show\s+partitions\s+{NAME}\s*$", FLAGS), show_partitions),
    (re.compile(rf"show\s+(?P<kind>tables|views)(?:\s+(?:in|from)\s+{DATABASE})?{_LIKE}", FLAGS), show_tables),
    (re.compile(rf"show\s+(?:databases|schemas){_LIKE}", FLAGS), show_databases),
    (re.compile(rf"show\s+create\s+table\s+{NAME}\s*$", FLAGS), show_create_table),
    (re.compile(rf"show\s+create\s+view\s+{NAME}\s*$", FLAGS), show_create_view),
    (
        re.compile(rf"show\s+columns\s+(?:in|from)\s+{NAME}(?:\s+(?:in|from)\s+{DATABASE})?\s*$", FLAGS),
        show_columns,
    ),
    (
        re.compile(rf"show\s+tblproperties\s+{NAME}\s*(?:\(\s*(?P<property>{TEXT})\s*\)\s*)?$", FLAGS),
        show_properties,
    ),
]
