"""Writing a new version of partitions beside the old one, and moving the partitions to it."""

import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from iot_pipeline.contract import Table
from iot_pipeline.lake.catalog import Catalog, Partition
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.notes import BuildNotes
from iot_pipeline.lake.statements import Target

# Throw-away tables over a build's location; the clean-up drops those that a crash left behind.
BUILD_TABLE_PREFIX = "build_"

# How the name of a version begins, as strftime writes it: names of versions sort by the time of their build, UTC.
BUILD_TIME = "%Y%m%dT%H%M%S"


@dataclass(frozen=True)
class Publisher:
    """Builds and publishes the tables of one lake."""

    bucket: str
    catalog: Catalog
    progress: Callable[[str], None]

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
