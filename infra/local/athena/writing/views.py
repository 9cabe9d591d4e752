"""Views, as Athena keeps them in Glue: a Presto view in ViewOriginalText (AWS Athena user guide, "CREATE VIEW")."""

import base64
import json
from dataclasses import dataclass

import duckdb
from sqlglot.tokenizer_core import TokenType

from infra.local.athena.errors import QueryError
from infra.local.athena.reading.glue_tables import Catalog
from infra.local.athena.sql.dialect import AthenaSql
from infra.local.athena.sql.typed.kinds import Kind
from infra.local.athena.sql.types import athena_name, duckdb_to_hive


@dataclass(frozen=True)
class View:
    """A view's name, its query, and the database in which the query's plain names are looked up."""

    database: str
    name: str
    sql: str
    schema: str


def query_of(statement: str) -> str:
    """The query of a CREATE VIEW: what stands after its first AS, comments and quoted names apart."""
    for token in AthenaSql().tokenize(statement):
        if token.token_type == TokenType.ALIAS:
            return statement[token.end + 1 :].strip()
    raise QueryError("SYNTAX_ERROR: CREATE VIEW needs AS")


def put(
    catalog: Catalog, view: View, bound: duckdb.DuckDBPyRelation, kinds: list[Kind | None], *, replace: bool
) -> None:
    """Make the view, or replace one; QueryError TABLE_ALREADY_EXISTS for a table, and for a view without `replace`.

    `bound` is the query's result without its rows, `kinds` the Trino types of its columns where they are known.
    Raises QueryError NOT_SUPPORTED too, for a column of a type that Hive does not have.
    """
    columns = [(name.lower(), kind) for name, kind in zip(bound.columns, bound.types, strict=True)]
    known = kinds if len(kinds) == len(columns) else [None] * len(columns)
    types = [str(kind) if kind else athena_name(found) for (_, found), kind in zip(columns, known, strict=True)]
    described = {
        "originalSql": view.sql,
        "catalog": "awsdatacatalog",
        "schema": view.schema,
        "columns": [{"name": name, "type": kind} for (name, _), kind in zip(columns, types, strict=True)],
    }
    encoded = base64.b64encode(json.dumps(described).encode()).decode()
    table_input = {
        "Name": view.name,
        "TableType": "VIRTUAL_VIEW",
        "ViewOriginalText": f"/* Presto View: {encoded} */",
        "ViewExpandedText": "/* Presto View */",
        "Parameters": {"presto_view": "true", "comment": "Presto View"},
        "PartitionKeys": [],
        "StorageDescriptor": {
            "Columns": [{"Name": name, "Type": duckdb_to_hive(kind)} for name, kind in columns],
            "Location": "",
            "SerdeInfo": {},
        },
    }
    existing = catalog.find(view.database, view.name)
    if existing and not (replace and existing.is_view):
        kind = "View" if existing.is_view else "Table"
        raise QueryError(f"TABLE_ALREADY_EXISTS: {kind} already exists: '{view.database}.{view.name}'")
    if existing:
        catalog.update_table(existing, **table_input)
    else:
        catalog.create_table(view.database, table_input)
