"""Names of relations, resolved as Trino does, and rewritten so that a mistake here could show nothing.

Each common table expression gets a name that no table has, and each table becomes a query of its own that is
qualified by the database and filtered by the tenant. A bare name that is left is a common table expression of ours, or
the engine knows no such table.
"""

import re
from collections.abc import Mapping

from sqlglot import exp

from iot_pipeline.console.query.guard.nodes import children, offset_of
from iot_pipeline.console.query.guard.refusal import RefusedError, refused
from iot_pipeline.console.query.guard.scope import Relation, Scope

# What a common table expression is renamed to: q1_<name>, q2_<name>, ... No table of the lake begins so.
_RENAMED = "q{}_{}"
_CATALOG = "awsdatacatalog"
# Trino folds case as Unicode does; names of relations that are ASCII fold as everybody thinks.
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_ -]{0,99}")
_SYSTEM = {"information_schema", "system", "jmx", "pg_catalog", "sys", "runtime", "metadata"}

Names = Mapping[str, str]


def resolve(query: exp.Expr, scope: Scope, sql: str) -> set[str]:
    """Rewrite the names of a checked tree in place; the names of the tables it reads.

    Raises RefusedError for what this viewer may not ask about, and for names that are not plain.
    """
    resolver = _Resolver(scope, sql)
    resolver.descend(query, {})
    return resolver.used


class _Resolver:
    def __init__(self, scope: Scope, sql: str) -> None:
        self._scope, self._sql, self._number = scope, sql, 0
        self.used: set[str] = set()

    def descend(self, node: exp.Expr, known: Names) -> None:
        """Rewrite below a node, where these common table expressions are in scope (their new names by the old)."""
        with_ = node.args.get("with_")
        if with_ is not None:
            known = self._named(with_, known)
        for child in children(node):
            if child is not with_:
                self.descend(child, known)
        if isinstance(node, exp.Table):
            self._table(node, known)
        elif isinstance(node, exp.Column):
            self._column(node)
        elif isinstance(node, exp.TableAlias) and node.this:
            self._plain(node.this)

    def _named(self, with_: exp.With, outer: Names) -> Names:
        """The names after a WITH. Each query in it sees those before it, and never itself or a later one."""
        known, here = dict(outer), set[str]()
        for cte in with_.expressions:
            alias = cte.args["alias"]
            name = self._plain(alias.this)
            if name in here:
                raise self._refused("name", f"{name} stands twice in this WITH: rename one", alias)
            self.descend(cte.this, known)
            for column in alias.args.get("columns") or ():
                self.descend(column, known)
            here.add(name)
            self._number += 1
            known[name] = _RENAMED.format(self._number, name)
            alias.set("this", exp.to_identifier(known[name], quoted=True))
        return known

    def _table(self, node: exp.Table, known: Names) -> None:
        if node.this is None:
            raise self._refused("syntax", "a table's name is missing", node)
        name = self._plain(node.this)
        alias = node.args.get("alias") or exp.TableAlias(this=exp.to_identifier(node.this.name, quoted=True))
        joins = node.args.get("joins") or []
        if not node.args.get("db") and name in known:
            renamed = exp.Table(this=exp.to_identifier(known[name], quoted=True), alias=alias, joins=joins)
            node.replace(renamed)
            return
        self._check_place(node)
        filtered = exp.Subquery(this=self._filtered(self._relation(node, name)), alias=alias, joins=joins)
        node.replace(filtered)

    def _check_place(self, node: exp.Table) -> None:
        catalog, database = (part.lower() for part in (node.catalog, node.db))
        if {catalog, database} & _SYSTEM:
            message = f"system schemas are not open here; these tables are: {self._open()}"
            raise self._refused("system_schema", message, node)
        if catalog not in {"", _CATALOG} or database not in {"", self._scope.database}:
            message = f"only the database {self._scope.database} is open here; these of its tables: {self._open()}"
            raise self._refused("database", message, node)

    def _relation(self, node: exp.Table, name: str) -> Relation:
        relation = self._scope.relations.get(name)
        if relation is None or (self._scope.tenant is not None and relation.tenant is None):
            # A table that is not for tenants is not told from one that does not exist.
            message = f"there is no table {node.this.name!r} for you; there are: {self._open()}"
            raise self._refused("unknown_table", message, node)
        self.used.add(name)
        return relation

    def _filtered(self, relation: Relation) -> exp.Select:
        tenant = self._scope.tenant
        table = exp.table_(relation.name, db=self._scope.database, quoted=True)
        query = exp.Select(expressions=[_own(relation, name, tenant) for name in relation.columns])
        query.set("from_", exp.From(this=table))
        if tenant is not None:
            assert relation.tenant is not None  # noqa: S101  # `_relation` has refused the others; for the type checker
            query.set("where", exp.Where(this=_is_of(relation.tenant, tenant)))
        return query

    def _column(self, node: exp.Column) -> None:
        """A column qualified by the schema names no relation of the rewritten query; a field of a row does."""
        if node.db.lower() == self._scope.database and node.table.lower() in self._scope.relations:
            message = f"write {node.table}.{node.name}: columns are qualified by the table or its alias alone"
            raise self._refused("qualified_column", message, node)

    def _plain(self, identifier: exp.Expr) -> str:
        name = identifier.name
        if not _PLAIN.fullmatch(name):
            message = f"{name!r} names no table: a letter first, then letters a-z, digits and _"
            raise self._refused("name", message, identifier)
        return name.lower()

    def _open(self) -> str:
        return ", ".join(self._scope.visible())

    def _refused(self, kind: str, message: str, node: exp.Expr) -> RefusedError:
        return refused(kind, message, self._sql, offset_of(node))


def _own(relation: Relation, column: str, tenant: str | None) -> exp.Expr:
    """A column; of those that may hold something of another tenant, only what is of this one."""
    if tenant is None or column not in relation.shared or relation.registered is None:
        return exp.column(column, quoted=True)
    case = exp.Case(ifs=[exp.If(this=_is_of(relation.registered, tenant), true=exp.column(column, quoted=True))])
    return exp.alias_(case, column, quoted=True)


def _is_of(column: str, tenant: str) -> exp.Expr:
    return exp.EQ(this=exp.column(column, quoted=True), expression=exp.Literal.string(tenant))
