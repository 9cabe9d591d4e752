"""The types that the columns of a Parquet file may have, for what the mapping reads them as."""

from collections.abc import Callable

import pyarrow as pa

from iot_pipeline.bulk_import.event_times import EventTimes, is_number, is_text
from iot_pipeline.bulk_import.mapping import ImportMapping, MappingError


def check_types(schema: pa.Schema, mapping: ImportMapping, where: str) -> None:
    """Raises MappingError naming a column whose type cannot be read as what the mapping says it is."""
    EventTimes(mapping.time).check_type(_plain(schema, mapping.time.column), where)
    texts = [text.column for text in (mapping.device, mapping.tenant, mapping.site) if text and text.column]
    values = [metric.source for metric in mapping.metrics]
    if mapping.long:
        texts, values = [*texts, mapping.long.name], [mapping.long.value]
    _check(schema, texts, lambda kind: is_text(kind) or pa.types.is_integer(kind), "texts or whole numbers", where)
    numbers = [*values, *(mapping.location or ())]
    _check(schema, numbers, lambda kind: is_text(kind) or is_number(kind), "numbers, or numbers as texts", where)
    whole = [mapping.seq] if mapping.seq else []
    _check(schema, whole, lambda kind: is_text(kind) or pa.types.is_integer(kind), "whole numbers", where)


def _check(
    schema: pa.Schema, columns: list[str], fits: Callable[[pa.DataType], bool], expected: str, where: str
) -> None:
    for column in columns:
        if not fits(_plain(schema, column)):
            raise MappingError(
                f"{where}: column {column!r} is of type {schema.field(column).type}; expected {expected}"
            )


def _plain(schema: pa.Schema, column: str) -> pa.DataType:
    kind = schema.field(column).type
    return kind.value_type if pa.types.is_dictionary(kind) else kind
