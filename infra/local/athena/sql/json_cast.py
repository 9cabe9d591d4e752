r"""CAST(JSON AS ROW/ARRAY/MAP) with Trino's meaning.

Trino matches ROW fields to keys in any case, and fails the whole cast when one value does not fit its type; DuckDB
matches exactly and makes a NULL of the one value. A text that could tell the two apart is found by one regular
expression over it (too many are caught, never too few) and goes to `convert`, which does exactly what Trino does
(io.trino.util.JsonUtil); all other texts, the mass, go through DuckDB's cast.

One difference stays: keys that a JSON object holds twice, in a cast to ROW. Trino takes the last (and refuses a cast
straight from json_parse), DuckDB the first.
"""

import json
import re
from functools import lru_cache
from typing import Any

from sqlglot import exp

from infra.local.athena.errors import UnsupportedError
from iot_pipeline.contract.json_text import json_text, parsed
from iot_pipeline.contract.number_text import double_text

T = exp.DataType.Type
_INTEGERS = {T.TINYINT: 8, T.SMALLINT: 16, T.INT: 32, T.BIGINT: 64}
_TEXTS = {T.VARCHAR, T.TEXT}
_WS = r"[ \t\r\n]*"
# Keys with capitals or escapes, which a ROW takes as well.
_KEYS = rf"[A-Z][A-Za-z_0-9]*\"{_WS}:|\\u00"


class MisfitError(ValueError):
    """A JSON value that the type does not take."""


def descriptor(kind: exp.DataType) -> Any:
    """The type as JSON-able data: a name, or lists such as ["array", item], ["row", [[name, type], ...]]."""
    if kind.this == T.ARRAY:
        return ["array", descriptor(kind.expressions[0])]
    if kind.this == T.MAP:
        if kind.expressions[0].this not in _TEXTS:
            raise UnsupportedError("CAST(JSON AS MAP) with keys other than VARCHAR")
        return ["map", descriptor(kind.expressions[1])]
    if kind.this == T.STRUCT:
        return ["row", [[f.name.lower(), descriptor(f.kind)] for f in kind.expressions]]
    if kind.this in _TEXTS:
        return "varchar"
    if kind.this in _INTEGERS:
        return f"int{_INTEGERS[kind.this]}"
    if kind.this in {T.DOUBLE, T.FLOAT}:
        return "double"
    if kind.this in {T.JSON, T.BOOLEAN}:
        return kind.this.value.lower()
    raise UnsupportedError(f"CAST(JSON AS {kind.sql(dialect='trino')})")


def suspicious(described: Any) -> str:
    """RE2 pattern of the JSON that DuckDB and Trino may convert differently to this type; empty if there is none."""
    parts = [_KEYS] if '"row"' in json.dumps(described) else []
    if described[0] == "row":
        parts += [p for name, kind in described[1] for p in _field(re.escape(name), kind)]
    elif described[0] == "map":
        parts += _values(r":", described[1])
    elif described[0] == "array":
        parts += _values(r"[\[,]", described[1])
    return "|".join(dict.fromkeys(parts))


def _field(name: str, kind: Any) -> list[str]:
    return _values(rf"\"{name}\"{_WS}:", kind)


def _values(before: str, kind: Any) -> list[str]:
    """Patterns for a value of `kind` after `before` that does not look like one."""
    start = before + _WS
    if kind == "json":
        return []
    if kind == "varchar":
        return [start + r"[^\"n \t\r\n]"]
    if kind == "boolean":
        return [start + r"[^tfn \t\r\n]"]
    if kind == "double":
        return [start + r"[^-0-9n \t\r\n]"]
    if isinstance(kind, str):
        digits = {"int8": 2, "int16": 4, "int32": 9, "int64": 18}[kind]
        return [start + r"[^-0-9n \t\r\n]", start + rf"-?[0-9]+[.eE]|{start}-?[0-9]{{{digits + 1}}}"]
    if kind[0] == "array":
        return [start + r"[^\[n \t\r\n]", *_items(start, kind[1])]
    if kind[0] == "map":
        return [start + r"[^{n \t\r\n]", *_values(":", kind[1])]
    nested = [p for name, inner in kind[1] for p in _field(re.escape(name), inner)]
    return [start + r"[^{n \t\r\n]", *nested]


def _items(start: str, kind: Any) -> list[str]:
    if kind == "json":
        return []
    if isinstance(kind, list) and kind[0] == "row":
        nested = [p for name, inner in kind[1] for p in _field(re.escape(name), inner)]
        return [start + rf"\[{_WS}[^{{\] \t\r\n]", rf"}}{_WS},{_WS}[^{{\" \t\r\n]", *nested]
    return _values(r"[\[,]", kind)


def convert(text: str | None, described: str) -> str | None:
    """JSON text of the value as the type takes it (row keys in lower case), or None where Trino's cast fails."""
    if text is None:
        return None
    try:
        return json_text(_fit(read_json(text), _parsed(described)))
    except (ValueError, OverflowError):
        return None


def read_json(text: str) -> Any:
    """The value of a JSON text. Raises NotJsonError, and UnsupportedError for one nested deeper than Python reads."""
    try:
        return parsed(text)
    except RecursionError as error:
        raise UnsupportedError("JSON that is nested more than some hundred levels deep") from error


@lru_cache(maxsize=256)
def _parsed(described: str) -> Any:
    return json.loads(described)


def _fit(value: Any, kind: Any) -> Any:
    if value is None:
        return None
    if kind == "json":
        return value
    if isinstance(kind, str):
        return _scalar(value, kind)
    if kind[0] == "array" and isinstance(value, list):
        return [_fit(v, kind[1]) for v in value]
    if kind[0] == "map" and isinstance(value, dict):
        return {k: _fit(v, kind[1]) for k, v in value.items()}
    if kind[0] == "row":
        return _row(value, kind[1])
    raise MisfitError(kind)


def _row(value: Any, fields: list[Any]) -> dict[str, Any]:
    if isinstance(value, list):
        if len(value) != len(fields):
            raise MisfitError("row")
        return {name: _fit(v, kind) for (name, kind), v in zip(fields, value, strict=True)}
    if not isinstance(value, dict):
        raise MisfitError("row")
    lowered = [k.lower() for k in value]
    kinds = dict(fields)
    if any(k in kinds and lowered.count(k) > 1 for k in lowered):
        raise MisfitError("duplicate field")
    return {k.lower(): _fit(v, kinds[k.lower()]) for k, v in value.items() if k.lower() in kinds}


def _scalar(value: Any, kind: str) -> Any:
    if isinstance(value, (dict, list)):
        raise MisfitError(kind)
    if kind == "varchar":
        return value if isinstance(value, str) else _text(value)
    if kind == "boolean":
        return _boolean(value)
    if kind == "double":
        return float(value)
    if isinstance(value, float):
        whole = int(value + (0.5 if value >= 0 else -0.5))
    elif isinstance(value, int) or re.fullmatch(r"[+-]?\d+", value):
        whole = int(value)
    else:
        raise MisfitError(kind)
    if not -(1 << (int(kind[3:]) - 1)) <= whole < 1 << (int(kind[3:]) - 1):
        raise MisfitError(kind)
    return whole


def _text(value: float) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int) else double_text(value)


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return value != 0
    if value.lower() in {"t", "true", "1"}:
        return True
    if value.lower() in {"f", "false", "0"}:
        return False
    raise MisfitError("boolean")
