"""Writing a build's Parquet in Spark's Python workers, under names that a task tried again writes over."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

import boto3
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyspark import TaskContext

from iot_pipeline.contract import PARTITION_KEYS, Table
from iot_pipeline.lake.hours import Hour
from iot_pipeline.spark.columns import stored_schema
from iot_pipeline.spark.reading import Batches, Reader

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# What a task answers for each object that it wrote.
WRITTEN = "uri string, rows bigint"
_WRITTEN = pa.schema([("uri", pa.string()), ("rows", pa.int64())])


def parquet_writer(table: Table, location: str) -> Reader:
    """Writes rows of a table, sorted by hour, below a location (s3://..., closing slash): an object an hour and task.

    Its name follows from the number of the task's partition, and the rows of a partition are always the same: a task
    that is tried again writes over what its first attempt left.
    """
    schema = stored_schema(table)

    def write(batches: Batches) -> Batches:
        context = TaskContext.get()
        if context is None:
            raise RuntimeError("a writer runs in a task of Spark alone")
        name = f"part-{context.partitionId():05d}.parquet"
        s3, current, seen = boto3.client("s3"), None, set[Hour]()
        for batch in batches:
            for hour, rows in _by_hour(batch, schema):
                if current is None or current.hour != hour:
                    yield from _finished(current, s3)
                    if hour in seen:
                        raise ValueError(f"the rows of {hour} do not stand together: its object would be written twice")
                    seen.add(hour)
                    current = _Object(f"{location}{hour.path}{name}", hour, schema)
                current.add(rows)
        yield from _finished(current, s3)

    return write


@dataclass
class _Object:
    """One that is being written."""

    uri: str
    hour: Hour
    schema: pa.Schema
    rows: int = 0
    file: IO[bytes] = field(default_factory=tempfile.TemporaryFile)
    writer: Any = None

    def add(self, batch: pa.RecordBatch) -> None:
        if self.writer is None:
            self.writer = pq.ParquetWriter(self.file, self.schema, compression="zstd")
        self.writer.write_batch(batch)
        self.rows += batch.num_rows

    def upload(self, s3: "S3Client") -> None:
        self.writer.close()
        self.file.seek(0)
        bucket, key = self.uri.removeprefix("s3://").split("/", 1)
        with self.file:
            s3.upload_fileobj(self.file, bucket, key)


def _finished(item: _Object | None, s3: "S3Client") -> Iterator[pa.RecordBatch]:
    if item is not None:
        item.upload(s3)
        yield pa.RecordBatch.from_pylist([{"uri": item.uri, "rows": item.rows}], _WRITTEN)


def _by_hour(batch: pa.RecordBatch, schema: pa.Schema) -> Iterator[tuple[Hour, pa.RecordBatch]]:
    """The rows of each run of one hour, as they are stored."""
    if not batch.num_rows:
        return
    keys = pc.binary_join_element_wise(*(batch.column(key).cast(pa.string()) for key in PARTITION_KEYS), "/")
    arrays = [batch.column(it.name).cast(it.type) for it in schema]
    rows = pa.RecordBatch.from_arrays(arrays, schema=schema)
    runs, start = pc.run_end_encode(keys), 0
    for end, value in zip(runs.run_ends.to_pylist(), runs.values.to_pylist(), strict=True):
        yield Hour.from_values(value.split("/")), rows.slice(start, end - start)
        start = end
