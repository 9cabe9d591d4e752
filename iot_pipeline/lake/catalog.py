"""Partitions in Glue: finding them, and moving each to a new build in one atomic step."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from iot_pipeline.contract import PARTITION_KEYS
from iot_pipeline.lake.hours import Hour, partition_of
from iot_pipeline.lake.notes import BuildNotes, Marks

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_glue.type_defs import PartitionTypeDef, PartitionValueListTypeDef

T = TypeVar("T")

# Glue API: BatchGetPartition 1,000, BatchUpdatePartition and BatchCreatePartition 100 entries a call.
GET_BATCH, BATCH = 1000, 100
# BatchDeletePartition: 25.
REMOVE_BATCH = 25


def _among(numbers: Iterable[int]) -> str:
    return ", ".join(f"'{n:02d}'" for n in numbers)


# Partitions whose values were written otherwise than the lake writes hours, by the text of the values alone.
_NO_VALUE = {
    "year": "NOT (year LIKE '____')",
    "month": f"NOT (month IN ({_among(range(1, 13))}))",
    "day": f"NOT (day IN ({_among(range(1, 32))}))",
    "hour": f"NOT (hour IN ({_among(range(24))}))",
}

# How often Glue is asked for partitions that it left unanswered, with pauses that double.
ATTEMPTS = 6
FIRST_PAUSE_SECONDS = 0.2


class CatalogError(RuntimeError):
    """Glue did not answer for some partitions; whether they exist is not known."""


class PublishError(RuntimeError):
    """Glue refused to move some partitions; the others are moved, these still show their old build."""


@dataclass(frozen=True)
class Partition:
    """A registered partition: where its objects are, and what its build noted about them, if a build made it.

    `hour` is a Day where the table is partitioned by day.
    """

    hour: Hour
    location: str
    notes: BuildNotes | None = None

    @property
    def content(self) -> str | None:
        """The content id of what lies there, if a build noted one."""
        return self.notes.content if self.notes else None

    @property
    def marks(self) -> Marks | None:
        """The marks of what lies there; None if no build noted any."""
        return self.notes.marks if self.notes else None


@dataclass(frozen=True)
class ForeignPartition:
    """A partition whose values are no hour: a person or a crawler registered it, and no build reads or moves it.

    `location` is as Glue has it, empty if there is none.
    """

    table: str
    values: tuple[str, ...]
    location: str

    def __str__(self) -> str:
        """As people read it in a report."""
        return f"partition {list(self.values)} of {self.table} at {self.location!r}: its values are no hour"


@dataclass(frozen=True)
class Listing:
    """All partitions of a table: those of hours, and the foreign ones."""

    partitions: dict[Hour, Partition]
    foreign: tuple[ForeignPartition, ...]


@dataclass(frozen=True)
class Catalog:
    """The partitions of one Glue database."""

    glue: "GlueClient"
    database: str

    def partitions(self, table: str, hours: Iterable[Hour] | None = None) -> dict[Hour, Partition]:
        """The registered partitions of a table, of the given hours that exist. Without hours those of `listed`."""
        if hours is None:
            return self.listed(table).partitions
        return {partition.hour: partition for partition in self._some(table, hours)}

    def listed(self, table: str) -> Listing:
        """All registered partitions of a table: the longer its history, the more calls. No sensor may ask for it."""
        partitions: dict[Hour, Partition] = {}
        foreign: list[ForeignPartition] = []
        for raw in self._pages(table):
            try:
                found = _partition(raw)
            except ValueError:
                foreign.append(_foreign(table, raw))
            else:
                partitions[found.hour] = found
        return Listing(partitions, tuple(foreign))

    def foreign(self, table: str, keys: Sequence[str] = PARTITION_KEYS) -> list[ForeignPartition]:
        """The foreign partitions of a table whose values no hour at all has: Glue returns these alone.

        The 30th of February, or a year of four letters, is seen by `listed` only.
        """
        return [_foreign(table, raw) for raw in self._pages(table, " OR ".join(_NO_VALUE[key] for key in keys))]

    def older_than(self, table: str, hour: Hour) -> dict[Hour, Partition]:
        """The registered partitions of a table of hours, or days, before one: Glue returns these alone."""
        keys = PARTITION_KEYS[: len(hour.values)]
        older, same = [], ""
        for key, value in zip(keys, hour.values, strict=True):
            older.append(f"({same}{key} < '{value}')")
            same += f"{key} = '{value}' AND "
        found = {}
        for raw in self._pages(table, " OR ".join(older)):
            with suppress(ValueError):  # a foreign partition, which the clean-up reports
                partition = _partition(raw)
                found[partition.hour] = partition
        return found

    def remove(self, table: str, hours: Iterable[Hour]) -> None:
        """Forget partitions; their objects stay. One that is gone already is fine. Raises PublishError for others."""
        errors: list[str] = []
        for batch in _batches(sorted(set(hours)), REMOVE_BATCH):
            answer = self.glue.batch_delete_partition(
                DatabaseName=self.database,
                TableName=table,
                PartitionsToDelete=[{"Values": list(hour.values)} for hour in batch],
            )
            errors += [
                f"{e['PartitionValues']}: {e['ErrorDetail']}"
                for e in answer.get("Errors", [])
                if e["ErrorDetail"].get("ErrorCode") != "EntityNotFoundException"
            ]
        if errors:
            raise PublishError(f"{table}: Glue kept {len(errors)} partitions; remove them again: {'; '.join(errors)}")

    def publish(self, table: str, partitions: Sequence[Partition]) -> None:
        """Move each partition to its new location, creating it if it is new.

        Each moves in one step: a reader sees the old build or the new one. Raises PublishError naming the hours that
        Glue refused.
        """
        storage = self.glue.get_table(DatabaseName=self.database, Name=table)["Table"]["StorageDescriptor"]
        existing = self.partitions(table, [p.hour for p in partitions])
        errors: list[str] = []
        for batch in _batches([p for p in partitions if p.hour in existing]):
            updated = self.glue.batch_update_partition(
                DatabaseName=self.database,
                TableName=table,
                Entries=[
                    {"PartitionValueList": list(p.hour.values), "PartitionInput": _input(p, storage)} for p in batch
                ],
            )
            errors += [f"{e['PartitionValueList']}: {e['ErrorDetail']}" for e in updated.get("Errors", [])]
        for batch in _batches([p for p in partitions if p.hour not in existing]):
            created = self.glue.batch_create_partition(
                DatabaseName=self.database, TableName=table, PartitionInputList=[_input(p, storage) for p in batch]
            )
            errors += [f"{e['PartitionValues']}: {e['ErrorDetail']}" for e in created.get("Errors", [])]
        if errors:
            raise PublishError(f"{table}: Glue refused {len(errors)} partitions; build them again: {'; '.join(errors)}")

    def columns(self, table: str, hour: Hour) -> list[str]:
        """The columns a partition was built with: those of the table at that time, kept with the partition."""
        answer = self.glue.get_partition(DatabaseName=self.database, TableName=table, PartitionValues=list(hour.values))
        return [column["Name"] for column in answer["Partition"]["StorageDescriptor"]["Columns"]]

    def is_absent(self, table: str, hour: Hour) -> bool:
        """Whether Glue says of this one hour that there is no partition: before something is deleted for that."""
        try:
            self.glue.get_partition(DatabaseName=self.database, TableName=table, PartitionValues=list(hour.values))
        except self.glue.exceptions.EntityNotFoundException:
            return True
        return False

    def table_columns(self, table: str) -> list[str] | None:
        """The columns of a table or view as it is now, and its partition keys; None if there is none."""
        try:
            found = self.glue.get_table(DatabaseName=self.database, Name=table)["Table"]
        except self.glue.exceptions.EntityNotFoundException:
            return None
        columns = [*found.get("StorageDescriptor", {}).get("Columns", []), *found.get("PartitionKeys", [])]
        return [column["Name"] for column in columns]

    def drop_table(self, table: str) -> None:
        """Forget a table, if it exists; its objects stay."""
        try:
            self.glue.delete_table(DatabaseName=self.database, Name=table)
        except self.glue.exceptions.EntityNotFoundException:
            return

    def table_names(self, prefix: str) -> list[str]:
        """Names of the tables that begin with a prefix."""
        pages = self.glue.get_paginator("get_tables").paginate(DatabaseName=self.database)
        return [t["Name"] for page in pages for t in page["TableList"] if t["Name"].startswith(prefix)]

    def _pages(self, table: str, expression: str = "") -> "Iterator[PartitionTypeDef]":
        pages = self.glue.get_paginator("get_partitions").paginate(
            DatabaseName=self.database, TableName=table, Expression=expression, ExcludeColumnSchema=True
        )
        for page in pages:
            yield from page["Partitions"]

    def _some(self, table: str, hours: Iterable[Hour]) -> Iterator[Partition]:
        for batch in _batches(sorted(set(hours)), GET_BATCH):
            for raw in self._get(table, [{"Values": list(hour.values)} for hour in batch]):
                yield _partition(raw)

    def _get(self, table: str, wanted: "Sequence[PartitionValueListTypeDef]") -> "Iterator[PartitionTypeDef]":
        """BatchGetPartition until it has answered for every partition: a throttled Glue leaves some out, and one that
        was left out would look as if it did not exist.
        """
        for attempt in range(ATTEMPTS):
            if attempt:
                time.sleep(FIRST_PAUSE_SECONDS * 2 ** (attempt - 1))
            answer = self.glue.batch_get_partition(DatabaseName=self.database, TableName=table, PartitionsToGet=wanted)
            yield from answer["Partitions"]
            left = answer.get("UnprocessedKeys", [])
            if not left:
                return
            wanted = [{"Values": key["Values"]} for key in left]
        raise CatalogError(
            f"Glue left {len(wanted)} partitions of {table} unanswered after {ATTEMPTS} attempts, the first of them "
            f"{wanted[0]['Values']}; nothing was changed. Try again when Glue is less busy"
        )


def _partition(raw: Mapping[str, Any]) -> Partition:
    location = _location(raw).rstrip("/") + "/"
    return Partition(partition_of(raw["Values"]), location, BuildNotes.of(raw.get("Parameters") or {}))


def _foreign(table: str, raw: Mapping[str, Any]) -> ForeignPartition:
    return ForeignPartition(table, tuple(raw["Values"]), _location(raw))


def _location(raw: Mapping[str, Any]) -> str:
    """A partition's location as Glue has it, which takes partitions without one too."""
    return str(raw.get("StorageDescriptor", {}).get("Location") or "")


def _input(partition: Partition, storage: Mapping[str, Any]) -> Any:
    return {
        "Values": list(partition.hour.values),
        "StorageDescriptor": {**storage, "Location": partition.location},
        "Parameters": partition.notes.parameters if partition.notes else {},
    }


def _batches(items: Sequence[T], size: int = BATCH) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
