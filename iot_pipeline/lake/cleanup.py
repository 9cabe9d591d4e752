"""Removing what no reader needs any more: replaced versions of partitions, and what crashed builds left behind.

Only what a build of this project can have written is ever removed. Whatever else lies in a zone is somebody's, or
nobody's: it is left alone and reported by name.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from iot_pipeline.contract import Contract, Format, Table, former_ledger, tables
from iot_pipeline.lake.catalog import Catalog, ForeignPartition, Partition
from iot_pipeline.lake.hours import Hour, partition_of
from iot_pipeline.lake.publishing import BUILD_TABLE_PREFIX, BUILD_TIME

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# S3 API, DeleteObjects: at most 1,000 keys a call.
BATCH = 1000
NAMES_A_PAGE = 10
_VERSION = re.compile("v=([0-9]{8}T[0-9]{6})_[0-9a-f]{8}")


class CleanUpError(RuntimeError):
    """S3 did not delete some objects; they are tried again next time."""


@dataclass(frozen=True)
class CleanUp:
    """What a clean-up removed, and the names that it does not know, which it left alone: keys, tables, partitions."""

    versions: int
    objects: int
    bytes: int
    tables: int
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Object:
    """An object that a build wrote: `version` is its build's folder, with a closing slash."""

    key: str
    size: int
    version: str
    hour: Hour


@dataclass(frozen=True)
class _Zone:
    """A table's place in the bucket, and what is in it."""

    bucket: str
    table: Table
    since: datetime | None
    before: datetime
    unknown: set[str] = field(default_factory=set)

    def old_objects(self, s3: "S3Client") -> list[_Object]:
        """What builds wrote before `before`, since `since` if that is given; `unknown` takes the other names."""
        found = []
        for key, size in self._listed(s3):
            folder, slash, rest = key.removeprefix(self.table.prefix).partition("/")
            built = _built_at(_VERSION, folder)
            if built is None:
                self.unknown.add(f"s3://{self.bucket}/{self.table.prefix}{folder}{slash}")
            elif built < self.before:
                hour = _partition_of(rest, self.table.partition_keys)
                if hour:
                    found.append(_Object(key, size, f"{self.table.prefix}{folder}/", hour))
                else:
                    self.unknown.add(f"s3://{self.bucket}/{key}")
            elif self.since:
                break
        return found

    def _listed(self, s3: "S3Client") -> Iterator[tuple[str, int]]:
        """Keys and sizes in the order of the keys, which within the versions is that of their builds' times."""
        if self.since is None:
            yield from _objects(s3, self.bucket, self.table.prefix, "")
            return
        # Versions begin with a digit after `v=`. What sorts before and after them is a name that no build gave.
        for name in _folders(s3, self.bucket, self.table.prefix, until=f"{self.table.prefix}v=0"):
            yield name, 0
        for name in _folders(s3, self.bucket, self.table.prefix, after=f"{self.table.prefix}v=:"):
            yield name, 0
        first = f"{self.table.prefix}v={self.since:{BUILD_TIME}}"
        yield from _objects(s3, self.bucket, f"{self.table.prefix}v=", first)


def clean_up(
    s3: "S3Client",
    catalog: Catalog,
    bucket: str,
    contract: Contract,
    retention: timedelta,
    progress: Callable[[str], None] = lambda _: None,
    since: datetime | None = None,
) -> CleanUp:
    """Remove objects of versions older than the retention that no partition points to, and abandoned build tables.

    Part of a version may still be in use: only the hours that have moved on are removed. The retention must be longer
    than any build or query runs, since a build's objects are not yet pointed to.

    `since`, a time in UTC, confines this to versions that were built after it, so that what it costs does not grow with
    the lake's history. Without it everything is gone through: only that finds a version that was replaced long after it
    was built, a name between those of versions, and what lies in the ledger's former place, whose former table counts
    for the hours that were not taken over.

    Raises CleanUpError if S3 refuses.
    """
    before = datetime.now(UTC) - retention
    versioned = [table for table in tables(contract).all if table.format is Format.PARQUET]
    zones = [_Zone(bucket, table, since, before) for table in versioned]
    if since is None:
        zones.append(_Zone(bucket, former_ledger(contract), since, before))
    old = {zone.table.name: zone.old_objects(s3) for zone in zones}
    partitions = _partitions(catalog, contract, old, whole=since is None)
    in_use = {_folder(partition.location) for partition in partitions}
    unused = [item for found in old.values() for item in found if not in_use & set(_folders_above(bucket, item.key))]
    for version in sorted({item.version for item in unused}):
        progress(f"removing objects of {version}")
    _delete(s3, bucket, [item.key for item in unused])
    abandoned, strange = _build_tables(catalog, contract, before)
    for name in abandoned:
        progress(f"forgetting the abandoned build table {name}")
        catalog.drop_table(name)
    unknown = {
        *strange,
        *(name for zone in zones for name in zone.unknown),
        *(str(partition) for partition in partitions if isinstance(partition, ForeignPartition)),
        *_elsewhere(bucket, contract, partitions),
    }
    return CleanUp(
        len({item.version for item in unused}),
        len(unused),
        sum(item.size for item in unused),
        len(abandoned),
        tuple(sorted(unknown)),
    )


def _partitions(
    catalog: Catalog, contract: Contract, old: dict[str, list[_Object]], *, whole: bool
) -> list[Partition | ForeignPartition]:
    """The partitions that may point to any of these objects: all there are, or those of the objects' hours.

    An hour that somebody pointed at another hour's objects is among them only in the former case.
    """
    found: list[Partition | ForeignPartition] = []
    if not whole:
        keys = {table.name: table.partition_keys for table in tables(contract).all}
        for name, objects in old.items():
            found += catalog.partitions(name, {item.hour for item in objects}).values()
            found += catalog.foreign(name, keys[name])
        return found
    former, ledger = former_ledger(contract).name, tables(contract).ledger.name
    listed = {name: catalog.listed(name) for name in old}
    for name, listing in listed.items():
        taken_over = listed[ledger].partitions if name == former else {}
        found += [partition for hour, partition in listing.partitions.items() if hour not in taken_over]
        found += listing.foreign
    return found


def _elsewhere(bucket: str, contract: Contract, partitions: Iterable[Partition | ForeignPartition]) -> Iterator[str]:
    """Partitions of hours that lie outside the zones, where no build puts any."""
    zones = [f"s3://{bucket}/{table.prefix}" for table in (*tables(contract).all, former_ledger(contract))]
    for partition in partitions:
        if isinstance(partition, Partition) and not _folder(partition.location).startswith(tuple(zones)):
            yield f"partition {partition.hour} at {partition.location!r}: it lies outside the zones"


def _build_tables(catalog: Catalog, contract: Contract, before: datetime) -> tuple[list[str], list[str]]:
    """Build tables that were abandoned, and tables that only begin like one."""
    names = "|".join(table.name for table in (*tables(contract).all, former_ledger(contract)))
    pattern = re.compile(f"{BUILD_TABLE_PREFIX}(?:{names})_([0-9]{{8}}t[0-9]{{6}})_[0-9a-f]{{8}}")
    built = {name: _built_at(pattern, name) for name in catalog.table_names(BUILD_TABLE_PREFIX)}
    abandoned = [name for name, at in built.items() if at is not None and at < before]
    return abandoned, [f"table {name}" for name, at in built.items() if at is None]


def _built_at(pattern: re.Pattern[str], name: str) -> datetime | None:
    """When the build was that gave a name; None for a name that no build gives."""
    match = pattern.fullmatch(name)
    try:
        return datetime.strptime(match[1].upper(), BUILD_TIME).replace(tzinfo=UTC) if match else None
    except ValueError:
        return None


def _partition_of(path: str, keys: Sequence[str]) -> Hour | None:
    """The partition of an object's path below its version; None if no build puts an object there."""
    match = re.fullmatch("".join(f"{key}=([^/]*)/" for key in keys) + "[^/]+", path, re.DOTALL)
    try:
        return partition_of(match.groups()) if match else None
    except ValueError:
        return None


def _folder(location: str) -> str:
    """A location as objects are compared with it. Hive's other names of S3 are the same place."""
    return re.sub("^s3[an]?://", "s3://", location, flags=re.IGNORECASE).rstrip("/") + "/"


def _folders_above(bucket: str, key: str) -> Iterator[str]:
    """Every folder in which an object lies, up to the bucket, and itself: a reader of any of them reads the object."""
    parts = key.split("/")
    return (f"s3://{bucket}/" + "".join(f"{part}/" for part in parts[:depth]) for depth in range(len(parts) + 1))


def _objects(s3: "S3Client", bucket: str, prefix: str, after: str) -> Iterator[tuple[str, int]]:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, StartAfter=after):
        for item in page.get("Contents", []):
            yield item["Key"], item["Size"]


def _folders(s3: "S3Client", bucket: str, prefix: str, *, after: str = "", until: str = "") -> Iterator[str]:
    """Names directly below a prefix, folders with their slash, in order."""
    # The first name after `until` ends it, and what else is on its page is listed for nothing.
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket=bucket, Prefix=prefix, Delimiter="/", StartAfter=after, PaginationConfig={"PageSize": NAMES_A_PAGE}
    )
    for page in pages:
        names = [item["Key"] for item in page.get("Contents", [])]
        names += [common["Prefix"] for common in page.get("CommonPrefixes", [])]
        for name in sorted(names):
            if until and name >= until:
                return
            yield name


def _delete(s3: "S3Client", bucket: str, keys: list[str]) -> None:
    for start in range(0, len(keys), BATCH):
        batch = keys[start : start + BATCH]
        answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in batch], "Quiet": True})
        if answer.get("Errors"):
            raise CleanUpError(f"S3 did not delete {len(answer['Errors'])} objects, first: {answer['Errors'][0]}")
