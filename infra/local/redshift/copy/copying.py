"""COPY ... FORMAT AS PARQUET in the client's transaction: https://docs.aws.amazon.com/redshift/latest/dg/r_COPY.html."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import Any

import pgpq

from infra.local.redshift.copy import s3_objects
from infra.local.redshift.copy.command import CopyCommand
from infra.local.redshift.copy.parquet import Column, Target, redshift_error
from infra.local.redshift.copy.role_sessions import s3_as
from infra.local.redshift.sql.functions import FUNCTIONS
from infra.local.redshift.wire.backend import Backend
from infra.local.redshift.wire.protocol import SqlError, message, notice, row

FUNCTIONS["pg_last_copy_count"] = "pg_last_copy_count"  # it is in copy_functions.sql

_COLUMNS = """
select a.attname, t.typname, a.atttypmod, a.attnotnull
from pg_catalog.pg_attribute a
join pg_catalog.pg_type t on t.oid = a.atttypid
join pg_catalog.pg_class c on c.oid = a.attrelid
where a.attrelid = pg_catalog.to_regclass({table}) and a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p')
order by a.attnum
"""


async def run_copy(backend: Backend, command: CopyCommand) -> None:
    """Load the objects; answer with a notice and CommandComplete. Nothing is kept of a COPY that fails.

    Raises SqlError (the transaction still has to be failed), BackendError and SkippedError.
    """
    columns = await _columns(backend, command)
    s3 = await asyncio.to_thread(s3_as, command.role)
    found = await asyncio.to_thread(s3_objects.keys, s3, command.bucket, command.prefix)
    if not found:
        text = f"The specified S3 prefix '{command.prefix}' does not exist"
        raise SqlError(text, "XX000", redshift_error(text, "", 8001).detail)
    target = Target(columns, command.serialize_to_json, command.fill_record)
    encoder = target.encoder()
    names = ", ".join(_quoted(c.name) for c in columns)
    await backend.start_data(f"copy {_table(command)} ({names}) from stdin (format binary)")
    await backend.data(encoder.write_header())
    loaded = 0
    async with aclosing(_ahead(_encoded(target, encoder, s3, command.bucket, found))) as batches:
        async for rows, data in batches:
            await backend.data(data)
            loaded += rows
    await backend.data(encoder.finish())
    await backend.end_data()
    await backend.rows(f"select pg_catalog.set_config('redshift.last_copy_count', '{loaded}', false)")
    await backend.answer(
        notice(f"Load into table '{command.table}' completed, {loaded} record(s) loaded successfully.")
    )
    # redshift_connector wants a number there; how many rows were loaded is what pg_last_copy_count() is for.
    await backend.answer(message(b"C", b"COPY 0\0"))


async def _ahead(batches: Iterator[tuple[int, bytes]]) -> AsyncGenerator[tuple[int, bytes], None]:
    """The batches, each made in a thread while the one before is sent."""
    coming = asyncio.create_task(asyncio.to_thread(next, batches, None))
    try:
        while batch := await coming:
            coming = asyncio.create_task(asyncio.to_thread(next, batches, None))
            yield batch
    finally:
        await asyncio.wait([coming])


def _encoded(
    target: Target, encoder: pgpq.ArrowToPostgresBinaryEncoder, s3: Any, bucket: str, found: list[str]
) -> Iterator[tuple[int, bytes]]:
    for key in found:
        with s3_objects.downloaded(s3, bucket, key) as file:
            for batch in target.rows(file, s3_objects.url(s3, bucket, key)):
                yield batch.num_rows, encoder.write_batch(batch)


async def _columns(backend: Backend, command: CopyCommand) -> list[Column]:
    """The target's columns: all of them, or those that the COPY names, in its order."""
    table = _table(command).replace("'", "''")
    found = [row(body) for body in await backend.rows(_COLUMNS.format(table=f"'{table}'"))]
    if not found:
        raise SqlError(f"Cannot COPY into nonexistent table {command.table}", "42P01")
    columns = [Column(str(n), str(t), int(str(m)), not_null == "t") for n, t, m, not_null in found]
    if command.columns is None:
        return columns
    by_name = {c.name: c for c in columns}
    for name in command.columns:
        if name not in by_name:
            raise SqlError(f'column "{name}" of relation "{command.table}" does not exist', "42703")
        if command.columns.count(name) > 1:
            raise SqlError(f'column "{name}" specified more than once', "42701")
    return [by_name[name] for name in command.columns]


def _table(command: CopyCommand) -> str:
    return ".".join(_quoted(name) for name in (command.schema, command.table) if name is not None)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
