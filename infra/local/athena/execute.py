"""Runs one statement: tells queries, writes and DDL apart, and does them."""

import re
from collections import Counter
from collections.abc import Callable
from typing import TypeVar

import duckdb
from sqlglot import exp

from infra.local.athena.config import Config
from infra.local.athena.errors import QueryError, UnsupportedError
from infra.local.athena.queries import results
from infra.local.athena.queries.execution_parameters import PreparedStatements, prepare_statement, substituted
from infra.local.athena.queries.executions import Execution
from infra.local.athena.queries.results import ResultFile, TextResult
from infra.local.athena.reading import scanned
from infra.local.athena.reading.glue_tables import Catalog
from infra.local.athena.reading.objects import ObjectStore
from infra.local.athena.reading.planner import Plan, Planner, is_named
from infra.local.athena.sql.dialect import parse_query
from infra.local.athena.sql.engine import connect
from infra.local.athena.writing import views, writes
from infra.local.athena.writing.ddl import Ddl
from infra.local.athena.writing.unload import parse_unload

_BATCH_ROWS = 10_000
_Done = TypeVar("_Done")


class Statements:
    """Everything a statement needs: DuckDB, Glue, S3."""

    def __init__(self, config: Config) -> None:
        self.prepared = PreparedStatements()
        self.catalog = Catalog(config)
        self._scratch = config.state_dir / "tmp"
        self._results = config.state_dir / "results"
        for folder in (self._scratch, self._results):
            folder.mkdir(parents=True, exist_ok=True)
        self._duckdb = connect(config)
        self._store = ObjectStore(config)
        self._planner = Planner(self.catalog, self._store, shortcuts=config.shortcuts)
        self._writer = writes.Writer(self._store, self._scratch)
        self._ddl = Ddl(self.catalog, self._store)

    def run(self, execution: Execution) -> None:
        """Run the statement of an execution; whatever it raises is the failure."""
        if prepare_statement(execution.sql, execution.workgroup.name, self.prepared):
            execution.statement_type = "UTILITY"
            return self._put_text(execution, [], [])
        sql = substituted(execution, self.prepared)
        con = self._duckdb.cursor()
        execution.cursor = con
        try:
            self._dispatch(con, execution, sql)
        finally:
            self._writer.clean(execution)
            con.close()
        return None

    def _dispatch(self, con: duckdb.DuckDBPyConnection, execution: Execution, sql: str) -> None:
        ddl = self._ddl.run(sql, execution)
        if ddl is not None:
            execution.statement_type = ddl.statement_type
            execution.substatement_type = ddl.substatement_type
            return self._put_text(execution, ddl.names, ddl.rows)
        unload = parse_unload(sql)
        if unload:
            return self._unload(con, execution, *unload)
        tree = parse_query(_without_explain(sql, execution))
        if execution.substatement_type == "EXPLAIN":
            return self._explain(con, execution, tree)
        if isinstance(tree, exp.Create) and tree.kind == "VIEW":
            return self._view(con, execution, tree, sql)
        if isinstance(tree, exp.Create) and tree.kind == "TABLE" and tree.expression:
            return self._ctas(con, execution, tree)
        if isinstance(tree, exp.Insert):
            return self._insert(con, execution, tree)
        if isinstance(tree, exp.Query):
            return self._select(con, execution, tree)
        raise UnsupportedError(f"statement {type(tree).__name__}: {sql[:80]}")

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
        self._store.put((self._scratch / f"{execution.id}.csv").read_bytes(), execution.output)
        self._store.put(results.metadata_bytes(execution.columns), execution.output + ".metadata")
        (self._scratch / f"{execution.id}.csv").unlink()

    def _fetch(self, con: duckdb.DuckDBPyConnection, execution: Execution, plan: Plan) -> None:
        relation = con.sql(plan.sql)
        names, kinds = relation.columns, relation.types
        trino = plan.kinds if len(plan.kinds) == len(names) else [None] * len(names)
        execution.columns = [results.column_info(n, k, t) for n, k, t in zip(names, kinds, trino, strict=True)]
        reader = relation.to_arrow_reader(_BATCH_ROWS)
        rows = ResultFile(self._results / f"{execution.id}.arrow", names, header=True)
        batches = (results.rendered(b, kinds, names, trino) for b in reader)
        rows.write(batches, self._scratch / f"{execution.id}.csv")
        execution.rows = rows

    def _explain(self, con: duckdb.DuckDBPyConnection, execution: Execution, tree: exp.Expr) -> None:
        plan = self._planner.plan(con, tree, execution.database)
        rows = con.execute(f"EXPLAIN {plan.sql}").fetchall()
        self._put_text(execution, ["Query Plan"], [[line] for line in str(rows[0][1]).split("\n")])

    def _put_text(self, execution: Execution, names: list[str], rows: list[list[str]]) -> None:
        """Results of DDL: a text object, tab separated."""
        execution.output = execution.output.removesuffix(".csv") + ".txt"
        execution.columns = results.text_info(names)
        execution.rows = TextResult(rows)
        body = "\n".join("\t".join(row) for row in rows).encode()
        self._store.put(body, execution.output)
        self._store.put(results.metadata_bytes(execution.columns), execution.output + ".metadata")

    # Writes

    def _ctas(self, con: duckdb.DuckDBPyConnection, execution: Execution, tree: exp.Create) -> None:
        execution.statement_type, execution.substatement_type = "DDL", "CREATE_TABLE_AS_SELECT"
        database, name = _name(tree.find(exp.Table), execution)
        if self.catalog.find(database, name):
            if tree.args.get("exists"):
                return
            raise QueryError(f"TABLE_ALREADY_EXISTS: Table 'awsdatacatalog.{database}.{name}' already exists")
        options = writes.properties(tree)
        location = options.get("external_location") or _default_location(execution)
        target = writes.target_of(
            options, location, codec_names=("write_compression", "parquet_compression", "compression")
        )
        self._refuse_existing(target.location, f"{database}.{name}")
        _refuse_unnamed(tree.expression)
        query = writes.without_order(tree.expression)
        if options.get("with_data") is False:
            query = exp.select("*").from_(exp.Subquery(this=query, alias=exp.TableAlias(this=exp.to_identifier("__q"))))
            query = query.limit(0)

        def act(plan: Plan) -> tuple[writes.Written, list[tuple[str, str]]]:
            with writes.gathered(con, execution, plan.sql, target) as rows:
                sql, columns = writes.select_list(con, rows)
                writes.check_keys(columns, target.keys)
                return self._writer.write(con, execution, sql, target), columns

        written, columns = self._planned(con, execution, query, act)
        uris = self._writer.upload(execution, written)
        self._manifest(execution, uris)
        # From here on the statement is done: the files are complete, and Glue is told last.
        self.catalog.create_table(database, writes.table_input(name, columns, target))
        table = self.catalog.get(database, name)
        self.catalog.add_partitions(table, writes.new_partitions(table, written))
        execution.update_count = written.rows
        execution.columns = results.written_info()

    def _insert(self, con: duckdb.DuckDBPyConnection, execution: Execution, tree: exp.Insert) -> None:
        execution.substatement_type = "INSERT"
        table = self.catalog.get(*_name(tree.find(exp.Table), execution))
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
        uris = self._writer.upload(execution, written, writes.register(self.catalog, table, written))
        self._manifest(execution, uris)
        if not table.projected:
            self.catalog.add_partitions(table, writes.new_partitions(table, written))
        execution.update_count = written.rows

    def _unload(
        self,
        con: duckdb.DuckDBPyConnection,
        execution: Execution,
        query: str,
        location: str,
        options: dict[str, object],
    ) -> None:
        execution.substatement_type = "UNLOAD"
        target = writes.target_of(options, location, codec_names=("compression",))
        self._refuse_existing(target.location, "unload")

        def act(plan: Plan) -> writes.Written:
            with writes.gathered(con, execution, plan.sql, target) as rows:
                sql, columns = writes.select_list(con, rows)
                writes.check_keys(columns, target.keys)
                return self._writer.write(con, execution, sql, target)

        written = self._planned(con, execution, parse_query(query), act)
        self._manifest(execution, self._writer.upload(execution, written))
        execution.update_count = written.rows

    def _manifest(self, execution: Execution, uris: list[str]) -> None:
        execution.manifest = execution.output.removesuffix(".csv") + "-manifest.csv"
        self._store.put("\n".join(uris).encode(), execution.manifest)

    def _refuse_existing(self, location: str, name: str) -> None:
        if self._store.listing(location):
            raise QueryError(
                f"HIVE_PATH_ALREADY_EXISTS: Target directory for table '{name}' already exists: {location}. "
                "You may need to manually clean the data at location before retrying."
            )

    # Views

    def _view(self, con: duckdb.DuckDBPyConnection, execution: Execution, tree: exp.Create, sql: str) -> None:
        execution.statement_type, execution.substatement_type = "DDL", "CREATE_VIEW"
        database, name = _name(tree.this, execution)
        plan = self._planner.plan(con, tree.expression, execution.database)
        bound = con.sql(f"SELECT * FROM ({plan.sql}) LIMIT 0")
        views.put(
            self.catalog,
            views.View(database, name, views.query_of(sql), execution.database),
            bound,
            plan.kinds,
            replace=bool(tree.args.get("replace")),
        )
        self._put_text(execution, [], [])


def _without_explain(sql: str, execution: Execution) -> str:
    explained = re.match(r"\s*explain\s+(?!analyze)", sql, re.IGNORECASE)
    if not explained:
        return sql
    execution.statement_type, execution.substatement_type = "UTILITY", "EXPLAIN"
    return sql[explained.end() :]


def _name(node: exp.Expr | None, execution: Execution) -> tuple[str, str]:
    if not isinstance(node, exp.Table):
        raise QueryError("SYNTAX_ERROR: a table name is missing")
    return (node.db or execution.database).lower(), node.name.lower()


def _default_location(execution: Execution) -> str:
    return f"{execution.output.rsplit('/', 1)[0]}/tables/{execution.id}"


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
