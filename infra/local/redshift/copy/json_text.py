"""Arrow values as JSON texts, as COPY's SERIALIZETOJSON makes SUPER values of them."""

import json
import math
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=str).encode


def as_json(values: pa.Array) -> pa.Array:
    """Each value as a JSON text: a map as an object, a list as an array, null as null.

    Only what is neither null nor empty is looked at one by one: most readings have no extras.
    """
    if not pa.types.is_map(values.type):
        return _one_by_one(values)
    full = pc.greater(_lengths(values), 0)
    texts = pc.if_else(values.is_null(), pa.scalar(None, pa.string()), pa.scalar("{}"))
    if not pc.any(full).as_py():
        return texts
    return pc.replace_with_mask(texts, full, _one_by_one(values.filter(full)))


def _lengths(values: pa.MapArray) -> pa.Array:
    """Entries of each map; 0 for null."""
    starts, ends = values.offsets[:-1], values.offsets[1:]
    return pc.if_else(values.is_null(), 0, pc.subtract(ends, starts))


def _one_by_one(values: pa.Array) -> pa.Array:
    texts = (None if value is None else _encode(_plain(value, values.type)) for value in values.to_pylist())
    return pa.array(texts, pa.string())


def _plain(value: Any, kind: pa.DataType) -> Any:
    """The value with maps as dicts; what JSON does not have (NaN, infinity) is null."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return None
    if pa.types.is_map(kind):
        return {str(k): _plain(v, kind.item_type) for k, v in value}
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return [_plain(v, kind.value_type) for v in value]
    if pa.types.is_struct(kind):
        return {f.name: _plain(value[f.name], f.type) for f in kind}
    return value
