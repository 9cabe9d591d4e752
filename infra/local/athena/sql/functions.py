"""The Trino functions this server knows, each with its DuckDB form. A function that is not here fails by name.

A form is a template ({0}, {1} ... the arguments, {*} all of them) or a function of (renderer, call).
Every name has a probe in iot_pipeline_tests/unit/local/athena/test_trino_probes.py.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from sqlglot import exp

from infra.local.athena.errors import QueryError, UnsupportedError
from infra.local.athena.sql.types import literal


class Renderer(Protocol):
    """What a form needs of the SQL generator."""

    def sql(self, node: exp.Expr) -> str:
        """DuckDB text of a Trino expression."""


Form = str | Callable[[Renderer, list[exp.Expr]], str]


@dataclass(frozen=True)
class Function:
    """A function: how many arguments it takes and what it becomes."""

    form: Form
    low: int
    high: int

    def render(self, renderer: Renderer, name: str, arguments: list[exp.Expr]) -> str:
        """DuckDB text of a call; QueryError when the count of arguments is wrong."""
        if not self.low <= len(arguments) <= self.high:
            raise QueryError(f"FUNCTION_NOT_FOUND: Unexpected parameters ({len(arguments)}) for function {name}")
        if callable(self.form):
            return self.form(renderer, arguments)
        texts = [renderer.sql(a) for a in arguments]
        return self.form.replace("{*}", ", ".join(texts)) if "{*}" in self.form else self.form.format(*texts)


def text_of(node: exp.Expr, what: str) -> str:
    """The text of a string literal; UnsupportedError for anything else."""
    if isinstance(node, exp.Literal) and node.is_string:
        return str(node.this)
    raise UnsupportedError(f"{what} that is not a literal: {node.sql(dialect='trino')[:60]}")


def unit_of(node: exp.Expr) -> str:
    """A date part in lower case; QueryError when Trino has no such unit."""
    unit = text_of(node, "unit").lower()
    if unit not in {"millisecond", "second", "minute", "hour", "day", "week", "month", "quarter", "year"}:
        raise QueryError(f"INVALID_FUNCTION_ARGUMENT: '{unit}' is not a valid TIMESTAMP field")
    return unit


def _typed(node: exp.Expr) -> bool:
    """Whether the type is known, and no DATE: those have a form of their own."""
    return node.meta.get("kind") is not None


_EXACT = {"second", "minute", "hour"}


def _date_add(renderer: Renderer, a: list[exp.Expr]) -> str:
    unit = unit_of(a[0])
    count = renderer.sql(a[1])
    if unit == "millisecond":
        step = f"to_microseconds(trino_count({count})::BIGINT * 1000)"
    else:
        step = f"to_{unit}s(trino_count({count})::{'BIGINT' if unit in _EXACT else 'INTEGER'})"
    added = f"({renderer.sql(a[2])} + {step})"
    return added if _typed(a[2]) else f"trino_not_date({renderer.sql(a[2])}, {added})"


def _date_trunc(renderer: Renderer, a: list[exp.Expr]) -> str:
    value = renderer.sql(a[1])
    cut = f"date_trunc({literal(unit_of(a[0]))}, {value})"
    return cut if _typed(a[1]) else f"trino_not_date({value}, {cut})"


def _date_diff(renderer: Renderer, a: list[exp.Expr]) -> str:
    sides = ", ".join(f"CAST({renderer.sql(side)} AS TIMESTAMP)" for side in a[1:])
    return f"date_sub({literal(unit_of(a[0]))}, {sides})"


_MYSQL = {
    "%a": "%a", "%b": "%b", "%d": "%d", "%e": "%-d", "%f": "%f", "%H": "%H", "%h": "%I", "%I": "%I", "%i": "%M",
    "%j": "%j", "%k": "%-H", "%l": "%-I", "%M": "%B", "%m": "%m", "%p": "%p", "%r": "%I:%M:%S %p", "%S": "%S",
    "%s": "%S", "%T": "%H:%M:%S", "%W": "%A", "%Y": "%Y", "%y": "%y", "%%": "%%", "%c": "%-m",
}  # fmt: skip
_JODA = {
    "yyyy": "%Y", "YYYY": "%Y", "yy": "%y", "MM": "%m", "MMM": "%b", "MMMM": "%B", "dd": "%d", "d": "%-d", "HH": "%H",
    "hh": "%I", "h": "%-I", "mm": "%M", "ss": "%S", "SSS": "%g", "EEE": "%a", "EEEE": "%A", "a": "%p", "DDD": "%j",
    "M": "%-m", "H": "%-H", "m": "%-M", "s": "%-S",
}  # fmt: skip


def mysql_format(text: str) -> str:
    """A strftime pattern of a date_format/date_parse pattern (Trino docs, "MySQL date functions")."""
    if not text:
        raise QueryError("INVALID_FUNCTION_ARGUMENT: Both printing and parsing not supported")
    parts = re.findall(r"%.|[^%]+", text)
    unknown = [p for p in parts if p.startswith("%") and p not in _MYSQL]
    if unknown:
        raise UnsupportedError(f"date_format specifier {unknown[0]}")
    return "".join(_MYSQL.get(p, p) for p in parts)


def joda_format(text: str) -> str:
    """A strftime pattern of a format_datetime/parse_datetime pattern (Trino docs, "Java date functions")."""
    out, position = [], 0
    for match in re.finditer(r"'((?:[^']++|'')*+)('?)|([A-Za-z])\3*|[^A-Za-z']+", text):
        position = match.end() if match[2] != "" else -1
        token = match[0]
        if match[1] is not None:
            out.append(match[1].replace("''", "'") or "'")
        elif match[3]:
            if token not in _JODA:
                raise UnsupportedError(f"format_datetime pattern {token}")
            out.append(_JODA[token])
        else:
            out.append(token.replace("%", "%%"))
    if position != len(text) or not out:
        raise UnsupportedError(f"format_datetime pattern {text}")
    return "".join(out)


def _strftime(convert: Callable[[str], str]) -> Form:
    return lambda r, a: f"strftime({r.sql(a[0])}, {literal(convert(text_of(a[1], 'format')))})"


def _strptime(convert: Callable[[str], str], zone: bool) -> Form:
    def form(renderer: Renderer, a: list[exp.Expr]) -> str:
        value, pattern = renderer.sql(a[0]), convert(text_of(a[1], "format"))
        dated, text = pattern, value
        if "%Y" not in pattern and "%y" not in pattern:
            dated, text = "%Y " + pattern, f"('1970 ' || {value})"  # Joda's default year
        parsed = f"trino_parsed({value}, strptime({text}, {literal(dated)}))"
        return f"timezone('UTC', {parsed})" if zone else parsed

    return form


def pattern_of(node: exp.Expr) -> str:
    """A regular expression that RE2 reads as Trino's Joni does; no look-around, no back references."""
    text = text_of(node, "regular expression")
    if re.search(r"\(\?[=!<>]|\\[1-9]|\\[kGZhHvVRX]|[*+?}]\+|\[\[|&&|\\p\{Is|\\p\{java|\(\?[a-z]*[xd]", text):
        raise UnsupportedError(f"regular expression {text} (look-around, back references and possessive quantifiers)")
    return literal(re.sub(r"\\s|(\\.)", _blank_class(text), text))


def _blank_class(text: str) -> Callable[[re.Match[str]], str]:
    """Joni's class of blanks holds the vertical tab, RE2's does not."""

    def replace(match: re.Match[str]) -> str:
        if match[1]:
            return match[0]
        before = text[: match.start()]
        inside = before.count("[") - before.count("\\[") > before.count("]") - before.count("\\]")
        return r"\s\x0b" if inside else r"[\s\x0b]"

    return replace


def _line(value: str, node: exp.Expr) -> str:
    """The text to match; with $ in the pattern Joni also matches before a line feed at the end, RE2 does not."""
    text = _outside_classes(text_of(node, "regular expression"))
    return f"trino_no_line({value})" if "$" in text else value


def _groups(node: exp.Expr) -> int:
    return len(re.findall(r"\((?!\?)|\(\?P?<[A-Za-z]", _outside_classes(text_of(node, "regular expression"))))


def _outside_classes(pattern: str) -> str:
    """What of a pattern is neither escaped nor in a class of characters."""
    kept, at, last_end = [], 0, pattern.rfind("]")
    while at < len(pattern):
        if pattern[at] == "\\":
            at += 2
        elif pattern[at] == "[" and at < last_end:
            at = pattern.index("]", at) + 1
        else:
            kept.append(pattern[at])
            at += 1
    return "".join(kept)


def _matches_nothing(node: exp.Expr) -> bool:
    """Whether the pattern matches the empty text."""
    try:
        return re.match(text_of(node, "regular expression"), "") is not None
    except re.error:
        return True


def _regexp_extract(renderer: Renderer, a: list[exp.Expr]) -> str:
    value, pattern = _line(renderer.sql(a[0]), a[1]), pattern_of(a[1])
    if len(a) < 3:
        return f"trino_regexp_extract({value}, {pattern}, 0)"
    if not isinstance(a[2], exp.Literal):
        raise UnsupportedError("regexp_extract of a group that is not a literal number")
    group = int(a[2].name)
    if group > _groups(a[1]):
        raise QueryError(f"INVALID_FUNCTION_ARGUMENT: Pattern has {_groups(a[1])} groups. Cannot access group {group}")
    found = f"trino_regexp_extract({value}, {pattern}, {group})"
    optional = group and re.search(r"\)[?*]|\)\{0|\|", text_of(a[1], "regular expression"))
    return f"trino_taken_group({found})" if optional else found


def _regexp_split(renderer: Renderer, a: list[exp.Expr]) -> str:
    if _matches_nothing(a[1]):
        raise UnsupportedError("regexp_split at a pattern that matches the empty text")
    return f"string_split_regex({_line(renderer.sql(a[0]), a[1])}, {pattern_of(a[1])})"


def _regexp_replace(renderer: Renderer, a: list[exp.Expr]) -> str:
    replacement = text_of(a[2], "replacement") if len(a) > 2 else ""
    if "\\" in replacement or re.search(r"\$[^0-9]|\$\d\d|\$$", replacement):
        raise UnsupportedError(f"regexp_replace replacement {replacement}")
    value, pattern = _line(renderer.sql(a[0]), a[1]), pattern_of(a[1])
    unknown = [group for group in re.findall(r"\$(\d)", replacement) if int(group) > _groups(a[1])]
    if unknown:
        failed = f"error('INVALID_FUNCTION_ARGUMENT: Illegal replacement sequence: unknown group {unknown[0]}')"
        return f"CASE WHEN regexp_matches({value}, {pattern}) THEN {failed} ELSE {value} END"
    to = literal(re.sub(r"\$(\d)", r"\\\1", replacement))
    return f"regexp_replace({value}, {pattern}, {to}, 'g')"


def _substr(renderer: Renderer, a: list[exp.Expr]) -> str:
    """substr; from a place and of a length that are literals above zero on, both engines read it alike."""
    values = ", ".join(renderer.sql(x) for x in a)
    plain = all(
        isinstance(x, exp.Literal) and re.fullmatch("[1-9][0-9]{0,8}", x.name) and not x.is_string for x in a[1:]
    )
    return f"{'substr' if plain else 'trino_substr'}({values})"


def _with_pattern(template: str) -> Form:
    return lambda r, a: template.format(_line(r.sql(a[0]), a[1]), pattern_of(a[1]))


def json_path(node: exp.Expr) -> str:
    """A JSONPath both engines read alike: $, .name, [n], ["name"]."""
    text = text_of(node, "JSON path")
    if not re.fullmatch(r"\$(\.\w+|\[\d+\]|\[\"[^\"\\]+\"\])*", text):
        raise UnsupportedError(f"JSON path {text}")
    return literal(re.sub(r"\[\"([^\"]+)\"\]|\.(\w+)", lambda m: f'."{m[1] or m[2]}"', text))


def _json(macro: str) -> Form:
    return lambda r, a: f"{macro}({r.sql(a[0])}, {json_path(a[1])})"


def _lambda(node: exp.Expr, count: int) -> exp.Lambda:
    if not isinstance(node, exp.Lambda) or len(node.expressions) != count:
        raise UnsupportedError(f"a function argument of {count} parameter(s): {node.sql(dialect='trino')[:60]}")
    return node


def bind(body: exp.Expr, values: dict[str, str]) -> exp.Expr:
    """The body of a lambda with its parameters replaced by SQL text."""

    def replace(node: exp.Expr) -> exp.Expr:
        text = _bound(node, values)
        if text is None:
            return node
        found = exp.Var(this=text)
        found.meta.update(node.meta)
        return found

    return body.copy().transform(replace)


def _bound(node: exp.Expr, values: dict[str, str]) -> str | None:
    if isinstance(node, exp.Column) and not node.table and node.name in values:
        return values[node.name]
    if isinstance(node, exp.Column) and node.table in values:
        return f'{values[node.table]}."{node.name}"'
    if isinstance(node, exp.Identifier) and node.name in values and not isinstance(node.parent, exp.Column | exp.Dot):
        return values[node.name]
    if isinstance(node, exp.Dot) and isinstance(node.this, exp.Identifier) and node.this.name in values:
        return f'{values[node.this.name]}."{node.expression.name}"'
    return None


_DEPTH = "__e{}"


def _fresh(body: exp.Expr) -> str:
    return _DEPTH.format(sum(1 for _ in body.find_all(exp.Lambda)))


def _entries(key: str, value: str, keep: bool) -> Form:
    """map_filter, transform_values, transform_keys over map_entries; {} in key or value is the lambda's body."""

    def form(renderer: Renderer, a: list[exp.Expr]) -> str:
        function = _lambda(a[1], 2)
        entry = _fresh(function.this)
        names = [p.name for p in function.expressions]
        body = renderer.sql(bind(function.this, {names[0]: f"{entry}.key", names[1]: f"{entry}.value"}))
        entries = f"map_entries({renderer.sql(a[0])})"
        if keep:
            return f"map_from_entries(list_filter({entries}, lambda {entry}: {body}))"
        pair = f"{{'key': {key.format(e=entry, b=body)}, 'value': {value.format(e=entry, b=body)}}}"
        return f"map_from_entries(list_transform({entries}, lambda {entry}: {pair}))"

    return form


def _each(template: str) -> Form:
    """A function of (array, x -> ...)."""

    def form(renderer: Renderer, a: list[exp.Expr]) -> str:
        function = _lambda(a[1], 1)
        name = _fresh(function.this)
        body = renderer.sql(bind(function.this, {function.expressions[0].name: name}))
        return template.format(renderer.sql(a[0]), f"lambda {name}: {body}")

    return form


def _reduce(renderer: Renderer, a: list[exp.Expr]) -> str:
    step, finish = _lambda(a[2], 2), _lambda(a[3], 1)
    state, item = (_fresh(step.this) + s for s in ("s", "x"))
    names = [p.name for p in step.expressions]
    body = renderer.sql(bind(step.this, {names[0]: state, names[1]: item}))
    folded = f"list_reduce({renderer.sql(a[0])}, lambda {state}, {item}: {body}, {renderer.sql(a[1])})"
    return renderer.sql(bind(finish.this, {finish.expressions[0].name: folded}))


def _zip_with(renderer: Renderer, a: list[exp.Expr]) -> str:
    function = _lambda(a[2], 2)
    pair = _fresh(function.this)
    names = [p.name for p in function.expressions]
    body = renderer.sql(bind(function.this, {names[0]: f"{pair}[1]", names[1]: f"{pair}[2]"}))
    return f"list_transform(list_zip({renderer.sql(a[0])}, {renderer.sql(a[1])}), lambda {pair}: {body})"


def _codepoint(renderer: Renderer, a: list[exp.Expr]) -> str:
    """codepoint, which takes a VARCHAR(1) alone."""
    node = a[0].unnest()
    one = isinstance(node, exp.Null) or (isinstance(node, exp.Literal) and len(node.name) < 2)
    called = isinstance(node, exp.Anonymous) and node.name.lower() == "chr"
    narrow = isinstance(node, exp.Cast) and [e.name for e in node.to.expressions] in (["0"], ["1"])
    if not (one or called or narrow):
        raise QueryError(
            "FUNCTION_NOT_FOUND: line 1:1: Unexpected parameters (varchar) for function codepoint. Expected: "
            "codepoint(varchar(1))"
        )
    return f"trino_codepoint({renderer.sql(a[0])})"


def _concat(renderer: Renderer, a: list[exp.Expr]) -> str:
    return "(" + " || ".join(renderer.sql(x) for x in a) + ")"


def _replace(renderer: Renderer, a: list[exp.Expr]) -> str:
    to = renderer.sql(a[2]) if len(a) > 2 else "''"
    return f"{_replacing(a[1])}({renderer.sql(a[0])}, {renderer.sql(a[1])}, {to})"


def _replacing(search: exp.Expr) -> str:
    plain = isinstance(search, exp.Literal) and search.is_string and search.name
    return "replace" if plain else "trino_replace"


def _extreme(comparison: str) -> Form:
    def form(renderer: Renderer, a: list[exp.Expr]) -> str:
        values = [renderer.sql(x) for x in a]
        nulls = " OR ".join(f"{v} IS NULL" for v in values)
        return f"CASE WHEN {nulls} THEN NULL ELSE {comparison}({', '.join(values)}) END"

    return form


def _map_concat(renderer: Renderer, a: list[exp.Expr]) -> str:
    texts = [renderer.sql(x) for x in a]
    folded = texts[0]
    for text in texts[1:]:
        folded = f"trino_map_concat({folded}, {text})"
    return folded


def _array_sort(renderer: Renderer, a: list[exp.Expr]) -> str:
    if len(a) > 1:
        raise UnsupportedError("array_sort with a comparator")
    return f"list_sort({renderer.sql(a[0])}, 'ASC', 'NULLS LAST')"


# What Java's Character.isWhitespace says is blank, as Trino's trim does.
_WS = "' ' || " + " || ".join(
    f"chr({code})"
    for code in (
        *range(9, 14),
        *range(28, 32),
        0x1680,
        *range(0x2000, 0x2007),
        *range(0x2008, 0x200B),
        0x2028,
        0x2029,
        0x205F,
        0x3000,
    )
)
_TABLE: list[tuple[str, Form, int, int]] = [
    # Aggregates (Trino docs, "Aggregate functions")
    ("count", "count({*})", 0, 1), ("sum", "sum(trino_number({0}))", 1, 1), ("min", "min({0})", 1, 1),
    ("max", "max({0})", 1, 1), ("avg", "avg(trino_not_decimal({0}))", 1, 1),
    ("count_if", "count(CASE WHEN {0} THEN 1 END)", 1, 1),
    ("bool_and", "bool_and({0})", 1, 1), ("every", "bool_and({0})", 1, 1), ("bool_or", "bool_or({0})", 1, 1),
    ("arbitrary", "any_value({0})", 1, 1), ("any_value", "any_value({0})", 1, 1),
    ("array_agg", "array_agg({0})", 1, 1), ("max_by", "arg_max_null({0}, {1})", 2, 2),
    ("min_by", "arg_min_null({0}, {1})", 2, 2), ("approx_percentile", "quantile_disc({0}, {1})", 2, 2),
    ("approx_distinct", "count(DISTINCT {0})", 1, 1), ("map_agg", "trino_map_agg({0}, {1})", 2, 2),
    ("histogram", "trino_histogram({0})", 1, 1), ("checksum", "trino_checksum({0})", 1, 1),
    ("stddev", "stddev_samp({0})", 1, 1), ("stddev_samp", "stddev_samp({0})", 1, 1),
    ("stddev_pop", "stddev_pop({0})", 1, 1), ("variance", "var_samp({0})", 1, 1), ("var_samp", "var_samp({0})", 1, 1),
    ("var_pop", "var_pop({0})", 1, 1), ("corr", "corr({0}, {1})", 2, 2), ("grouping", "grouping({*})", 1, 9),
    # Window functions (Trino docs, "Window functions")
    *((n, n + "({*})", 0, 0) for n in ("row_number", "rank", "dense_rank", "percent_rank", "cume_dist")),
    ("ntile", "ntile({0})", 1, 1), ("lag", "lag({*})", 1, 3), ("lead", "lead({*})", 1, 3),
    ("first_value", "first_value({0})", 1, 1), ("last_value", "last_value({0})", 1, 1),
    ("nth_value", "nth_value({0}, {1})", 2, 2),
    # Conditional expressions (Trino docs, "Conditional expressions")
    ("coalesce", "coalesce({*})", 2, 99), ("nullif", "nullif({0}, {1})", 2, 2),
    ("greatest", _extreme("greatest"), 1, 99), ("least", _extreme("least"), 1, 99),
    # Mathematical functions and operators
    ("abs", "abs({0})", 1, 1), ("ceil", "ceil({0})", 1, 1), ("ceiling", "ceil({0})", 1, 1),
    ("floor", "floor({0})", 1, 1),
    ("round", "round({*})", 1, 2), ("truncate", "trunc({0})", 1, 1), ("sign", "sign({0})", 1, 1),
    ("mod", "({0} % {1})", 2, 2), ("power", "pow({0}, {1})", 2, 2), ("pow", "pow({0}, {1})", 2, 2),
    ("sqrt", "sqrt({0})", 1, 1), ("cbrt", "cube_root({0}::DOUBLE)", 1, 1),
    ("exp", "exp({0})", 1, 1), ("ln", "ln({0})", 1, 1),
    ("log2", "log2({0})", 1, 1), ("log10", "log10({0})", 1, 1), ("log", "log({0}, {1})", 2, 2), ("pi", "pi()", 0, 0),
    ("e", "exp(1.0::DOUBLE)", 0, 0), ("radians", "radians({0})", 1, 1), ("degrees", "degrees({0})", 1, 1),
    *((n, n + "({0})", 1, 1) for n in ("sin", "cos", "tan", "asin", "acos", "atan")),
    ("atan2", "atan2({0}, {1})", 2, 2),
    ("is_nan", "isnan({0})", 1, 1), ("is_finite", "isfinite({0})", 1, 1), ("is_infinite", "isinf({0})", 1, 1),
    ("nan", "'nan'::DOUBLE", 0, 0), ("infinity", "'inf'::DOUBLE", 0, 0),
    ("width_bucket", "trino_width_bucket({0}, {1}, {2}, {3})", 4, 4),
    ("bitwise_and", "({0} & {1})", 2, 2), ("bitwise_or", "({0} | {1})", 2, 2), ("bitwise_xor", "xor({0}, {1})", 2, 2),
    # String functions
    ("lower", "lower({0})", 1, 1), ("upper", "trino_upper({0})", 1, 1), ("length", "trino_length({0})", 1, 1),
    ("substr", _substr, 2, 3), ("substring", _substr, 2, 3),
    ("strpos", "strpos({0}, {1})", 2, 2),
    ("replace", _replace, 2, 3),
    ("trim", f"trim({{0}}, {_WS})", 1, 1), ("ltrim", f"ltrim({{0}}, {_WS})", 1, 1),
    ("rtrim", f"rtrim({{0}}, {_WS})", 1, 1),
    ("lpad", "lpad(trino_same_padding({0}, {2}, {1}), {1}::INTEGER, {2})", 3, 3),
    ("rpad", "rpad(trino_same_padding({0}, {2}, {1}), {1}::INTEGER, {2})", 3, 3),
    ("split", "trino_split({0}, {1})", 2, 2),
    ("split_part", "trino_split_part({0}, {1}, {2})", 3, 3), ("concat", _concat, 2, 99),
    ("concat_ws", "concat_ws({*})", 2, 99), ("starts_with", "starts_with({0}, {1})", 2, 2),
    ("reverse", "trino_reverse({0})", 1, 1), ("chr", "chr({0}::INTEGER)", 1, 1),
    ("codepoint", _codepoint, 1, 1),
    ("levenshtein_distance", "trino_levenshtein({0}, {1})", 2, 2), ("translate", "translate({0}, {1}, {2})", 3, 3),
    # Regular expression functions
    ("regexp_like", _with_pattern("regexp_matches({}, {})"), 2, 2), ("regexp_extract", _regexp_extract, 2, 3),
    ("regexp_replace", _regexp_replace, 2, 3), ("regexp_split", _regexp_split, 2, 2),
    ("regexp_extract_all", _with_pattern("regexp_extract_all({}, {})"), 2, 2),
    # Binary functions
    ("to_utf8", "encode({0})", 1, 1), ("from_utf8", "trino_from_utf8({0})", 1, 1),
    ("to_hex", "hex(trino_binary({0}))", 1, 1),
    ("from_hex", "trino_from_hex({0})", 1, 1), ("to_base64", "to_base64(trino_binary({0}))", 1, 1),
    ("from_base64", "trino_from_base64({0})", 1, 1), ("sha256", "unhex(sha256(trino_binary({0})))", 1, 1),
    ("sha1", "unhex(sha1(trino_binary({0})))", 1, 1), ("md5", "unhex(md5(trino_binary({0})))", 1, 1),
    # JSON functions
    ("json_parse", "CAST(trino_json_text({0}) AS JSON)", 1, 1), ("json_format", "trino_java_json({0})", 1, 1),
    ("json_extract", _json("trino_json_extract"), 2, 2), ("json_extract_scalar", _json("trino_json_scalar"), 2, 2),
    ("json_size", _json("trino_json_size"), 2, 2), ("json_array_length", "trino_json_array_length({0})", 1, 1),
    # Array functions
    ("cardinality", "cardinality({0})", 1, 1), ("contains", "trino_contains({0}, {1})", 2, 2),
    ("element_at", "({0})[{1}]", 2, 2), ("array_join", "trino_array_join({*})", 2, 3),
    ("array_sort", _array_sort, 1, 2),
    ("array_max", "trino_array_extreme({0}, list_max({0}))", 1, 1),
    ("array_min", "trino_array_extreme({0}, list_min({0}))", 1, 1),
    ("array_position", "trino_array_position({0}, {1})", 2, 2),
    ("arrays_overlap", "trino_arrays_overlap({0}, {1})", 2, 2), ("flatten", "flatten({0})", 1, 1),
    ("sequence", "generate_series({*})", 2, 3), ("slice", "trino_slice({0}, {1}, {2})", 3, 3),
    ("filter", _each("list_filter({}, {})"), 2, 2), ("transform", _each("list_transform({}, {})"), 2, 2),
    ("any_match", _each("trino_any(list_transform({}, {}))"), 2, 2),
    ("all_match", _each("trino_all(list_transform({}, {}))"), 2, 2),
    ("none_match", _each("(NOT trino_any(list_transform({}, {})))"), 2, 2),
    ("reduce", _reduce, 4, 4), ("zip_with", _zip_with, 3, 3),
    # Map functions
    ("map", "map({*})", 0, 2), ("map_keys", "map_keys({0})", 1, 1), ("map_values", "map_values({0})", 1, 1),
    ("map_concat", _map_concat, 2, 99), ("map_entries", "map_entries({0})", 1, 1),
    ("map_from_entries", "map_from_entries({0})", 1, 1), ("map_filter", _entries("", "", keep=True), 2, 2),
    ("transform_values", _entries("{e}.key", "{b}", keep=False), 2, 2),
    ("transform_keys", _entries("{b}", "{e}.value", keep=False), 2, 2),
    # Date and time functions
    ("date", "trino_cast_date({0})", 1, 1), ("date_trunc", _date_trunc, 2, 2), ("date_add", _date_add, 3, 3),
    ("date_diff", _date_diff, 3, 3), ("date_format", _strftime(mysql_format), 2, 2),
    ("date_parse", _strptime(mysql_format, zone=False), 2, 2), ("format_datetime", _strftime(joda_format), 2, 2),
    ("parse_datetime", _strptime(joda_format, zone=True), 2, 2), ("from_unixtime", "trino_from_unixtime({0})", 1, 2),
    ("to_unixtime", "epoch({0})", 1, 1), ("from_iso8601_timestamp", "trino_iso8601({0})", 1, 1),
    ("from_iso8601_date", "trino_iso8601_day({0})", 1, 1), ("now", "now()", 0, 0),
    *((n, n + "({0})", 1, 1) for n in ("year", "month", "day", "hour", "minute", "second", "quarter")),
    ("millisecond", "(CAST(trunc(extract('millisecond' FROM {0})) AS BIGINT) % 1000)", 1, 1),
    ("week", "weekofyear({0})", 1, 1),
    *((n, "isodow({0})", 1, 1) for n in ("day_of_week", "dow")),
    *((n, "dayofyear({0})", 1, 1) for n in ("day_of_year", "doy")),
    ("last_day_of_month", "last_day({0})", 1, 1), ("at_timezone", "{0}", 2, 2), ("with_timezone", "{0}", 2, 2),
    ("day_of_month", "day({0})", 1, 1), ("week_of_year", "weekofyear({0})", 1, 1), ("yow", "isoyear({0})", 1, 1),
    ("year_of_week", "isoyear({0})", 1, 1), ("current_timezone", "'UTC'", 0, 0), ("to_milliseconds", "{0}", 1, 1),
    ("to_iso8601", "strftime({0}, '%Y-%m-%d')", 1, 1), ("array_distinct", "trino_array_distinct({0})", 1, 1),
    ("bitwise_not", "(-({0}) - 1)", 1, 1),
]  # fmt: skip

FUNCTIONS: dict[str, Function] = {name: Function(form, low, high) for name, form, low, high in _TABLE}

# Trino has these; this server does not (a name outside both lists is no function of Trino's as far as we know).
_ELSEWHERE = (
    "all_keys_match any_keys_match approx_most_frequent approx_set array_except array_histogram "
    "array_intersect array_remove array_union bing_tile bit_count bitwise_left_shift combinations "
    "covar_pop covar_samp crc32 entropy format from_base from_big_endian_32 from_big_endian_64 "
    "geometric_mean hmac_md5 hmac_sha1 hmac_sha256 hmac_sha512 "
    "human_readable_seconds is_json_scalar json_array "
    "json_array_contains json_array_get json_exists json_object json_query json_value kurtosis listagg "
    "multimap_agg multimap_from_entries map_union map_zip_with murmur3 ngrams normalize numeric_histogram "
    "parse_duration qdigest_agg rand random regexp_count regexp_position regr_intercept regr_slope repeat sha512 "
    "shuffle skewness soundex split_to_map split_to_multimap spooky_hash_v2_64 st_distance tdigest_agg "
    "sinh cosh tanh timezone_hour timezone_minute to_base to_big_endian_64 trim_array typeof "
    "url_decode url_encode url_extract_host url_extract_path uuid value_at_quantile "
    "word_stem xxhash64 zip random_string "
    "great_circle_distance hash_counts merge reduce_agg bitwise_and_agg bitwise_or_agg cosine_similarity "
    "ip_prefix is_subnet_of luhn_check "
)
KNOWN_ELSEWHERE = frozenset(_ELSEWHERE.split())


def lookup(name: str) -> Function:
    """The function of this name; QueryError when it is unknown, UnsupportedError when only this server lacks it."""
    function = FUNCTIONS.get(name.lower())
    if function:
        return function
    if name.lower() in KNOWN_ELSEWHERE:
        raise UnsupportedError(f"function {name.lower()}")
    raise QueryError(f"FUNCTION_NOT_FOUND: Function '{name.lower()}' not registered")
