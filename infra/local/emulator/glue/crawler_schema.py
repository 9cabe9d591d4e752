"""The format and columns of objects, as a crawler infers them: newline JSON (plain or gzip) and Parquet.

AWS Glue developer guide: "Using crawlers to populate the Data Catalog", "Adding classifiers" (built-in classifiers).
"""

import gzip
import io
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from infra.local.emulator.glue.crawler_layout import ObjectRef

SAMPLED_OBJECTS = 20
SAMPLED_BYTES = 1 << 20
SAMPLED_LINES = 500
_INTEGERS = ("tinyint", "smallint", "int", "bigint")
_NUMBERS = (*_INTEGERS, "float", "double")

Type = str | dict[str, "Type"] | list["Type"] | None


class UnknownFormatError(ValueError):
    """An object that is neither newline JSON nor Parquet."""


@dataclass(frozen=True)
class Schema:
    """What a table's objects hold. `columns` are Glue names and types."""

    classification: str
    compressed: bool
    columns: dict[str, str]


def infer(refs: list[ObjectRef], read: Callable[[ObjectRef], bytes]) -> Schema:
    """The schema of a table's objects, from a sample spread over them; `read` returns an object's bytes."""
    step = max(1, len(refs) // SAMPLED_OBJECTS)
    merged: dict[str, Type] = {}
    kinds = set()
    for ref in [*refs[::step], refs[-1]]:
        body = read(ref)
        compressed = body[:2] == b"\x1f\x8b"
        kind = "parquet" if body[:4] == b"PAR1" else "json"
        kinds.add((kind, compressed))
        found = _parquet_columns(body) if kind == "parquet" else _json_columns(ref, _head(body, compressed=compressed))
        merged = _merge_structs(merged, found)
    if len(kinds) > 1:
        msg = (
            f"s3://{refs[0].bucket}/{refs[0].key} and others: objects of several formats in one table: {sorted(kinds)}"
        )
        raise UnknownFormatError(msg)
    kind, compressed = kinds.pop()
    return Schema(kind, compressed, {name: spell(value) for name, value in merged.items()})


def _head(body: bytes, *, compressed: bool) -> bytes:
    return gzip.GzipFile(fileobj=io.BytesIO(body)).read(SAMPLED_BYTES) if compressed else body[:SAMPLED_BYTES]


def _json_columns(ref: ObjectRef, head: bytes) -> dict[str, Type]:
    lines = head.split(b"\n")
    if len(head) == SAMPLED_BYTES:
        lines = lines[:-1]
    columns: dict[str, Type] = {}
    understood = 0
    for line in [line for line in lines if line.strip()][:SAMPLED_LINES]:
        try:
            document = json.loads(line)
        except ValueError:
            continue
        if isinstance(document, dict):
            understood += 1
            columns = _merge_structs(columns, {name.lower(): _json_type(value) for name, value in document.items()})
    if not understood:
        msg = f"s3://{ref.bucket}/{ref.key}: classification UNKNOWN: neither JSON lines nor Parquet"
        raise UnknownFormatError(msg)
    return columns


def _json_type(value: Any) -> Type:
    if value is None:
        return None
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "int" if -(2**31) <= value < 2**31 else "bigint"
    if isinstance(value, float):
        return "double"
    if isinstance(value, dict):
        return {name.lower(): _json_type(item) for name, item in value.items()}
    if isinstance(value, list):
        return [merge(_json_type(item) for item in value)]
    return "string"


def merge(types: Iterable[Type]) -> Type:
    """The narrowest type that holds all of them; text when nothing else does."""
    merged: Type = None
    for kind in types:
        merged = _merge_two(merged, kind)
    return merged


def _merge_two(one: Type, two: Type) -> Type:
    if one is None or two is None or one == two:
        return two if one is None else one
    if isinstance(one, dict) and isinstance(two, dict):
        return _merge_structs(one, two)
    if isinstance(one, list) and isinstance(two, list):
        return [_merge_two(one[0], two[0])]
    if isinstance(one, str) and isinstance(two, str) and one in _NUMBERS and two in _NUMBERS:
        wider = _NUMBERS[max(_NUMBERS.index(one), _NUMBERS.index(two))]
        return "double" if wider == "float" and {one, two} & {"int", "bigint"} else wider
    return "string"


def _merge_structs(one: dict[str, Type], two: dict[str, Type]) -> dict[str, Type]:
    return {
        name: _merge_two(one.get(name), two.get(name)) for name in [*one, *(name for name in two if name not in one)]
    }


def spell(kind: Type) -> str:
    """A type as Glue writes it; what was always null is text."""
    if isinstance(kind, dict):
        return f"struct<{','.join(f'{name}:{spell(value)}' for name, value in kind.items())}>" if kind else "string"
    if isinstance(kind, list):
        return f"array<{spell(kind[0])}>"
    return kind or "string"


def _parquet_columns(body: bytes) -> dict[str, Type]:
    import pyarrow.parquet

    schema = pyarrow.parquet.read_schema(io.BytesIO(body))
    return {field.name.lower(): arrow_type(field.type) for field in schema}


def arrow_type(kind: Any) -> Type:
    """The Glue type of an Arrow type."""
    import pyarrow as pa

    types = pa.types
    simple = {
        "int8": "tinyint", "int16": "smallint", "int32": "int", "int64": "bigint", "uint8": "smallint",
        "uint16": "int", "uint32": "bigint", "uint64": "bigint", "float": "float", "halffloat": "float",
        "double": "double", "bool": "boolean", "string": "string", "large_string": "string", "binary": "binary",
        "large_binary": "binary", "date32[day]": "date",
    }  # fmt: skip
    if types.is_struct(kind):
        return {field.name.lower(): arrow_type(field.type) for field in kind}
    if types.is_map(kind):
        return f"map<{spell(arrow_type(kind.key_type))},{spell(arrow_type(kind.item_type))}>"
    if types.is_list(kind) or types.is_large_list(kind):
        return [arrow_type(kind.value_type)]
    if types.is_dictionary(kind):
        return arrow_type(kind.value_type)
    if types.is_timestamp(kind):
        return "timestamp"
    if types.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})"
    if str(kind) not in simple:
        msg = f"The Parquet type {kind} has no Glue type"
        raise UnknownFormatError(msg)
    return simple[str(kind)]
