"""Erasing from the lake's zones: raw objects are rewritten, and what follows from them is built anew without them."""

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pyarrow as pa

from iot_pipeline import raw_parquet
from iot_pipeline.contract import Table, tables
from iot_pipeline.contract.layout import FORMER_LEDGER, RAW
from iot_pipeline.erasure import whose_rows
from iot_pipeline.erasure.bucket_search import BucketSearch, hour_of
from iot_pipeline.erasure.stored import Bucket, Version, packed, text_of
from iot_pipeline.erasure.subject import Subject
from iot_pipeline.lake import statements
from iot_pipeline.lake.catalog import Partition
from iot_pipeline.lake.hours import Hour, arrival_hour_of_key, partition_predicate
from iot_pipeline.lake.lake import Lake
from iot_pipeline.lake.notes import BuildNotes, Counts, content_id
from iot_pipeline.lake.plan import batches, read_marks
from iot_pipeline.lake.publishing import Publisher
from iot_pipeline.lake.removals import RAW_TABLE, Removals

# How often event hours are built anew that another build has published meanwhile.
ATTEMPTS = 3


class ErasureBusyError(RuntimeError):
    """A build published rows of the subject again while they were erased. Run the erasure again when it has ended."""


@dataclass(frozen=True)
class LakeEraser:
    """Erases a subject from one lake. `digest` is the salted hash by which the book of removals names the erasure."""

    lake: Lake
    bucket: Bucket
    subject: Subject
    digest: str
    search: Callable[[], BucketSearch]
    progress: Callable[[str], None] = lambda _: None

    def rewrite_raw(self) -> dict[Hour, int]:
        """Take the subject's lines out of every raw object, and leave the others as they are, to the byte.

        The book of removals is written first. An object of which nothing is left stays, without lines, since a raw
        object that is gone is a loss that somebody would be told of. Returns the lines erased by arrival hour.
        """
        erased: dict[Hour, int] = defaultdict(int)
        for hour, versions in self._raw_by_hour():
            found = {}
            for version in versions:
                body = self.bucket.read(version)
                gone, left = self._without_theirs(version.key, body) if body else (0, b"")
                if gone:
                    found[version.key] = (gone, left)
            if found:
                noted = {f"s3://{self.bucket.name}/{key}": count for key, (count, _) in found.items()}
                Removals(self.bucket.s3, self.bucket.name).note_erased(self.digest, hour, noted)
                for key, (count, body) in found.items():
                    self.bucket.write(key, body)
                    erased[hour] += count
                self.progress(f"rewrote {len(found)} raw objects of {hour}")
        return dict(erased)

    def _without_theirs(self, key: str, body: bytes) -> tuple[int, bytes]:
        """How many lines of a raw object are the subject's, and the object without them."""
        if raw_parquet.is_parquet(body):
            return raw_parquet.without(body, self.subject.owns)
        lines = text_of(body).split(b"\n")
        kept = [line for line in lines if not line or not self.subject.owns(line)]
        return len(lines) - len(kept), packed(key, b"\n".join(kept))

    def _raw_by_hour(self) -> Iterator[tuple[Hour, list[Version]]]:
        by_hour: dict[Hour, list[Version]] = defaultdict(list)
        for _, version, found in self.search().versions(RAW):
            if version.is_latest and not found.is_mention:
                by_hour[arrival_hour_of_key(version.key)].append(version)
        yield from sorted(by_hour.items())

    def judge(self, arrival_hours: Collection[Hour], since: datetime) -> list[Hour]:
        """Bring judged rows, ledger and quarantine of these arrival hours to what the raw objects hold since a moment.

        Hours that were judged after it are left alone, so that a run that was killed goes on. Of an hour whose raw
        objects retention has removed the rows themselves are filtered. Returns the event hours touched before and now.
        """
        zones = tables(self.lake.contract)
        touched = set(self.lake.touched(arrival_hours))
        expired = self.lake.expired.arrivals(arrival_hours)
        for batch in batches(arrival_hours):
            ledger = self.lake.catalog.partitions(zones.ledger.name, batch)
            behind = [hour for hour in batch if not _begun_after(ledger.get(hour), since)]
            self.lake.judge([hour for hour in behind if hour not in expired], whole=True)
            self._filter_judged([hour for hour in behind if hour in expired])
            quarantine = self.lake.catalog.partitions(zones.quarantined_telemetry.name, batch)
            sealed = {hour: it for hour, it in quarantine.items() if hour in self.lake.expired.judged(batch)}
            self._publish_filtered(zones.quarantined_telemetry, sealed)
            self.lake.quarantine([hour for hour in batch if not _begun_after(quarantine.get(hour), since)])
            self.progress(f"judged {len(behind)} arrival hours again")
        return sorted({*touched, *self.lake.touched(arrival_hours)})

    def _filter_judged(self, hours: Sequence[Hour]) -> None:
        """Rows and ledger of hours that cannot be judged again, without the subject's rows."""
        zones = tables(self.lake.contract)
        judged, ledger = zones.judged_telemetry, zones.ledger
        there = self.lake.catalog.partitions(judged.name, hours)
        if not there:
            return
        self._publish_filtered(judged, there)
        counted = self.lake.catalog.partitions(ledger.name, there)
        publisher = self._publisher
        with publisher.building(ledger) as target:
            source = f"(SELECT * FROM {judged.name} WHERE {partition_predicate(there)}) AS kept"
            self.lake.athena.run(statements.build_ledger(self.lake.contract, source, target))
            marks = read_marks(self.lake.athena, statements.marks_of_build(target.table))
        rows_at = self.lake.catalog.partitions(judged.name, there)
        for hour in there:
            notes = counted[hour].notes if hour in counted else None
            rules = notes.rules if notes else None
            now = datetime.now(UTC)
            noted = BuildNotes(now, marks=marks.get(hour, {}), rules=rules, judged=rows_at[hour].location)
            publisher.publish(ledger, target, {hour: noted})
        self._note_received(list(there))

    def _note_received(self, hours: Sequence[Hour]) -> None:
        """What was received of hours without raw objects, as their ledger has it now: their books are held to that."""
        received = dict.fromkeys(hours, 0)
        for row in self.lake.athena.run(statements.ledger_of_arrival_hours(hours)).rows:
            received[Hour.from_values(row[:4])] += int(row[6])
        book = Removals(self.bucket.s3, self.bucket.name)
        for hour, count in received.items():
            book.note(RAW_TABLE, hour, {**book.entry(RAW_TABLE, hour), "received": count})

    def curate(self, event_hours: Collection[Hour]) -> None:
        """Bring these event hours to what the ledger says. Of those with sources that retention has removed the rows
        themselves are filtered.
        """
        curated = tables(self.lake.contract).curated_telemetry
        self.lake.curate(self.lake.stale(event_hours))
        sealed = {}
        for batch in batches(event_hours):
            built = self.lake.catalog.partitions(curated.name, batch)
            for hour in self.lake.expired.event_hours(list(built), self.lake.plan(list(built)), built) if built else ():
                sealed[hour] = built[hour]
        self._publish_filtered(curated, sealed)

    def _publish_filtered(self, table: Table, partitions: Mapping[Hour, Partition]) -> None:
        """A new version of each of these partitions that holds rows of the subject, without them."""
        for hour, partition in sorted(partitions.items()):
            target = self._publisher.new_version(table)
            kept, gone = Counts(), 0
            bodies: list[tuple[str, bytes]] = []
            for version in self.bucket.versions(_key(partition.location)):
                body = self.bucket.read(version) if version.is_latest else None
                if not body:
                    continue
                found = whose_rows.read_table(body)
                left = whose_rows.without(found, whose_rows.owned(found, self.subject))
                gone += found.num_rows - left.num_rows
                kept = _added(kept, left) if table.name == "curated_telemetry" else kept
                if left.num_rows:
                    bodies.append((version.key.rpartition("/")[2], whose_rows.written(left)))
            if not gone:
                continue
            for name, body in bodies:
                self.bucket.write(f"{_key(target.location)}{hour.path}{name}", body)
            notes = partition.notes and _notes_of(partition.notes, self.digest, kept)
            self.lake.catalog.publish(
                table.name, [replace(partition, location=target.location + hour.path, notes=notes)]
            )
            self.progress(f"took {gone} rows out of {hour} of {table.name}")

    def remove_versions(self, arrival_hours: Iterable[Hour], event_hours: Iterable[Hour], days: Iterable[Hour]) -> int:
        """Remove the versions of these hours that no reader is shown any more, and all former versions of objects of
        theirs, at once and for good; how many objects. A query that reads one of them just now fails, and is repeated.
        """
        zones, arrivals, removed = tables(self.lake.contract), set(arrival_hours), 0
        concerned = {
            zones.judged_telemetry: arrivals,
            zones.ledger: arrivals,
            zones.quarantined_telemetry: arrivals,
            zones.curated_telemetry: set(event_hours),
            zones.alert_history: set(days),
            zones.daily_telemetry: set(days),
        }
        for table, hours in concerned.items():
            shown = {it.location for it in self.lake.catalog.partitions(table.name, hours).values()} if hours else set()
            prefixes = (table.prefix, FORMER_LEDGER) if table is zones.ledger else (table.prefix,)
            old = [
                version
                for prefix in prefixes
                for version in (self.bucket.versions(prefix) if hours else ())
                if hour_of(version.key) in hours and not (version.is_latest and _folder(self.bucket, version) in shown)
            ]
            removed += self.bucket.purge(old)
        raw = [
            version
            for hour in sorted(arrivals)
            for version in self.bucket.versions(f"{RAW}{hour.path}")
            if not version.is_latest
        ]
        return removed + self.bucket.purge(raw)

    def require_erased(self, arrival_hours: Collection[Hour], event_hours: Collection[Hour], since: datetime) -> None:
        """Raise ErasureBusyError if a build that began before `since` has published any of these hours meanwhile."""
        zones = tables(self.lake.contract)
        # No build takes an hour without raw objects.
        judged = set(arrival_hours) - self.lake.expired.arrivals(arrival_hours)
        for table in (zones.judged_telemetry, zones.ledger, zones.quarantined_telemetry):
            found = self.lake.catalog.partitions(table.name, judged)
            if old := sorted(hour for hour, it in found.items() if not _begun_after(it, since)):
                raise ErasureBusyError(f"{table.name}: a build that began before has published {old[0]}; run it again")
        curated = tables(self.lake.contract).curated_telemetry.name
        for _ in range(ATTEMPTS):
            built = self.lake.catalog.partitions(curated, event_hours)
            late = [hour for hour in self.lake.stale(event_hours) if not _begun_after(built.get(hour), since)]
            if not late:
                return
            self.lake.curate(late)
        raise ErasureBusyError(f"{curated}: {late[0]} is published again and again meanwhile; run it again")

    @property
    def _publisher(self) -> Publisher:
        return Publisher(self.bucket.name, self.lake.catalog, self.progress)


def settled() -> datetime:
    """A moment (UTC, whole second) before which everything was written that has been, and after which nothing was.

    S3 and the names of versions keep whole seconds: this waits for the next one to begin.
    """
    now = datetime.now(UTC)
    time.sleep(1 - now.microsecond / 1_000_000)
    return datetime.now(UTC).replace(microsecond=0)


def _begun_after(partition: Partition | None, moment: datetime) -> bool:
    """Whether the build of a partition began at a moment or after it: the name of its version says so."""
    if partition is None:
        return False
    version = partition.location.partition("/v=")[2][:15]
    try:
        return datetime.strptime(version, "%Y%m%dT%H%M%S").replace(tzinfo=UTC) >= moment
    except ValueError:
        return False


def _key(location: str) -> str:
    return location.removeprefix("s3://").partition("/")[2]


def _folder(bucket: Bucket, version: Version) -> str:
    return f"s3://{bucket.name}/{version.key.rpartition('/')[0]}/"


def _added(counts: Counts, table: pa.Table) -> Counts:
    duplicates, conflicts = (sum(table[name].to_pylist()) for name in ("duplicates", "conflicts"))
    return Counts(counts.rows + table.num_rows, counts.duplicates + duplicates, counts.conflicts + conflicts)


def _notes_of(notes: BuildNotes, digest: str, kept: Counts) -> BuildNotes:
    """The notes of a partition without the subject's rows: its content is another one, since its rows are fewer."""
    if notes.content is None:
        return replace(notes, built_at=datetime.now(UTC), stored=None, follows=None, received=None)
    content = content_id({}) + digest[:8] if notes.marks is None else f"{notes.content[:16]}-{digest[:8]}"
    return replace(notes, built_at=datetime.now(UTC), content=content, counts=kept)
