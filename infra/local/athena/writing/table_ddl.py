"""CREATE EXTERNAL TABLE, DROP TABLE, DROP VIEW and ALTER TABLE (AWS Athena user guide, pages of those names)."""

import re

from infra.local.athena.errors import QueryError
from infra.local.athena.reading.glue_tables import Table
from infra.local.athena.writing.create_table import parse_create_table
from infra.local.athena.writing.ddl_result import FLAGS, DdlResult, Handlers, Scope
from infra.local.athena.writing.hive_text import NAME, column_list, pairs, table_name


def create_table(scope: Scope, match: re.Match[str]) -> DdlResult:
    """Describe the table in Glue; its data are where LOCATION says, and are not looked at."""
    name = table_name(match["name"], scope.database)
    if scope.catalog.find(name.database, name.table):
        if match["guard"]:
            return DdlResult()
        raise QueryError(
            "FAILED: Execution Error, return code 1. "
            f"AlreadyExistsException(message:Table {name.table} already exists.)"
        )
    described = parse_create_table(name.table, match.string[match.end() - 1 :], external=bool(match["external"]))
    scope.catalog.create_table(name.database, described)
    return DdlResult()


def drop_table(scope: Scope, match: re.Match[str]) -> DdlResult:
    """Remove the table or view from Glue; an external table's data stay."""
    name = table_name(match["name"], scope.database)
    found, view = scope.catalog.find(name.database, name.table), match["kind"].lower() == "view"
    if found is None:
        if match["guard"]:
            return DdlResult()
        raise QueryError(f"FAILED: SemanticException [Error 10001]: Table not found {name.table}")
    if found.is_view != view:
        raise QueryError(f"FAILED: SemanticException: {name.table} is a {'table' if view else 'view'}")
    scope.catalog.glue.delete_table(DatabaseName=found.database, Name=found.name)
    return DdlResult()


def set_properties(scope: Scope, match: re.Match[str]) -> DdlResult:
    """Add table properties; `comment` is the table's comment."""
    table = scope.table(match["name"])
    given = pairs(match["body"])
    changes = {"Description": given["comment"]} if "comment" in given else {}
    scope.catalog.update_table(table, Parameters={**(table.glue.get("Parameters") or {}), **given}, **changes)
    return DdlResult()


def add_columns(scope: Scope, match: re.Match[str]) -> DdlResult:
    """Add columns after those that are there and before the partition keys."""
    table = scope.table(match["name"])
    new = column_list(match["body"])
    taken = {n for n, _ in table.columns + table.keys} & {c["Name"] for c in new}
    if taken:
        raise QueryError(f"FAILED: Execution Error, return code 1. Duplicate column name: {min(taken)}")
    return _with_columns(scope, table, table.storage.get("Columns", []) + new)


def replace_columns(scope: Scope, match: re.Match[str]) -> DdlResult:
    """Replace all columns but the partition keys."""
    return _with_columns(scope, scope.table(match["name"]), column_list(match["body"]))


def change_column(scope: Scope, match: re.Match[str]) -> DdlResult:
    """Rename a column, or change its type or comment."""
    table = scope.table(match["name"])
    old = column_list(f"{match['old']} string")[0]["Name"]
    (new,) = column_list(match["column"])
    columns = table.storage.get("Columns", [])
    names = [column["Name"] for column in columns]
    if old not in names:
        raise QueryError(f"FAILED: Execution Error, return code 1. Invalid column reference {old}")
    if new["Name"] != old and new["Name"] in names + [key for key, _ in table.keys]:
        raise QueryError(f"FAILED: Execution Error, return code 1. Duplicate column name: {new['Name']}")
    return _with_columns(scope, table, [new if column["Name"] == old else column for column in columns])


def _with_columns(scope: Scope, table: Table, columns: list[dict[str, str]]) -> DdlResult:
    scope.catalog.update_table(table, StorageDescriptor={**table.storage, "Columns": columns})
    return DdlResult()


_ALTER = rf"alter\s+table\s+{NAME}\s+"
HANDLERS: Handlers = [
    (re.compile(rf"drop\s+(?P<kind>table|view)\s+(?P<guard>if\s+exists\s+)?{NAME}\s*$", FLAGS), drop_table),
    (
        re.compile(
            rf"create\s+(?P<external>external\s+)?table\s+(?P<guard>if\s+not\s+exists\s+)?{NAME}\s*\((?!\s*select\b)",
            FLAGS,
        ),
        create_table,
    ),
    (re.compile(rf"{_ALTER}set\s+tblproperties\s*\((?P<body>.*)\)\s*$", FLAGS), set_properties),
    (re.compile(rf"{_ALTER}add\s+columns\s*\((?P<body>.*)\)\s*$", FLAGS), add_columns),
    (re.compile(rf"{_ALTER}replace\s+columns\s*\((?P<body>.*)\)\s*$", FLAGS), replace_columns),
    (
        re.compile(
            rf"{_ALTER}change\s+(?:column\s+)?(?P<old>`[^`]++`|\w++)\s+(?P<column>(?:`[^`]++`|\w++)\s.*)$", FLAGS
        ),
        change_column,
    ),
]
