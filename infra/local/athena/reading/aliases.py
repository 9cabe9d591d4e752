"""Aliases of the select list, which Trino does not know in the same SELECT's expressions, WHERE, GROUP BY or HAVING.

DuckDB does; without this check a statement would run here and fail on Athena.
"""

from typing import Any

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, traverse_scope

from infra.local.athena.errors import QueryError
from infra.local.athena.reading.glue_tables import Table
from infra.local.athena.reading.predicates import sources

_CLAUSES = ("where", "group", "having")


def check_aliases(query: exp.Expr, tables: dict[int, Table]) -> None:
    """QueryError COLUMN_NOT_FOUND for a name that only the select list defines."""
    for scope in traverse_scope(query):
        select = scope.expression
        if not isinstance(select, exp.Select):
            continue
        aliases = {e.alias.lower() for e in select.expressions if isinstance(e, exp.Alias)}
        known = _visible(scope, tables)
        if not aliases or known is None:
            continue
        for column in _own_columns(select):
            name = column.name.lower()
            if not column.table and name in aliases and name not in known:
                raise QueryError(f"COLUMN_NOT_FOUND: line 1:1: Column '{name}' cannot be resolved")


def _own_columns(select: exp.Select) -> list[exp.Column]:
    parts = [*select.expressions, *(select.args[c] for c in _CLAUSES if select.args.get(c))]
    return [c for part in parts for c in part.find_all(exp.Column) if c.find_ancestor(exp.Select) is select]


def _visible(scope: Scope, tables: dict[int, Table]) -> set[str] | None:
    """Names that FROM offers, in lower case; None where they cannot be told."""
    names: set[str] = {"$path", "$file_size"}
    for source in sources(scope).values():
        offered = _offered(source, tables)
        if offered is None:
            return None
        names |= offered
    for unnest in scope.find_all(exp.Unnest):
        alias = unnest.args.get("alias")
        names |= {c.name.lower() for c in alias.args.get("columns") or []} if alias else set()
    return None if scope.is_correlated_subquery else names


def _offered(source: Any, tables: dict[int, Table]) -> set[str] | None:
    if isinstance(source, exp.Table):
        table = tables.get(id(source))
        return {n for n, _ in table.columns + table.keys} if table else None
    if not isinstance(source, Scope):
        return None
    renamed = _column_aliases(source.expression)
    if renamed:
        return renamed
    select = source.expression
    while isinstance(select, exp.SetOperation):
        select = select.left.unnest()
    if not isinstance(select, exp.Select):
        return None
    names = {item.alias_or_name.lower() for item in select.expressions}
    if any(item.is_star for item in select.expressions):
        inner = _visible(source, tables) if select is source.expression else None
        return None if inner is None else names | inner
    return names


def _column_aliases(node: exp.Expr) -> set[str]:
    """a, b of WITH t (a, b) AS (...) or (...) AS t (a, b)."""
    parent = node.parent
    alias = parent.args.get("alias") if isinstance(parent, exp.CTE | exp.Subquery) else node.args.get("alias")
    return {c.name.lower() for c in alias.args.get("columns") or []} if isinstance(alias, exp.TableAlias) else set()
