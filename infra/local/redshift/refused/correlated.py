"""Correlated subqueries that Redshift cannot decorrelate.

Source: https://docs.aws.amazon.com/redshift/latest/dg/r_correlated_subqueries.html. Only columns written with their
table's name are seen as correlated: without the tables' columns nothing more can be known here.
"""

from collections.abc import Callable, Iterator

from sqlglot import exp

_OUTER_SIDES = {"LEFT", "RIGHT", "FULL"}


def _sources(select: exp.Select) -> set[str]:
    """The names that FROM and JOIN of this SELECT bring into sight."""
    items = [select.args["from_"].this] if select.args.get("from_") else []
    items += [join.this for join in select.args.get("joins") or []]
    return {item.alias_or_name.lower() for item in items}


def _block(node: exp.Expr) -> exp.Select | None:
    """The SELECT that holds the node, other than as one of its FROM items."""
    return node.parent_select


def _references(select: exp.Select) -> Iterator[tuple[exp.Column, int]]:
    """Columns of this SELECT that belong to a query around it, with the number of blocks between (1: the next one)."""
    for column in select.find_all(exp.Column):
        if _block(column) is not select or not column.table:
            continue
        name, block, depth = column.table.lower(), select, 0
        while block is not None and name not in _sources(block):
            parent = _block(block)
            if parent is None:
                depth = 0
                break
            block, depth = parent, depth + 1
        if depth:
            yield column, depth


def _correlated(node: exp.Expr) -> bool:
    return isinstance(node, exp.Select) and next(_references(node), None) is not None


def _skips_level(node: exp.Expr) -> bool:
    return isinstance(node, exp.Select) and any(depth > 1 for _, depth in _references(node))


def _in_outer_join(node: exp.Expr) -> bool:
    if not isinstance(node, exp.Join) or (node.side or "").upper() not in _OUTER_SIDES:
        return False
    condition = node.args.get("on")
    return condition is not None and any(_correlated(select) for select in condition.find_all(exp.Select))


def _with_window(node: exp.Expr) -> bool:
    return _correlated(node) and any(_block(window) is node for window in node.find_all(exp.Window))


def _grouped_by(node: exp.Expr) -> bool:
    if not isinstance(node, exp.Select) or not node.args.get("group"):
        return False
    for at, item in enumerate(node.expressions, start=1):
        if any(_correlated(select) for select in item.find_all(exp.Select)):
            terms = node.args["group"].expressions
            if any(
                (term.is_int and int(term.name) == at) or term.name.lower() == item.alias.lower() != ""
                for term in terms
            ):
                return True
    return False


def _grouped_in(node: exp.Expr) -> bool:
    if not isinstance(node, exp.In) or not node.args.get("query"):
        return False
    select = node.args["query"].find(exp.Select)
    if select is None or not select.args.get("group") or not _correlated(select):
        return False
    calls = [call.name.lower() for call in select.find_all(exp.Anonymous)]
    return any(name in ("sum", "count", "avg", "stddev", "variance", "listagg", "median") for name in calls)


CORRELATED: tuple[tuple[str, str, Callable[[exp.Expr], bool]], ...] = (
    (
        "correlated: skipped level",
        "a correlated subquery that refers to a query two levels up; use joins",
        _skips_level,
    ),
    ("correlated: outer join", "a correlated subquery in ON of an outer join; join the subquery first", _in_outer_join),
    ("correlated: window", "a correlated subquery with a window function; join the subquery", _with_window),
    ("correlated: group by", "GROUP BY the result of a correlated subquery; join the subquery", _grouped_by),
    ("correlated: grouped in", "IN (correlated subquery with an aggregate and GROUP BY); join it", _grouped_in),
)
