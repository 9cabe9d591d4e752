"""How large tables are: partitions from Glue, bytes of columns from a sample of Parquet footers."""

import base64
import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from iot_pipeline.lake.objects import Objects, StoredObject

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_s3 import S3Client

# So many partitions are looked into; of more, these stand for the rest.
SAMPLE = 12
# A footer of a table of ours with a few row groups has some KiB.
_TAIL = 128 * 1024


@dataclass(frozen=True)
class Partition:
    """Where a partition lies, how many rows its build noted, if it did, and its values."""

    location: str
    rows: int | None
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sizes:
    """The bytes that a query reads of some partitions, and how many there are. `sampled`: not all were looked into."""

    bytes: int
    partitions: int
    sampled: bool


@dataclass(frozen=True)
class Catalogued:
    """Reads Glue and S3; scans nothing that Athena bills."""

    glue: "GlueClient"
    s3: "S3Client"
    database: str

    def table(self, name: str) -> dict[str, Any] | None:
        """A table or view as Glue has it, None if there is none."""
        try:
            return dict(self.glue.get_table(DatabaseName=self.database, Name=name)["Table"])
        except self.glue.exceptions.EntityNotFoundException:
            return None

    def partitions(self, name: str, expression: str) -> list[Partition]:
        """The registered partitions of a table for which Glue finds an expression true; all for an empty one."""
        pages = self.glue.get_paginator("get_partitions").paginate(
            DatabaseName=self.database, TableName=name, Expression=expression, ExcludeColumnSchema=True
        )
        return [_partition(each) for page in pages for each in page["Partitions"]]

    def sizes(self, partitions: Sequence[Partition], columns: Collection[str] | None) -> Sizes:
        """What is read of partitions: of these columns, or (None) of whole objects, as of texts."""
        step = max(len(partitions) / SAMPLE, 1)
        sample = [partitions[int(n * step)] for n in range(min(len(partitions), SAMPLE))]
        read = sum(self._size(each, columns) for each in sample)
        sampled = len(sample) < len(partitions)
        if not sampled:
            return Sizes(read, len(partitions), sampled=False)
        return Sizes(int(read * _weight(partitions) / max(_weight(sample), 1)), len(partitions), sampled=True)

    def _size(self, partition: Partition, columns: Collection[str] | None) -> int:
        found = [each for each in Objects(self.s3).at(partition.location) if each.size]
        if columns is None:
            return sum(each.size for each in found)
        largest = sorted(found, key=lambda each: -each.size)[:2]
        of_columns = sum(self._bytes_of(each, columns) for each in largest)
        whole, read = sum(each.size for each in found), sum(each.size for each in largest)
        return int(of_columns * whole / read) if read else 0

    def _bytes_of(self, stored: StoredObject, columns: Collection[str]) -> int:
        """The compressed bytes of some columns in an object, by its footer, which is read with them."""
        footer = self._footer(stored, _TAIL)
        wanted = {name.lower() for name in columns}
        total = int(footer.serialized_size) + 8
        for group in range(footer.num_row_groups):
            chunks = footer.row_group(group)
            for number in range(chunks.num_columns):
                chunk = chunks.column(number)
                if chunk.path_in_schema.split(".")[0].lower() in wanted:
                    total += int(chunk.total_compressed_size)
        return total

    def _footer(self, stored: StoredObject, tail: int) -> Any:
        bucket, _, key = stored.uri.removeprefix("s3://").partition("/")
        size = min(tail, stored.size)
        body = self.s3.get_object(Bucket=bucket, Key=key, Range=f"bytes={stored.size - size}-{stored.size - 1}")
        data = body["Body"].read()
        needed = int.from_bytes(data[-8:-4], "little") + 8
        if needed > size < stored.size:
            return self._footer(stored, needed)
        return pq.read_metadata(pa.BufferReader(data))


def view_text(table: dict[str, Any]) -> str | None:
    """The query of a view (Athena keeps it as JSON in base64); None for a table.

    Raises ValueError for a view that Athena did not make.
    """
    if table.get("TableType") != "VIRTUAL_VIEW":
        return None
    encoded = re.search(r"Presto View: ([A-Za-z0-9+/=]+)", table.get("ViewOriginalText") or "")
    if not encoded:
        raise ValueError(f"the view {table['Name']} is none of Athena's: make it again")
    return str(json.loads(base64.b64decode(encoded[1]))["originalSql"])


def _partition(raw: Any) -> Partition:
    location = str(raw.get("StorageDescriptor", {}).get("Location") or "").rstrip("/") + "/"
    rows = (raw.get("Parameters") or {}).get("rows", "")
    count = int(rows) if rows.isascii() and rows.isdigit() else None
    return Partition(location, count, tuple(raw["Values"]))


def _weight(partitions: Sequence[Partition]) -> int:
    """Rows where every build noted them, else each partition counts alike."""
    rows = [each.rows for each in partitions]
    return sum(each for each in rows if each is not None) if None not in rows else len(partitions)
