"""Rows of a Parquet object: which are whose, and the object without some of them."""

import io
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from iot_pipeline.erasure.subject import Subject

MAGIC = b"PAR1"


def read_table(body: bytes) -> pa.Table:
    """The rows of an object. Raises pyarrow.ArrowInvalid for what is no Parquet."""
    return pq.read_table(io.BytesIO(body))


def written(table: pa.Table) -> bytes:
    """The rows as an object, compressed as builds do it."""
    out = io.BytesIO()
    pq.write_table(table, out, compression="zstd")
    return out.getvalue()


def mentioning(table: pa.Table, subject: Subject) -> list[bool]:
    """Of each row whether any of its texts mentions the subject."""
    found = [False] * table.num_rows
    for name in table.column_names:
        column = table[name]
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            values = pc.unique(column.combine_chunks())
            hits = [value for value in values.to_pylist() if value is not None and subject.mentioned_in(value)]
            marks = pc.is_in(column, pa.array(hits, column.type)).to_pylist() if hits else []
        elif pa.types.is_map(column.type):
            marks = [value is not None and subject.mentioned_in(repr(value)) for value in column.to_pylist()]
        else:
            continue
        found = [one or bool(other) for one, other in zip(found, marks, strict=True)] if marks else found
    return found


def owned(table: pa.Table, subject: Subject) -> list[bool]:
    """Of each row whether it is theirs: by its device and tenant, or, where it names no device, by any mention."""
    devices = _texts(table, "device_id")
    tenants = _texts(table, "tenant")
    mentions = mentioning(table, subject)
    return [
        subject.owns_names(device, tenant) or (device is None and tenant is None and mention)
        for device, tenant, mention in zip(devices, tenants, mentions, strict=True)
    ]


def tenants_among(table: pa.Table, marks: Sequence[bool]) -> frozenset[str]:
    """The tenants that marked rows name."""
    named = zip(_texts(table, "tenant"), marks, strict=True)
    return frozenset(tenant for tenant, mark in named if mark and tenant is not None)


def without(table: pa.Table, gone: Sequence[bool]) -> pa.Table:
    """The rows that are not marked, in their order."""
    return table.filter(pa.array([not mark for mark in gone], pa.bool_()))


def _texts(table: pa.Table, name: str) -> list[str | None]:
    return table[name].to_pylist() if name in table.column_names else [None] * table.num_rows
