"""Parquet objects as the rows of a table: checked as Redshift checks them, encoded for PostgreSQL's binary COPY.

Redshift maps by position, and takes only Parquet types that fit the column's:
https://docs.aws.amazon.com/redshift/latest/dg/copy-usage_notes-copy-from-columnar.html. Its messages are quoted from
reports of those who met them (amazon-redshift-python-driver issue 107, rudder-server pull request 3178).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO

import pgpq
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pgpq.encoders import StringEncoderBuilder
from pgpq.schema import Jsonb

from infra.local.redshift.copy.json_text import as_json
from infra.local.redshift.wire.protocol import SqlError

BATCH_ROWS = 1 << 16
STRING_BYTES = 65535  # of a VARCHAR, and of a text that becomes a SUPER
_RULE = "-----------------------------------------------"

_TYPES = {
    "int2": (pa.int16(), "SMALLINT"),
    "int4": (pa.int32(), "INTEGER"),
    "int8": (pa.int64(), "BIGINT"),
    "float4": (pa.float32(), "REAL"),
    "float8": (pa.float64(), "DOUBLE PRECISION"),
    "bool": (pa.bool_(), "BOOLEAN"),
    "date": (pa.date32(), "DATE"),
    "varchar": (pa.string(), "VARCHAR"),
    "bpchar": (pa.string(), "CHAR"),
    "text": (pa.string(), "VARCHAR"),
    "timestamp": (pa.timestamp("us"), "TIMESTAMP"),
    "timestamptz": (pa.timestamp("us", "UTC"), "TIMESTAMPTZ"),
    "jsonb": (pa.string(), "SUPER"),
}


@dataclass(frozen=True)
class Column:
    """A column of the target table: PostgreSQL's type name and modifier (`atttypmod`, -1: none)."""

    name: str
    type: str
    modifier: int
    not_null: bool

    @property
    def arrow(self) -> pa.DataType:
        """What is sent to PostgreSQL. Raises SqlError for a type that is not loaded."""
        if self.type == "numeric":
            return pa.decimal128(*self.precision)
        if self.type not in _TYPES:
            raise SqlError(f'column "{self.name}" has type {self.type}, which COPY does not load locally', "0A000")
        return _TYPES[self.type][0]

    @property
    def redshift(self) -> str:
        """Redshift's name of the type."""
        if self.type == "numeric":
            return "DECIMAL({}, {})".format(*self.precision)
        return _TYPES[self.type][1]

    @property
    def precision(self) -> tuple[int, int]:
        """Precision and scale of a numeric; Redshift's default is (18, 0)."""
        packed = self.modifier - 4
        return (packed >> 16, packed & 0x7FF) if packed >= 0 else (18, 0)

    @property
    def bytes(self) -> int | None:
        """The bytes that fit, which is how Redshift counts; None: no text."""
        if self.type not in {"varchar", "bpchar"}:
            return None
        return self.modifier - 4 if self.modifier >= 4 else STRING_BYTES


def scan_error(context: str, code: int = 15007) -> SqlError:
    """The error of a file that does not fit."""
    return redshift_error("Spectrum Scan Error", context, code)


def redshift_error(error: str, context: str, code: int) -> SqlError:
    """An error as Redshift's nodes report it: the reason is in the detail."""
    lines = ["", _RULE, f"error:  {error}", f"code:      {code}", f"context:   {context}", "query:     0", _RULE]
    return SqlError(error, "XX000", "\n  ".join(lines))


@dataclass(frozen=True)
class Target:
    """What a file has to fit: the columns by position, and the options of the COPY."""

    columns: Sequence[Column]
    serialize_to_json: bool
    fill_record: bool

    def encoder(self) -> pgpq.ArrowToPostgresBinaryEncoder:
        """For the batches that `rows` gives."""
        schema = self.schema
        special = {
            c.name: StringEncoderBuilder.new_with_output(schema.field(c.name), Jsonb())
            for c in self.columns
            if c.type == "jsonb"
        }
        return pgpq.ArrowToPostgresBinaryEncoder.new_with_encoders(
            schema, {f.name: special.get(f.name) or pgpq.ArrowToPostgresBinaryEncoder.infer_encoder(f) for f in schema}
        )

    @property
    def schema(self) -> pa.Schema:
        """Of the batches."""
        return pa.schema([pa.field(c.name, c.arrow) for c in self.columns])

    def rows(self, file: IO[bytes], url: str) -> Iterator[pa.RecordBatch]:
        """Batches of one Parquet file (called `url` in errors). Raises SqlError if it does not fit."""
        try:
            source = pq.ParquetFile(file, coerce_int96_timestamp_unit="us")
        except pa.ArrowInvalid as error:
            raise scan_error(f"File '{url}' has an invalid version number: {error}") from error
        self._check(source, url)
        try:
            yield from (self._fitted(batch, url) for batch in source.iter_batches(BATCH_ROWS))
        except (pa.ArrowException, OSError) as error:
            raise scan_error(f"File '{url}' cannot be read: {error}") from error

    def _fitted(self, batch: pa.RecordBatch, url: str) -> pa.RecordBatch:
        arrays = [self._values(c, v, url) for c, v in zip(self.columns, batch.columns, strict=False)]
        missing = self.columns[len(arrays) :]
        arrays += [self._values(c, pa.nulls(batch.num_rows, c.arrow), url) for c in missing]
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)

    def _check(self, source: pq.ParquetFile, url: str) -> None:
        found = source.schema_arrow
        few = len(found) < len(self.columns) and not self.fill_record
        if few or len(found) > len(self.columns):
            raise scan_error(
                "Unmatched number of columns between table and file. "
                f"Table columns: {len(self.columns)}, Data columns: {len(found)}, File name: {url}"
            )
        for column, field in zip(self.columns, found, strict=False):
            if column.type == "jsonb" and not self.serialize_to_json:
                raise SqlError("SUPER column in COPY query requires SERIALIZETOJSON option", "0A000")
            if not _fits(column, _decoded(field.type)):
                raise scan_error(
                    f"File '{url}' has an incompatible Parquet schema for column '{url}.{field.name}'. "
                    f"Column type: {column.redshift}, Parquet schema:\n{_parquet_type(source, field.name)}"
                )

    def _values(self, column: Column, values: pa.Array, url: str) -> pa.Array:
        if pa.types.is_dictionary(values.type):
            values = values.dictionary_decode()
        if column.not_null and values.null_count:
            raise SqlError(f"Cannot insert a NULL value into column {column.name}", "23502")
        if column.type == "jsonb":
            if _is_text(values.type) and _longest(values) > STRING_BYTES:
                raise scan_error(f"String value exceeds the max size of {STRING_BYTES} bytes", 1224)
            return as_json(values)
        if column.bytes is not None and (longest := _longest(values)) > column.bytes:
            raise scan_error(
                f"The length of the data column {column.name} is longer than the length defined in the table. "
                f"Table: {column.bytes}, Data: {longest}, File name: {url}"
            )
        return values.cast(column.arrow)


def _decoded(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _is_text(kind: pa.DataType) -> bool:
    return any(is_kind(kind) for is_kind in (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary))


def _longest(values: pa.Array) -> int:
    return pc.max(pc.binary_length(values)).as_py() or 0


def _fits(column: Column, found: pa.DataType) -> bool:
    wanted = column.arrow
    if column.type == "jsonb":
        return not pa.types.is_binary(found)
    if pa.types.is_string(wanted):
        return _is_text(found)
    if pa.types.is_timestamp(wanted):
        return bool(pa.types.is_timestamp(found) and found.unit in {"ms", "us"})
    if pa.types.is_decimal(wanted):
        return bool(pa.types.is_decimal(found) and found.scale == wanted.scale and found.precision <= wanted.precision)
    if column.type == "int2":
        return found in {pa.int8(), pa.int16()}
    return bool(found == wanted)


def _parquet_type(source: pq.ParquetFile, name: str) -> str:
    fields = [source.schema.column(i) for i in range(len(source.schema))]
    found = [f"{f.path}: {f.physical_type} {f.logical_type}" for f in fields if f.path.split(".")[0] == name]
    return "; ".join(found)
