"""JSON texts with their numbers as Trino's json_format and json_extract_scalar write them."""

import json
import math
import re
from json.encoder import encode_basestring
from typing import Any

from infra.local.athena.sql import json_cast
from infra.local.athena.sql.java_text import java_double
from iot_pipeline.contract.json_text import VastNumber

_STEP = re.compile(r'\."((?:[^"\\]|\\.)*)"|\[(\d+)\]')


def java_json(text: str) -> str:
    """The text of a JSON value: keys sorted, no blanks, fractions as Java writes a double, "Infinity" beyond one."""
    return _written(json_cast.read_json(text))


def _written(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{encode_basestring(key)}:{_written(value[key])}" for key in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_written, value)) + "]"
    if isinstance(value, str):
        return encode_basestring(value)
    if isinstance(value, float):
        if isinstance(value, VastNumber) and value.text.lstrip("-").isdigit():
            return value.text
        return java_double(value) if math.isfinite(value) else encode_basestring(java_double(value))
    return json.dumps(value)


def json_number(text: str | None, path: str) -> str | None:
    """The number at the path of a JSON text, as it stands there; of a key that comes twice the first counts."""
    if text is None:
        return None
    value = json.loads(text, parse_float=str, parse_int=str, object_pairs_hook=_first)
    for key, index in _STEP.findall(path):
        value = value[key] if key else value[int(index)]
    return str(value)


def _first(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return dict(reversed(pairs))
