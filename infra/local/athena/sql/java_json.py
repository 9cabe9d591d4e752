"""JSON texts as Trino's json_format writes them, and numbers as its json_extract_scalar does."""

import json
import re
from typing import Any

from infra.local.athena.errors import UnsupportedError
from infra.local.athena.sql import json_cast
from iot_pipeline.contract.json_text import NotJsonError, json_text

_STEP = re.compile(r'\."((?:[^"\\]|\\.)*)"|\[(\d+)\]')


def java_json(text: str | None) -> str | None:
    """The text of a JSON value: keys sorted, no blanks, fractions as Java writes a double, "Infinity" beyond one.

    None of what is no JSON, which json_extract of DuckDB finds in a text that holds NaN, and Trino's does not.
    """
    if text is None:
        return None
    try:
        return json_text(json_cast.read_json(text))
    except NotJsonError:
        return None
    except RecursionError as error:
        raise UnsupportedError("JSON that is nested more than some hundred levels deep") from error


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
