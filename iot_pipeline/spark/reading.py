"""Reading the lake's objects in Spark's Python workers.

The workers read S3 themselves, by the AWS SDK: Spark's own reader of s3: is a Java library that its Python package does
not bring, and the judge needs the lines in Python anyway.
"""

import gzip
import io
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import boto3
import pyarrow as pa
import pyarrow.parquet as pq

from iot_pipeline.contract import PARTITION_KEYS, Contract, Table
from iot_pipeline.contract.judge import Judge, records_in
from iot_pipeline.contract.judged_reading import Reading
from iot_pipeline.lake.unreadable import is_foreign
from iot_pipeline.spark.columns import arrow_schema
from iot_pipeline.spark.scans import PATH

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

Batches = Iterator[pa.RecordBatch]
Reader = Callable[[Batches], Batches]
# So many rows leave a worker at once.
ROWS = 20_000


class UnreadableObjectError(ValueError):
    """A raw object under a name that no reader here knows."""


def parquet_reader(table: Table, columns: Iterable[str]) -> Reader:
    """Rows of the objects named by PATH, with the partition keys that stand beside their names."""
    schema = arrow_schema(table, columns)

    def read(batches: Batches) -> Batches:
        s3 = boto3.client("s3")
        for listed in _rows(batches):
            body = pq.ParquetFile(io.BytesIO(_body(s3, listed[PATH])), coerce_int96_timestamp_unit="us")
            there = [name for name in schema.names if name in body.schema_arrow.names]
            for batch in body.iter_batches(ROWS, columns=there):
                yield _with_place(batch, schema, listed)

    return read


def judging_reader(table: Table, contract: Contract) -> Reader:
    """The judged rows of the raw objects named by `object`."""
    schema = arrow_schema(table, [it.name for it in table.columns])

    def read(batches: Batches) -> Batches:
        s3, judge = boto3.client("s3"), Judge(contract)
        for listed in _rows(batches):
            rows: list[dict[str, Any]] = []
            for line in _lines(s3, listed["object"]):
                rows += [_row(reading, contract, listed["object"]) for reading in judge.line(line)]
                if len(rows) >= ROWS:
                    yield _with_keys(pa.RecordBatch.from_pylist(rows, schema), listed)
                    rows = []
            if rows:
                yield _with_keys(pa.RecordBatch.from_pylist(rows, schema), listed)

    return read


def counting_reader() -> Reader:
    """A row for each line of the raw objects named by `object`: how many records it is."""

    def read(batches: Batches) -> Batches:
        s3 = boto3.client("s3")
        for listed in _rows(batches):
            counts = [records_in(line) for line in _lines(s3, listed["object"])]
            for start in range(0, len(counts), ROWS):
                numbers = pa.array(counts[start : start + ROWS], pa.int64())
                yield _with_keys(pa.RecordBatch.from_arrays([numbers], ["received"]), listed)

    return read


def _rows(batches: Batches) -> Iterator[dict[str, Any]]:
    for batch in batches:
        yield from batch.to_pylist()


def _row(reading: Reading, contract: Contract, uri: str) -> dict[str, Any]:
    """A row of judged_telemetry; as in SQL, the message is named and the record kept only of what is not valid."""
    sender, values = reading.message, reading.values
    row = {
        "object": uri,
        "position": reading.position,
        "outcome": str(reading.outcome),
        "device_id": sender.device_id,
        "event_time": reading.event_time,
        "seq": reading.seq,
        "lat": reading.lat,
        "lon": reading.lon,
        "extras": reading.extras_text,
        "tenant": sender.tenant,
        "site": sender.site,
        "fw": sender.fw,
        "received_at": sender.received_at,
        "payload_base64": sender.payload_base64,
    }
    for metric in contract.metrics:
        row[metric.name] = values.get(metric.name)
    if reading.outcome != "valid":
        row |= {"message_id": sender.message_id, "detail": reading.detail, "record": reading.record}
    return row


def _lines(s3: "S3Client", uri: str) -> Iterator[bytes]:
    """The lines of a raw object. Raises EOFError, zlib.error or OSError for a gzip that is none."""
    if is_foreign(uri):
        raise UnreadableObjectError(f"{uri}: expected gzip or plain text, as Firehose writes")
    body = _body(s3, uri)
    stored = io.BytesIO(body)
    with gzip.GzipFile(fileobj=stored) if uri.endswith(".gz") and body else stored as lines:
        for line in lines:
            yield line.removesuffix(b"\n")


def _body(s3: "S3Client", uri: str) -> bytes:
    bucket, key = uri.removeprefix("s3://").split("/", 1)
    return s3.get_object(Bucket=bucket, Key=key)["Body"].read()


def _with_place(batch: pa.RecordBatch, schema: pa.Schema, listed: dict[str, Any]) -> pa.RecordBatch:
    """A batch of an object that may be older than some columns, in the schema's types and order, with its place."""
    there = set(batch.schema.names)
    arrays = [
        batch.column(field.name).cast(field.type) if field.name in there else pa.nulls(batch.num_rows, field.type)
        for field in schema
    ]
    own = pa.RecordBatch.from_arrays(arrays, schema=schema) if arrays else None
    return _with(own, batch.num_rows, listed, (*PARTITION_KEYS, PATH))


def _with_keys(batch: pa.RecordBatch, listed: dict[str, Any]) -> pa.RecordBatch:
    return _with(batch, batch.num_rows, listed, PARTITION_KEYS)


def _with(batch: pa.RecordBatch | None, size: int, listed: dict[str, Any], names: Iterable[str]) -> pa.RecordBatch:
    own = list(names)
    repeated = [pa.array([listed[name]], pa.string()).take(pa.array([0] * size, pa.int64())) for name in own]
    if batch is None:
        return pa.RecordBatch.from_arrays(repeated, own)
    return pa.RecordBatch.from_arrays([*batch.columns, *repeated], [*batch.schema.names, *own])
