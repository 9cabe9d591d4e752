"""A Redshift statement's tree becomes PostgreSQL's: types, windows and aggregates, functions, keywords."""

from collections.abc import Callable

from sqlglot import exp

from infra.local.redshift.sql.column_types import to_postgres
from infra.local.redshift.sql.dateparts import date_part
from infra.local.redshift.sql.functions import REWRITTEN, call, cast, rewrite_call, text
from infra.local.redshift.sql.lax_cast import lax_cast
from infra.local.redshift.sql.navigation import rewrite_navigation
from infra.local.redshift.sql.output_names import name_outputs
from infra.local.redshift.sql.qualify import rewrite_qualify
from infra.local.redshift.unsupported import LOCAL, UnsupportedError

_KNOWN_SIDE = {"first_value": "first", "last_value": "last", "lag": "last", "lead": "first"}


def to_postgres_tree(tree: exp.Expr) -> exp.Expr:
    """Rewrite the tree (in place where it can be); raises UnsupportedError for what has no counterpart."""
    for data_type in list(tree.find_all(exp.DataType)):
        to_postgres(data_type, of_column=isinstance(data_type.parent, exp.ColumnDef))
    for identifier in tree.find_all(exp.Identifier):
        if identifier.name.startswith("#"):
            identifier.set("quoted", True)
    for step in (
        name_outputs,
        _comparisons,
        _merge_inserts,
        _windows,
        _aggregates,
        rewrite_navigation,
        _calls,
        _keywords,
        rewrite_qualify,
    ):
        tree = step(tree)
    return tree


def _each(
    kinds: type[exp.Expr] | tuple[type[exp.Expr], ...], turn: Callable[[exp.Expr], exp.Expr | None]
) -> Callable[[exp.Expr], exp.Expr]:
    """A step that replaces every node of these kinds, the innermost first, by what `turn` returns (None: as it is)."""

    def step(tree: exp.Expr) -> exp.Expr:
        nodes = [node for node in tree.walk(bfs=False) if isinstance(node, kinds)]
        for node in reversed(nodes):
            turned = turn(node)
            if turned is None or turned is node:
                continue
            if node is tree:
                tree = turned
            else:
                node.replace(turned)
        return tree

    return step


def _merge_insert(insert: exp.Expr) -> exp.Expr | None:
    """INSERT VALUES (...) without columns, which the parser takes for a call of a function named VALUES."""
    values = insert.this.expressions[0] if isinstance(insert.this, exp.Tuple) else None
    if isinstance(insert.parent, exp.When) and isinstance(values, exp.Anonymous) and values.name.lower() == "values":
        return exp.Insert(this=None, expression=exp.Tuple(expressions=values.expressions))
    return None


def _window(window: exp.Expr) -> exp.Expr | None:
    function, ignore = _without_nulls_clause(window)
    name = function.name.lower() if isinstance(function, exp.Anonymous) else ""
    if name == "ratio_to_report":
        total = window.copy()
        total.set("this", call("redshift_sum", *function.expressions))
        return exp.Paren(
            this=exp.Div(this=cast(exp.Paren(this=function.expressions[0]), "double precision"), expression=total)
        )
    if name in ("median", "listagg", "percentile_cont", "percentile_disc") or isinstance(function, exp.WithinGroup):
        raise UnsupportedError(
            f"{LOCAL}{name or function.this.name.lower()} as a window function; use GROUP BY in a subquery"
        )
    if ignore:
        _ignore_nulls(window, function, name)
    return window


def _without_nulls_clause(window: exp.Expr) -> tuple[exp.Expr, bool]:
    function = window.this
    ignore = isinstance(function, exp.IgnoreNulls)
    if isinstance(function, exp.IgnoreNulls | exp.RespectNulls):
        function = function.this
        window.set("this", function)
    for argument in list(function.expressions):
        if isinstance(argument, exp.IgnoreNulls | exp.RespectNulls):
            ignore = ignore or isinstance(argument, exp.IgnoreNulls)
            argument.replace(argument.this)
    return function, ignore


def _ignore_nulls(window: exp.Expr, function: exp.Expr, name: str) -> None:
    """PostgreSQL has no IGNORE NULLS: an aggregate that skips NULL, over the frame that LAG or LEAD looks at."""
    side = _KNOWN_SIDE.get(name)
    if side is None or (name in ("lag", "lead") and len(function.expressions) > 1):
        raise UnsupportedError(f"{LOCAL}IGNORE NULLS in {name} with these arguments")
    bounds = {"lag": ("UNBOUNDED", "PRECEDING", "1", "PRECEDING"), "lead": ("1", "FOLLOWING", "UNBOUNDED", "FOLLOWING")}
    if name in bounds:
        start, start_side, end, end_side = bounds[name]
        spec = exp.WindowSpec(kind="ROWS", start=start, start_side=start_side, end=end, end_side=end_side)
        window.set("spec", spec)
    window.set("this", call(f"redshift_{side}_known", *function.expressions))


def _aggregate(node: exp.Expr) -> exp.Expr | None:
    function = node.this if isinstance(node, exp.WithinGroup) else node
    name = function.name.lower() if isinstance(function, exp.Anonymous) else ""
    if name == "listagg":
        if isinstance(node.parent, exp.WithinGroup):
            return None
        return _listagg(function, node.expression if isinstance(node, exp.WithinGroup) else None)
    if name == "median":
        return _percentile(exp.Literal.number("0.5"), exp.Ordered(this=function.expressions[0], nulls_first=False))
    if name == "percentile_cont" and isinstance(node, exp.WithinGroup):
        (ordered,) = node.expression.expressions
        return _percentile(function.expressions[0], ordered)
    return None


def _percentile(at: exp.Expr, ordered: exp.Ordered) -> exp.Expr:
    """PostgreSQL's own gives a double or an interval: ours takes the values in order."""
    values = call("array_agg", exp.Order(this=ordered.this.copy(), expressions=[ordered]))
    return call("redshift_percentile", at, call("array_remove", values, exp.Null()))


def _listagg(function: exp.Expr, order: exp.Expr | None) -> exp.Expr:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_LISTAGG.html: NULL and empty texts are left out."""
    value, *rest = function.expressions
    if isinstance(value, exp.Distinct):
        inner, *rest = value.expressions
        value = exp.Distinct(expressions=[inner])
    delimiter = rest[0] if rest else exp.Literal.string("")
    ordered = order.expressions if order else []
    if isinstance(value, exp.Distinct):
        if any(term.this != inner for term in ordered):
            raise UnsupportedError(f"{LOCAL}LISTAGG(DISTINCT x) ordered by something other than x")
        ordered = ordered or [exp.Ordered(this=inner.copy(), nulls_first=False)]
        distinct = exp.Order(this=value, expressions=ordered)
        return call("nullif", call("array_to_string", call("array_agg", distinct), delimiter), exp.Literal.string(""))
    known = call("nullif", text(value), exp.Literal.string(""))
    return call("string_agg", known, exp.Order(this=delimiter, expressions=ordered) if ordered else delimiter)


def _call(node: exp.Expr) -> exp.Expr | None:
    if isinstance(node, exp.Dot):
        return _qualified_call(node)
    if not isinstance(node, exp.Anonymous):
        return None
    if node.name.lower() in REWRITTEN | _OURS or node.name.startswith("redshift_"):
        return None
    return rewrite_call(node)


_OURS = frozenset(
    {
        "string_agg",
        "array_agg",
        "array_to_string",
        "array_remove",
        "jsonb_extract_path",
        "jsonb_extract_path_text",
        "pg_input_is_valid",
    }
)


def _qualified_call(node: exp.Dot) -> exp.Expr | None:
    if not isinstance(node.expression, exp.Anonymous):
        return None
    if node.this.name.lower() != "pg_catalog":
        raise UnsupportedError(f"{LOCAL}function {node.sql(dialect='redshift')[:60]}", "42883")
    return node.expression


def _extract(node: exp.Expr) -> exp.Expr:
    """EXTRACT gives whole numbers, of this part alone: docs r_Dateparts_for_datetime_functions.html, "Variations"."""
    part = date_part(node.this)
    if part in ("decade", "microsecond"):
        raise UnsupportedError(f"{LOCAL}EXTRACT({part} ...)")
    node.set("this", exp.Var(this=part))
    whole: exp.Expr = call("trunc", node.copy())
    if part == "millisecond":
        whole = call("mod", whole, exp.Literal.number(1000))
    return cast(whole, "bigint" if part == "epoch" else "integer")


def _keyword(node: exp.Expr) -> exp.Expr | None:
    if isinstance(node, exp.Extract):
        return _extract(node)
    if isinstance(node, exp.TryCast):
        return lax_cast(text(node.this), node.args["to"])
    if isinstance(node, exp.Pow):
        return call("power", cast(node.this, "double precision"), cast(node.expression, "double precision"))
    if isinstance(node, exp.CurrentTimestamp) and node.args.get("sysdate"):
        return exp.Localtimestamp()
    return None


def _compared(node: exp.Expr) -> exp.Expr | None:
    """Blanks at the end of a literal mean nothing where texts are compared.

    https://docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html; those of a column's values do mean some here.
    """
    for side in (node.this, node.expression, *(node.expressions or [])):
        if isinstance(side, exp.Literal) and side.is_string and side.name.endswith(" "):
            side.set("this", side.name.rstrip(" "))
    return None


_comparisons = _each((exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.In), _compared)
_merge_inserts = _each(exp.Insert, _merge_insert)
_windows = _each(exp.Window, _window)
_aggregates = _each((exp.WithinGroup, exp.Anonymous), _aggregate)
_calls = _each((exp.Anonymous, exp.Dot), _call)
_keywords = _each((exp.Extract, exp.TryCast, exp.CurrentTimestamp, exp.Pow), _keyword)
