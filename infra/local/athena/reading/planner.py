"""From a query to DuckDB: views opened, tables bound, partitions pruned, objects listed, once, before it runs."""

from dataclasses import dataclass, field

import duckdb
from sqlglot import exp
from sqlglot.optimizer.scope import traverse_scope

from infra.local.athena.errors import QueryError
from infra.local.athena.reading import information_schema, predicates, scan
from infra.local.athena.reading.aliases import check_aliases
from infra.local.athena.reading.glue_tables import Catalog, Partition, Table
from infra.local.athena.reading.objects import ObjectStore, S3Object
from infra.local.athena.reading.pruning import prune
from infra.local.athena.reading.scan import Scan
from infra.local.athena.sql.dialect import parse_query
from infra.local.athena.sql.translate import to_duckdb, translated
from infra.local.athena.sql.typed.kinds import BIGINT, VARCHAR, Kind, of_hive
from infra.local.athena.sql.typed.scopes import Columns

_VIEW_DEPTH = 16
_HIDDEN: Columns = {"$path": VARCHAR, "$file_size": BIGINT}


@dataclass
class Plan:
    """A query ready to run, and what it will read."""

    sql: str
    scans: list[Scan] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    kinds: list[Kind | None] = field(default_factory=list)


class Planner:
    """Plans queries against the catalog and the object store."""

    def __init__(self, catalog: Catalog, store: ObjectStore, *, shortcuts: bool) -> None:
        self._catalog, self._store, self._shortcuts = catalog, store, shortcuts

    def plan(
        self,
        con: duckdb.DuckDBPyConnection,
        query: exp.Expr,
        database: str,
        *,
        cleaned: bool = False,
        shown: bool = False,
    ) -> Plan:
        """The DuckDB text of a query and its scans; the partitions and objects of this moment are its snapshot.

        `shown` says that its rows are a result that somebody reads, and no table's.
        """
        query = self._open_views(query.copy(), database, 0)
        _name_columns(query)
        _shorten_columns(query)
        tables = self._bind(query, database)
        by_node = {id(node): table for node, table in tables}
        predicates.check_columns(query, by_node)
        check_aliases(query, by_node)
        alternatives = predicates.partition_conditions(query, by_node)
        of_paths = predicates.path_conditions(query, by_node)
        of_texts = predicates.text_conditions(query, by_node)
        plan = Plan("")
        relations: dict[str, str] = {}
        columns: dict[str, Columns] = {}
        for number, (node, table) in enumerate(tables):
            name = f"__scan_{number}"
            columns[name] = {key: of_hive(hive) for key, hive in table.columns + table.keys} | _HIDDEN
            _replace(node, name)
            if table.database == information_schema.NAME:
                relations[name] = information_schema.relation(self._catalog, table)
                continue
            item = Scan(table, _mentioned(query, table), alternatives=of_texts[id(node)], cleaned=cleaned)
            item.objects = _opened(con, self._objects(con, table, alternatives[id(node)]), of_paths.get(id(node)))
            self._store.check_readable(found for found, _ in item.objects)
            plan.scans.append(item)
            relations[name] = scan.relation(con, self._store, item)
        return self._rendered(con, plan, query, relations, columns, shown=shown)

    def _open_views(self, query: exp.Expr, database: str, depth: int) -> exp.Expr:
        if depth > _VIEW_DEPTH:
            raise QueryError("VIEW_IS_RECURSIVE: Views are nested too deeply")
        for node in _table_nodes(query):
            table = self._table((node.db or database).lower(), node.name.lower())
            if table.is_view:
                body = self._open_views(parse_query(table.view_sql()), table.view_schema, depth + 1)
                for inner in _table_nodes(body):
                    if not inner.db:
                        inner.set("db", exp.to_identifier(table.view_schema, quoted=True))
                alias = exp.TableAlias(this=exp.to_identifier(node.alias or node.name))
                node.replace(exp.Subquery(this=body, alias=alias))
        return query

    def _table(self, database: str, name: str) -> Table:
        if database == information_schema.NAME:
            return information_schema.table(name)
        return self._catalog.get(database, name)

    def _bind(self, query: exp.Expr, database: str) -> list[tuple[exp.Table, Table]]:
        bound = []
        known: dict[tuple[str, str], Table] = {}
        for node in _table_nodes(query):
            key = (node.db or database).lower(), node.name.lower()
            if key not in known:
                known[key] = self._table(*key)
            bound.append((node, known[key]))
        return bound

    def _objects(
        self, con: duckdb.DuckDBPyConnection, table: Table, alternatives: list[list[exp.Expr]]
    ) -> list[tuple[S3Object, Partition | None]]:
        if not table.keys:
            return [(item, None) for item in self._store.listing(table.location) if item.visible]
        partitions = prune(self._catalog, con, table, alternatives, to_duckdb)
        found = self._store.list_many(p.location for p in partitions)
        return [(item, p) for p in partitions for item in found[p.location]]

    def _rendered(
        self,
        con: duckdb.DuckDBPyConnection,
        plan: Plan,
        query: exp.Expr,
        relations: dict[str, str],
        columns: dict[str, Columns],
        *,
        shown: bool,
    ) -> Plan:
        for unnest_maps in (True, False):
            found = translated(query, columns, unnest_maps=unnest_maps, shortcuts=self._shortcuts, shown=shown)
            plan.sql, plan.names, plan.kinds = _fill(found.sql, relations), found.names, found.kinds
            if "UNNEST(map_entries(" not in plan.sql:  # for no other statement: asking DuckDB costs a plan
                break
            try:
                con.execute(f"EXPLAIN {plan.sql}").fetchall()
            except duckdb.BinderException:
                continue
            break
        return plan


def _opened(
    con: duckdb.DuckDBPyConnection,
    objects: list[tuple[S3Object, Partition | None]],
    conditions: list[exp.Expr] | None,
) -> list[tuple[S3Object, Partition | None]]:
    """The objects that the conditions on "$path" leave: the others are not opened, whatever is in them."""
    if not conditions:
        return objects
    where = " AND ".join(f"({to_duckdb(condition)})" for condition in conditions)
    uris = [item.uri for item, _ in objects]
    kept = con.execute(f'SELECT "$path" FROM (SELECT unnest(?::VARCHAR[]) AS "$path") WHERE {where}', [uris]).fetchall()
    left = {uri for (uri,) in kept}
    return [(item, partition) for item, partition in objects if item.uri in left]


def _name_columns(query: exp.Expr) -> None:
    """Unnamed result columns are _col0, _col1, ... by position, as Athena calls them."""
    first = query
    while isinstance(first, exp.SetOperation | exp.Subquery):
        first = first.this
    if isinstance(first, exp.Select):
        for number, item in enumerate(list(first.expressions)):
            if not is_named(item):
                item.replace(exp.alias_(item.copy(), f"_col{number}", quoted=True))


def is_named(item: exp.Expr) -> bool:
    """Whether a select item names its column itself: by an alias, as a column or field, or as a star."""
    return isinstance(item, exp.Alias | exp.Column | exp.Star | exp.Dot)


def _fill(text: str, relations: dict[str, str]) -> str:
    for name, body in sorted(relations.items(), key=lambda item: -len(item[0])):
        text = text.replace(f'"{name}"', body)
    return text


def _table_nodes(query: exp.Expr) -> list[exp.Table]:
    """References to catalog tables: not to CTEs, whatever they hide."""
    found: dict[int, exp.Table] = {}
    for scope in traverse_scope(query):
        for source in scope.sources.values():
            if isinstance(source, exp.Table) and source.name:
                found[id(source)] = source
    return list(found.values())


def _mentioned(query: exp.Expr, table: Table) -> set[str]:
    """Columns of `table` that the query may use: by name anywhere, all of them under a *."""
    names = {name for name, _ in table.columns + table.keys}
    stars = [s for s in query.find_all(exp.Star) if not isinstance(s.parent, exp.Anonymous)]
    used = {i.name.lower() for i in query.find_all(exp.Identifier)}
    hidden = used & {"$path", "$file_size"}
    return (names if stars else names & used) | hidden


def _shorten_columns(query: exp.Expr) -> None:
    """`database.table.column` as `table.column`, where FROM names the table with its database and no alias."""
    named = {(node.db.lower(), node.name.lower()) for node in query.find_all(exp.Table) if node.db and not node.alias}
    for column in query.find_all(exp.Column):
        if (column.text("db").lower(), column.table.lower()) in named:
            column.set("db", None)
            column.set("catalog", None)


def _replace(node: exp.Table, name: str) -> None:
    alias = node.args.get("alias") or exp.TableAlias(this=exp.to_identifier(node.name))
    node.set("this", exp.to_identifier(name, quoted=True))
    node.set("db", None)
    node.set("catalog", None)
    node.set("alias", alias)
