"""UNLOAD ... FORMAT AS PARQUET in the client's transaction: https://docs.aws.amazon.com/redshift/latest/dg/r_UNLOAD.html."""

import asyncio
import struct
import tempfile
from typing import IO, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from infra.local.redshift.copy import s3_objects
from infra.local.redshift.copy.command import UnloadCommand
from infra.local.redshift.copy.role_sessions import s3_as
from infra.local.redshift.wire.backend import Backend
from infra.local.redshift.wire.protocol import SqlError, close, message, notice, parse, text

_STATEMENT = "redshift_unload"

# By type oid; what is not here is refused.
_TYPES = {
    16: pa.bool_(),
    20: pa.int64(),
    21: pa.int16(),
    23: pa.int32(),
    25: pa.string(),
    700: pa.float32(),
    701: pa.float64(),
    1042: pa.string(),
    1043: pa.string(),
    1082: pa.date32(),
    1114: pa.timestamp("us"),
    1184: pa.timestamp("us", "UTC"),
    3802: pa.string(),
}
_NUMERIC = 1700


async def run_unload(backend: Backend, command: UnloadCommand, sql: str) -> None:
    """Write the rows of `sql` (PostgreSQL's) as Parquet objects; answer with a notice and CommandComplete.

    Raises SqlError (the transaction still has to be failed), BackendError and SkippedError.
    """
    s3 = await asyncio.to_thread(s3_as, command.role)
    await asyncio.to_thread(_check_destination, s3, command)
    schema = await _schema(backend, sql)
    with tempfile.TemporaryFile() as file:
        await _fetch(backend, sql, file)
        rows = await asyncio.to_thread(_write, s3, file, schema, command)
    await backend.answer(notice(f"UNLOAD completed, {rows} record(s) unloaded successfully."))
    await backend.answer(message(b"C", b"UNLOAD\0"))


def _check_destination(s3: Any, command: UnloadCommand) -> None:
    if not command.allow_overwrite and s3_objects.keys(s3, command.bucket, command.prefix):
        raise SqlError(
            "Specified unload destination on S3 is not empty. Consider using a different bucket / prefix, manually "
            "removing the target files in S3, or using the ALLOWOVERWRITE option."
        )


async def _schema(backend: Backend, sql: str) -> pa.Schema:
    await backend.request(
        close(b"S", _STATEMENT), parse(_STATEMENT, sql), message(b"D", b"S" + _STATEMENT.encode() + b"\0")
    )
    _, body = (await backend.answers_until(b"T"))[-1]
    return pa.schema(list(_fields(body)))


def _fields(body: bytes) -> "list[pa.Field]":
    """The fields of a RowDescription."""
    position, fields = 2, []
    for _ in range(struct.unpack_from("!h", body)[0]):
        name, position = text(body, position)
        _, _, kind, _, modifier, _ = struct.unpack_from("!IhIhih", body, position)
        position += 18
        if kind == _NUMERIC:
            packed = modifier - 4
            precision, scale = (packed >> 16, packed & 0x7FF) if packed >= 0 else (38, 10)
            fields.append(pa.field(name, pa.decimal128(precision, scale)))
        elif kind in _TYPES:
            fields.append(pa.field(name, _TYPES[kind]))
        else:
            raise SqlError(f'column "{name}" has a type (oid {kind}) which UNLOAD does not write locally', "0A000")
    return fields


async def _fetch(backend: Backend, sql: str, file: IO[bytes]) -> None:
    """The rows as CSV: NULL is nothing, a text is always quoted."""
    await backend.start(f"copy ({sql.strip().rstrip(';')}) to stdout (format csv, force_quote *)")
    while True:
        kind, body = await backend.next_answer()
        if kind == b"d":
            file.write(body)
        elif kind == b"C":
            file.seek(0)
            return


def _write(s3: Any, file: IO[bytes], schema: pa.Schema, command: UnloadCommand) -> int:
    """One object, or one each value of the partition columns; the number of rows. No rows: no object."""
    options = pa.csv.ConvertOptions(
        column_types=schema,
        null_values=[""],
        true_values=["t"],
        false_values=["f"],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
    )
    parsing = pa.csv.ParseOptions(newlines_in_values=True)
    if file.read(1) == b"":
        return 0
    file.seek(0)
    table = pa.csv.read_csv(
        file, pa.csv.ReadOptions(column_names=schema.names), parse_options=parsing, convert_options=options
    )
    for suffix, part in _parts(table, command):
        with tempfile.TemporaryFile() as out:
            pq.write_table(part, out, use_deprecated_int96_timestamps=True)  # as Redshift writes them
            out.seek(0)
            name = "0000_part_00.parquet" if command.parallel else "000.parquet"
            s3_objects.upload(s3, out, command.bucket, command.prefix + suffix + name)
    return int(table.num_rows)


def _parts(table: pa.Table, command: UnloadCommand) -> "list[tuple[str, pa.Table]]":
    """(what follows the prefix, rows) of each partition, named like Hive's."""
    if not command.partition_by:
        return [("", table)]
    missing = [name for name in command.partition_by if name not in table.column_names]
    if missing:
        raise SqlError(f'column "{missing[0]}" of PARTITION BY is not among the columns unloaded', "42703")
    parts = []
    for key in table.select(command.partition_by).group_by(list(command.partition_by)).aggregate([]).to_pylist():
        mask = None
        for name, value in key.items():
            column = table[name]
            same = pc.is_null(column) if value is None else pc.equal(column, pa.scalar(value, column.type))
            mask = same if mask is None else pc.and_kleene(mask, same)
        folders = "".join(f"{n}={'__HIVE_DEFAULT_PARTITION__' if v is None else v}/" for n, v in key.items())
        rows = table.filter(mask)
        parts.append((folders, rows if command.include else rows.drop_columns(list(command.partition_by))))
    return parts
