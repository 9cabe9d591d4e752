"""Statements run by DuckDB, translated from Trino's SQL."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import duckdb
from sqlglot import exp

from infra.local.athena.config import Config
from infra.local.athena.errors import QueryError, UnsupportedError
from infra.local.athena.queries import results
from infra.local.athena.queries.execution import Execution
from infra.local.athena.queries.outputs import Outputs, default_location
from infra.local.athena.reading import scanned
from infra.local.athena.reading.glue_tables import Catalog
from infra.local.athena.reading.objects import ObjectStore
from infra.local.athena.reading.planner import Plan, Planner, is_named
from infra.local.athena.sql.dialect import parse_query
from infra.local.athena.sql.engine import connect
from infra.local.athena.writing import views, writes
from infra.local.athena.writing.writable_types import check_types

_BATCH_ROWS = 10_000
_Done = TypeVar("_Done")


class DuckDBEngine:
    """Runs what is no DDL of Hive's: queries, CREATE TABLE AS, INSERT, UNLOAD, CREATE VIEW, EXPLAIN."""

    def __init__(self, config: Config, catalog: Catalog, store: ObjectStore, outputs: Outputs) -> None:
        self._catalog, self._store, self._outputs = catalog, store, outputs
        self._duckdb = connect(config)
        self._planner = Planner(catalog, store, shortcuts=config.shortcuts)
        self._writer = writes.Writer(store, outputs.scratch)

    def run(self, execution: Execution, sql: str) -> None:
        """A query, CREATE TABLE AS, INSERT or CREATE VIEW; UnsupportedError for any other statement."""
        tree = parse_query(sql)
        with self._cursor(execution) as con:
            if isinstance(tree, exp.Create) and tree.kind == "VIEW":
                self._view(con, execution, tree, sql)
            elif isinstance(tree, exp.Create) and tree.kind == "TABLE" and tree.expression:
                self._ctas(con, execution, tree)
            elif isinstance(tree, exp.Insert):
                self._insert(con, execution, tree)
            elif isinstance(tree, exp.Query):
                self._select(con, execution, tree)
            else:
                raise UnsupportedError(f"statement {type(tree).__name__}: {sql[:80]}")

    def explain(self, execution: Execution, sql: str) -> None:
        """The plan of a query, as text."""
        with self._cursor(execution) as con:
            self._explain(con, execution, sql)

    def unload(self, execution: Execution, query: str, location: str, options: dict[str, Any]) -> None:
        """The query's rows as files at a location; `options` are UNLOAD's WITH, names in lower case."""
        with self._cursor(execution) as con:
            self._unload(con, execution, query, location, options)

    @contextmanager
    def _cursor(self, execution: Execution) -> Iterator[duckdb.DuckDBPyConnection]:
        con = self._duckdb.cursor()
        execution.cursor = con
        try:
            yield con
        finally:
            self._writer.clean(execution)
            con.close()

    def _planned(
        self,
        con: duckdb.DuckDBPyConnection,
        execution: Execution,
        query: exp.Expr,
        act: Callable[[Plan], _Done],
        *,
        shown: bool = False,
    ) -> _Done:
        """Plan, count what will be scanned, act; once more from cleaned copies if a text object cannot be read."""
        plan = self._planner.plan(con, query, execution.database, shown=shown)
        self._count(con, execution, plan)
        try:
            return act(plan)
        except duckdb.InvalidInputException as error:
            texts = [s for s in plan.scans if s.table.format != "parquet" and s.objects]
            if not texts or "CSV" not in str(error):
                raise
        return act(self._planner.plan(con, query, execution.database, cleaned=True, shown=shown))

    def _count(self, con: duckdb.DuckDBPyConnection, execution: Execution, plan: Plan) -> None:
        execution.check_cancelled()
        execution.scanned = scanned.row_format_bytes(plan.scans)
        execution.scanned += scanned.parquet_bytes(con, self._store, plan.scans, plan.sql)
        cutoff = execution.workgroup.cutoff
        if cutoff and execution.scanned > cutoff:
            raise QueryError("Bytes scanned limit was exceeded", 1002)
        execution.check_cancelled()

    # Queries

    def _select(self, con: duckdb.DuckDBPyConnection, execution: Execution, tree: exp.Expr) -> None:
        execution.substatement_type = "SELECT"
        self._planned(con, execution, tree, lambda plan: self._fetch(con, execution, plan), shown=True)
        self._outputs.put_rows(execution)

    def _fetch(self, con: duckdb.DuckDBPyConnection, execution: Execution, plan: Plan) -> None:
        relation = con.sql(plan.sql)
        names, kinds = relation.columns, relation.types
        trino = plan.kinds if len(plan.kinds) == len(names) else [None] * len(names)
        execution.columns = [results.column_info(n, k, t) for n, k, t in zip(names, kinds, trino, strict=True)]
        reader = relation.to_arrow_reader(_BATCH_ROWS)
        batches = (results.rendered(b, kinds, names, trino) for b in reader)
        self._outputs.write_rows(execution, names, batches)

    def _explain(self, con: duckdb.DuckDBPyConnection, execution: Execution, sql: str) -> None:
        plan = self._planner.plan(con, parse_query(sql), execution.database)
        rows = con.execute(f"EXPLAIN {plan.sql}").fetchall()
        self._outputs.put_text(execution, ["Query Plan"], [[line] for line in str(rows[0][1]).split("\n")])

    # Writes

    def _ctas(self, con: duckdb.DuckDBPyConnection, execution: Execution, tree: exp.Create) -> None:
        execution.statement_type, execution.substatement_type = "DDL", "CREATE_TABLE_AS_SELECT"
        database, name = table_name(tree.find(exp.Table), execution)
        if self._catalog.find(database, name):
            if tree.args.get("exists"):
                return
            raise QueryError(f"TABLE_ALREADY_EXISTS: Table 'awsdatacatalog.{database}.{name}' already exists")
        options = writes.properties(tree)
        location = options.get("external_location") or default_location(execution)
        target = writes.target_of(
            options, location, codec_names=("write_compression", "parquet_compression", "compression")
        )
        self._outputs.refuse_existing(target.location, f"{database}.{name}")
        _refuse_unnamed(tree.expression)
        query = writes.without_order(tree.expression)
        if options.get("with_data") is False:
            query = exp.select("*").from_(exp.Subquery(this=query, alias=exp.TableAlias(this=exp.to_identifier("__q"))))
            query = query.limit(0)

        def act(plan: Plan) -> tuple[writes.Written, list[tuple[str, str]]]:
            check_types(plan.names, plan.kinds)
            with writes.gathered(con, execution, plan.sql, target) as rows:
                sql, columns = writes.select_list(con, rows)
                writes.check_keys(columns, target.keys)
                return self._writer.write(con, execution, sql, target), columns

        written, columns = self._planned(con, execution, query, act)
        uris = self._writer.upload(execution, written)
        self._outputs.put_manifest(execution, uris)
        # From here on the statement is done: the files are complete, and Glue is told last.
        self._catalog.create_table(database, writes.table_input(name, columns, target))
        table = self._catalog.get(database, name)
        self._catalog.add_partitions(table, writes.new_partitions(table, written))
        execution.update_count = written.rows
        execution.columns = results.written_info()

    def _insert(self, con: duckdb.DuckDBPyConnection, execution: Execution, tree: exp.Insert) -> None:
        execution.substatement_type = "INSERT"
        table = self._catalog.get(*table_name(tree.find(exp.Table), execution))
        if table.is_view:
            raise QueryError("NOT_SUPPORTED: Inserting into views is not supported")
        given = [c.name.lower() for c in tree.this.expressions] if isinstance(tree.this, exp.Schema) else None
        target = writes.insert_target(table)

        def act(plan: Plan) -> writes.Written:
            with writes.gathered(con, execution, plan.sql, target) as rows:
                bound = con.sql(f"SELECT * FROM ({rows}) LIMIT 0")
                sql = writes.insert_query(rows, len(bound.columns), table, given)
                return self._writer.write(con, execution, sql, target)

        written = self._planned(con, execution, writes.without_order(tree.expression), act)
        uris = self._writer.upload(execution, written, writes.register(self._catalog, table, written))
        self._outputs.put_manifest(execution, uris)
        if not table.projected:
            self._catalog.add_partitions(table, writes.new_partitions(table, written))
        execution.update_count = written.rows

    def _unload(
        self,
        con: duckdb.DuckDBPyConnection,
        execution: Execution,
        query: str,
        location: str,
        options: dict[str, object],
    ) -> None:
        target = writes.target_of(options, location, codec_names=("compression",))
        self._outputs.refuse_existing(target.location, "unload")

        def act(plan: Plan) -> writes.Written:
            with writes.gathered(con, execution, plan.sql, target) as rows:
                sql, columns = writes.select_list(con, rows)
                writes.check_keys(columns, target.keys)
                return self._writer.write(con, execution, sql, target)

        written = self._planned(con, execution, parse_query(query), act)
        self._outputs.put_manifest(execution, self._writer.upload(execution, written))
        execution.update_count = written.rows

    # Views

    def _view(self, con: duckdb.DuckDBPyConnection, execution: Execution, tree: exp.Create, sql: str) -> None:
        execution.statement_type, execution.substatement_type = "DDL", "CREATE_VIEW"
        database, name = table_name(tree.this, execution)
        plan = self._planner.plan(con, tree.expression, execution.database)
        bound = con.sql(f"SELECT * FROM ({plan.sql}) LIMIT 0")
        views.put(
            self._catalog,
            views.View(database, name, views.query_of(sql), execution.database),
            bound,
            plan.kinds,
            replace=bool(tree.args.get("replace")),
        )
        self._outputs.put_text(execution, [], [])


def table_name(node: exp.Expr | None, execution: Execution) -> tuple[str, str]:
    if not isinstance(node, exp.Table):
        raise QueryError("SYNTAX_ERROR: a table name is missing")
    return (node.db or execution.database).lower(), node.name.lower()


def _refuse_unnamed(query: exp.Expr) -> None:
    """Columns of a new table need names, each its own."""
    items = query.selects if isinstance(query, exp.Query) else []
    for number, item in enumerate(items, start=1):
        if not is_named(item):
            raise QueryError(f"SYNTAX_ERROR: line 1:1: Column name not specified at position {number}")
    names = [item.alias_or_name.lower() for item in items if not item.is_star]
    for name, times in Counter(names).items():
        if times > 1:
            raise QueryError(f"SYNTAX_ERROR: Column name '{name}' specified more than once")
