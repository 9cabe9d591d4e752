"""Trino expressions and queries as DuckDB text."""

import json
import re
from decimal import Decimal
from typing import Any

from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.generators.duckdb import DuckDBGenerator

from infra.local.athena.errors import QueryError, UnsupportedError
from infra.local.athena.shortcuts.json_numbers import json_number
from infra.local.athena.sql import json_cast, json_fields
from infra.local.athena.sql.functions import lookup
from infra.local.athena.sql.types import literal, quote
from infra.local.athena.sql.unnest import POSITIONS, taken_apart_below, unnest_relation

T = exp.DataType.Type
_TYPES = {
    T.VARCHAR: "VARCHAR",
    T.TEXT: "VARCHAR",
    T.BOOLEAN: "BOOLEAN",
    T.TINYINT: "TINYINT",
    T.SMALLINT: "SMALLINT",
    T.INT: "INTEGER",
    T.BIGINT: "BIGINT",
    T.FLOAT: "FLOAT",
    T.DOUBLE: "DOUBLE",
    T.DATE: "DATE",
    T.TIMESTAMP: "TIMESTAMP",
    T.TIMESTAMPTZ: "TIMESTAMPTZ",
    T.VARBINARY: "BLOB",
    T.JSON: "JSON",
}
_SCALAR_CASTS = {
    T.BOOLEAN: "boolean",
    T.TINYINT: "tinyint",
    T.SMALLINT: "smallint",
    T.INT: "integer",
    T.BIGINT: "bigint",
    T.FLOAT: "real",
    T.DOUBLE: "double",
    T.DATE: "date",
    T.TIMESTAMP: "timestamp",
    T.TIMESTAMPTZ: "timestamptz",
    T.VARCHAR: "varchar",
    T.TEXT: "varchar",
}
_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE)
_OPERATORS = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Mod: "%"}
_ZONE_LOSING = {T.TIMESTAMP, T.DATE, T.VARCHAR, T.TEXT, T.TIME}


def duckdb_type(kind: exp.DataType) -> str:
    """DuckDB text of a Trino type (Trino docs, "Data types")."""
    parameters = kind.expressions
    if kind.this == T.DECIMAL:
        return f"DECIMAL({', '.join(p.name for p in parameters) or '38, 0'})"
    if kind.this == T.ARRAY:
        return duckdb_type(parameters[0]) + "[]"
    if kind.this == T.MAP:
        return f"MAP({duckdb_type(parameters[0])}, {duckdb_type(parameters[1])})"
    if kind.this == T.STRUCT:
        if not all(isinstance(f, exp.ColumnDef) for f in parameters):
            raise UnsupportedError("ROW type with unnamed fields")
        return f"STRUCT({', '.join(f'{quote(f.name)} {duckdb_type(f.kind)}' for f in parameters)})"
    if kind.this not in _TYPES:
        raise UnsupportedError(f"type {kind.sql(dialect='trino')}")
    return _TYPES[kind.this]


class DuckDBText(DuckDBGenerator):
    """Writes Trino's tree as DuckDB text with Trino's meaning."""

    def __init__(self, *, unnest_maps: bool = True, shortcuts: bool = False, **options: Any) -> None:
        super().__init__(dialect=DuckDB(), **options)
        self.unnest_maps = unnest_maps
        self.shortcuts = shortcuts

    # Calls

    def anonymous_sql(self, expression: exp.Anonymous) -> str:
        """A call of a Trino function."""
        name = expression.name.lower()
        arguments = expression.expressions
        if name == "try":
            return self._try(arguments[0])
        if name == "if":
            return self._if(arguments)
        if name == "row":
            return f"row({', '.join(self.sql(a) for a in arguments)})"
        if name == "unnest":
            return super().anonymous_sql(expression)
        if name == POSITIONS:
            return f"unnest(range(1, len({self.sql(arguments[0])}) + 1))"
        if arguments and isinstance(arguments[0], exp.Distinct | exp.Order):
            return self._aggregate(name, arguments)
        return lookup(name).render(self, name, arguments)

    def _aggregate(self, name: str, arguments: list[exp.Expr]) -> str:
        """An aggregate with DISTINCT or ORDER BY among its arguments."""
        first, order = arguments[0], ""
        if isinstance(first, exp.Order):
            order = " ORDER BY " + ", ".join(self.sql(o) for o in first.expressions)
            first = first.this
        distinct = isinstance(first, exp.Distinct)
        values = first.expressions if isinstance(first, exp.Distinct) else [first]
        text = lookup(name).render(self, name, values + arguments[1:])
        if (distinct or order) and text.startswith("trino_"):
            raise UnsupportedError(f"DISTINCT or ORDER BY in {name}")
        if distinct and name == "count" and len(values) > 1:
            raise UnsupportedError("count(DISTINCT a, b)")
        head, _, rest = text.partition("(")
        return f"{head}({'DISTINCT ' if distinct else ''}{rest[:-1]}{order})"

    def _if(self, arguments: list[exp.Expr]) -> str:
        other = self.sql(arguments[2]) if len(arguments) > 2 else "NULL"
        return f"CASE WHEN {self.sql(arguments[0])} THEN {self.sql(arguments[1])} ELSE {other} END"

    def _try(self, node: exp.Expr) -> str:
        """TRY(x): casts and parses become their NULL-returning forms; anything else is DuckDB's own TRY."""
        return self._quiet(node) or f"TRY({self.sql(node)})"

    def _quiet(self, node: exp.Expr) -> str | None:
        node = node.unnest()
        if _cannot_fail(node):
            return self.sql(node)
        if isinstance(node, exp.Cast):
            inner = self._quiet(node.this)
            return None if inner is None else self._cast(node, inner, quiet=True)
        if isinstance(node, exp.AtTimeZone):
            inner = self._quiet(node.this)
            return None if inner is None else self._at_time_zone(node, inner)
        if isinstance(node, exp.Add | exp.Sub | exp.Mul | exp.Mod | exp.Div):
            left, right = self._quiet(node.left), self._quiet(node.right)
            if left is None or right is None:
                return None
            if isinstance(node, exp.Div):
                return f"trino_try_div({left}, {right})"
            return f"({left} {_OPERATORS[type(node)]} {right})"
        if isinstance(node, exp.Anonymous) and len(node.expressions) == 1:
            inner = self._quiet(node.expressions[0])
            name = node.name.lower()
            if inner is not None and name == "json_parse":
                return f"TRY_CAST(trino_json_text({inner}) AS JSON)"
            if inner is not None and name == "from_iso8601_timestamp":
                return f"trino_try_iso8601({inner})"
            if inner is not None and name == "from_base64":
                return f"TRY(from_base64({inner}))"
            if inner is not None and name in {"from_utf8", "to_utf8", "to_unixtime", "from_unixtime", "abs"}:
                return lookup(name).render(self, name, [exp.Var(this=inner)])
        return None

    # Casts

    def cast_sql(self, expression: exp.Cast, safe_prefix: str | None = None) -> str:  # noqa: ARG002 - sqlglot's signature
        """CAST, and literals such as DATE '2026-01-01'."""
        return self._cast(expression, self.sql(expression.this), quiet=False)

    def trycast_sql(self, expression: exp.TryCast) -> str:
        """TRY_CAST."""
        if self.shortcuts and (number := json_number(expression)):
            macro, value = number
            return f"{macro}({self.sql(value)})"
        inner = self._quiet(expression.this)
        return self._cast(expression, self.sql(expression.this) if inner is None else inner, quiet=True)

    def _cast(self, node: exp.Cast, value: str, *, quiet: bool) -> str:
        kind = node.to
        self._refuse_lost_offset(node)
        if _plainly(node):
            return f"CAST({value} AS {_TYPES[kind.this]})"
        if kind.this in _SCALAR_CASTS:
            return self._scalar_cast(kind, value, quiet=quiet)
        if kind.this == T.JSON:
            return f"trino_to_json({value})"
        if kind.this in {T.ARRAY, T.MAP, T.STRUCT} and not _built_here(node.this):
            return self._json_cast(node, value, quiet=quiet)
        if kind.this in {T.ARRAY, T.MAP, T.STRUCT, T.DECIMAL, T.VARBINARY}:
            return f"{'TRY_CAST' if quiet else 'CAST'}({value} AS {duckdb_type(kind)})"
        raise UnsupportedError(f"cast to {kind.sql(dialect='trino')}")

    def _scalar_cast(self, kind: exp.DataType, value: str, *, quiet: bool) -> str:
        name = _SCALAR_CASTS[kind.this]
        tried = f"trino_try_{name}({value})"
        text = tried if quiet else f"trino_must({value}, {tried}, {literal(name)})"
        length = kind.expressions and kind.this in {T.VARCHAR, T.TEXT}
        return f"left({text}, {kind.expressions[0].name})" if length else text

    def _json_cast(self, node: exp.Cast, value: str, *, quiet: bool) -> str:
        """CAST(x AS ROW/ARRAY/MAP): of JSON by json_cast's rules, of anything else DuckDB's own cast."""
        described = json_cast.descriptor(node.to)
        text = f"CAST({value} AS VARCHAR)"
        opening = literal("[" if described[0] == "array" else "{")
        kind = duckdb_type(_lowered(node.to))
        blanks = f"starts_with(ltrim({text}, e' \\t\\r\\n'), {opening})"
        shaped = f"CASE WHEN starts_with({text}, {opening}) THEN true ELSE {blanks} END"
        pattern = json_cast.suspicious(described)
        strange = f" AND NOT regexp_matches({text}, {literal(pattern)})" if pattern else ""
        plain = f"{text} IS NULL OR ({shaped}{strange})"
        fitted = f"json_fit({text}, {literal(json.dumps(described))})"
        if not quiet:
            fitted = f"coalesce({fitted}, error('INVALID_CAST_ARGUMENT: Cannot cast to {kind.replace(chr(39), '')}'))"
        inner = f"TRY_CAST({value} AS JSON)"  # of a JSON value no work at all
        fitted = f"TRY_CAST(CAST({fitted} AS JSON) AS {kind})"
        own = f"TRY_CAST({inner} AS {kind})"
        if described[0] == "map" and not _parsed_here(node.this):
            own = f"coalesce({own}, {fitted})"  # DuckDB makes no map of a key that comes twice; a JSON value has none
        if quiet and not pattern:
            fitted = "NULL"  # of another shape, which is what the cast refuses
        cast = f"CASE WHEN {plain} THEN {own} ELSE {fitted} END"
        own = f"{'TRY_CAST' if quiet else 'CAST'}({value} AS {kind})"
        return f"CASE WHEN typeof({value}) = 'JSON' THEN {cast} ELSE {own} END"

    def _refuse_lost_offset(self, node: exp.Cast) -> None:
        inner = node.this
        while isinstance(inner, exp.Paren) or (isinstance(inner, exp.Anonymous) and inner.name.lower() == "try"):
            inner = inner.this if isinstance(inner, exp.Paren) else inner.expressions[0]
        iso = isinstance(inner, exp.Anonymous) and inner.name.lower() == "from_iso8601_timestamp"
        if iso and node.to.this in _ZONE_LOSING:
            raise UnsupportedError(
                "CAST(from_iso8601_timestamp(x) AS ...) keeps the wall clock of x's own offset in Trino; "
                "write from_iso8601_timestamp(x) AT TIME ZONE 'UTC' inside the cast"
            )

    def attimezone_sql(self, expression: exp.AtTimeZone) -> str:
        """AT TIME ZONE: the same instant, seen in a zone; only UTC, the zone everything here is kept in."""
        return self._at_time_zone(expression, self.sql(expression.this))

    def _at_time_zone(self, node: exp.AtTimeZone, value: str) -> str:
        zone = node.args["zone"].name
        if zone.upper() not in {"UTC", "Z", "+00:00"}:
            raise UnsupportedError(f"AT TIME ZONE '{zone}'")
        return f"CAST({value} AS TIMESTAMPTZ)"

    def parsejson_sql(self, expression: exp.ParseJSON) -> str:
        """JSON '...'."""
        return f"CAST({self.sql(expression.this)} AS JSON)"

    # Operators

    def binary(self, expression: exp.Binary, op: str) -> str:
        """Comparisons are typed as in Trino; AND chains and the rest stay."""
        typed = expression.meta.get("typed") or _same_kind(expression)
        if isinstance(expression, exp.EQ | exp.NEQ | exp.Like) and (value := _compared_json(expression)):
            return f"CAST({self.sql(value)} AS VARCHAR) {op} {self.sql(expression.right)}"
        if isinstance(expression, _COMPARISONS) and not typed and not _in_join(expression):
            left, right = self.sql(expression.left), self.sql(expression.right)
            return f"trino_same({left}, {right}, {left} {op} {right})"
        return super().binary(expression, op)

    def div_sql(self, expression: exp.Div) -> str:
        """Integer division truncates, division by zero is an error, decimals are refused."""
        return f"trino_div({self.sql(expression.left)}, {self.sql(expression.right)})"

    def add_sql(self, expression: exp.Add) -> str:
        """Addition; to dates only where the text says DATE."""
        return self._interval_arithmetic(expression, "+") or super().add_sql(expression)

    def sub_sql(self, expression: exp.Sub) -> str:
        """Subtraction; from dates only where the text says DATE."""
        changed = self._interval_arithmetic(expression, "-")
        number = exp.Literal | exp.Add | exp.Sub | exp.Mul | exp.Div
        if changed or isinstance(expression.left.unnest(), number) or isinstance(expression.right, exp.Literal):
            return changed or super().sub_sql(expression)
        return f"trino_minus({self.sql(expression.left)}, {self.sql(expression.right)})"

    def _interval_arithmetic(self, node: exp.Binary, op: str) -> str | None:
        if not isinstance(node.right.unnest(), exp.Interval):
            return None
        from infra.local.athena.sql.functions import is_date

        left, result = self.sql(node.left), f"({self.sql(node.left)} {op} {self.sql(node.right)})"
        return f"CAST({result} AS DATE)" if is_date(node.left) else f"trino_not_date({left}, {result})"

    def mul_sql(self, expression: exp.Mul) -> str:
        """Multiplication; an interval of days or less times a whole number is exact to the millisecond."""
        for interval, times in ((expression.left, expression.right), (expression.right, expression.left)):
            literal_interval = interval.unnest()
            if isinstance(literal_interval, exp.Interval):
                microseconds = _milliseconds(literal_interval) * 1000
                return f"to_microseconds({microseconds}::BIGINT * ({self.sql(times)})::BIGINT)"
        return super().mul_sql(expression)

    def dpipe_sql(self, expression: exp.DPipe) -> str:
        """|| takes text, not numbers."""
        return f"({self._text(expression.left)} || {self._text(expression.right)})"

    def _text(self, node: exp.Expr) -> str:
        known = isinstance(node.unnest(), exp.DPipe) or _kind(node) == "text"
        return self.sql(node) if known else f"trino_text({self.sql(node)})"

    def bracket_sql(self, expression: exp.Bracket) -> str:
        """A subscript that is out of range is an error."""
        return f"trino_subscript({self.sql(expression.this)}, {self.sql(expression.expressions[0])})"

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
        return lookup(expression.this.name).render(self, expression.this.name, [expression.expression])

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


def _compared_json(comparison: exp.Binary) -> exp.Expr | None:
    """The x of json_format(x) compared with a literal that is neither an array's nor an object's text.

    Canonical are the texts of arrays and objects alone, and none of them equals such a literal.
    """
    call, other = comparison.left.unnest(), comparison.right
    text = other.name if isinstance(other, exp.Literal) and other.is_string else ""
    one = isinstance(call, exp.Anonymous) and call.name.lower() == "json_format" and len(call.expressions) == 1
    return call.expressions[0] if one and text and text[0] not in "[{%_" else None


_PLAIN = {
    T.DOUBLE: r"-?\d+(\.\d+)?([eE]-?\d+)?",
    T.BIGINT: r"-?\d{1,18}",
    T.INT: r"-?\d{1,9}",
    T.DATE: r"\d{4}-\d{2}-\d{2}",
    T.TIMESTAMP: r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(\.\d{1,3})?",
}


def _plainly(node: exp.Cast) -> bool:
    """Whether a literal is cast that both engines read alike, so that nothing needs guarding."""
    pattern = _PLAIN.get(node.to.this)
    text = node.this
    return bool(pattern and isinstance(text, exp.Literal) and text.is_string and re.fullmatch(pattern, text.name))


_MILLISECONDS = {"SECOND": 1_000, "MINUTE": 60_000, "HOUR": 3_600_000, "DAY": 86_400_000}


def _milliseconds(interval: exp.Interval) -> int:
    """The length of an interval literal; UnsupportedError for months, years and finer parts than milliseconds."""
    unit, text = interval.text("unit").upper(), interval.this.name
    if unit not in _MILLISECONDS or not re.fullmatch(r"-?\d+(\.\d{1,3})?", text):
        raise UnsupportedError(f"{interval.sql(dialect='trino')} times a number")
    return int(Decimal(text) * _MILLISECONDS[unit])


def _cannot_fail(node: exp.Expr) -> bool:
    """Whether no value can make the expression fail."""
    harmless = exp.Column | exp.Literal | exp.Var | exp.Dot | exp.Identifier | exp.Null | exp.Paren | exp.Sub | exp.Add
    return all(
        isinstance(n, harmless) or (isinstance(n, exp.Anonymous) and n.name.lower() in _HARMLESS.split())
        for n in node.walk()
    )


_HARMLESS = (
    "substr substring lower upper length trim ltrim rtrim replace strpos coalesce nullif json_extract_scalar "
    "json_extract json_format regexp_extract regexp_like element_at "
)


def _built_here(node: exp.Expr) -> bool:
    """Whether the value is an array, map or row that the expression itself builds."""
    node = node.unnest()
    builders = {"map", "row", "map_agg", "array_agg", "transform", "filter", "split", "sequence", "map_filter"}
    return isinstance(node, exp.Array | exp.Tuple | exp.Null) or (
        isinstance(node, exp.Anonymous) and node.name.lower() in builders
    )


def _parsed_here(node: exp.Expr) -> bool:
    """Whether a cast is straight from json_parse, where Trino refuses keys that come twice."""
    node = node.unnest()
    while isinstance(node, exp.Anonymous) and node.name.lower() == "try":
        node = node.expressions[0].unnest()
    return isinstance(node, exp.Anonymous) and node.name.lower() == "json_parse"


def _lowered(kind: exp.DataType) -> exp.DataType:
    """The type with its field names in lower case, as Trino keeps them."""
    kind = kind.copy()
    for field in kind.find_all(exp.ColumnDef):
        field.set("this", exp.to_identifier(field.name.lower()))
    return kind


def _in_join(node: exp.Expr) -> bool:
    """Whether the comparison decides a join: DuckDB must see it bare to choose a hash join."""
    parent = node.parent
    while isinstance(parent, exp.And | exp.Paren | exp.Or):
        parent = parent.parent
    return isinstance(parent, exp.Join)


def to_duckdb(tree: exp.Expr, *, unnest_maps: bool = True, shortcuts: bool = False) -> str:
    """DuckDB text of a Trino tree; QueryError or UnsupportedError for what has no equal there.

    UNNEST(x) AS t(a, b) takes a map or an array of rows apart; `unnest_maps` says which (the text does not).
    `shortcuts` says whether to take those of infra/local/athena/shortcuts.
    """
    tree = json_fields.gathered(taken_apart_below(tree.copy()))
    text = DuckDBText(unnest_maps=unnest_maps, shortcuts=shortcuts, comments=False).generate(tree)
    if not text:
        raise QueryError("SYNTAX_ERROR: empty statement")
    return text
