"""DuckDB forms of functions that depend on the types of their arguments in ways a template cannot say."""

from collections.abc import Callable

from sqlglot import exp

from infra.local.athena.errors import QueryError, UnsupportedError
from infra.local.athena.sql.casts import text_of_scalar
from infra.local.athena.sql.functions import json_path, unit_of
from infra.local.athena.sql.typed.kinds import Kind, duckdb_text, record

PLAIN_AGGREGATES = {
    *("count", "sum", "avg", "min", "max", "array_agg", "bool_and", "bool_or", "every", "arbitrary", "any_value"),
    *("stddev", "stddev_samp", "stddev_pop", "variance", "var_samp", "var_pop", "count_if", "corr"),
}
"""Aggregates of one DuckDB call, into which DISTINCT and ORDER BY can be written."""

_FLOATS = {"real", "double"}
_JSON_READERS = {"json_extract", "json_extract_scalar", "json_size"}
_COMPARING = {"contains", "array_position", "arrays_overlap", "nullif"}
Render = Callable[[exp.Expr], str]


def typed_form(name: str, given: list[exp.Expr], node: exp.Anonymous, kind: Kind | None, render: Render) -> str | None:
    """DuckDB text of a call by the types of its arguments; None where the function's general form holds."""
    types = [record(a) for a in given]
    if name in _COMPARING and (found := _equal(name, given, render)):
        return found
    if name in _JSON_READERS and types[0] and types[0].name in {"json", "varchar"}:
        return _json_read(name, render(given[0]), json_path(given[1]), is_value=types[0].name == "json")
    if name in {"greatest", "least"} and kind and kind.name in _FLOATS:
        return _extreme(name, [f"CAST({render(a)} AS {duckdb_text(kind)})" for a in given])
    if name in {"min", "max"} and kind and kind.name in _FLOATS:
        return f"{name}(trino_no_nan({render(given[0])}))"
    if kind and kind.name == "decimal" and name in {"round", "ceil", "ceiling", "floor"}:
        called = "ceil" if name == "ceiling" else name
        return f"CAST({called}({', '.join(render(a) for a in given)}) AS {duckdb_text(kind)})"
    if name == "avg" and kind and kind.name == "decimal":
        return _decimal_average(node, render(given[0]), kind)
    if name in {"array_max", "array_min"} and kind and kind.name in _FLOATS:
        value = render(given[0])
        return f"trino_array_extreme({value}, trino_number_{name[-3:]}({value}))"
    if moved := _moment_form(name, given, kind, render):
        return moved
    if name == "array_join" and types[0] and types[0].parts[0]:
        return _joined(types[0].parts[0], [render(a) for a in given])
    if name in {"lag", "lead"} and len(given) > 1:
        _check_offset(given[1])
    if name == "approx_percentile":
        return _percentile(node, render(given[0]), render(given[1]))
    return None


def _json_read(name: str, value: str, path: str, *, is_value: bool) -> str:
    """What is at a path, its text or its size. The general forms ask DuckDB for the type, and hold the SQL of both."""
    whole = path == "'$'"
    if is_value:
        found = f"TRY_CAST({value} AS JSON)" if whole else f"json_extract(trino_value_unique({value}), {path})"
    else:
        found = f"trino_text_trimmed({value})" if whole else f"json_extract(TRY_CAST({value} AS JSON), {path})"
    if name == "json_extract":
        return found
    if name == "json_size":
        return f"trino_json_size_of({f'trino_value_unique({found})' if is_value else found})"
    return f"trino_value_scalar({found})" if is_value else f"trino_text_scalar({value}, {path}, {found})"


def _moment_form(name: str, given: list[exp.Expr], kind: Kind | None, render: Render) -> str | None:
    """date_add, date_trunc and date_diff of dates, which take no unit below a day; None where the general one holds."""
    if name not in {"date_add", "date_trunc", "date_diff"}:
        return None
    types = [record(a) for a in given]
    coarse = name == "date_add" and kind and kind.name == "timestamp" and kind.numbers[0] < 3
    if coarse and unit_of(given[0]) == "millisecond":
        raise UnsupportedError(f"date_add('millisecond', ...) of {kind}; cast it to timestamp(3)")
    if any(not each or each.name != "date" for each in (types[1:] if name == "date_diff" else types[-1:])):
        return None
    _date_unit(given[0])
    if name == "date_diff":
        return None
    dated = [*given[:-1], exp.Var(this=f"CAST({render(given[-1])} AS TIMESTAMP)")]
    return f"CAST({_untyped(name, dated, render)} AS DATE)"


def _equal(name: str, given: list[exp.Expr], render: Render) -> str | None:
    """Functions that look for equal values: NaN equals nothing, and DECIMALs of two types would need a third."""
    types = [record(a) for a in given]
    items = [kind.parts[0] if kind and kind.name == "array" else kind for kind in types]
    if name == "arrays_overlap" and len({str(kind) for kind in items}) > 1 and any(_is_decimal(k) for k in items):
        raise UnsupportedError(f"arrays_overlap({types[0]}, {types[1]}); cast both to one type")
    if name == "arrays_overlap" or not all(kind and kind.name in _FLOATS for kind in items):
        return None
    first, second = render(given[0]), render(given[1])
    if name == "nullif":
        return f"CASE WHEN {first} = {second} AND NOT isnan({first}) THEN NULL ELSE {first} END"
    if name == "array_position":
        return (
            f"CASE WHEN {first} IS NOT NULL AND isnan({second}) THEN 0 ELSE trino_array_position({first}, {second}) END"
        )
    return f"trino_{name}(trino_numbers({first}), {second})"


def _is_decimal(kind: Kind | None) -> bool:
    return kind is not None and kind.name == "decimal"


def _joined(item: Kind, values: list[str]) -> str:
    """array_join: the items as CAST(x AS VARCHAR) writes them; NULLs left out or replaced."""
    if item.parts or item.name in {"json", "varbinary"}:
        raise UnsupportedError(f"array_join of array({item}) (transform the items to varchar)")
    text = text_of_scalar("__j", item)
    if len(values) < 3:
        return f"trino_joined(list_transform({values[0]}, lambda __j: {text}), {values[1]})"
    joined = f"trino_joined(list_transform({values[0]}, lambda __j: coalesce({text}, {values[2]})), {values[1]})"
    return f"CASE WHEN {values[2]} IS NOT NULL THEN {joined} END"


def _check_offset(node: exp.Expr) -> None:
    if isinstance(node, exp.Neg):
        raise QueryError("INVALID_FUNCTION_ARGUMENT: Offset must be at least 0")
    if not isinstance(node, exp.Literal):
        raise UnsupportedError("lag and lead by an offset that is not a literal")


def _extreme(name: str, values: list[str]) -> str:
    """Greatest and least: NULL if any is NULL; NaN counts only where there is nothing else."""
    nulls = " OR ".join(f"{v} IS NULL" for v in values)
    numbers = ", ".join(f"trino_no_nan({v})" for v in values)
    return f"CASE WHEN {nulls} THEN NULL ELSE coalesce({name}({numbers}), {values[0]}) END"


def _decimal_average(node: exp.Anonymous, value: str, kind: Kind) -> str:
    if isinstance(node.parent, exp.Window | exp.Filter):
        raise UnsupportedError("avg of a DECIMAL with OVER or FILTER (write avg(CAST(x AS double)))")
    quotient = f"decimal_div(CAST(sum({value}) AS VARCHAR), CAST(count({value}) AS VARCHAR), {kind.numbers[1]})"
    return f"CAST({quotient} AS {duckdb_text(kind)})"


def _percentile(node: exp.Anonymous, value: str, share: str) -> str:
    """The value at the rank that Trino's digests give as long as they hold each value by itself."""
    if isinstance(node.parent, exp.Window | exp.Filter):
        raise UnsupportedError("approx_percentile with OVER or FILTER (filter in a subquery)")
    return f"trino_at_share(list({value} ORDER BY {value}) FILTER ({value} IS NOT NULL), CAST({share} AS DOUBLE))"


def _untyped(name: str, given: list[exp.Expr], render: Render) -> str:
    unit = _date_unit(given[0])
    if name == "date_trunc":
        return f"date_trunc('{unit}', {render(given[1])})"
    return f"({render(given[2])} + to_{unit}s(CAST(trino_count({render(given[1])}) AS INTEGER)))"


def _date_unit(node: exp.Expr) -> str:
    unit = unit_of(node)
    if unit not in {"day", "week", "month", "quarter", "year"}:
        raise QueryError(f"INVALID_FUNCTION_ARGUMENT: '{unit}' is not a valid DATE field")
    return unit
