"""Searching buckets: every version of every object, whatever lies where, by its own bytes and not by our SQL."""

import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import islice

import pyarrow as pa

from iot_pipeline import raw_parquet
from iot_pipeline.contract import layout
from iot_pipeline.erasure import whose_rows
from iot_pipeline.erasure.found import Found
from iot_pipeline.erasure.stored import Bucket, Version, text_of
from iot_pipeline.erasure.subject import Subject, envelope_of
from iot_pipeline.intake.refusals import PREFIX as REFUSED_PREFIX
from iot_pipeline.lake.hours import Hour, partition_of
from iot_pipeline.streaming.batches import UNJUDGED

# Objects that are read side by side.
READERS = 16
_HOUR = re.compile(r"year=(\d{4})/month=(\d{2})/day=(\d{2})/(?:hour=(\d{2})/)?")
RAW, JUDGED, LEDGER, QUARANTINE = "raw", "judged", "ledger", "quarantine"
DAILY, CURATED, ALERTS, RESULTS, UNDELIVERED = "daily", "curated", "alert history", "query results", "failed delivery"
RULES, SNAPSHOTS, FAILURES, OTHER = "rules", "registry snapshots", "failed records", "other objects"
STREAMED, REFUSED, IMPORTS = "streamed", "refused records", "imports"
_ZONES = {
    layout.RAW: RAW,
    layout.JUDGED: JUDGED,
    layout.LEDGER: LEDGER,
    layout.FORMER_LEDGER: LEDGER,
    layout.QUARANTINE: QUARANTINE,
    layout.CURATED: CURATED,
    layout.DAILY: DAILY,
    layout.ALERT_HISTORY: ALERTS,
    layout.QUERY_RESULTS: RESULTS,
    layout.TEMPORARY: RESULTS,
    layout.UNLOAD: RESULTS,
    layout.FAILED_DELIVERY: UNDELIVERED,
    layout.EDGE_RULES: RULES,
    layout.REGISTRY: SNAPSHOTS,
    layout.STREAMED: STREAMED,
    layout.IMPORTS: IMPORTS,
    # In the buckets of the edge and of the intake.
    "aws/lambda/": FAILURES,
    UNJUDGED: UNDELIVERED,
    REFUSED_PREFIX: REFUSED,
}


@dataclass(frozen=True)
class BucketSearch:
    """Searches buckets for a subject. `since` (aware) leaves out what was written before: a device that was onboarded
    then cannot be in it. `progress` is called after each object with its key.
    """

    buckets: tuple[Bucket, ...]
    subject: Subject
    since: datetime | None = None
    progress: Callable[[str], None] = lambda _: None

    def found(self) -> Iterator[Found]:
        """What there is in all buckets."""
        for _, _, found in self.versions():
            yield found

    def versions(self, prefix: str = "") -> Iterator[tuple[Bucket, Version, Found]]:
        """The versions that mention the subject, each with what is in it. Raises botocore's errors."""
        for bucket in self.buckets:
            listed = bucket.versions(prefix, self.since)
            with ThreadPoolExecutor(READERS) as pool:
                # No more at once than are read together, so that few bodies are in memory.
                while some := list(islice(listed, READERS)):
                    for version, found in zip(some, pool.map(partial(self._look, bucket), some), strict=True):
                        self.progress(version.key)
                        if found:
                            yield bucket, version, found

    def _look(self, bucket: Bucket, version: Version) -> Found | None:
        body = bucket.read(version)
        held = self._count(zone_of(bucket, version.key), body) if body else _Held()
        if not held.theirs and not held.others:
            if not self.subject.mentioned_in(version.key):
                return None
            held = _Held(1)
        place = f"s3://{bucket.name}/{version.key}" + ("" if version.is_latest else f" version {version.version_id}")
        return Found(
            zone_of(bucket, version.key),
            place,
            held.theirs or held.others,
            version.size,
            hour_of(version.key),
            is_mention=not held.theirs,
            tenants=held.tenants,
        )

    def _count(self, zone: str, body: bytes) -> "_Held":
        if zone == RAW and raw_parquet.is_parquet(body):
            try:
                return self._count_lines(raw_parquet.lines_of(body))
            except pa.ArrowInvalid:
                return _Held(int(self.subject.mentions(body)))
        if body.startswith(whose_rows.MAGIC):
            try:
                return self._count_rows(whose_rows.read_table(body))
            except pa.ArrowInvalid:
                return _Held(int(self.subject.mentions(body)))
        text = text_of(body)
        if not self.subject.mentions(text):
            return _Held()
        if zone == RAW:
            return self._count_lines(text.split(b"\n"))
        lines = [line for line in text.split(b"\n") if self.subject.mentions(line)]
        return _Held(len(lines) or 1)

    def _count_lines(self, all_lines: Sequence[bytes]) -> "_Held":
        """Of the raw zone: a line is theirs by what the rules have added to it, not by what it says."""
        lines = [line for line in all_lines if self.subject.mentions(line)]
        theirs = [line for line in lines if self.subject.owns(line)]
        named = (envelope_of(line) for line in theirs)
        return _Held(len(theirs), len(lines) - len(theirs), frozenset(str(names[1]) for names in named if names))

    def _count_rows(self, table: pa.Table) -> "_Held":
        marks = whose_rows.owned(table, self.subject)
        theirs = sum(marks)
        return _Held(
            theirs,
            0 if theirs else sum(whose_rows.mentioning(table, self.subject)),
            whose_rows.tenants_among(table, marks) if theirs else frozenset(),
        )


@dataclass(frozen=True)
class _Held:
    """Rows or lines of theirs, those of others that mention them, and the tenants that theirs name."""

    theirs: int = 0
    others: int = 0
    tenants: frozenset[str] = frozenset()


def zone_of(bucket: Bucket, key: str) -> str:
    """The zone of an object, by its bucket or its key."""
    return bucket.zone or next((zone for prefix, zone in _ZONES.items() if key.startswith(prefix)), OTHER)


def hour_of(key: str) -> Hour | None:
    """The hour, or the day, of the partition that an object lies in; None if its key names none."""
    named = _HOUR.search(key)
    try:
        return partition_of([value for value in named.groups() if value]) if named else None
    except ValueError:
        return None
