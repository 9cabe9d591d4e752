"""The type of an expression from the types below it, and what Trino refuses about them."""

from collections.abc import Callable, Sequence

from sqlglot import exp

from infra.local.athena.errors import QueryError, UnsupportedError
from infra.local.athena.sql.typed import kinds
from infra.local.athena.sql.typed.kinds import Kind, record
from infra.local.athena.sql.typed.scopes import field_of

Below = list[Kind | None]
_OPERATORS: dict[type[exp.Expr], str] = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.Mod: "%"}
_SMALLEST, _LARGEST = 2**31 - 1, 2**63 - 1


def kind_of_node(node: exp.Expr, below: Below) -> Kind | None:
    """The type of an expression whose parts have these types; None where it is not known.

    Raises QueryError for types that Trino refuses, UnsupportedError for those that this server refuses.
    """
    if check := _CHECKED.get(type(node)):
        check(node, below)
    rule = _RULES.get(type(node))
    return rule(node, below) if rule else None


def _of_cast(node: exp.Expr, below: Below) -> Kind | None:
    del below
    kind = kinds.of_type(node.args["to"])
    if kind and kind.name == "char":
        raise UnsupportedError(f"type {kind}; write varchar")
    return kind


def _of_operation(node: exp.Expr, below: Below) -> Kind | None:
    del below
    left, right = record(node.this), record(node.args["expression"])
    return kinds.result_of(_OPERATORS[type(node)], left, right) if left and right else None


def _of_case(node: exp.Expr, below: Below) -> Kind | None:
    del below
    branches = [record(branch.args["true"]) for branch in node.args["ifs"]]
    other = node.args.get("default")
    return together([*branches, record(other) if other else kinds.UNKNOWN], "All CASE results")


def _of_join(node: exp.Expr, below: Below) -> Kind | None:
    del below
    left, right = record(node.this), record(node.args["expression"])
    if left and left.parts and right and right.parts:
        return kinds.common((left, right))
    if left and right and "array" in (left.name, right.name):
        return left if left.parts else right
    return left if left and left.name in {"varchar", "varbinary"} else None


def _of_interval(node: exp.Expr, below: Below) -> Kind:
    del below
    months = any(unit in node.args["unit"].sql().upper() for unit in ("YEAR", "MONTH"))
    return Kind(kinds.YEAR_MONTH if months else kinds.DAY_TIME)


def together(given: Sequence[Kind | None], what: str) -> Kind | None:
    """The common type; QueryError where all types are known and have none."""
    met = kinds.common(given)
    if met is None and not any(kinds.is_partly_known(kind) for kind in given):
        shown = ", ".join(dict.fromkeys(str(kind) for kind in given))
        raise QueryError(
            f"TYPE_MISMATCH: line 1:1: {what} must be the same type or coercible to a common type. Cannot find common "
            f"type between {shown}"
        )
    return met


def _check_conditions(node: exp.Expr, below: list[Kind | None]) -> None:
    wrong = [kind for kind in below if kind not in {None, kinds.BOOLEAN, kinds.UNKNOWN}]
    if wrong:
        what = type(node).__name__.upper()
        raise QueryError(f"TYPE_MISMATCH: line 1:1: {what} expression must evaluate to a boolean (actual: {wrong[0]})")


def _check_texts(node: exp.Expr, below: list[Kind | None]) -> None:
    del node
    wrong = [kind for kind in below if kind not in {None, kinds.VARCHAR, kinds.UNKNOWN}]
    if wrong:
        raise QueryError(f"TYPE_MISMATCH: line 1:1: Left side and pattern of LIKE must be varchar (actual: {wrong[0]})")


def _check_negated(node: exp.Expr, below: list[Kind | None]) -> None:
    kind = below[0]
    if kind and kind != kinds.UNKNOWN and kind.name not in (*kinds.NUMBERS, kinds.DAY_TIME, kinds.YEAR_MONTH):
        raise QueryError(f"TYPE_MISMATCH: Cannot negate {kind}: {node.sql(dialect='trino')[:60]}")


def _check_compared(node: exp.Expr, below: list[Kind | None]) -> None:
    del below
    if isinstance(node, exp.Between):
        others = [node.args["low"], node.args["high"]]
    else:
        query = node.args.get("query")
        others = [*node.expressions, *([query.this if isinstance(query, exp.Subquery) else query] if query else [])]
    values = [record(node.this), *map(record, others)]
    if len(values) > 1:
        together(values, "IN or BETWEEN value and items")


def kind_of_map(name: str, given: Below) -> Kind | None:
    """The type of map, map_entries and map_from_entries."""
    if not given:
        return kinds.mapping(kinds.UNKNOWN, kinds.UNKNOWN)
    parts = [kind.parts if kind else () for kind in given]
    if name == "map" and len(parts) == 2 and all(parts):
        return kinds.mapping(parts[0][0], parts[1][0])
    if name == "map_entries" and len(parts[0]) == 2:
        return kinds.array(kinds.row((None, kind) for kind in parts[0]))
    item = parts[0][0] if name == "map_from_entries" and parts[0] else None
    return kinds.mapping(*item.parts) if item and len(item.parts) == 2 else None


def kind_of_literal(node: exp.Literal) -> Kind | None:
    """The type of a literal; QueryError for a number that is too large."""
    text = node.name
    if node.is_string:
        return kinds.VARCHAR
    if "e" in text.lower():
        return kinds.DOUBLE
    if "." in text:
        whole, _, fraction = text.partition(".")
        digits = len(whole.lstrip("0")) + len(fraction)
        if digits > kinds.WIDEST:
            raise QueryError(f"INVALID_LITERAL: Value too large for decimal: {text}")
        return kinds.decimal(max(digits, 1), len(fraction))
    if not text.isdigit():
        return None
    if int(text) > _LARGEST + isinstance(node.parent, exp.Neg):
        raise QueryError(f"SYNTAX_ERROR: line 1:1: Invalid numeric literal: {text}")
    return kinds.INTEGER if int(text) <= _SMALLEST else kinds.BIGINT


def _item(kind: Kind | None, index: exp.Expr) -> Kind | None:
    if kind is None or not kind.parts:
        return None
    if kind.name == "row":
        at = int(index.name) - 1 if isinstance(index, exp.Literal) and index.name.isdigit() else -1
        return kind.parts[at] if 0 <= at < len(kind.parts) else None
    return kind.parts[-1]


def _fixed(kind: Kind) -> Callable[[exp.Expr, Below], Kind]:
    return lambda *_: kind


def in_zone(kind: Kind | None) -> Kind:
    """The type of a moment seen in a zone."""
    return Kind(kinds.ZONED, kind.numbers) if kind and kind.name in {"timestamp", kinds.ZONED} else kinds.INSTANT


def _first(node: exp.Expr, below: Below) -> Kind | None:
    del node
    return below[0]


_CHECKED: dict[type[exp.Expr], Callable[[exp.Expr, Below], None]] = {
    **dict.fromkeys((exp.And, exp.Or, exp.Not, exp.Where, exp.Having), _check_conditions),
    **dict.fromkeys((exp.In, exp.Between), _check_compared),
    exp.Like: _check_texts,
    exp.Neg: _check_negated,
}
_LOGICAL = (
    *(exp.And, exp.Or, exp.Not, exp.Where, exp.Having, exp.In, exp.Between, exp.Is, exp.Like, exp.Escape, exp.Exists),
    *(exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.NullSafeNEQ, exp.Boolean),
)
_RULES: dict[type[exp.Expr], Callable[[exp.Expr, Below], Kind | None]] = {
    **dict.fromkeys((exp.Cast, exp.TryCast), _of_cast),
    **dict.fromkeys((exp.Paren, exp.Alias, exp.Neg, exp.Filter, exp.IgnoreNulls, exp.RespectNulls), _first),
    **dict.fromkeys(_OPERATORS, _of_operation),
    **dict.fromkeys(_LOGICAL, _fixed(kinds.BOOLEAN)),
    exp.Window: lambda node, _: record(node.this),
    exp.Case: _of_case,
    exp.Array: lambda _, below: kinds.array(together(below, "All ARRAY elements")),
    exp.Tuple: lambda _, below: kinds.row((None, kind) for kind in below),
    exp.Dot: lambda node, _: field_of(record(node.this), node.args["expression"].name),
    exp.Bracket: lambda node, _: _item(record(node.this), node.expressions[0]),
    exp.DPipe: _of_join,
    exp.Interval: _of_interval,
    exp.Null: _fixed(kinds.UNKNOWN),
    exp.HexString: _fixed(kinds.VARBINARY),
    exp.AtTimeZone: lambda _, below: in_zone(below[0]),
    exp.ParseJSON: _fixed(kinds.JSON),
    exp.Extract: _fixed(kinds.BIGINT),
    exp.CurrentDate: _fixed(kinds.DATE),
    exp.CurrentTimestamp: _fixed(kinds.INSTANT),
    exp.Localtimestamp: _fixed(kinds.TIMESTAMP),
    exp.Trim: _fixed(kinds.VARCHAR),
}
