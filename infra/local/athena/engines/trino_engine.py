"""Statements run by a real Trino, which reads and writes the same catalog and the same objects."""

from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
from sqlglot import exp
from sqlglot.dialects.trino import Trino
from sqlglot.tokenizer_core import Token, TokenType

from infra.local.athena.engines.duckdb_engine import table_name
from infra.local.athena.engines.trino_client import CATALOG, Answer, TrinoClient
from infra.local.athena.engines.trino_values import column_info, kind_of, shown
from infra.local.athena.errors import QueryError, UnsupportedError
from infra.local.athena.queries import results
from infra.local.athena.queries.execution import Execution
from infra.local.athena.queries.outputs import Outputs, default_location
from infra.local.athena.reading.glue_tables import Catalog
from infra.local.athena.reading.objects import ObjectStore
from infra.local.athena.sql.dialect import parse_query
from infra.local.athena.sql.types import literal, quote
from infra.local.athena.writing import writes

_CODECS = ("write_compression", "parquet_compression", "orc_compression", "compression")
_PROPERTIES = {"format", "external_location", "partitioned_by", "bucketed_by", "bucket_count"}
_STARTS = {"select", "with", "values", "table", "("}


class TrinoEngine:
    """Runs what is no DDL of Hive's: queries, CREATE TABLE AS, INSERT, UNLOAD, CREATE VIEW, EXPLAIN."""

    def __init__(self, url: str, catalog: Catalog, store: ObjectStore, outputs: Outputs) -> None:
        self._client = TrinoClient(url)
        self._catalog, self._store, self._outputs = catalog, store, outputs

    def run(self, execution: Execution, sql: str) -> None:
        """A query, CREATE TABLE AS, INSERT or CREATE VIEW; UnsupportedError for any other statement."""
        tokens = _tokens(sql)
        words = [token.text.lower() for token in tokens[:4]]
        if not words:
            raise QueryError("SYNTAX_ERROR: empty statement")
        if any(token.token_type == TokenType.SEMICOLON for token in tokens):
            raise QueryError("SYNTAX_ERROR: Only one sql statement is allowed. Got: " + sql[:80])
        if words[0] in _STARTS:
            self._select(execution, sql)
        elif words[:2] == ["create", "table"]:
            self._ctas(execution, sql)
        elif words[0] == "insert":
            self._insert(execution, sql)
        elif words[:2] == ["create", "view"] or words[:4] == ["create", "or", "replace", "view"]:
            execution.statement_type, execution.substatement_type = "DDL", "CREATE_VIEW"
            self._whole(execution, sql)
            self._outputs.put_text(execution, [], [])
        else:
            # What is no SQL at all is told as that.
            self._whole(execution, f"EXPLAIN (TYPE VALIDATE) {sql}")
            raise UnsupportedError(f"statement {words[0].upper()}: {sql[:80]}")

    def explain(self, execution: Execution, sql: str) -> None:
        """The plan of a query, as text."""
        _, rows = self._whole(execution, f"EXPLAIN {sql}")
        self._outputs.put_text(execution, ["Query Plan"], [[line] for row in rows for line in str(row[0]).split("\n")])

    def unload(self, execution: Execution, query: str, location: str, options: dict[str, Any]) -> None:
        """The query's rows as files at a location; Trino has no UNLOAD, so that a table is made and forgotten."""
        name = f"unload_{execution.id.replace('-', '_')}"
        self._write(execution, quote(name), query, {**options, "external_location": location}, "unload")
        self._catalog.glue.delete_table(DatabaseName=execution.database, Name=name)

    def _select(self, execution: Execution, sql: str) -> None:
        execution.substatement_type = "SELECT"
        pages = self._client.pages(sql, execution.database, _watch(execution))
        for answer in pages:
            if answer.columns is not None:
                break
        if answer.columns is None:
            raise QueryError("GENERIC_INTERNAL_ERROR: Trino gave no columns")
        names = [str(column["name"]) for column in answer.columns]
        types = [kind_of(column["typeSignature"]) for column in answer.columns]
        execution.columns = [column_info(name, kind) for name, kind in zip(names, types, strict=True)]

        def batches() -> Iterator[pa.RecordBatch]:
            yield shown(answer.rows, types)
            yield from (shown(page.rows, types) for page in pages if page.rows)

        self._outputs.write_rows(execution, names, batches())
        self._outputs.put_rows(execution)

    def _ctas(self, execution: Execution, sql: str) -> None:
        execution.statement_type, execution.substatement_type = "DDL", "CREATE_TABLE_AS_SELECT"
        head, query = _head_and_query(sql)
        tree = parse_query(f"{head} SELECT 1 AS one")
        if not isinstance(tree, exp.Create):
            raise UnsupportedError(f"statement {sql[:80]}")
        database, name = table_name(tree.find(exp.Table), execution)
        if self._catalog.find(database, name):
            if tree.args.get("exists"):
                return
            raise QueryError(f"TABLE_ALREADY_EXISTS: Table '{CATALOG}.{database}.{name}' already exists")
        options = {"external_location": default_location(execution)} | writes.properties(tree)
        self._write(execution, f"{quote(database)}.{quote(name)}", query, options, f"{database}.{name}")

    def _write(self, execution: Execution, table: str, query: str, options: dict[str, Any], shown_name: str) -> None:
        writes.check_table_type(options)
        location = str(options["external_location"]).rstrip("/") + "/"
        self._outputs.refuse_existing(location, shown_name)
        properties, session = _table_properties(options | {"external_location": location})
        answer, rows = self._whole(execution, f"CREATE TABLE {table} WITH ({properties}) AS {query}", session)
        execution.update_count = _count(answer, rows)
        execution.columns = results.written_info()
        self._outputs.put_manifest(execution, [item.uri for item in self._store.listing(location)])

    def _insert(self, execution: Execution, sql: str) -> None:
        execution.substatement_type = "INSERT"
        answer, rows = self._whole(execution, sql)
        execution.update_count = _count(answer, rows)
        tree = parse_query(sql)
        table = self._catalog.get(*table_name(tree.find(exp.Table), execution))
        written = [item.uri for item in self._store.listing(table.location) if answer.id in item.key]
        self._outputs.put_manifest(execution, written)

    def _whole(
        self, execution: Execution, sql: str, session: dict[str, str] | None = None
    ) -> tuple[Answer, list[list[Any]]]:
        return self._client.whole(sql, execution.database, _watch(execution), session)


def _watch(execution: Execution) -> Callable[[Answer], None]:
    """Called with each page: keeps the bytes that were read; ends what was stopped or reads too much."""

    def watch(answer: Answer) -> None:
        execution.check_cancelled()
        execution.scanned = answer.scanned
        cutoff = execution.workgroup.cutoff
        if cutoff and answer.scanned > cutoff:
            raise QueryError("Bytes scanned limit was exceeded", 1002)

    return watch


def _tokens(sql: str) -> list[Token]:
    return list(Trino().tokenize(sql))


def _head_and_query(sql: str) -> tuple[str, str]:
    """CREATE TABLE ... AS, and the query after it."""
    depth = 0
    for token in _tokens(sql):
        depth += (token.token_type == TokenType.L_PAREN) - (token.token_type == TokenType.R_PAREN)
        if depth == 0 and token.token_type == TokenType.ALIAS:
            return sql[: token.end + 1], sql[token.end + 1 :]
    raise QueryError("SYNTAX_ERROR: CREATE TABLE needs AS and a query; a table without one is CREATE EXTERNAL TABLE")


def _table_properties(options: dict[str, Any]) -> tuple[str, dict[str, str]]:
    """Athena's properties of a new table as Trino's WITH, and properties of the session.

    (Athena user guide, "CREATE TABLE AS"; Trino docs, "Hive connector".)
    """
    given = {name: value for name, value in options.items() if name in _PROPERTIES}
    codec = next((str(options[name]).upper() for name in _CODECS if name in options), "GZIP")
    if "field_delimiter" in options:
        given["textfile_field_separator"] = options["field_delimiter"]
    unknown = set(options) - _PROPERTIES - set(_CODECS) - {"field_delimiter"}
    if unknown:
        raise UnsupportedError(f"table property {min(unknown)}")
    given.setdefault("format", "PARQUET")
    texts = ", ".join(f"{name} = {_value(name, value)}" for name, value in given.items())
    return texts, {f"{CATALOG}.compression_codec": "NONE" if codec == "UNCOMPRESSED" else codec}


def _value(name: str, value: Any) -> str:
    if isinstance(value, list):
        return f"ARRAY[{', '.join(literal(str(item).lower()) for item in value)}]"
    if name == "bucket_count":
        return str(int(value))
    return literal(str(value).upper() if name == "format" else str(value))


def _count(answer: Answer, rows: list[list[Any]]) -> int:
    return int(rows[0][0]) if answer.update_count is None and rows else int(answer.update_count or 0)
