"""What a query's tree may be made of: node classes, for each its arguments, and the words that are written as they are.

An allow-list, so that what a new release of sqlglot can parse is refused until somebody has looked at it.
"""

import re
from collections.abc import Iterator
from typing import Any

from sqlglot import exp

from iot_pipeline.console.query.guard.dialect import TypedLiteral
from iot_pipeline.console.query.guard.functions import FUNCTIONS
from iot_pipeline.console.query.guard.refusal import RefusedError, refused

# A tree is walked and written recursively; `a AND b AND ...` is as deep as it is long.
MAX_TREE_DEPTH = 160

_QUERY = "with_ order limit offset"
_ARGUMENTS: dict[type[exp.Expr], str] = {
    exp.Select: f"{_QUERY} expressions distinct from_ joins where group having windows",
    exp.Union: f"{_QUERY} this expression distinct",
    exp.Except: f"{_QUERY} this expression distinct",
    exp.Intersect: f"{_QUERY} this expression distinct",
    exp.Subquery: f"{_QUERY} this alias joins",
    exp.With: "expressions",
    exp.CTE: "this alias",
    exp.TableAlias: "this columns",
    exp.Table: "this alias db catalog joins",
    exp.Join: "this on side kind using",
    exp.Lateral: "this alias",
    exp.Unnest: "expressions alias offset",
    exp.Values: "expressions alias order limit offset",
    exp.Group: "expressions grouping_sets cube rollup",
    exp.Ordered: "this desc nulls_first",
    exp.Limit: "expression",
    exp.Offset: "expression",
    exp.Window: "this partition_by order spec alias over",
    exp.WindowSpec: "kind start start_side end end_side",
    exp.Alias: "this alias",
    exp.Column: "this table db catalog",
    exp.Identifier: "this quoted",
    exp.Literal: "this is_string",
    exp.Array: "expressions bracket_notation",
    exp.Bracket: "this expressions offset",
    exp.Case: "this ifs default",
    exp.If: "this true",
    exp.Cast: "this to",
    exp.TryCast: "this to safe requires_string",
    exp.DataType: "this expressions nested",
    exp.ColumnDef: "this kind",
    exp.Interval: "this unit",
    exp.Trim: "this expression position",
    exp.AtTimeZone: "this zone",
    exp.In: "this expressions query",
    exp.Between: "this low high",
    TypedLiteral: "this kind",
    **dict.fromkeys((exp.Order, exp.Lambda, exp.Anonymous), "this expressions"),
    **dict.fromkeys((exp.Tuple, exp.Cube, exp.Rollup, exp.GroupingSets, exp.Distinct), "expressions"),
    **dict.fromkeys((exp.From, exp.Where, exp.Having, exp.Paren, exp.Not, exp.Neg, exp.Boolean, exp.Var), "this"),
    **dict.fromkeys((exp.IgnoreNulls, exp.RespectNulls, exp.DataTypeParam, exp.Exists, exp.All, exp.Any), "this"),
    **dict.fromkeys((exp.Star, exp.Null, exp.CurrentDate, exp.CurrentTimestamp, exp.Localtimestamp), ""),
    **dict.fromkeys((exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.DPipe, exp.And, exp.Or), "this expression"),
    **dict.fromkeys((exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE), "this expression"),
    **dict.fromkeys((exp.Is, exp.Like, exp.Escape, exp.NullSafeEQ, exp.NullSafeNEQ, exp.Dot), "this expression"),
    **dict.fromkeys((exp.Extract, exp.Filter, exp.WithinGroup, exp.IntervalSpan), "this expression"),
}
# sqlglot sets these on what it reads without their meaning anything in Trino.
_IGNORED = {exp.Div: {"typed", "safe"}, exp.DPipe: {"safe"}, exp.Interval: {"fraction_in_string"}}
_ARGUMENT_SETS: dict[type[exp.Expr], set[str]] = {
    node: set(names.split()) | _IGNORED.get(node, set()) for node, names in _ARGUMENTS.items()
}

_TYPE_NAMES = (
    "VARCHAR TEXT CHAR BOOLEAN TINYINT SMALLINT INT BIGINT FLOAT DOUBLE DECIMAL DATE TIME TIMETZ TIMESTAMP TIMESTAMPTZ "
    "VARBINARY JSON ARRAY MAP STRUCT INTERVAL UUID IPADDRESS"
)
_TYPES = frozenset(getattr(exp.DType, name) for name in _TYPE_NAMES.split())
_JOINS = "LEFT RIGHT FULL INNER CROSS OUTER"
_FRAMES = "OVER ROWS RANGE GROUPS UNBOUNDED PRECEDING FOLLOWING"
_LITERAL_TYPES = "DATE TIME TIMESTAMP DECIMAL DOUBLE REAL BIGINT INTEGER JSON"
_TRIMS = "LEADING TRAILING BOTH"
_WORDS = frozenset(f"{_JOINS} {_FRAMES} {_LITERAL_TYPES} {_TRIMS}".split()) | {"CURRENT ROW"}
_UNIT_NAMES = (
    "YEAR QUARTER MONTH WEEK DAY HOUR MINUTE SECOND DAY_OF_MONTH DAY_OF_WEEK DOW DAY_OF_YEAR DOY YEAR_OF_WEEK YOW "
    "TIMEZONE_HOUR TIMEZONE_MINUTE"
)
_UNITS = frozenset(_UNIT_NAMES.split())
_NUMBER = re.compile(r"\d{1,60}|\d{0,60}\.\d{1,60}|\d{1,60}\.|(\d{1,40}\.?\d{0,40}|\.\d{1,40})[eE][+-]?\d{1,4}")
_WORD_OF: dict[type[exp.Expr], str] = {
    exp.Lateral: "LATERAL over anything but a query",
    exp.Fetch: "FETCH FIRST (write LIMIT)",
    exp.TableSample: "TABLESAMPLE",
    exp.MatchRecognize: "MATCH_RECOGNIZE",
}


def check_tree(tree: exp.Expr, sql: str) -> None:
    """Raises RefusedError for the first thing in a tree that is not on the lists. Not recursive."""
    stack: list[tuple[exp.Expr, int]] = [(tree, 1)]
    while stack:
        node, depth = stack.pop()
        if depth > MAX_TREE_DEPTH:
            message = f"a chain of over {MAX_TREE_DEPTH} operators: use IN (...), VALUES or an inner query"
            raise refused("nesting", message, sql, offset_of(node))
        _check_node(node, sql)
        stack += [(child, depth + 1) for child in reversed(children(node))]


def children(node: exp.Expr) -> list[exp.Expr]:
    """The nodes below one, in the order of its arguments."""
    return [value for _, value in _values(node) if isinstance(value, exp.Expr)]


def offset_of(node: exp.Expr) -> int:
    """Where a node begins in the text that it was parsed from: the least offset noted in it, or else above it."""
    stack, found = [node], []
    while stack:
        each = stack.pop()
        if "start" in each.meta:
            found.append(int(each.meta["start"]))
        stack += children(each)
    if found:
        return min(found)
    return offset_of(node.parent) if node.parent else 0


def _values(node: exp.Expr) -> Iterator[tuple[str, Any]]:
    for name, value in node.args.items():
        for each in value if isinstance(value, list) else [value]:
            if each is not None and each is not False:
                yield name, each


def _check_node(node: exp.Expr, sql: str) -> None:
    allowed = _ARGUMENT_SETS.get(type(node))
    if allowed is None:
        word = _WORD_OF.get(type(node), f"{type(node).__name__} ({_excerpt(sql, offset_of(node))})")
        message = f"{word} is not supported here: one SELECT with the expressions of Trino's SELECT is"
        raise refused("syntax", message, sql, offset_of(node))
    for name, value in _values(node):
        if name not in allowed:
            message = f"{name.strip('_').upper()} in {type(node).__name__} is not supported: leave it out"
            raise refused("syntax", message, sql, offset_of(node))
        if not isinstance(value, exp.Expr | bool):
            _check_text(node, name, value, sql)
    _check_shape(node, sql)


def _check_text(node: exp.Expr, name: str, value: Any, sql: str) -> None:
    """An argument that is written as it is must be a word that we know."""
    if isinstance(node, exp.Anonymous):
        known = isinstance(value, str) and value.lower() in FUNCTIONS
        message = f"the function {value} is not on the list of those that compute from their arguments alone"
        kind = "function"
    elif isinstance(node, exp.DataType):
        known, kind, message = value in _TYPES, "type", f"the type {value} is not supported"
    elif isinstance(node, exp.Literal):
        known = node.is_string or bool(_NUMBER.fullmatch(str(value)))
        kind, message = "number", f"{value!r} is no number as Trino writes them"
    elif isinstance(node, exp.Identifier):
        known, kind, message = bool(value) and "$" not in value, "name", f"{value!r} is no name"
    elif isinstance(node, exp.Var):
        known, kind, message = str(value).upper() in _UNITS, "syntax", f"{value!r} is not known here"
    else:
        known = str(value).upper() in _WORDS or (isinstance(value, int) and name == "offset")
        kind, message = "syntax", f"{value!r} is not known here"
    if not known:
        raise refused(kind, message, sql, offset_of(node))


def _check_shape(node: exp.Expr, sql: str) -> None:
    """What the lists of arguments cannot say."""
    wrong = ""
    if isinstance(node, exp.Anonymous) and not isinstance(node.this, str):
        wrong = "a function's name is not quoted"
    elif isinstance(node, exp.Dot) and not isinstance(node.expression, exp.Identifier):
        wrong = "after a dot comes the name of a field; functions have no schema"
    elif isinstance(node, exp.Lateral) and not isinstance(node.this, exp.Subquery):
        wrong = "LATERAL is followed by a query in parentheses"
    elif isinstance(node, exp.Table) and node.this and not isinstance(node.this, exp.Identifier):
        raise _table_function(node, sql)
    elif isinstance(node, exp.Join) and not (node.args.get("on") or node.args.get("using")):
        wrong = _unconditional(node)
    if wrong:
        raise refused("syntax", wrong, sql, offset_of(node))


def _table_function(node: exp.Table, sql: str) -> RefusedError:
    message = "table functions are not supported: in FROM write a table, a query in parentheses, UNNEST or VALUES"
    return refused("table_function", message, sql, offset_of(node))


def _unconditional(node: exp.Join) -> str:
    """What Trino's grammar says of a join without a condition."""
    sided = node.args.get("side") or str(node.args.get("kind") or "").upper() == "INNER"
    return "a join needs ON or USING; without a condition write CROSS JOIN" if sided else ""


def _excerpt(sql: str, offset: int) -> str:
    found = re.match(r"\S{1,20}", sql[offset:])
    return found[0] if found else "the end"
