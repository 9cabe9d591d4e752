"""Values of JSON as columns of a Glue table: what Firehose's conversion takes, as Arrow.

Amazon Data Firehose developer guide, "Convert input data format": the data has to match the schema; fields that the
schema lacks are left out. A text column takes every value, anything but a text as its JSON. Types beyond those below
are refused by name: AWS converts more.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pyarrow as pa

Convert = Callable[[Any], Any]
_LONGEST = 1 << 63


class SchemaMismatchError(ValueError):
    """A value is none of its column's type."""


class UnknownTypeError(ValueError):
    """A column's type is none that the local AWS converts to."""


@dataclass(frozen=True)
class Kind:
    """A Hive type: its Arrow type, and how a value of JSON becomes one; null is taken by every type."""

    arrow: pa.DataType
    convert: Convert

    def value(self, given: Any) -> Any:
        """A value of the type. Raises SchemaMismatchError."""
        return None if given is None else self.convert(given)


def kind_of(hive: str) -> Kind:
    """A type by its Hive name, as `array<struct<a:string>>`. Raises UnknownTypeError."""
    text = hive.strip().lower()
    name, _, inside = text.partition("<")
    if name in _SCALARS and not inside:
        return _SCALARS[name]
    if name not in ("array", "map", "struct") or not inside.endswith(">"):
        raise UnknownTypeError(f"the local AWS does not convert to {hive}: expected {', '.join(_SCALARS)} or nested")
    parts = _parts(inside[:-1])
    if name == "array":
        return _array(kind_of(parts[0]))
    if name == "map":
        return _map(kind_of(parts[1]))
    return struct({field: kind_of(of) for field, _, of in (part.partition(":") for part in parts)})


def struct(fields: Mapping[str, Kind]) -> Kind:
    """A structure, or a row: fields by their exact names, others left out."""

    def convert(given: Any) -> dict[str, Any]:
        if not isinstance(given, dict):
            raise SchemaMismatchError(f"{given!r:.80} is no object")
        return {name: kind.value(given.get(name)) for name, kind in fields.items()}

    return Kind(pa.struct([(name, kind.arrow) for name, kind in fields.items()]), convert)


def _array(item: Kind) -> Kind:
    def convert(given: Any) -> list[Any]:
        if not isinstance(given, list):
            raise SchemaMismatchError(f"{given!r:.80} is no array")
        return [item.value(each) for each in given]

    return Kind(pa.list_(item.arrow), convert)


def _map(item: Kind) -> Kind:
    def convert(given: Any) -> list[tuple[str, Any]]:
        if not isinstance(given, dict):
            raise SchemaMismatchError(f"{given!r:.80} is no object")
        return [(name, item.value(each)) for name, each in given.items()]

    return Kind(pa.map_(pa.string(), item.arrow), convert)


def _text(given: Any) -> str:
    return given if isinstance(given, str) else json.dumps(given, default=str, separators=(",", ":"))


def _long(given: Any) -> int:
    if isinstance(given, bool) or not isinstance(given, int) or not -_LONGEST <= given < _LONGEST:
        raise SchemaMismatchError(f"{given!r:.80} is no bigint")
    return int(given)


def _double(given: Any) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float | Decimal):
        raise SchemaMismatchError(f"{given!r:.80} is no double")
    return float(given)


def _boolean(given: Any) -> bool:
    if not isinstance(given, bool):
        raise SchemaMismatchError(f"{given!r:.80} is no boolean")
    return given


_SCALARS = {
    "string": Kind(pa.string(), _text),
    "bigint": Kind(pa.int64(), _long),
    "double": Kind(pa.float64(), _double),
    "boolean": Kind(pa.bool_(), _boolean),
}


def _parts(inside: str) -> list[str]:
    """What stands between the commas of the outermost level."""
    parts, depth, start = [], 0, 0
    for at, character in enumerate(inside):
        depth += (character == "<") - (character == ">")
        if character == "," and depth == 0:
            parts.append(inside[start:at])
            start = at + 1
    return [*parts, inside[start:]]
