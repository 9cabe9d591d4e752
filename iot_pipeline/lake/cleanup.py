"""Removing what no reader needs any more: replaced versions of partitions, and what crashed builds left behind."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from iot_pipeline.contract import Contract, Format, Table, former_ledger, tables
from iot_pipeline.lake.catalog import Catalog
from iot_pipeline.lake.migrate import former_partitions
from iot_pipeline.lake.publishing import BUILD_TABLE_PREFIX

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# S3 API, DeleteObjects: at most 1,000 keys a call.
BATCH = 1000
_BUILD_TIME = "%Y%m%dT%H%M%S"


class CleanUpError(RuntimeError):
    """S3 did not delete some objects; they are tried again next time."""


@dataclass(frozen=True)
class CleanUp:
    """What a clean-up removed."""

    versions: int
    objects: int
    bytes: int
    tables: int


def clean_up(
    s3: "S3Client",
    catalog: Catalog,
    bucket: str,
    contract: Contract,
    retention: timedelta,
    progress: Callable[[str], None] = lambda _: None,
) -> CleanUp:
    """Remove objects of versions older than the retention that no partition points to, and abandoned build tables.

    Part of a version may still be in use: only the hours that have moved on are removed. The ledger's former place is
    cleaned as well; its former table counts only for hours that were not taken over. The retention must be longer
    than any build or query runs, since a build's objects are not yet pointed to. Raises CleanUpError if S3 refuses.
    """
    before = datetime.now(UTC) - retention
    versions = objects = size = 0
    versioned = [table for table in tables(contract).all if table.format is Format.PARQUET]
    in_use = {partition.location for table in versioned for partition in catalog.partitions(table.name).values()}
    in_use |= {partition.location for partition in former_partitions(catalog, contract).values()}
    for table in (*versioned, former_ledger(contract)):
        for prefix in _old_versions(s3, bucket, table, before):
            unused = [
                (key, length)
                for key, length in _objects(s3, bucket, prefix)
                if f"s3://{bucket}/{key.rsplit('/', 1)[0]}/" not in in_use
            ]
            if unused:
                progress(f"removing {len(unused)} objects of {prefix}")
                _delete(s3, bucket, [key for key, _ in unused])
                versions += 1
                objects += len(unused)
                size += sum(length for _, length in unused)
    abandoned = [name for name in catalog.table_names(BUILD_TABLE_PREFIX) if _built_at(name) < before]
    for name in abandoned:
        progress(f"forgetting the abandoned build table {name}")
        catalog.drop_table(name)
    return CleanUp(versions, objects, size, len(abandoned))


def _old_versions(s3: "S3Client", bucket: str, table: Table, before: datetime) -> Iterator[str]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{table.prefix}v=", Delimiter="/")
    for page in pages:
        for common in page.get("CommonPrefixes", []):
            build = common["Prefix"].removeprefix(f"{table.prefix}v=").split("_")[0]
            if datetime.strptime(build, _BUILD_TIME).replace(tzinfo=UTC) < before:
                yield common["Prefix"]


def _objects(s3: "S3Client", bucket: str, prefix: str) -> Iterator[tuple[str, int]]:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for item in page.get("Contents", []):
            yield item["Key"], item["Size"]


def _delete(s3: "S3Client", bucket: str, keys: list[str]) -> None:
    for start in range(0, len(keys), BATCH):
        batch = keys[start : start + BATCH]
        answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in batch], "Quiet": True})
        if answer.get("Errors"):
            raise CleanUpError(f"S3 did not delete {len(answer['Errors'])} objects, first: {answer['Errors'][0]}")


def _built_at(table: str) -> datetime:
    """When a build table was made, from its name: build_<table>_<time>_<id>."""
    return datetime.strptime(table.rsplit("_", 2)[1].upper(), _BUILD_TIME).replace(tzinfo=UTC)
