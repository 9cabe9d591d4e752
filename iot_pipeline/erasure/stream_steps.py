"""Erasing from the low-latency table: what the streaming job has published and no batch has replaced yet."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from iot_pipeline.contract.layout import STREAMED
from iot_pipeline.erasure import whose_rows
from iot_pipeline.erasure.bucket_search import BucketSearch
from iot_pipeline.erasure.lake_steps import ErasureBusyError
from iot_pipeline.erasure.stored import Bucket
from iot_pipeline.erasure.subject import Subject
from iot_pipeline.lake.hours import Hour
from iot_pipeline.streaming.batches import Batch, Batches, BatchNotes

# A micro-batch is registered within seconds after its objects are written; what is older was given up.
_WRITTEN_FOR = timedelta(minutes=10)


@dataclass(frozen=True)
class StreamEraser:
    """Erases a subject from the micro-batches of one lake, whose bucket `bucket` is."""

    batches: Batches
    bucket: Bucket
    subject: Subject
    progress: Callable[[str], None] = lambda _: None

    def erase(self) -> int:
        """Publish each micro-batch that holds rows of the subject without them, in one step; how many rows went.

        Counts of records and outcomes stay: they say what the stream carried, and name nobody.
        """
        erased = 0
        for batch in self.batches.all():
            tables = [whose_rows.read_table(body) for body in self._bodies(batch)]
            left = [whose_rows.without(table, whose_rows.owned(table, self.subject)) for table in tables]
            gone = sum(len(table) for table in tables) - sum(len(table) for table in left)
            rows = [whose_rows.written(table) for table in left if len(table)]
            if gone and self.batches.republish(batch, rows, _notes(batch, left)):
                erased += gone
                self.progress(f"took {gone} rows out of the micro-batch {batch.name}")
        return erased

    def remove_versions(self, search: BucketSearch) -> int:
        """Remove the objects with rows of the subject that no reader is shown any more, and all former versions, for
        good; how many.

        Raises ErasureBusyError if the job is writing a micro-batch that has some: run it again.
        """
        published = {batch.name: self._folder(batch) for batch in self.batches.all()}
        old = []
        for _, version, found in search.versions(STREAMED):
            name = version.key.removeprefix(f"{STREAMED}batch=").partition("/")[0]
            if version.is_latest and version.key.startswith(published.get(name, "-")):
                continue  # mentioned by another: nothing of theirs is published any more
            is_fresh = datetime.now(UTC) - version.written_at < _WRITTEN_FOR
            if version.is_latest and name not in published and is_fresh and not version.is_marker:
                raise ErasureBusyError(f"the streaming job is writing the micro-batch {name}; run it again in a while")
            old.append(version)
            self.progress(f"removes {found.place}")
        return self.bucket.purge(old)

    def _bodies(self, batch: Batch) -> Iterator[bytes]:
        for version in self.bucket.versions(self._folder(batch)):
            body = self.bucket.read(version) if version.is_latest else None
            if body:
                yield body

    def _folder(self, batch: Batch) -> str:
        return batch.location.removeprefix(f"s3://{self.bucket.name}/")


def _notes(batch: Batch, left: Sequence[pa.Table]) -> BatchNotes:
    """The notes of a micro-batch with these rows: it is compared with the hours of these alone."""
    hours = {
        Hour.of(at.replace(tzinfo=UTC))
        for table in left
        for at in pc.unique(pc.floor_temporal(table["event_time"], unit="hour")).to_pylist()
    }
    return replace(batch.notes, rows=sum(len(table) for table in left), event_hours=frozenset(hours))
