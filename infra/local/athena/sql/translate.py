"""Trino expressions and queries as DuckDB text."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB

from infra.local.athena.errors import QueryError, UnsupportedError
from infra.local.athena.shortcuts.json_numbers import json_number
from infra.local.athena.sql import json_fields
from infra.local.athena.sql.casts import CastText, may_fail
from infra.local.athena.sql.functions import lookup
from infra.local.athena.sql.macros import REFUSING
from infra.local.athena.sql.moments import INSTANT_READERS, WALL_READERS
from infra.local.athena.sql.typed import kinds
from infra.local.athena.sql.typed.forms import PLAIN_AGGREGATES, typed_form
from infra.local.athena.sql.typed.inference import infer
from infra.local.athena.sql.typed.kinds import Kind, duckdb_text, record
from infra.local.athena.sql.typed.scopes import Columns
from infra.local.athena.sql.typed.signatures import resolve
from infra.local.athena.sql.unnest import POSITIONS, taken_apart_below, unnest_relation

ZONED_COLUMN = "__zoned"
"""The call that stands for a column of the result whose time zone is shown."""
JSON_COLUMN = "__json"
"""The call that stands for a column of JSON in the result, which is shown as Trino writes it."""
T = exp.DataType.Type
_COMPARISONS = {exp.EQ: "=", exp.NEQ: "<>", exp.GT: ">", exp.GTE: ">=", exp.LT: "<", exp.LTE: "<="}
_OPERATORS = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Mod: "%"}
_NULLS = {"lag", "lead", "first_value", "last_value", "nth_value"}
_EXTRACTED = {
    *("year", "quarter", "month", "week", "day", "day_of_month", "day_of_week", "dow", "day_of_year", "doy"),
    *("year_of_week", "yow", "hour", "minute", "second"),
}
_OVER = exp.Window | exp.Filter | exp.WithinGroup | exp.IgnoreNulls | exp.RespectNulls
_FLOATS = {"real", "double"}
_NARROWED = {"sum", "avg", "count_if", "grouping"}


class DuckDBText(CastText):
    """Writes Trino's tree as DuckDB text with Trino's meaning."""

    def __init__(self, *, unnest_maps: bool = True, shortcuts: bool = False, **options: Any) -> None:
        super().__init__(dialect=DuckDB(), **options)
        self.unnest_maps = unnest_maps
        self.shortcuts = shortcuts

    # Calls

    def anonymous_sql(self, expression: exp.Anonymous) -> str:
        """A call of a Trino function."""
        text = self._call(expression)
        return text if isinstance(expression.parent, _OVER) else _finished(expression, text)

    def _call(self, node: exp.Anonymous) -> str:
        name, arguments = node.name.lower(), node.expressions
        if name == "try":
            return self._try(arguments[0])
        if name == "if":
            return self._if(arguments)
        if name == "row":
            return f"row({', '.join(self.value(a) for a in arguments)})"
        if name == "unnest":
            return super().anonymous_sql(node)
        if name == POSITIONS:
            return f"unnest(range(1, len({self.sql(arguments[0])}) + 1))"
        if name == JSON_COLUMN:
            return f"trino_java_json({self.sql(arguments[0])})"
        if name == ZONED_COLUMN:
            return self.zoned_sql(arguments[0])
        if arguments and isinstance(arguments[0], exp.Distinct | exp.Order):
            return self._aggregate(node, name, arguments)
        if name in {"at_timezone", "with_timezone"} or (name == "from_unixtime" and len(arguments) == 2):
            return self.kept(node)
        if self.zone(node) is not None:
            return self.kept(node)
        if name == "mod" and len(arguments) == 2 and (found := self.operation(_modulo(node), "%")):
            return found
        return self._rendered(node, name, arguments)

    def _rendered(self, node: exp.Anonymous, name: str, arguments: list[exp.Expr]) -> str:
        """The function's form for the types of its arguments, or the one for all types."""
        lookup(name)
        given = [self._argument(name, a) for a in arguments]
        form, kind = node.meta.get("form"), record(node)
        if typed := typed_form(name, given, node, kind, self.sql):
            return typed
        if form and form.template:
            shown = duckdb_text(kind) if kind and "{kind}" in form.template else ""
            return str(form.template.format(*(self.sql(a) for a in given), kind=shown))
        return lookup(name).render(self, name, given)

    def _argument(self, name: str, node: exp.Expr) -> exp.Expr:
        """The argument as the function reads it: a timestamp's wall clock, its instant, or as a value."""
        kind = record(node)
        if kind is None or kind.name != kinds.ZONED or self.zone(node) is None:
            return node
        text = self.wall(node) if name in WALL_READERS else self.instant(node)
        if name not in WALL_READERS | INSTANT_READERS | {"date_diff"}:
            text = self.kept(node)
        replaced = exp.Var(this=text)
        replaced.meta["kind"] = kinds.TIMESTAMP if name in WALL_READERS else kind
        return replaced

    def value(self, node: exp.Expr) -> str:
        """An expression where a zone of its own would be lost."""
        kind = record(node)
        return self.kept(node) if kind and kind.name == kinds.ZONED else self.sql(node)

    def _aggregate(self, node: exp.Anonymous, name: str, arguments: list[exp.Expr]) -> str:
        """An aggregate with DISTINCT or ORDER BY among its arguments."""
        first, order = arguments[0], ""
        if isinstance(first, exp.Order):
            order = " ORDER BY " + ", ".join(self.sql(o) for o in first.expressions)
            first = first.this
        distinct = isinstance(first, exp.Distinct)
        values = first.expressions if isinstance(first, exp.Distinct) else [first]
        text = self._rendered(node, name, values + arguments[1:])
        if not re.match(r"(\w+)\(", text) or text.startswith("trino_") or name not in PLAIN_AGGREGATES:
            raise UnsupportedError(f"DISTINCT or ORDER BY in {name} (put it in a subquery)")
        if distinct and name == "count" and len(values) > 1:
            raise UnsupportedError("count(DISTINCT a, b)")
        head, _, rest = text.partition("(")
        return f"{head}({'DISTINCT ' if distinct else ''}{rest[:-1]}{order})"

    def _if(self, arguments: list[exp.Expr]) -> str:
        other = self.sql(arguments[2]) if len(arguments) > 2 else "NULL"
        return f"CASE WHEN {self.sql(arguments[0])} THEN {self.sql(arguments[1])} ELSE {other} END"

    def _try(self, node: exp.Expr) -> str:
        """TRY(x): casts and parses become their NULL-returning forms; anything else is DuckDB's own TRY."""
        quiet = self._quiet(node)
        if quiet is not None:
            return quiet
        text = self.sql(node)
        if refusing := REFUSING.search(text):
            # DuckDB's TRY would make a NULL of this server's own refusal.
            raise UnsupportedError(f"TRY over this expression ({refusing[0].strip('(')}): TRY around a part of it")
        return f"TRY({text})"

    def _quiet(self, node: exp.Expr) -> str | None:
        node = node.unnest()
        if _cannot_fail(node):
            return self.sql(node)
        if isinstance(node, exp.Cast):
            inner = self._quiet(node.this)
            return None if inner is None else self.cast(node, inner, quiet=True)
        if isinstance(node, exp.Anonymous) and len(node.expressions) == 1:
            inner = self._quiet(node.expressions[0])
            name = node.name.lower()
            if inner is not None and name == "json_parse":
                return f"TRY_CAST(trino_json_text({inner}) AS JSON)"
            if inner is not None and name == "from_iso8601_timestamp":
                return f"trino_utc(trino_try_iso8601({inner}), trino_iso8601_zone({inner}))"
            if inner is not None and name == "from_base64":
                return f"TRY(from_base64({inner}))"
            if inner is not None and name in {"from_utf8", "to_utf8", "to_unixtime", "from_unixtime", "abs"}:
                return lookup(name).render(self, name, [exp.Var(this=inner)])
        return None

    # Casts

    def cast_sql(self, expression: exp.Cast, safe_prefix: str | None = None) -> str:  # noqa: ARG002 - sqlglot's signature
        """CAST, and literals such as DATE '2026-01-01'."""
        if expression.to.this == T.TIMESTAMPTZ and isinstance(expression.this, exp.Literal):
            return self.kept(expression)
        if self.zone(expression) is not None:
            return self.kept(expression)
        return self.cast(expression, self._operand(expression), quiet=False)

    def trycast_sql(self, expression: exp.TryCast) -> str:
        """TRY_CAST."""
        number = json_number(expression) if self.shortcuts else None
        if number and record(number[1]) == kinds.JSON:
            return f"{number[0]}({self.sql(number[1])})"
        return self.cast(expression, self._operand(expression), quiet=True)

    def _operand(self, node: exp.Cast) -> str:
        kind = record(node.this)
        return self.instant(node.this) if kind and kind.name == kinds.ZONED else self.sql(node.this)

    def dot_sql(self, expression: exp.Dot) -> str:
        """A field of a row; of a cast it is refused where DuckDB, which makes the one field alone, would not fail."""
        inner = expression.this.unnest()
        if isinstance(inner, exp.Cast) and may_fail(record(inner.this), record(inner)):
            raise UnsupportedError("a field of a CAST to ROW (cast the field alone)")
        return super().dot_sql(expression)

    def attimezone_sql(self, expression: exp.AtTimeZone) -> str:
        """AT TIME ZONE: the same instant, seen in a zone."""
        if self.zone(expression) is not None:
            return self.kept(expression)
        return f"CAST({self.instant(expression.this)} AS TIMESTAMPTZ)"

    def parsejson_sql(self, expression: exp.ParseJSON) -> str:
        """JSON '...'."""
        return lookup("json_parse").render(self, "json_parse", [expression.this])

    # Operators

    def binary(self, expression: exp.Binary, op: str) -> str:
        """Comparisons are typed as in Trino; AND chains and the rest stay."""
        typed = expression.meta.get("typed") or _same_kind(expression)
        if isinstance(expression, exp.EQ | exp.NEQ) and (value := _compared_json(expression)):
            return f"CAST({self.sql(value)} AS VARCHAR) {op} {self.sql(expression.right)}"
        if type(expression) in _COMPARISONS:
            if compared := self.compared(expression, _COMPARISONS[type(expression)]):
                return f"({compared})" if " NOT isnan(" in compared or " OR isnan(" in compared else compared
            if not typed and not _in_join(expression):
                left, right = self.sql(expression.left), self.sql(expression.right)
                return f"trino_same({left}, {right}, {left} {op} {right})"
        return super().binary(expression, op)

    def window_sql(self, expression: exp.Window) -> str:
        """OVER: the frame is DuckDB's own, the result has Trino's type."""
        spec = expression.args.get("spec")
        if spec and spec.args.get("exclude"):
            raise UnsupportedError("EXCLUDE in a window frame")
        _check_window(expression.this, spec)
        text = super().window_sql(expression)
        return text if expression.find_ancestor(exp.Window) else _finished(expression, text)

    def filter_sql(self, expression: exp.Filter) -> str:
        """FILTER (WHERE ...) of an aggregate."""
        call = expression.this
        if isinstance(call, exp.Anonymous) and call.name.lower() not in PLAIN_AGGREGATES:
            raise UnsupportedError(f"FILTER of {call.name.lower()} (filter in a subquery)")
        text = super().filter_sql(expression)
        return text if isinstance(expression.parent, exp.Window) else _finished(expression, text)

    def ignorenulls_sql(self, expression: exp.IgnoreNulls) -> str:
        """IGNORE NULLS, which DuckDB takes among the arguments."""
        call = expression.this
        if not isinstance(call, exp.Anonymous) or call.name.lower() not in _NULLS:
            raise UnsupportedError("IGNORE NULLS of a function other than lag, lead and first_, last_ and nth_value")
        return f"{self.sql(call)[:-1]} IGNORE NULLS)"

    def respectnulls_sql(self, expression: exp.RespectNulls) -> str:
        """RESPECT NULLS, which is so without being said."""
        return self.sql(expression, "this")

    def in_sql(self, expression: exp.In) -> str:
        """IN; NaN is in no list, and timestamps with time zone are the same if their instants are."""
        items = [expression.this, *expression.expressions]
        if not expression.args.get("query") and any(self.zone(item) is not None for item in items):
            value, *listed_items = map(self.instant, items)
            return f"{value} IN ({', '.join(listed_items)})"
        text = super().in_sql(expression)
        kind = record(expression.this)
        listed = all(isinstance(item.unnest(), exp.Literal) for item in expression.expressions)
        numbers = listed and not expression.args.get("query")
        return (
            text
            if numbers or not kind or kind.name not in _FLOATS
            else f"({text} AND NOT isnan({self.sql(expression.this)}))"
        )

    def ordered_sql(self, expression: exp.Ordered) -> str:
        """ORDER BY; timestamps with time zone by their instants."""
        kind = record(expression.this)
        if kind and not kinds.is_orderable(kind):
            raise QueryError(
                f"TYPE_MISMATCH: line 1:1: Type {kind} is not orderable, and therefore cannot be used in ORDER BY"
            )
        if self.zone(expression.this) is not None:
            expression = expression.copy()
            expression.set("this", exp.Var(this=self.instant(expression.this)))
        return super().ordered_sql(expression)

    def between_sql(self, expression: exp.Between) -> str:
        """BETWEEN; NaN is between no two numbers."""
        sides = [expression.this, expression.args["low"], expression.args["high"]]
        for kind in map(record, sides):
            if kind and not kinds.is_orderable(kind):
                raise QueryError(f"TYPE_MISMATCH: line 1:1: Cannot check if {kind} is BETWEEN values")
        if any((kind := record(side)) and kind.name == kinds.ZONED for side in sides):
            value, low, high = (self.instant(side) for side in sides)
            return f"{value} BETWEEN {low} AND {high}"
        kind = record(expression.args["high"])
        text = super().between_sql(expression)
        nan = kind and kind.name in _FLOATS and not isinstance(sides[2].unnest(), exp.Literal)
        return f"({text} AND NOT isnan({self.sql(sides[2])}))" if nan else text

    def div_sql(self, expression: exp.Div) -> str:
        """Integer division truncates, and division of numbers by zero is an error."""
        untyped = f"trino_div({self.sql(expression.left)}, {self.sql(expression.right)})"
        return self._operated(expression, "/") or untyped

    def add_sql(self, expression: exp.Add) -> str:
        """Addition, of numbers, and of intervals to moments."""
        return self._operated(expression, "+") or super().add_sql(expression)

    def sub_sql(self, expression: exp.Sub) -> str:
        """Subtraction, of numbers, moments and intervals."""
        untyped = f"trino_minus({self.sql(expression.left)}, {self.sql(expression.right)})"
        return self._operated(expression, "-") or untyped

    def mul_sql(self, expression: exp.Mul) -> str:
        """Multiplication, of numbers and of an interval by a number."""
        return self._operated(expression, "*") or super().mul_sql(expression)

    def mod_sql(self, expression: exp.Mod) -> str:
        """The remainder, with the dividend's sign."""
        return self._operated(expression, "%") or super().mod_sql(expression)

    def _operated(self, node: exp.Binary, op: str) -> str | None:
        return self.kept(node) if self.zone(node) is not None else self.operation(node, op)

    def neg_sql(self, expression: exp.Neg) -> str:
        """The negative; the smallest BIGINT is a literal of its own."""
        inner = expression.this
        if isinstance(inner, exp.Literal) and inner.name == "9223372036854775808":
            return "CAST(-9223372036854775808 AS BIGINT)"
        kind = record(expression)
        text = f"(- {self.sql(inner)})"
        plain = isinstance(inner.unnest(), exp.Literal | exp.Column) and kind != kinds.BIGINT
        return f"CAST({text} AS {duckdb_text(kind)})" if kind and kind.name in kinds.INTEGERS and not plain else text

    def dpipe_sql(self, expression: exp.DPipe) -> str:
        """|| joins texts, binaries and arrays; an array also takes an item at either end."""
        a, b = record(expression.left), record(expression.right)
        if a and b and "array" in (a.name, b.name) and kinds.UNKNOWN not in (a, b):
            left, right = self.value(expression.left), self.value(expression.right)
            left = left if a.name == "array" else f"[{left}]"
            right = right if b.name == "array" else f"[{right}]"
            return f"trino_array_concat({left}, {right})"
        return f"({self._text(expression.left)} || {self._text(expression.right)})"

    def _text(self, node: exp.Expr) -> str:
        kind = record(node)
        if kind and kind.name not in {"varchar", "varbinary", "unknown", "array"}:
            raise QueryError(f"FUNCTION_NOT_FOUND: line 1:1: Unexpected parameters ({kind}) for function concat (||)")
        known = kind is not None or isinstance(node.unnest(), exp.DPipe) or _kind(node) == "text"
        return self.sql(node) if known else f"trino_text({self.sql(node)})"

    def bracket_sql(self, expression: exp.Bracket) -> str:
        """A subscript that is out of range is an error."""
        value, index = self.sql(expression.this), self.sql(expression.expressions[0])
        kind = record(expression.this)
        if kind and kind.name == "row":
            return f"struct_extract_at({value}, {index})"
        macro = f"trino_{kind.name}_subscript" if kind and kind.name in {"array", "map"} else "trino_subscript"
        return f"{macro}({value}, {index})"

    def escape_sql(self, expression: exp.Escape) -> str:
        """LIKE ... ESCAPE."""
        return f"({self.sql(expression.this)} ESCAPE {self.sql(expression.expression)})"

    def trim_sql(self, expression: exp.Trim, default_trim_type: str = "") -> str:  # noqa: ARG002 - sqlglot's signature
        """trim(x); the longer forms are refused."""
        if expression.args.get("expression") or expression.args.get("position"):
            raise UnsupportedError("TRIM(... FROM ...)")
        return lookup("trim").render(self, "trim", [expression.this])

    def extract_sql(self, expression: exp.Extract) -> str:
        """EXTRACT(field FROM x) is the function of that name."""
        name = expression.this.name.lower()
        if name in {"timezone_hour", "timezone_minute"}:
            raise UnsupportedError(f"EXTRACT({name.upper()} FROM ...)")
        if name not in _EXTRACTED:
            raise QueryError(f"SYNTAX_ERROR: line 1:1: Invalid EXTRACT field: {name.upper()}")
        call = exp.Anonymous(this=name, expressions=[expression.expression.copy()])
        form = resolve(name, [record(expression.expression)])
        call.meta.update({"kind": kinds.BIGINT, "form": form})
        return self.anonymous_sql(call)

    def unnest_sql(self, expression: exp.Unnest) -> str:
        """UNNEST as a relation, with the columns that Trino gives it."""
        return unnest_relation(self, expression)


_TEXT_FUNCTIONS = {
    *("json_format", "json_extract_scalar", "substr", "substring", "regexp_extract", "regexp_replace", "lower"),
    *("upper", "trim", "replace", "chr"),
}
_NUMBER_FUNCTIONS = {"length", "strpos", "json_size", "json_array_length", "cardinality", "abs", "date_diff"}


def _kind(node: exp.Expr) -> str | None:
    """Whether an expression is a text or a number, where its own text says so."""
    node = node.unnest()
    if isinstance(node, exp.Literal):
        return "text" if node.is_string else "number"
    if isinstance(node, exp.Anonymous):
        name = node.name.lower()
        return "text" if name in _TEXT_FUNCTIONS else "number" if name in _NUMBER_FUNCTIONS else None
    return None


def _same_kind(comparison: exp.Expr) -> bool:
    """Whether both sides are known to be texts, or numbers: then nothing needs guarding, and less is bound."""
    if not isinstance(comparison, exp.Binary):
        return False
    left = _kind(comparison.left)
    return left is not None and left == _kind(comparison.right)


_WORDS = {"null", "true", "false"}


def _compared_json(comparison: exp.Binary) -> exp.Expr | None:
    """The x of json_format(x) compared with a word of JSON, which has a single writing."""
    call, other = comparison.left.unnest(), comparison.right
    text = other.name if isinstance(other, exp.Literal) and other.is_string else ""
    one = isinstance(call, exp.Anonymous) and call.name.lower() == "json_format" and len(call.expressions) == 1
    return call.expressions[0] if one and text in _WORDS else None


def _cannot_fail(node: exp.Expr) -> bool:
    """Whether no value can make the expression fail."""
    harmless = exp.Column | exp.Literal | exp.Var | exp.Dot | exp.Identifier | exp.Null | exp.Paren
    return all(
        isinstance(n, harmless) or (isinstance(n, exp.Anonymous) and n.name.lower() in _HARMLESS.split())
        for n in node.walk()
    )


_HARMLESS = (
    "substr substring lower upper length trim ltrim rtrim replace strpos coalesce nullif json_extract_scalar "
    "json_extract json_format regexp_extract regexp_like element_at "
)


def _in_join(node: exp.Expr) -> bool:
    """Whether the comparison decides a join: DuckDB must see it bare to choose a hash join."""
    parent = node.parent
    while isinstance(parent, exp.And | exp.Paren | exp.Or):
        parent = parent.parent
    return isinstance(parent, exp.Join)


@dataclass(frozen=True)
class Translated:
    """A statement for DuckDB, and the names and Trino types of its columns, none where they cannot be told."""

    sql: str
    names: list[str]
    kinds: list[Kind | None]


def translated(
    tree: exp.Expr,
    tables: Mapping[str, Columns] | None = None,
    *,
    unnest_maps: bool = True,
    shortcuts: bool = False,
    shown: bool = False,
) -> Translated:
    """A Trino tree for DuckDB; QueryError or UnsupportedError for what has no equal there.

    `tables` are the columns of the tables by their names in the tree. UNNEST(x) AS t(a, b) takes a map or an array of
    rows apart; `unnest_maps` says which, where no type says it. `shortcuts` says whether to take those of
    infra/local/athena/shortcuts, `shown` whether the rows go to a person, who sees the time zones of timestamps.
    """
    tree = tree.copy()
    columns = infer(tree, tables)
    if shown:
        _shown(tree)
    tree = json_fields.gathered(taken_apart_below(tree))
    writer = DuckDBText(unnest_maps=unnest_maps, shortcuts=shortcuts, comments=False)
    text = writer.generate(tree, copy=False)
    if not text:
        raise QueryError("SYNTAX_ERROR: empty statement")
    return Translated(text, [name for name, _ in columns], [kind for _, kind in columns])


def to_duckdb(tree: exp.Expr, *, unnest_maps: bool = True, shortcuts: bool = False) -> str:
    """DuckDB text of a Trino tree; raises as `translated` does."""
    return translated(tree, unnest_maps=unnest_maps, shortcuts=shortcuts).sql


def _shown(tree: exp.Expr) -> None:
    """Keep the zones of the outermost SELECT's columns, where nothing but the reader looks at them; and write JSON."""
    if not isinstance(tree, exp.Select) or tree.args.get("distinct"):
        return
    for item in list(tree.expressions):
        inner = item.unalias()
        kind = record(inner)
        zoned = kind and kind.name == kinds.ZONED and not isinstance(inner, exp.Column | exp.Window | exp.Subquery)
        if zoned and not tree.args.get("group"):
            _wrapped(inner, ZONED_COLUMN)
        elif kind == kinds.JSON and not tree.args.get("group"):
            _wrapped(inner, JSON_COLUMN)


def _wrapped(node: exp.Expr, name: str) -> None:
    call = exp.Anonymous(this=name, expressions=[node.copy()])
    if isinstance(node.parent, exp.Select) and isinstance(node, exp.Column):
        node.replace(exp.alias_(call, node.name, quoted=True))
    else:
        node.replace(call)


def _finished(node: exp.Expr, text: str) -> str:
    """An aggregate with Trino's type, where DuckDB's is wider."""
    call = node
    while isinstance(call, _OVER):
        call = call.this
    kind = record(node)
    if isinstance(call, exp.Anonymous) and kind and call.name.lower() in {"min", "max"} and kind.name in _FLOATS:
        return f"coalesce({text}, {text.replace('trino_no_nan(', '(')})"  # of NaN alone the answer is NaN
    if isinstance(call, exp.Anonymous) and call.name.lower() == "corr":
        return f"CASE WHEN isfinite({text}) THEN {text} END"
    if isinstance(call, exp.Anonymous) and kind and call.name.lower() in _NARROWED and kind.name != "decimal":
        return f"CAST({text} AS {duckdb_text(kind)})"
    return text


_FRAMELESS = {
    *("row_number", "rank", "dense_rank", "percent_rank", "cume_dist", "ntile", "lag", "lead"),
}


def _check_window(called: exp.Expr, spec: exp.Expr | None) -> None:
    """Trino's refusals of a window function's frame and filter."""
    if isinstance(called, exp.Filter):
        raise QueryError("NOT_SUPPORTED: line 1:1: FILTER is not yet supported for window functions")
    while isinstance(called, _OVER):
        called = called.this
    if spec is not None and called.name.lower() in _FRAMELESS:
        raise QueryError(
            f"INVALID_WINDOW_FRAME: line 1:1: Cannot specify window frame for {called.name.lower()} function"
        )


def _modulo(node: exp.Anonymous) -> exp.Mod:
    found = exp.Mod(this=node.expressions[0], expression=node.expressions[1])
    if kind := record(node):
        found.meta["kind"] = kind
    return found
