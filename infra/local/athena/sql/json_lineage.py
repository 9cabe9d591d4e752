"""Casts of JSON to rows, arrays and maps that are made of nothing but the lines of one text table.

If none of those lines holds what DuckDB and Trino read differently (json_cast), nothing made of them does, and the
casts need no look at each value. If few do, a look at the lines with their hashes is enough.
"""

from collections.abc import Iterator
from typing import Any

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, traverse_scope

from infra.local.athena.reading.predicates import sources
from infra.local.athena.sql import json_cast

T = exp.DataType.Type
_NESTED = {T.ARRAY, T.MAP, T.STRUCT}
_PASSING = {"try", "coalesce", "cardinality", "json_array_length"}
_TRANSPARENT = (exp.Case, exp.If, exp.Array, exp.Null, exp.Paren, exp.Is, exp.Not, exp.And, exp.Or, exp.GT, exp.EQ)
_MARK = "suspect_lines"

Roots = set[int]


class _UnknownError(Exception):
    """A value that is not of one table's lines alone."""


def line_casts(query: exp.Expr) -> dict[int, list[tuple[exp.Cast, bool]]]:
    """Per table reference (id of its node): the casts made of its lines alone, and whether of a parsed line itself."""
    found: dict[int, list[tuple[exp.Cast, bool]]] = {}
    for scope in traverse_scope(query):
        for cast in scope.find_all(exp.Cast):
            if isinstance(cast, exp.Cast) and cast.to.this in _NESTED:
                try:
                    roots = _roots(cast.this, scope)
                except _UnknownError:
                    continue
                if len(roots) == 1:
                    found.setdefault(roots.pop(), []).append((cast, _is_parsed(cast.this)))
    return found


def pattern(casts: list[tuple[exp.Cast, bool]]) -> str:
    """RE2 pattern of the lines that any of these casts may read differently."""
    return "|".join(dict.fromkeys(json_cast.suspicious(json_cast.descriptor(c.to)) for c, direct in casts if direct))


def trust(casts: list[tuple[exp.Cast, bool]], suspects: frozenset[int]) -> None:
    """Mark the casts with what needs a guard: no line at all, or of the casts of whole lines those of these hashes."""
    for cast, direct in casts:
        if direct or not suspects:
            cast.meta[_MARK] = suspects


def trust_within(casts: list[tuple[exp.Cast, bool]]) -> None:
    """Mark the casts of values within the lines that need no guard: to rows of JSON values, which take any value."""
    for cast, direct in casts:
        if not direct and json_cast.suspicious(json_cast.descriptor(cast.to)) == json_cast.ALWAYS:
            cast.meta[_MARK] = frozenset()


def suspects(cast: exp.Expr) -> frozenset[int] | None:
    """DuckDB's hashes of the texts that need a guard, or None where every text does."""
    found: frozenset[int] | None = cast.meta.get(_MARK)
    return found


def _is_parsed(node: exp.Expr) -> bool:
    node = node.unnest()
    while isinstance(node, exp.Anonymous) and node.name.lower() == "try":
        node = node.expressions[0].unnest()
    return isinstance(node, exp.Anonymous) and node.name.lower() == "json_parse"


def _roots(node: exp.Expr, scope: Scope) -> Roots:
    """The table references a JSON value is made of."""
    if isinstance(node, exp.Column):
        return _column_roots(node, scope)
    if isinstance(node, exp.Dot):
        return _roots(node.this, scope)
    if isinstance(node, exp.Cast):
        return _roots(node.this, scope)
    if isinstance(node, exp.Literal) and not node.is_string:
        return set()
    if isinstance(node, exp.Anonymous) and node.name.lower() == "json_parse":
        return {_line(node.expressions[0], scope)}
    if isinstance(node, exp.Anonymous) and node.name.lower() in _PASSING:
        return _union(iter(node.expressions), scope)
    if isinstance(node, _TRANSPARENT):
        return _union(node.iter_expressions(), scope)
    raise _UnknownError


def _union(nodes: Iterator[exp.Expr], scope: Scope) -> Roots:
    roots: Roots = set()
    for node in nodes:
        roots |= _roots(node, scope)
    return roots


def _column_roots(column: exp.Column, scope: Scope) -> Roots:
    where, value = _definition(column, scope)
    if isinstance(value, exp.Table):
        raise _UnknownError  # a table's own column of nested type is no parsed text
    if isinstance(value, exp.Unnest):
        return _roots(value.expressions[0], where)
    return _roots(value, where)


def _line(node: exp.Expr, scope: Scope) -> int:
    """The table whose column, handed on unchanged, is parsed."""
    node = node.unnest()
    if not isinstance(node, exp.Column):
        raise _UnknownError
    where, value = _definition(node, scope)
    return id(value) if isinstance(value, exp.Table) else _line(value, where)


def _definition(column: exp.Column, scope: Scope) -> tuple[Scope, exp.Expr]:
    """What a column is, and where: an expression of an inner query, an UNNEST, or a table."""
    named = sources(scope)
    own = column.table in named
    name = (column.name if own or not column.table else column.table).lower()
    candidates = [named[column.table]] if own else list(named.values())
    found = [d for source in candidates for d in _offers(source, name, scope, alone=len(candidates) == 1)]
    if len(found) != 1:
        raise _UnknownError
    return found[0]


def _offers(source: Any, name: str, scope: Scope, *, alone: bool) -> Iterator[tuple[Scope, exp.Expr]]:
    if isinstance(source, exp.Table):
        if alone:
            yield scope, source
        return
    inner = source.expression
    if isinstance(inner, exp.Unnest):
        columns = [c.name.lower() for c in inner.args["alias"].args.get("columns") or []]
        if columns == [name] and len(inner.expressions) == 1:
            yield scope, inner
        return
    if not isinstance(inner, exp.Select):
        return
    items = [i for i in inner.expressions if i.alias_or_name.lower() == name and not i.is_star]
    for item in items:
        yield source, item.unalias()
    if not items and any(isinstance(i, exp.Star) for i in inner.expressions):
        yield _definition(exp.column(name), source)
