"""Writing a new version of partitions beside the old one, and moving the partitions to it."""

import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from iot_pipeline.contract import Table
from iot_pipeline.contract.layout import PUBLISHING
from iot_pipeline.lake.catalog import Catalog, Partition
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.notes import BuildNotes
from iot_pipeline.lake.object_lock import LockHeldError, LockLostError, ObjectLock
from iot_pipeline.lake.statements import Target

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Throw-away tables over a build's location; the clean-up drops those that a crash left behind.
BUILD_TABLE_PREFIX = "build_"

LOCK = f"{PUBLISHING}hours.json"

# How the name of a version begins, as strftime writes it: names of versions sort by the time of their build, UTC.
BUILD_TIME = "%Y%m%dT%H%M%S"


class OvertakenError(RuntimeError):
    """Others published the same hours again and again meanwhile, or took the turn to publish; nothing is half done."""


@dataclass(frozen=True)
class Publisher:
    """Builds and publishes the tables of one lake. Without `s3` nobody else may build the same hours meanwhile."""

    bucket: str
    catalog: Catalog
    progress: Callable[[str], None]
    s3: "S3Client | None" = None

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Publish alone: whoever else builds hours waits, so that what stands can be looked at and then be replaced.

        Glue moves a partition whatever stands there (API reference, BatchUpdatePartition: it takes no condition), and
        of two partitions each by itself. Seconds long. Raises OvertakenError at its end if the turn was lost meanwhile,
        as by a process that stood still for minutes; what it has published is then to be built again.
        """
        if self.s3 is None:
            yield
            return
        try:
            with ObjectLock(self.s3, self.bucket, LOCK).held(self.progress) as lock:
                yield
                lock.check()
        except LockHeldError as error:
            raise OvertakenError(f"{LOCK} is still held by {error}; nothing was published: run it again") from error
        except LockLostError as error:
            raise OvertakenError(f"{error} while it published; build the hours again") from error

    def new_version(self, table: Table, began: datetime | None = None) -> Target:
        """The location of a new version of a table, for what is written there by other means than a statement.

        `began` (aware) is when the build began to look at what it reads; now, if it is not given.
        """
        build = f"{began or datetime.now(UTC):{BUILD_TIME}}_{uuid.uuid4().hex[:8]}"
        location = f"s3://{self.bucket}/{table.prefix}v={build}/"
        return Target(f"{BUILD_TABLE_PREFIX}{table.name}_{build.lower()}", location)

    @contextmanager
    def building(self, table: Table, began: datetime | None = None) -> Iterator[Target]:
        """A throw-away table over a new version's location; the table goes, what was written stays."""
        target = self.new_version(table, began)
        self.progress(f"building {table.name} into {target.location}")
        try:
            yield target
        finally:
            self.catalog.drop_table(target.table)

    def publish(self, table: Table, target: Target, notes: Mapping[Hour, BuildNotes]) -> None:
        """Move these hours' partitions to what was written. Raises PublishError naming the hours that Glue refused."""
        partitions = [Partition(hour, target.location + hour.path, noted) for hour, noted in notes.items()]
        self.catalog.publish(table.name, partitions)
        self.progress(f"published {len(partitions)} partitions of {table.name}")
