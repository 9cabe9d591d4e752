"""UNNEST: arrays side by side, maps as (key, value), rows as their fields."""

from typing import Protocol

from sqlglot import exp

from infra.local.athena.errors import UnsupportedError
from infra.local.athena.sql.typed.kinds import Kind, record
from infra.local.athena.sql.types import quote

POSITIONS = "__positions"
"""The call that stands for the positions of a list's items, from 1."""


class Renderer(Protocol):
    """The SQL generator; `unnest_maps` says whether a list taken apart is a map's."""

    unnest_maps: bool

    def sql(self, node: exp.Expr) -> str:
        """DuckDB text of a Trino expression."""


def unnest_relation(renderer: Renderer, node: exp.Unnest) -> str:
    """A DuckDB relation for UNNEST(...) [WITH ORDINALITY] [AS t(a, b)] (Trino docs, "SELECT", UNNEST).

    One array is DuckDB's own UNNEST. A map, or an array of rows, is told by the number of column aliases: one list
    with two or more columns is taken apart by position. Several lists side by side are refused.
    """
    alias = node.args.get("alias")
    names = [c.name for c in alias.args.get("columns") or []] if alias else []
    offset = node.args.get("offset")
    if len(node.expressions) != 1:
        raise UnsupportedError("UNNEST of several arrays (UNNEST one WITH ORDINALITY and index the others)")
    table = quote(alias.name) if alias and alias.this else "unnest"
    if isinstance(offset, exp.Expr) and offset.name and len(names) >= 1 and offset.name not in names:
        names = [*names, offset.name]
    kind = record(node.expressions[0])
    wide = _has_parts(kind) if kind else len(names) - (1 if offset else 0) >= 2
    source = renderer.sql(node.expressions[0])
    if not wide:
        columns = f"({', '.join(quote(n) for n in names)})" if names else ""
        return f"UNNEST({source}){' WITH ORDINALITY' if offset else ''} AS {table}{columns}"
    if not names:
        raise UnsupportedError("UNNEST of a map or of rows without column aliases (write AS t (a, b))")
    values = names[:-1] if offset else names
    parts = [f"struct_extract_at(__item, {i + 1}) AS {quote(n)}" for i, n in enumerate(values)]
    parts += [f"__position AS {quote(names[-1])}"] if offset else []
    maps = kind.name == "map" if kind else renderer.unnest_maps
    listed = f"map_entries({source})" if maps else source
    body = f"SELECT {', '.join(parts)} FROM UNNEST({listed}) WITH ORDINALITY AS __u(__item, __position)"
    return f"LATERAL ({body}) AS {table}"


def _has_parts(kind: Kind) -> bool:
    """Whether each item becomes several columns: a map's entry, or a row."""
    return kind.name == "map" or bool(kind.part and kind.part.name == "row")


def taken_apart_below(tree: exp.Expr) -> exp.Expr:
    """The tree with `FROM a CROSS JOIN UNNEST(list) AS t(x)` as `FROM (SELECT *, unnest(list) AS x FROM a)`.

    To DuckDB the first is a correlated join, which hashes the rows on both sides; the second costs what its rows cost.
    Done where the two say the same: one list, and no column qualified. Changes the tree in place.
    """
    for select in list(tree.find_all(exp.Select)):
        joins, source = select.args.get("joins") or [], select.args.get("from_")
        if len(joins) != 1 or source is None or select.args.get("laterals") or not is_relation(select):
            continue
        unnest = joins[0].this
        plain = joins[0].text("kind").upper() == "CROSS" and not joins[0].side and isinstance(unnest, exp.Unnest)
        columns = _one_list(unnest) if plain else []
        if columns and not any(c.table for c in select.find_all(exp.Column) if c.find_ancestor(exp.Select) is select):
            listed = unnest.expressions[0]
            items = [exp.alias_(exp.Anonymous(this="unnest", expressions=[listed]), columns[0], quoted=True)]
            if len(columns) > 1:
                positions = exp.Anonymous(this=POSITIONS, expressions=[listed.copy()])
                items.append(exp.alias_(positions, columns[1], quoted=True))
            inner = exp.Select(expressions=[exp.Star(), *items])
            inner.set("from_", source)
            alias = exp.TableAlias(this=exp.to_identifier("__unnested"))
            select.set("from_", exp.From(this=exp.Subquery(this=inner, alias=alias)))
            select.set("joins", None)
    return tree


def is_relation(select: exp.Select) -> bool:
    """Whether a SELECT stands where its rows are a relation. A subquery within an expression may mean columns of the
    query around it, which a relation below it would not see.
    """
    node: exp.Expr = select
    while isinstance(node.parent, exp.SetOperation):
        node = node.parent
    place = node.parent.parent if isinstance(node.parent, exp.Subquery) else node.parent
    return place is None or isinstance(place, exp.From | exp.CTE | exp.Create | exp.Insert)


def _one_list(node: exp.Unnest) -> list[str]:
    """The columns of an UNNEST that takes one list to one column, and WITH ORDINALITY to a second; none of others."""
    alias, offset = node.args.get("alias"), node.args.get("offset")
    names = [column.name for column in alias.args.get("columns") or []] if alias else []
    kind = record(node.expressions[0])
    if kind and _has_parts(kind):
        return []
    if len(node.expressions) != 1 or not names or (offset and not isinstance(offset, exp.Identifier)):
        return []
    ordinality = [offset.name] if offset and offset.name not in names else []
    columns = [*names, *ordinality]
    return columns if len(columns) == (2 if offset else 1) else []
