"""Finding constructs of the deny-list in a statement's tree: each function says whether a node is one."""

from collections.abc import Callable

from sqlglot import exp

from infra.local.redshift.sql.functions import AGGREGATES

Found = Callable[[exp.Expr], bool]


def too_many_digits(node: exp.Expr) -> bool:
    """A number of more digits than a DECIMAL has."""
    digits = node.name.replace(".", "").lstrip("0") if isinstance(node, exp.Literal) and not node.is_string else ""
    return digits.isdigit() and len(digits) > 38


def distinct_rows(node: exp.Expr) -> bool:
    """COUNT(DISTINCT (a, b))."""
    return isinstance(node, exp.Distinct) and any(isinstance(value, exp.Tuple) for value in node.expressions)


def is_a(*kinds: type[exp.Expr]) -> Found:
    return lambda node: isinstance(node, kinds)


def has(kind: type[exp.Expr], *args: str) -> Found:
    return lambda node: isinstance(node, kind) and any(node.args.get(arg) for arg in args)


def calls(*names: str) -> Found:
    return lambda node: isinstance(node, exp.Anonymous) and node.name.lower() in names


def column_type(*kinds: exp.DType) -> Found:
    return lambda node: isinstance(node, exp.DataType) and node.this in kinds


def values_in_from(node: exp.Expr) -> bool:
    return isinstance(node, exp.Values) and not isinstance(node.parent, exp.Insert)


def frameless(node: exp.Expr) -> bool:
    if not isinstance(node, exp.Window) or not node.args.get("order") or node.args.get("spec"):
        return False
    function = node.this.this if isinstance(node.this, exp.IgnoreNulls | exp.RespectNulls) else node.this
    return isinstance(function, exp.Anonymous) and function.name.lower() in AGGREGATES


def range_frame(node: exp.Expr) -> bool:
    return isinstance(node, exp.WindowSpec) and (
        str(node.args.get("kind")).upper() != "ROWS" or bool(node.args.get("exclude"))
    )


def window_of_constants(node: exp.Expr) -> bool:
    if not isinstance(node, exp.Window):
        return False
    order = node.args["order"].expressions if node.args.get("order") else []
    terms = [*(term.this for term in order), *(node.args.get("partition_by") or [])]
    return any(isinstance(term, exp.Literal) for term in terms)


def sorted_differently(node: exp.Expr) -> bool:
    """Sort-based aggregates of one SELECT must agree on their order: docs r_PERCENTILE_CONT, usage notes."""
    if not isinstance(node, exp.Select):
        return False
    orders = set()
    for item in node.find_all(exp.WithinGroup, exp.Anonymous):
        if item.parent_select is not node:
            continue
        if isinstance(item, exp.WithinGroup):
            orders.add(
                tuple((term.this.sql().lower(), bool(term.args.get("desc"))) for term in item.expression.expressions)
            )
        elif item.name.lower() == "median":
            orders.add(tuple((argument.sql().lower(), False) for argument in item.expressions))
    return len(orders) > 1


def unnamed_qualify(node: exp.Expr) -> bool:
    if not isinstance(node, exp.Select) or not node.args.get("qualify"):
        return False
    if any(node.args.get(key) for key in ("where", "group", "having")):
        return False
    joins = node.args.get("joins") or []
    last = joins[-1].this if joins else node.args["from_"].this if node.args.get("from_") else None
    on = joins[-1].args.get("on") or joins[-1].args.get("using") if joins else None
    return isinstance(last, exp.Table) and not last.alias and not on


def merge_shape(node: exp.Expr) -> bool:
    if not isinstance(node, exp.Merge):
        return False
    whens = node.args["whens"].expressions
    shape = [bool(when.args.get("matched")) for when in whens]
    conditions = any(when.args.get("condition") or when.args.get("source") for when in whens)
    nothing = any("NOTHING" in when.args["then"].sql().upper() for when in whens)
    return shape != [True, False] or conditions or nothing


def merge_source(node: exp.Expr) -> bool:
    return isinstance(node, exp.Merge) and (not isinstance(node.args["using"], exp.Table) or bool(node.this.alias))


def set_tuple(node: exp.Expr) -> bool:
    return isinstance(node, exp.Update) and any(
        isinstance(item.this, exp.Tuple | exp.Paren) for item in node.expressions
    )


def set_operation_all(node: exp.Expr) -> bool:
    return isinstance(node, exp.Except | exp.Intersect) and node.args.get("distinct") is False


def has_materialized(node: exp.Expr) -> bool:
    """WITH x AS [NOT] MATERIALIZED (...)."""
    return isinstance(node, exp.CTE) and node.args.get("materialized") is not None
