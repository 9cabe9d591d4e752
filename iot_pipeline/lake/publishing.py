"""Writing a new version of partitions beside the old one, and moving the partitions to it."""

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from iot_pipeline.contract import Table
from iot_pipeline.lake.catalog import Catalog, Partition
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.notes import BuildNotes, Counts, Marks
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

    def new_version(self, table: Table) -> Target:
        """The location of a new version of a table, for what is written there by other means than a statement."""
        build = f"{datetime.now(UTC):{BUILD_TIME}}_{uuid.uuid4().hex[:8]}"
        location = f"s3://{self.bucket}/{table.prefix}v={build}/"
        return Target(f"{BUILD_TABLE_PREFIX}{table.name}_{build.lower()}", location)

    @contextmanager
    def building(self, table: Table) -> Iterator[Target]:
        """A throw-away table over a new version's location; the table goes, what was written stays."""
        target = self.new_version(table)
        self.progress(f"building {table.name} into {target.location}")
        try:
            yield target
        finally:
            self.catalog.drop_table(target.table)

    def publish(
        self,
        table: Table,
        target: Target,
        hours: Sequence[Hour],
        content: Mapping[Hour, str] | None = None,
        counts: Mapping[Hour, Counts] | None = None,
        marks: Mapping[Hour, Marks] | None = None,
        rules: str | None = None,
    ) -> None:
        """Move these hours' partitions to what was written. Raises PublishError naming the hours that Glue refused.

        `marks` that are given are those of all the hours: one that is not among them has no marks, and notes that.
        """
        now = datetime.now(UTC)
        partitions = [
            Partition(
                hour,
                target.location + hour.path,
                BuildNotes(
                    now,
                    (content or {}).get(hour),
                    (counts or {}).get(hour),
                    None if marks is None else marks.get(hour, {}),
                    rules,
                ),
            )
            for hour in hours
        ]
        self.catalog.publish(table.name, partitions)
        self.progress(f"published {len(partitions)} partitions of {table.name}")
