"""What each of Redshift's functions becomes in PostgreSQL; a function that is not here is refused by name.

A text is PostgreSQL's name for the same thing (`redshift_...`: one of ours, in `functions.sql`); a callable builds the
call from the arguments. Source: the page of each function below
https://docs.aws.amazon.com/redshift/latest/dg/c_SQL_functions.html.
"""

import re
from collections.abc import Callable, Sequence

from sqlglot import exp

from infra.local.redshift.sql.dateparts import UNITS, date_part
from infra.local.redshift.unsupported import LOCAL, SYNTAX_ERROR, UnsupportedError

Args = list[exp.Expr]
Build = Callable[[Args], exp.Expr]


def call(name: str, *args: exp.Expr) -> exp.Anonymous:
    """A call of a PostgreSQL function."""
    return exp.Anonymous(this=name, expressions=list(args))


def cast(value: exp.Expr, to: str) -> exp.Cast:
    """A cast to a PostgreSQL type."""
    return exp.Cast(this=value, to=exp.DataType.build(to, dialect="postgres"))


def text(value: exp.Expr) -> exp.Cast:
    """The value as text."""
    return cast(value, "text")


def _wrap(value: exp.Expr) -> exp.Expr:
    return value if isinstance(value, exp.Column | exp.Literal | exp.Anonymous | exp.Cast) else exp.Paren(this=value)


def _dateadd(args: Args) -> exp.Expr:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_DATEADD_function.html: a date becomes a timestamp."""
    unit = date_part(args[0], UNITS)
    if unit == "year":
        return call("redshift_add_years", args[1], args[2])
    step = "3 months" if unit == "quarter" else f"1 {unit}"
    return call("redshift_dateadd", exp.Interval(this=exp.Literal.string(step)), args[1], args[2])


def _datediff(args: Args) -> exp.Expr:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_DATEDIFF_function.html: the boundaries crossed."""
    unit = date_part(args[0], UNITS)
    return call(f"redshift_datediff_{unit}", cast(args[1], "timestamp"), cast(args[2], "timestamp"))


def _date_part(args: Args) -> exp.Expr:
    part = date_part(args[0])
    return call("date_part", exp.Literal.string(part), args[1])


def _date_trunc(args: Args) -> exp.Expr:
    part = date_part(args[0])
    return call("redshift_date_trunc", exp.Literal.string(part), args[1])


def _convert_timezone(args: Args) -> exp.Expr:
    """https://docs.aws.amazon.com/redshift/latest/dg/CONVERT_TIMEZONE.html: the source is UTC unless given."""
    source, target, value = args if len(args) == 3 else [exp.Literal.string("UTC"), *args]
    return call("timezone", target, call("timezone", source, cast(value, "timestamp")))


def _nvl2(args: Args) -> exp.Expr:
    missing = exp.Is(this=_wrap(args[0]), expression=exp.Null())
    return exp.Case(ifs=[exp.If(this=missing, true=args[2])], default=args[1])


def _decode(args: Args) -> exp.Expr:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_DECODE_expression.html: NULL equals NULL here."""
    pairs, default = args[1:], None
    if len(pairs) % 2:
        default = pairs.pop()
    ifs = [
        exp.If(this=exp.NullSafeEQ(this=_wrap(args[0].copy()), expression=_wrap(search)), true=result)
        for search, result in zip(pairs[::2], pairs[1::2], strict=True)
    ]
    return exp.Case(ifs=ifs, default=default)


def _double(name: str) -> Build:
    """A function whose result is a double whatever it is given; PostgreSQL's is a DECIMAL of a DECIMAL."""

    def build(args: Args) -> exp.Expr:
        return call(name, *(_each_double(argument) for argument in args))

    return build


def _each_double(argument: exp.Expr) -> exp.Expr:
    if isinstance(argument, exp.Distinct):
        return exp.Distinct(expressions=[cast(value, "double precision") for value in argument.expressions])
    return cast(argument, "double precision")


def _log(args: Args) -> exp.Expr:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_LOG.html: base 10."""
    if len(args) != 1:
        raise UnsupportedError(f"{LOCAL}LOG with a base; use LN(x) / LN(base)")
    return _double("log")(args)


def _part(args: Args) -> exp.Expr:
    """https://docs.aws.amazon.com/redshift/latest/dg/SPLIT_PART.html: a part is counted from 1."""
    return call("split_part", text(args[0]), args[1], call("redshift_positive", args[2]))


def _side(name: str) -> Build:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_LEFT.html: a positive number of characters."""

    def build(args: Args) -> exp.Expr:
        return call(name, text(args[0]), call("redshift_positive", args[1]))

    return build


def _concat(args: Args) -> exp.Expr:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_CONCAT.html: two arguments, NULL if one is."""
    if len(args) != 2:
        raise UnsupportedError("CONCAT takes two arguments; use nested CONCAT or ||", SYNTAX_ERROR)
    return exp.Paren(this=exp.DPipe(this=text(args[0]), expression=text(args[1])))


def _charindex(args: Args) -> exp.Expr:
    return call("strpos", text(args[1]), args[0])


def _sha2(args: Args) -> exp.Expr:
    """https://docs.aws.amazon.com/redshift/latest/dg/SHA2.html."""
    bits = args[1].name if isinstance(args[1], exp.Literal) else ""
    name = {"0": "sha256", "224": "sha224", "256": "sha256", "384": "sha384", "512": "sha512"}.get(bits)
    if name is None:
        raise UnsupportedError(f"{LOCAL}SHA2 of {bits or 'computed'} bits")
    digest = call(name, call("convert_to", text(args[0]), exp.Literal.string("UTF8")))
    return call("encode", digest, exp.Literal.string("hex"))


def _of_text(name: str) -> Build:
    """PostgreSQL converts no number and no time to text by itself, Redshift does."""

    def build(args: Args) -> exp.Expr:
        return call(name, text(args[0]), *args[1:])

    return build


def _json_extract_path_text(args: Args) -> exp.Expr:
    """https://docs.aws.amazon.com/redshift/latest/dg/JSON_EXTRACT_PATH_TEXT.html; the last may be null_if_invalid."""
    lax = isinstance(args[-1], exp.Boolean) and args.pop().this
    if not 2 <= len(args) <= 6:
        raise UnsupportedError("JSON_EXTRACT_PATH_TEXT takes one to five path elements", SYNTAX_ERROR)
    path = exp.Array(expressions=[text(arg) for arg in args[1:]], bracket_notation=True)
    return call("redshift_json_path", text(args[0]), path, exp.Boolean(this=bool(lax)))


def _regexp(name: str, parameters_at: int) -> Build:
    """https://docs.aws.amazon.com/redshift/latest/dg/REGEXP_SUBSTR.html: lookaround only with parameter p (PCRE)."""

    def build(args: Args) -> exp.Expr:
        flags = args[parameters_at].name if len(args) > parameters_at else ""
        pattern = args[1].name if isinstance(args[1], exp.Literal) else ""
        if "p" not in flags and re.search(r"\(\?|[*+?}]\?|\\[1-9]", pattern):
            raise UnsupportedError(
                f"Invalid regular expression {pattern!r}: POSIX operators only (parameter p for PCRE)"
            )
        if not set(flags) <= set("cip"):
            raise UnsupportedError(f"{LOCAL}parameters {flags!r} of {name}")
        defaults: Sequence[exp.Expr] = (
            [exp.Literal.string(""), exp.Literal.number(1)]
            if name == "regexp_replace"
            else [exp.Literal.number(1), exp.Literal.number(1)]
            if name == "regexp_substr"
            else [exp.Literal.number(1)]
        )
        given = args[2:parameters_at]
        rest = [*given, *defaults[len(given) :]]
        if name == "regexp_replace" and re.search(r"[$\\]\d", rest[0].name):
            raise UnsupportedError(f"{LOCAL}references to groups in the replacement of REGEXP_REPLACE")
        postgres_flags = exp.Literal.string("i" if "i" in flags else "c")
        return call(f"redshift_{name}", text(args[0]), args[1], *rest, postgres_flags)

    return build


def _extract_json_array(args: Args) -> exp.Expr:
    lax = isinstance(args[-1], exp.Boolean) and args.pop().this
    path = exp.Array(expressions=[text(args[1])], bracket_notation=True)
    return call("redshift_json_path", text(args[0]), path, exp.Boolean(this=bool(lax)))


def _json_parse(args: Args) -> exp.Expr:
    return cast(args[0], "jsonb")


_SAME = (
    "abs acos ascii asin atan atan2 bit_and bit_or bool_and bool_or btrim chr coalesce cos cot "
    "count cume_dist current_database degrees dense_rank greatest initcap last_value lag lead least "
    "length lower lpad ltrim max md5 min mod nth_value ntile nullif percent_rank percentile_disc pi "
    "quote_ident quote_literal radians random rank repeat replace reverse row_number rpad rtrim sign sin "
    "substr substring tan to_char to_date to_hex to_number to_timestamp "
    "translate upper any_value first_value percentile_cont "
    # of the leader node: https://docs.aws.amazon.com/redshift/latest/dg/c_SQL_functions_leader_node_only.html
    "age now current_schema current_schemas has_database_privilege has_schema_privilege has_table_privilege "
    "pg_backend_pid pg_cancel_backend pg_terminate_backend format_type pg_get_late_binding_view_cols "
    "col_description obj_description pg_get_viewdef pg_get_userbyid pg_table_is_visible"
)

_DOUBLES = "exp ln power sqrt cbrt stddev stddev_pop stddev_samp var_pop var_samp variance"

_TURNED: dict[str, str | Build] = {
    "add_months": "redshift_add_months",
    "avg": "redshift_avg",
    "can_json_parse": _of_text("redshift_can_json_parse"),
    "character_length": "length",
    "char_length": "length",
    "ceil": "redshift_ceil",
    "ceiling": "redshift_ceil",
    "charindex": _charindex,
    "concat": _concat,
    "convert_timezone": _convert_timezone,
    "date_add": _dateadd,
    "date_diff": _datediff,
    "date_part": _date_part,
    "date_trunc": _date_trunc,
    "dateadd": _dateadd,
    "datediff": _datediff,
    "decode": _decode,
    **{name: _double(name) for name in _DOUBLES.split()},
    "dexp": _double("exp"),
    "dlog1": _double("ln"),
    "dlog10": _double("log"),
    "left": _side("left"),
    "right": _side("right"),
    "floor": "redshift_floor",
    "func_sha2": _sha2,
    "getdate": "redshift_getdate",
    "is_valid_json": _of_text("redshift_is_valid_json"),
    "is_valid_json_array": _of_text("redshift_is_valid_json_array"),
    "json_array_length": "redshift_json_array_length",
    "json_extract_array_element_text": _extract_json_array,
    "json_extract_path_text": _json_extract_path_text,
    "json_parse": _json_parse,
    "json_serialize": "redshift_json_serialize",
    "json_typeof": "jsonb_typeof",
    "last_day": "redshift_last_day",
    "len": "length",
    "log": _log,
    "nvl": "coalesce",
    "nvl2": _nvl2,
    "octet_length": "octet_length",
    "pow": _double("power"),
    "regexp_count": _regexp("regexp_count", 3),
    "regexp_replace": _regexp("regexp_replace", 4),
    "regexp_substr": _regexp("regexp_substr", 4),
    "replicate": "repeat",
    "round": "redshift_round",
    "sha2": _sha2,
    "split_part": _part,
    "strpos": _of_text("strpos"),
    "strtol": _of_text("redshift_strtol"),
    "sum": "redshift_sum",
    "textlen": "length",
    "to_varchar": "to_char",
    "trunc": "redshift_trunc",
    "version": "redshift_version",
}
FUNCTIONS: dict[str, str | Build] = {**{name: name for name in _SAME.split()}, **_TURNED}
AGGREGATES = frozenset(
    [
        "any_value",
        "avg",
        "bit_and",
        "bit_or",
        "bool_and",
        "bool_or",
        "count",
        "max",
        "min",
        "sum",
        "stddev",
        "stddev_pop",
        "stddev_samp",
        "var_pop",
        "var_samp",
        "variance",
        "first_value",
        "last_value",
        "nth_value",
        "ratio_to_report",
    ]
)
# Aggregates and window functions that `rewrites.py` turns, because what surrounds the call takes part.
REWRITTEN = frozenset({"listagg", "median", "ratio_to_report"})


def rewrite_call(node: exp.Anonymous) -> exp.Expr:
    """The call in PostgreSQL.

    Raises UnsupportedError for a function that is not here, and for a wrong number of arguments.
    """
    name = node.name.lower()
    target = FUNCTIONS.get(name)
    if target is None:
        raise UnsupportedError(f"{LOCAL}function {name}", "42883")
    if isinstance(target, str):
        node.set("this", target)
        return node
    try:
        return target(list(node.expressions))
    except (IndexError, ValueError) as error:
        raise UnsupportedError(f"wrong number of arguments: {node.sql(dialect='redshift')}", SYNTAX_ERROR) from error
