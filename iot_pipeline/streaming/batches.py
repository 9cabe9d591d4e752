"""Micro-batches in the lake: each is one partition of `streamed_telemetry`, which appears, or is replaced, in one step.

Spark runs a micro-batch at least once, and what it reads the second time may be more (the end of a Kinesis batch is not
in the checkpoint). So a batch writes to a folder that is named by what it wrote, and then moves its partition, which is
named by the query and the batch's number, to that folder: a repeated batch replaces itself as a whole, and until then
readers see what was there before. The driver alone writes, so that no task that was given up can add anything later.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from iot_pipeline.contract.layout import STREAMED
from iot_pipeline.lake.hours import Hour
from iot_pipeline.streaming.judged_parts import Part

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_s3 import S3Client

TABLE = "streamed_telemetry"
# Glue API, BatchDeletePartition: at most 25 partitions a call. S3 API, DeleteObjects: 1,000 keys.
REMOVE_BATCH, DELETE_BATCH = 25, 1000
UNJUDGED = "streaming/"


class BatchError(RuntimeError):
    """Glue or S3 refused a part of what was asked; what stands is named."""


@dataclass(frozen=True)
class BatchNotes:
    """What a micro-batch held: kept as the parameters of its partition. `first_received`, `last_received`: epoch ms."""

    committed_at: datetime
    records: int
    rows: int
    outcomes: Mapping[str, int]
    unjudged: int
    event_hours: frozenset[Hour]
    first_received: int | None
    last_received: int | None
    sequences: tuple[int, int] | None

    @classmethod
    def of_parts(cls, parts: Sequence[Part], committed_at: datetime) -> "BatchNotes":
        """Those of a batch of these parts; `committed_at` is aware."""
        firsts = [part.first_received for part in parts if part.first_received is not None]
        lasts = [part.last_received for part in parts if part.last_received is not None]
        numbers = [number for part in parts for number in part.sequences or ()]
        return cls(
            committed_at,
            sum(part.records for part in parts),
            sum(part.row_count for part in parts),
            dict(sum((part.outcomes for part in parts), Counter[str]())),
            sum(len(part.unjudged) for part in parts),
            frozenset(hour for part in parts for hour in part.event_hours),
            min(firsts, default=None),
            max(lasts, default=None),
            (min(numbers), max(numbers)) if numbers else None,
        )

    @property
    def parameters(self) -> dict[str, str]:
        """As a Glue partition keeps them."""
        return {
            "committed_at": self.committed_at.astimezone(UTC).isoformat(timespec="milliseconds"),
            "records": str(self.records),
            "rows": str(self.rows),
            "outcomes": json.dumps(self.outcomes, sort_keys=True),
            "unjudged": str(self.unjudged),
            "event_hours": ",".join(sorted("-".join(hour.values) for hour in self.event_hours)),
            "received": json.dumps([self.first_received, self.last_received]),
            "sequences": json.dumps(self.sequences),
        }

    @classmethod
    def of(cls, parameters: Mapping[str, str]) -> "BatchNotes":
        """From a partition's parameters. Raises KeyError or ValueError for those that no batch wrote."""
        first, last = json.loads(parameters["received"])
        sequences = json.loads(parameters["sequences"])
        return cls(
            datetime.fromisoformat(parameters["committed_at"]).astimezone(UTC),
            int(parameters["records"]),
            int(parameters["rows"]),
            json.loads(parameters["outcomes"]),
            int(parameters["unjudged"]),
            frozenset(Hour.from_values(text.split("-")) for text in parameters["event_hours"].split(",") if text),
            first,
            last,
            tuple(sequences) if sequences else None,
        )


@dataclass(frozen=True)
class Batch:
    """A micro-batch as it is published: `name` is its partition's value, `location` where its rows are."""

    name: str
    location: str
    notes: BatchNotes


def batch_name(query: str, number: int) -> str:
    """The name of a query's batch.

    `query` is the id that Spark keeps in the checkpoint: who begins with a new checkpoint counts from 0 again, and
    replaces nothing of the one before. Raises ValueError for an empty one.
    """
    if not query:
        raise ValueError("a micro-batch needs the id of its query, which Spark keeps with the checkpoint")
    return f"{query.replace('-', '')[:16]}-{number:010d}"


@dataclass(frozen=True)
class Batches:
    """The micro-batches of one lake. `failures` is the bucket of what could not be judged."""

    s3: "S3Client"
    glue: "GlueClient"
    database: str
    bucket: str
    failures: str

    def process_batch(self, parts: Sequence[Part], name: str, now: datetime) -> Batch | None:
        """Write a micro-batch and publish it; None, and nothing written, if there was no record. `now` is aware.

        Any number of calls with the same name leave what the last wrote. Raises botocore's errors; then what was
        published under this name before, or nothing, is what readers see.
        """
        notes = BatchNotes.of_parts(parts, now)
        if not notes.records:
            return None
        location = self._write(name, [part.rows for part in parts])
        self._keep_unjudged(parts, name)
        batch = Batch(name, location, notes)
        self._commit(batch)
        return batch

    def republish(self, batch: Batch, rows: Sequence[bytes], notes: BatchNotes) -> bool:
        """Publish a micro-batch with other rows (Parquet files of the table) and notes, in one step.

        False, and nothing published, if it was removed meanwhile: what it held is curated then.
        """
        location = self._write(batch.name, rows)
        moved = Batch(batch.name, location, notes)
        try:
            self._update(moved, self._partition(moved))
        except self.glue.exceptions.EntityNotFoundException:
            return False
        return True

    def all(self) -> list[Batch]:
        """The published micro-batches, in the order of their names. Raises ValueError for one that no job wrote."""
        pages = self.glue.get_paginator("get_partitions").paginate(
            DatabaseName=self.database, TableName=TABLE, ExcludeColumnSchema=True
        )
        found = [_batch(raw) for page in pages for raw in page["Partitions"]]
        return sorted(found, key=lambda batch: batch.name)

    def unregister(self, batches: Iterable[Batch]) -> None:
        """Forget micro-batches: readers see them no more, their objects stay until `delete_unused`.

        One that is gone already is fine. Raises BatchError naming those that Glue kept.
        """
        names, kept = [batch.name for batch in batches], []
        for start in range(0, len(names), REMOVE_BATCH):
            answer = self.glue.batch_delete_partition(
                DatabaseName=self.database,
                TableName=TABLE,
                PartitionsToDelete=[{"Values": [name]} for name in names[start : start + REMOVE_BATCH]],
            )
            kept += [
                f"{error['PartitionValues']}: {error['ErrorDetail']}"
                for error in answer.get("Errors", [])
                if error["ErrorDetail"].get("ErrorCode") != "EntityNotFoundException"
            ]
        if kept:
            raise BatchError(f"Glue kept {len(kept)} micro-batches; they are removed next time: {'; '.join(kept)}")

    def delete_unused(self, before: datetime) -> int:
        """Delete what was written before a time (aware) and lies where no partition points; how many objects.

        Raises BatchError if S3 refuses.
        """
        listed = list(self._objects())
        # Asked after the objects: what has been published since then is pointed to.
        in_use = tuple(batch.location.removeprefix(f"s3://{self.bucket}/") for batch in self.all())
        unused = [key for key, at in listed if at < before and not key.startswith(in_use)]
        for start in range(0, len(unused), DELETE_BATCH):
            answer = self.s3.delete_objects(
                Bucket=self.bucket,
                Delete={"Objects": [{"Key": key} for key in unused[start : start + DELETE_BATCH]], "Quiet": True},
            )
            if answer.get("Errors"):
                raise BatchError(f"S3 did not delete {len(answer['Errors'])} objects, first: {answer['Errors'][0]}")
        return len(unused)

    def _write(self, name: str, rows: Sequence[bytes]) -> str:
        """Write the Parquet files of a micro-batch to a folder that is named by what they hold; its location."""
        digest = hashlib.sha256()
        for each in rows:
            digest.update(each)
        prefix = f"{STREAMED}batch={name}/{digest.hexdigest()[:16]}/"
        for number, each in enumerate(rows):
            if each:
                self.s3.put_object(Bucket=self.bucket, Key=f"{prefix}part-{number:05d}.parquet", Body=each)
        return f"s3://{self.bucket}/{prefix}"

    def _objects(self) -> Iterator[tuple[str, datetime]]:
        for page in self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=STREAMED):
            for item in page.get("Contents", []):
                yield item["Key"], item["LastModified"]

    def _keep_unjudged(self, parts: Sequence[Part], name: str) -> None:
        letters = [json.dumps(each.document) for part in parts for each in part.unjudged]
        if letters:
            body = "".join(f"{letter}\n" for letter in letters).encode()
            self.s3.put_object(Bucket=self.failures, Key=f"{UNJUDGED}{name}.jsonl", Body=body)

    def _commit(self, batch: Batch) -> None:
        partition = self._partition(batch)
        try:
            self.glue.create_partition(DatabaseName=self.database, TableName=TABLE, PartitionInput=partition)
        except self.glue.exceptions.AlreadyExistsException:
            self._update(batch, partition)

    def _update(self, batch: Batch, partition: Any) -> None:
        self.glue.update_partition(
            DatabaseName=self.database, TableName=TABLE, PartitionValueList=[batch.name], PartitionInput=partition
        )

    def _partition(self, batch: Batch) -> Any:
        table = self.glue.get_table(DatabaseName=self.database, Name=TABLE)["Table"]
        return {
            "Values": [batch.name],
            "StorageDescriptor": {**table["StorageDescriptor"], "Location": batch.location},
            "Parameters": batch.notes.parameters,
        }


def _batch(raw: Any) -> Batch:
    values = raw["Values"]
    try:
        notes = BatchNotes.of(raw.get("Parameters") or {})
    except (KeyError, ValueError) as error:
        raise ValueError(f"partition {values} of {TABLE}: no streaming job wrote its parameters; remove it") from error
    return Batch(values[0], raw["StorageDescriptor"]["Location"].rstrip("/") + "/", notes)
