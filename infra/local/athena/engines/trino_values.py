"""Trino's JSON of types and values, as Athena describes and shows them."""

import base64
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from infra.local.athena.queries import results
from infra.local.athena.queries.value_text import value_text
from infra.local.athena.sql.typed import kinds
from infra.local.athena.sql.typed.kinds import ZONED, Kind

_SHOWN_DIGITS = 3
"""Athena's result files show at least so many digits of a second (Athena user guide, "Data types in Amazon Athena")."""


def kind_of(signature: dict[str, Any]) -> Kind:
    """The type of a `typeSignature` (Trino's client protocol)."""
    name, arguments = str(signature["rawType"]), signature.get("arguments") or []
    if name == "varchar":
        return kinds.VARCHAR
    if name == "array":
        return kinds.array(kind_of(arguments[0]["value"]))
    if name == "map":
        return kinds.mapping(*(kind_of(argument["value"]) for argument in arguments))
    if name == "row":
        return kinds.row(_field(argument["value"]) for argument in arguments)
    numbers = tuple(int(argument["value"]) for argument in arguments)
    return Kind(name.lower(), numbers or ((_SHOWN_DIGITS,) if name in {"timestamp", ZONED} else ()))


def _field(value: dict[str, Any]) -> tuple[str | None, Kind]:
    named = value.get("fieldName")
    return (named or {}).get("name"), kind_of(value["typeSignature"])


def shown(rows: Sequence[Sequence[Any]], types: Sequence[Kind]) -> pa.RecordBatch:
    """Rows as the texts that Athena shows; a column of texts each."""
    columns = [pa.array([_text(row[at], kind) for row in rows], pa.string()) for at, kind in enumerate(types)]
    return pa.RecordBatch.from_arrays(columns, schema=pa.schema([(f"c{at}", pa.string()) for at in range(len(types))]))


def column_info(name: str, kind: Kind) -> dict[str, Any]:
    """The API's ColumnInfo of a column."""
    precision, scale = kind.numbers if kind.name == "decimal" else (None, 0)
    if kind.name in {"timestamp", ZONED}:
        precision = max(kind.numbers[0], _SHOWN_DIGITS)
    return results.described(name, "float" if kind == kinds.REAL else kind.name, precision, scale)


def _text(value: Any, kind: Kind) -> str | None:
    return None if value is None else value_text(_decoded(value, kind), kind)


def _decoded(value: Any, kind: Kind | None) -> Any:
    """The value for `value_text`; what Trino sends as the text that is shown stays one."""
    if value is None or kind is None:
        return value
    if kind.name in {"real", "double"}:
        return float(value)
    if kind.name == "varbinary":
        return base64.b64decode(value)
    if kind.name in {"timestamp", ZONED}:
        return _moment(value)
    if kind.name == "array":
        return [_decoded(item, kind.part) for item in value]
    if kind.name == "map":
        key, item = kind.parts
        return [(_key(k, key), _decoded(v, item)) for k, v in value.items()]
    if kind.name == "row":
        return {at: _decoded(item, part) for at, (item, part) in enumerate(zip(value, kind.parts, strict=True))}
    return value


def _key(text: str, kind: Kind | None) -> Any:
    """A key of a map, which is a member's name in JSON: numbers are texts as Java writes them already."""
    return text if kind is None or kind.name in {"real", "double", "boolean"} else _decoded(text, kind)


def _moment(text: str) -> str:
    """A moment with at least `_SHOWN_DIGITS` digits of its second."""
    date, clock, *zone = text.split(" ", 2)
    seconds, _, digits = clock.partition(".")
    return " ".join([date, f"{seconds}.{digits.ljust(_SHOWN_DIGITS, '0')}", *zone])
