"""Raw objects in Parquet (docs/firehose-parquet.md), for who reads the raw zone without an engine: their records."""

import base64
import io
from collections.abc import Callable

import pyarrow as pa
import pyarrow.parquet as pq

from iot_pipeline.contract.tables import LINE, LINE_BASE64

MAGIC = b"PAR1"


def is_parquet(body: bytes) -> bool:
    """Whether an object is Parquet, by its first bytes."""
    return body.startswith(MAGIC)


def lines_of(body: bytes) -> list[bytes]:
    """The records of an object, as they came, to the byte. Raises pyarrow.ArrowInvalid for what is no whole Parquet."""
    return _lines(pq.read_table(io.BytesIO(body)))


def without(body: bytes, gone: Callable[[bytes], bool]) -> tuple[int, bytes]:
    """How many records are gone, and the object without them, with all columns of the others.

    Raises pyarrow.ArrowInvalid for what is no whole Parquet.
    """
    table = pq.read_table(io.BytesIO(body))
    kept = [not gone(line) for line in _lines(table)]
    out = io.BytesIO()
    pq.write_table(table.filter(pa.array(kept, pa.bool_())), out, compression="gzip")
    return kept.count(False), out.getvalue()


def _lines(table: pa.Table) -> list[bytes]:
    texts = table[LINE.name].to_pylist()
    names = table.column_names
    exact = table[LINE_BASE64.name].to_pylist() if LINE_BASE64.name in names else [None] * len(texts)
    return [
        base64.b64decode(encoded) if encoded else (text or "").encode()
        for text, encoded in zip(texts, exact, strict=True)
    ]
