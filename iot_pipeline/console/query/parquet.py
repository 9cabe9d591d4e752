"""A result as Parquet, made from the CSV that Athena wrote, typed by the result's columns."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

_DIRECT = {
    "boolean": pa.bool_(),
    "tinyint": pa.int8(),
    "smallint": pa.int16(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "float": pa.float32(),
    "real": pa.float32(),
    "double": pa.float64(),
}
_ZONED = pa.timestamp("ms", "UTC")
_DECIMAL = re.compile(r"decimal\((\d+),(\d+)\)")


def write_parquet(source: Any, columns: Sequence[dict[str, str]], target: BinaryIO) -> None:
    """Write to `target` what a stream of Athena's CSV holds. `columns` have `name` and `type`.

    Arrays, maps, rows and JSON stay texts, as Athena writes them. Raises pyarrow.ArrowInvalid for a value that is not
    of its column's type.
    """
    names = [f"c{number}" for number in range(len(columns))]
    reader = pa.csv.open_csv(
        pa.PythonFile(source, mode="r"),
        read_options=pa.csv.ReadOptions(column_names=names, skip_rows=1),
        parse_options=pa.csv.ParseOptions(newlines_in_values=True),
        # Athena writes null as nothing and an empty text as "".
        convert_options=pa.csv.ConvertOptions(
            column_types={
                name: _DIRECT.get(column["type"], pa.string()) for name, column in zip(names, columns, strict=True)
            },
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )
    schema = pa.schema(list(zip(_distinct(columns), (_type_of(c["type"]) for c in columns), strict=True)))
    with pq.ParquetWriter(target, schema, compression="zstd") as writer:
        for batch in reader:
            arrays = [_typed(batch.column(n), column["type"]) for n, column in enumerate(columns)]
            writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=schema))


def _type_of(kind: str) -> pa.DataType:
    if kind in _DIRECT:
        return _DIRECT[kind]
    if decimal := _DECIMAL.fullmatch(kind):
        return pa.decimal128(int(decimal[1]), int(decimal[2]))
    return _CONVERTED[kind][0] if kind in _CONVERTED else pa.string()


def _typed(values: pa.Array, kind: str) -> pa.Array:
    target = _type_of(kind)
    if values.type == target:
        return values
    if kind in _CONVERTED and (convert := _CONVERTED[kind][1]):
        return pa.array([None if v is None else convert(v) for v in values.to_pylist()], target)
    return values.cast(target)


def _instant(text: str) -> datetime:
    """2026-11-28 10:00:00.000 Europe/Berlin, or with an offset in place of the name."""
    moment, _, zone = text.rpartition(" ")
    if re.fullmatch(r"[+-]\d\d:\d\d", zone):
        return datetime.fromisoformat(moment + zone).astimezone(UTC)
    return datetime.fromisoformat(moment).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


_CONVERTED: dict[str, tuple[pa.DataType, Callable[[str], Any] | None]] = {
    "date": (pa.date32(), None),
    "timestamp": (pa.timestamp("ms"), None),
    "timestamp with time zone": (_ZONED, _instant),
    "varbinary": (pa.binary(), bytes.fromhex),
}


def _distinct(columns: Sequence[dict[str, str]]) -> list[str]:
    """The columns' names; of those that come again, with a number."""
    seen = Counter[str]()
    names = []
    for column in columns:
        name = column["name"]
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return names
