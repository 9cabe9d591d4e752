"""Exporting episodes into the lake: what changed since the last export, into the days on which it opened.

A day's partition is written anew beside the old one, and then moved to in one step. It holds what it held, with the
changes in place of what they changed, so that no export has to read a day's other episodes from DynamoDB, and none
needs those that DynamoDB has forgotten. A crash at any point repeats an export, which then finds the days as they are.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from iot_pipeline.alert_history.progress import ExportBusyError, Progress
from iot_pipeline.alert_history.rows import (
    Row,
    content_of,
    day_of,
    from_parquet,
    is_episode,
    merged,
    row_of,
    to_parquet,
)
from iot_pipeline.alerting.episodes import Item
from iot_pipeline.alerting.table import AlertsTable
from iot_pipeline.contract import Table, tables
from iot_pipeline.lake.catalog import Partition
from iot_pipeline.lake.hours import Day
from iot_pipeline.lake.notes import BuildNotes, Counts
from iot_pipeline.lake.publishing import Publisher

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Changes are looked for from so long before the last export on: an index follows its table within moments, a
# function writes within minutes of the moment that it notes, and clocks of functions differ by less.
OVERLAP_MS = 10 * 60_000
_OBJECT = "episodes.parquet"
SHOWN_FAULTS = 5


class HistoryError(RuntimeError):
    """Items of the alerts table, or partitions of the history, cannot be read. All others are published."""


@dataclass(frozen=True)
class Exported:
    """What one export read and wrote. `since` None: it went through the whole table.

    `days` has the episodes of each day that was written anew, `unchanged` the days whose news was there already.
    """

    since: datetime | None
    until: datetime
    read: int
    days: Mapping[Day, int] = field(default_factory=dict)
    unchanged: int = 0


@dataclass(frozen=True)
class Exporter:
    """Exports one deployment's alerts."""

    alerts: AlertsTable
    progress_of: Callable[[], Progress]
    s3: "S3Client"
    publisher: Publisher
    clock_ms: Callable[[], int] = lambda: int(time.time() * 1000)

    def export(self, *, everything: bool = False) -> Exported:
        """Bring the history up to date.

        The first export goes through the whole table, as does one that is asked for `everything`; the others read what
        was written since the last. Raises ExportBusyError if another export is at work, HistoryError naming what cannot
        be read, PublishError, and botocore's errors; the next export then does again what this one did.
        """
        progress, now_ms = self.progress_of(), self.clock_ms()
        last_ms = progress.claim(now_ms)
        try:
            # A clock that was set back must not make it look into the future.
            since_ms = None if everything or last_ms is None else min(last_ms, now_ms) - OVERLAP_MS
            items = self.alerts.everything() if since_ms is None else self.alerts.changed(since_ms, now_ms)
            faults: list[str] = []
            rows = _rows((item for item in items if is_episode(item)), faults)
            days, unchanged = self._publish(rows, progress, faults)
            _raise_for(faults)
        except ExportBusyError:
            raise
        except BaseException:
            with suppress(ExportBusyError):
                progress.release()
            raise
        progress.finish(now_ms)
        return Exported(None if since_ms is None else _utc(since_ms), _utc(now_ms), len(rows), days, unchanged)

    def rows(self, days: Iterable[Day]) -> dict[Day, list[Row]]:
        """The episodes of these days as the lake has them; days without a partition are left out."""
        found = self.publisher.catalog.partitions(self._table.name, days)
        return {Day(hour.start): self._read(partition) for hour, partition in sorted(found.items())}

    @property
    def _table(self) -> Table:
        return tables().alert_history

    def _publish(self, rows: Iterable[Row], progress: Progress, faults: list[str]) -> tuple[dict[Day, int], int]:
        """The episodes of each day written, and how many days had no news; `faults` takes what is wrong with others."""
        by_day: dict[Day, list[Row]] = defaultdict(list)
        for row in rows:
            by_day[day_of(row)].append(row)
        partitions = self.publisher.catalog.partitions(self._table.name, by_day)
        target = self.publisher.new_version(self._table)
        written: dict[Day, int] = {}
        unchanged = 0
        for day in sorted(by_day):
            before = partitions.get(day)
            try:
                wanted = merged(self._read(before) if before else [], by_day[day])
            except HistoryError as error:
                faults.append(str(error))
                continue
            content = content_of(wanted)
            if before and before.content == content:
                unchanged += 1
                continue
            bucket, _, folder = f"{target.location}{day.path}".removeprefix("s3://").partition("/")
            self.s3.put_object(Bucket=bucket, Key=f"{folder}{_OBJECT}", Body=to_parquet(wanted))
            progress.renew(self.clock_ms())
            noted = BuildNotes(datetime.now(UTC), content, Counts(len(wanted)))
            self.publisher.publish(self._table, target, {day: noted})
            written[day] = len(wanted)
        return written, unchanged

    def _read(self, partition: Partition) -> list[Row]:
        bucket, _, folder = partition.location.removeprefix("s3://").partition("/")
        try:
            rows = from_parquet(self.s3.get_object(Bucket=bucket, Key=f"{folder}{_OBJECT}")["Body"].read())
        except (self.s3.exceptions.NoSuchKey, OSError) as error:
            raise HistoryError(
                f"the alerts of {partition.hour} cannot be read at {partition.location}: {error}. That day was not "
                "changed. Restore the object, or point the partition at the version before (docs/operations.md)"
            ) from error
        noted = partition.notes.counts if partition.notes else None
        if noted and noted.rows != len(rows):
            raise HistoryError(
                f"{partition.location} holds {len(rows)} episodes of {partition.hour}, its build noted {noted.rows}; "
                "somebody wrote there. That day was not changed"
            )
        return rows


def _rows(items: Iterable[Item], faults: list[str]) -> list[Row]:
    rows = []
    for item in items:
        try:
            row = row_of(item)
            day_of(row)
            rows.append(row)
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            faults.append(
                f"the item {item.get('id')!r} of the alerts table is no episode as the edge writes it: "
                f"{type(error).__name__}: {error}. All others were exported; correct or delete it"
            )
    return rows


def _raise_for(faults: Sequence[str]) -> None:
    if faults:
        left = f"; and {len(faults) - SHOWN_FAULTS} more" if len(faults) > SHOWN_FAULTS else ""
        raise HistoryError("; ".join(faults[:SHOWN_FAULTS]) + left)


def _utc(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)
