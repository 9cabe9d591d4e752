"""Erasing from the history of the alerts in the lake."""

import time
from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import UTC, datetime

from iot_pipeline.alert_history.export import Exporter
from iot_pipeline.alert_history.progress import ExportBusyError
from iot_pipeline.alert_history.rows import Row, content_of, to_parquet
from iot_pipeline.contract import tables
from iot_pipeline.erasure.subject import Subject
from iot_pipeline.lake.hours import Day
from iot_pipeline.lake.notes import BuildNotes, Counts

# The name of an export's object within a day.
_OBJECT = "episodes.parquet"


def erase_episodes(
    exporter: Exporter, subject: Subject, days: Collection[Day], progress: Callable[[str], None] = lambda _: None
) -> int:
    """Publish these days anew without the subject's episodes, and forget a day of which nothing is left; how many went.

    Exports are kept out meanwhile by their own lease. Raises ExportBusyError if one is at work: it ends within minutes.
    """
    lease, erased = exporter.progress_of(), 0
    lease.claim(int(time.time() * 1000))
    try:
        for day, found in exporter.rows(days).items():
            kept = [row for row in found if not _is_theirs(subject, row)]
            if len(kept) < len(found):
                _publish(exporter, day, kept)
                erased += len(found) - len(kept)
                progress(f"took {len(found) - len(kept)} alerts out of {day}")
    finally:
        with suppress(ExportBusyError):
            lease.release()
    return erased


def _publish(exporter: Exporter, day: Day, kept: list[Row]) -> None:
    table, publisher = tables().alert_history, exporter.publisher
    if not kept:
        publisher.catalog.remove(table.name, [day])
        return
    target = publisher.new_version(table)
    bucket, _, folder = f"{target.location}{day.path}".removeprefix("s3://").partition("/")
    exporter.s3.put_object(Bucket=bucket, Key=f"{folder}{_OBJECT}", Body=to_parquet(kept))
    publisher.publish(table, target, {day: BuildNotes(datetime.now(UTC), content_of(kept), Counts(len(kept)))})


def _is_theirs(subject: Subject, row: Row) -> bool:
    return subject.owns_names(row["device_id"], row["tenant"]) or subject.mentioned_in(str(row["subject"]))
