"""What a query's conditions say about the partition keys of each table it reads."""

from typing import Any

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, ScopeType, traverse_scope

from infra.local.athena.errors import QueryError
from infra.local.athena.reading.glue_tables import Table
from infra.local.athena.sql.types import hive_to_duckdb

Conjuncts = list[exp.Expr]


def sources(scope: Scope) -> dict[str, Any]:
    """What a query's FROM and JOINs name, by alias (scope.sources also holds every CTE in sight)."""
    return {name: source for name, (_, source) in scope.selected_sources.items()}


def partition_conditions(query: exp.Expr, tables: dict[int, Table]) -> dict[int, list[Conjuncts]]:
    """For each table reference (by id of its node): one list of conditions for each way the query reaches it.

    Conditions are those that must hold of every row used: conjuncts of WHERE and of inner joins' ON, here or in an
    enclosing query that reads the column through plainly. Only conditions on partition keys alone are returned.
    """
    found: dict[int, list[Conjuncts]] = {node: [] for node in tables}
    scopes = list(traverse_scope(query))
    for scope in scopes:
        for name, source in sources(scope).items():
            if isinstance(source, exp.Table) and id(source) in tables:
                keys = {k for k, _ in tables[id(source)].keys}
                found[id(source)] += _alternatives(scope, name, keys, scopes)
    return {node: conditions or [[]] for node, conditions in found.items()}


def _alternatives(scope: Scope, name: str, keys: set[str], scopes: list[Scope]) -> list[Conjuncts]:
    own = _conditions(scope, name, keys)
    outer = _outer(scope, name, keys, scopes)
    if not outer:
        return [own]
    return [own + more for more in outer]


def _outer(scope: Scope, name: str, keys: set[str], scopes: list[Scope]) -> list[Conjuncts]:
    """Conditions that enclosing queries put on this scope's output columns which are the table's keys, plainly.

    A branch of a set operation is reached as the whole is, whose columns are named by the first branch.
    """
    select = scope.expression
    whole, names = _whole(scope)
    users = [(s, alias) for s in scopes for alias, source in sources(s).items() if source is whole]
    if not users or not isinstance(select, exp.Select):
        return []
    if select.args.get("limit") or select.args.get("offset") or select.find(exp.Window):
        return []
    through = _passed_through(select, scope, name, keys)
    if names:
        own = [item.alias_or_name.lower() for item in select.expressions]
        through = {names[at]: through[column] for at, column in enumerate(own) if column in through and at < len(names)}
    out: list[Conjuncts] = []
    for user, alias in users:
        inner = _alternatives(user, alias, set(through), scopes)
        out += [[_renamed(c, through) for c in conjuncts] for conjuncts in inner]
    return out


def _whole(scope: Scope) -> tuple[Scope, list[str]]:
    """The outermost union of which a query is a branch, and the names of its columns; the query itself, if of none."""
    whole = scope
    while whole.scope_type is ScopeType.SET_OPERATION and whole.parent:
        whole = whole.parent
        limited = whole.expression.args.get("limit") or whole.expression.args.get("offset")
        if type(whole.expression) is not exp.Union or limited or _is_recursive(whole.expression):
            return scope, []
    if whole is scope:
        return scope, []
    first = whole.expression
    while isinstance(first, exp.SetOperation):
        first = first.this.unnest()
    return whole, [item.alias_or_name.lower() for item in first.expressions]


def _is_recursive(query: exp.Expr) -> bool:
    """Whether a query is of a recursive WITH, whose rows come from rows that a condition would leave out."""
    found = query.find_ancestor(exp.With)
    return bool(found and found.args.get("recursive"))


def text_conditions(query: exp.Expr, tables: dict[int, Table]) -> dict[int, list[Conjuncts]]:
    """As `partition_conditions`, of the table's own columns of text: they decide which row groups are read."""
    found: dict[int, list[Conjuncts]] = {node: [] for node in tables}
    scopes = list(traverse_scope(query))
    for scope in scopes:
        for name, source in sources(scope).items():
            if isinstance(source, exp.Table) and id(source) in tables:
                columns = {column for column, kind in tables[id(source)].columns if kind == "string"}
                found[id(source)] += _alternatives(scope, name, columns, scopes)
    return {node: conditions or [[]] for node, conditions in found.items()}


def path_conditions(query: exp.Expr, tables: dict[int, Table]) -> dict[int, Conjuncts]:
    """Of each reference to a table the conditions on "$path" alone: they decide which objects are opened."""
    found = {}
    for scope in traverse_scope(query):
        for name, source in sources(scope).items():
            if isinstance(source, exp.Table) and id(source) in tables:
                found[id(source)] = _conditions(scope, name, {PATH})
    return found


def _passed_through(select: exp.Select, scope: Scope, name: str, keys: set[str]) -> dict[str, str]:
    """Output name -> key, for keys that the select list hands on unchanged (grouped ones only, if it groups)."""
    group = select.args.get("group")
    grouped = {e.name.lower() for e in group.expressions if isinstance(e, exp.Column)} if group else None
    aggregates = group is not None or any(
        isinstance(f.parent, exp.Alias | exp.Select) and f.name.lower() in _AGGREGATES
        for f in select.find_all(exp.Anonymous)
    )
    out = {}
    for item in select.expressions:
        column = item.unalias()
        qualified = isinstance(column, exp.Column) and isinstance(column.this, exp.Star)
        if isinstance(column, exp.Star) or qualified:
            of_this = len(sources(scope)) == 1 or (qualified and column.table == name)
            out.update({k: k for k in keys} if of_this and not aggregates else {})
        elif isinstance(column, exp.Column) and _is_of(column, scope, name) and column.name.lower() in keys:
            if aggregates and column.name.lower() not in (grouped or set()):
                continue
            out[item.alias_or_name.lower()] = column.name.lower()
    return out


PATH = "$path"
_AGGREGATES = {"count", "sum", "min", "max", "avg", "array_agg", "count_if"}


def _conditions(scope: Scope, name: str, keys: set[str]) -> Conjuncts:
    select = scope.expression
    if not isinstance(select, exp.Select):
        return []
    where = select.args.get("where")
    joins = select.args.get("joins") or []
    nullable = {j.alias_or_name for j in joins if j.side} | (
        set(sources(scope)) if any(j.side in {"RIGHT", "FULL"} for j in joins) else set()
    )
    # A filter on the nullable side of an outer join may ask for the missing rows: it does not prune.
    nodes = [where.this] if where and name not in nullable else []
    nodes += [j.args["on"] for j in joins if j.args.get("on") and _binds(j, name, nullable)]
    conjuncts = [c for node in nodes for c in _flatten(node)]
    return [_bare(c) for c in conjuncts if _only_keys(c, scope, name, keys)]


def _binds(join: exp.Join, name: str, nullable: set[str]) -> bool:
    """Whether rows of `name` that fail the join's ON are of no use."""
    if join.side == "LEFT":
        return bool(join.alias_or_name == name)
    return not join.side and name not in nullable


def _flatten(node: exp.Expr) -> Conjuncts:
    node = node.unnest()
    return _flatten(node.left) + _flatten(node.right) if isinstance(node, exp.And) else [node]


def _only_keys(condition: exp.Expr, scope: Scope, name: str, keys: set[str]) -> bool:
    if condition.find(exp.Query):
        return False
    columns = list(condition.find_all(exp.Column))
    return bool(columns) and all(_is_of(c, scope, name) and c.name.lower() in keys for c in columns)


def _is_of(column: exp.Column, scope: Scope, name: str) -> bool:
    if column.table:
        return bool(column.table == name)
    others = (source for alias, source in sources(scope).items() if alias != name)
    return not any(_may_have(source, column.name.lower()) for source in others)


def _may_have(source: Any, name: str) -> bool:
    """Whether a source may have a column of this name: an UNNEST has those that its alias lists, and no others."""
    unnest = source.expression if isinstance(source, Scope) else None
    alias = unnest.args.get("alias") if isinstance(unnest, exp.Unnest) else None
    listed = {column.name.lower() for column in alias.args.get("columns") or []} if alias else set()
    return not listed or name in listed


def _bare(condition: exp.Expr) -> exp.Expr:
    copy = condition.copy()
    for column in list(copy.find_all(exp.Column)):
        column.set("table", None)
        column.set("this", exp.to_identifier(column.name.lower()))
    return copy


def _renamed(condition: exp.Expr, names: dict[str, str]) -> exp.Expr:
    for column in list(condition.find_all(exp.Column)):
        column.set("this", exp.to_identifier(names[column.name.lower()]))
    return condition


_KINDS = {"VARCHAR": "varchar", "BOOLEAN": "boolean", "DATE": "date", "TIMESTAMP": "timestamp"}


def check_columns(query: exp.Expr, tables: dict[int, Table]) -> None:
    """Refuse comparisons of a table's column with a literal of another type, as Trino does (TYPE_MISMATCH).

    Comparisons proved right are marked, so that the translation leaves them bare (and DuckDB can push them down).
    """
    for scope in traverse_scope(query):
        for node in scope.find_all(exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.In, exp.Between):
            column = node.this
            if isinstance(column, exp.Column):
                hive = _column_type(scope, column, tables)
                others = [v for v in _others(node) if isinstance(v, exp.Literal)]
                if hive and others:
                    _check(column, hive, others, node)
                    node.meta["typed"] = len(others) == len(_others(node))


def _others(node: exp.Expr) -> list[exp.Expr]:
    if isinstance(node, exp.In):
        return list(node.expressions)
    if isinstance(node, exp.Between):
        return [node.args["low"], node.args["high"]]
    return [node.args["expression"]]


def _column_type(scope: Scope, column: exp.Column, tables: dict[int, Table]) -> str | None:
    if not column.table and len(sources(scope)) != 1:
        return None
    source = sources(scope).get(column.table) if column.table else next(iter(sources(scope).values()))
    if isinstance(source, exp.Table) and id(source) in tables:
        table = tables[id(source)]
        return {"$path": "string", **dict(table.columns + table.keys)}.get(column.name.lower())
    return None


def _check(column: exp.Column, hive: str, others: list[exp.Literal], node: exp.Expr) -> None:
    kind = hive_to_duckdb(hive)
    left = _KINDS.get(kind, kind.lower())
    for value in others:
        right = "varchar" if value.is_string else "integer" if str(value.this).isdigit() else "decimal"
        if (left == "varchar") != (right == "varchar") or left in {"boolean", "date", "timestamp"}:
            shown = node.sql(dialect="trino")[:80]
            raise QueryError(
                f"TYPE_MISMATCH: Cannot apply operator: {left} {node.key} {right} in {shown}: {column.name}"
            )
