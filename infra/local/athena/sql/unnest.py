"""UNNEST: arrays side by side, maps as (key, value), rows as their fields."""

from typing import Protocol

from sqlglot import exp

from infra.local.athena.errors import QueryError, UnsupportedError
from infra.local.athena.sql.types import quote


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
        raise UnsupportedError("UNNEST of several arrays (use zip or an index)")
    table = quote(alias.name) if alias and alias.this else "unnest"
    if isinstance(offset, exp.Expr) and offset.name and len(names) >= 1 and offset.name not in names:
        names = [*names, offset.name]
    wide = len(names) - (1 if offset else 0) >= 2
    source = renderer.sql(node.expressions[0])
    if not wide:
        columns = f"({', '.join(quote(n) for n in names)})" if names else ""
        return f"UNNEST({source}){' WITH ORDINALITY' if offset else ''} AS {table}{columns}"
    if not names:
        raise QueryError("SYNTAX_ERROR: UNNEST needs column aliases here")
    values = names[:-1] if offset else names
    parts = [f"struct_extract_at(__item, {i + 1}) AS {quote(n)}" for i, n in enumerate(values)]
    parts += [f"__position AS {quote(names[-1])}"] if offset else []
    listed = f"map_entries({source})" if renderer.unnest_maps else source
    body = f"SELECT {', '.join(parts)} FROM UNNEST({listed}) WITH ORDINALITY AS __u(__item, __position)"
    return f"LATERAL ({body}) AS {table}"
