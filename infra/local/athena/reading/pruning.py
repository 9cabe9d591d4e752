"""Which partitions a query needs: conditions on partition keys, taken from the query, decide it.

Two steps. `wanted` reads the values a key is pinned to straight off the condition (year = '2026', hour IN (...),
any nesting of AND and OR), in time proportional to the condition, however many partitions the table has. Then DuckDB
evaluates the whole condition over the few candidates that are left, so that pruning means what the filter means.
"""

from collections.abc import Callable
from itertools import product

import duckdb
from sqlglot import exp

from infra.local.athena.reading import projection
from infra.local.athena.reading.glue_tables import Catalog, Partition, Table
from infra.local.athena.sql.types import hive_to_duckdb, quote

Conjuncts = list[exp.Expr]
Render = Callable[[exp.Expr], str]
MAX_LOOKUPS = 1000
"""Up to so many registered partitions are asked for by value; beyond it, all are listed."""


def wanted(condition: exp.Expr, key: str) -> set[str] | None:
    """The only values of `key` under which `condition` can hold; None when it does not say."""
    node = condition.unnest()
    if isinstance(node, exp.And):
        left, right = wanted(node.left, key), wanted(node.right, key)
        if left is None or right is None:
            return right if left is None else left
        return left & right
    if isinstance(node, exp.Or):
        left, right = wanted(node.left, key), wanted(node.right, key)
        return None if left is None or right is None else left | right
    if isinstance(node, exp.EQ):
        for side, other in ((node.left, node.right), (node.right, node.left)):
            if _is_key(side, key) and isinstance(other, exp.Literal):
                return {other.name}
    if isinstance(node, exp.In) and _is_key(node.this, key) and node.expressions:
        literals = all(isinstance(v, exp.Literal) for v in node.expressions)
        return {v.name for v in node.expressions} if literals else None
    return None


def prune(
    catalog: Catalog, con: duckdb.DuckDBPyConnection, table: Table, alternatives: list[Conjuncts], render: Render
) -> list[Partition]:
    """The partitions of `table` that any of the alternatives (one a place where the query reads it) can need."""
    found: dict[tuple[str, ...], Partition] = {}
    listed: list[Partition] | None = None
    for conjuncts in alternatives:
        pins = [_pinned(conjuncts, key, numeric) for key, numeric in _key_kinds(table)]
        if table.projected:
            domains = [projection.values_of(table, key, pin) for (key, _), pin in zip(table.keys, pins, strict=True)]
            kept = _evaluate(con, table, _cross(domains), conjuncts, render)
            found.update({v: projection.partition(table, v) for v in kept})
            continue
        candidates = _looked_up(catalog, table, pins)
        if candidates is None:
            listed = catalog.partitions(table) if listed is None else listed
            candidates = listed
        by_values = {p.values: p for p in candidates}
        kept = _evaluate(con, table, _rows(list(by_values)), conjuncts, render)
        found.update({v: by_values[v] for v in kept})
    return [found[v] for v in sorted(found)]


def _key_kinds(table: Table) -> list[tuple[str, bool]]:
    return [(name, hive_to_duckdb(hive) not in {"VARCHAR", "DATE"}) for name, hive in table.keys]


def _is_key(node: exp.Expr, key: str) -> bool:
    return isinstance(node, exp.Column) and node.name.lower() == key


def _pinned(conjuncts: Conjuncts, key: str, numeric: bool) -> set[str] | None:
    """Values `key` must have under all conjuncts. A numeric key's text may be padded, so its pins are not used."""
    if numeric:
        return None
    pins = [pin for c in conjuncts if (pin := wanted(c, key)) is not None]
    return set.intersection(*pins) if pins else None


def _looked_up(catalog: Catalog, table: Table, pins: list[set[str] | None]) -> list[Partition] | None:
    values = [sorted(pin) for pin in pins if pin is not None]
    count = 1
    for value in values:
        count *= len(value)
    if len(values) < len(pins) or count > MAX_LOOKUPS:
        return None
    return catalog.partitions_with(table, values)


class _Candidates:
    """A DuckDB source of partition values (text columns k0, k1, ...) and its parameters."""

    def __init__(self, source: str, parameters: list[list[str]]) -> None:
        self.source, self.parameters = source, parameters


def _cross(domains: list[list[str]]) -> _Candidates:
    joined = " CROSS JOIN ".join(f"(SELECT unnest(?::VARCHAR[]) AS k{i})" for i in range(len(domains)))
    return _Candidates(joined, domains)


def _rows(values: list[tuple[str, ...]]) -> _Candidates:
    columns = [list(column) for column in zip(*values, strict=True)]
    unnested = ", ".join(f"unnest(?::VARCHAR[]) AS k{i}" for i in range(len(columns)))
    return _Candidates(f"(SELECT {unnested})" if columns else "", columns)


def _evaluate(
    con: duckdb.DuckDBPyConnection, table: Table, candidates: _Candidates, conjuncts: Conjuncts, render: Render
) -> list[tuple[str, ...]]:
    if not all(candidates.parameters) or not candidates.source:
        return []
    texts = ", ".join(f"k{i}" for i in range(len(table.keys)))
    typed = ", ".join(
        f"TRY_CAST(k{i} AS {hive_to_duckdb(hive)}) AS {quote(name)}" for i, (name, hive) in enumerate(table.keys)
    )
    base = f"SELECT {texts} FROM (SELECT {texts}, {typed} FROM {candidates.source})"
    where = " AND ".join(f"({render(c)})" for c in conjuncts) or "true"
    try:
        return con.execute(f"{base} WHERE {where}", candidates.parameters).fetchall()
    except duckdb.Error:
        # A condition that cannot be decided on the keys alone prunes nothing; the query's own filter still applies.
        domains = candidates.parameters
        if len({len(d) for d in domains}) == 1 and "CROSS" not in candidates.source:
            return list(zip(*domains, strict=True))
        return list(product(*domains))
