"""Retention: removing whole hours (of the alerts' history, days) that are older than their table keeps them.

An hour is removed only when it is safe: each table has a condition of its own, and what does not meet it stays and is
reported with the reason. The book of removals is written first, then the partition goes, then its objects, so that no
reader is ever shown a partition whose objects are gone. Names that nothing here has given are left alone and reported.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from iot_pipeline.contract import Table, tables
from iot_pipeline.contract.layout import RAW
from iot_pipeline.lake.catalog import Partition
from iot_pipeline.lake.hours import Day, Hour, arrival_hour_of_key
from iot_pipeline.lake.lake import Lake
from iot_pipeline.lake.notes import BuildNotes, Counts
from iot_pipeline.lake.objects import Objects, StoredObject
from iot_pipeline.lake.plan import batches
from iot_pipeline.lake.publishing import Publisher
from iot_pipeline.lake.removals import RAW_TABLE, Removals
from iot_pipeline.lake.safety import Safety, Verdict

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# S3 API, DeleteObjects: at most 1,000 keys a call.
_BATCH = 1000


class RetentionError(RuntimeError):
    """S3 did not remove some objects. Their hours are in the book already, and are removed by the next run."""


@dataclass(frozen=True)
class Outcome:
    """What became of an hour, or a day, that is past its retention. `removed`: it is gone, and `why` that was safe;
    else it is kept, and `why` says for what.
    """

    table: str
    hour: Hour
    removed: bool
    why: str
    objects: int = 0
    bytes: int = 0


@dataclass(frozen=True)
class Retained:
    """What a run did: an outcome for each hour that is past its retention, and the names that were left alone."""

    outcomes: Sequence[Outcome]
    unknown: Sequence[str] = ()

    def of(self, *, removed: bool) -> list[Outcome]:
        """The hours that were removed, or those that were kept."""
        return [outcome for outcome in self.outcomes if outcome.removed is removed]


@dataclass(frozen=True)
class Retention:
    """Removes what is past its retention from one lake.

    `kept` says for how long each table keeps an hour, by the table's name; one that is not named keeps all. `held` are
    the tenants under a legal hold; `needed` names the plan of a backfill that an arrival hour is still needed for.
    """

    lake: Lake
    s3: "S3Client"
    kept: Mapping[str, timedelta]
    held: frozenset[str] = frozenset()
    needed: Callable[[Sequence[Hour]], Mapping[Hour, str]] = lambda _: {}
    unknown: list[str] = field(default_factory=list)

    def run(self, now: datetime, first: Hour | None = None, last: Hour | None = None, *, dry: bool = False) -> Retained:
        """Remove what is past its retention at `now` (aware), or of it the hours from `first` to `last` alone.

        Tables are taken in the order of the data's flow, so that an hour whose raw objects go in this run may lose its
        judged rows in it too. `dry` removes nothing and says what would be removed; what follows from a removal is then
        not seen. Raises RetentionError, PublishError and the errors of Athena's and AWS's clients; the next run goes on
        where this one ended.
        """
        outcomes: list[Outcome] = []
        for table, candidates in self._candidates(now):
            # By their starts: a day is not compared with an hour.
            wanted = [
                hour
                for hour in candidates
                if (not first or hour.start >= first.start) and (not last or hour.start <= last.start)
            ]
            for batch in batches(wanted):
                outcomes += self._batch(table, batch, now, dry=dry)
        return Retained(outcomes, tuple(sorted(set(self.unknown))))

    def _candidates(self, now: datetime) -> Iterator[tuple[Table, list[Hour]]]:
        zones = tables(self.lake.contract)
        for table in (
            zones.raw_telemetry,
            zones.judged_telemetry,
            zones.quarantined_telemetry,
            zones.ledger,
            zones.curated_telemetry,
            zones.daily_telemetry,
            zones.alert_history,
        ):
            if table.name not in self.kept:
                continue
            # The whole hour, or day, must be older.
            moment = now.astimezone(UTC) - self.kept[table.name]
            before = Day.of(moment) if table in (zones.daily_telemetry, zones.alert_history) else Hour.of(moment)
            if table is zones.raw_telemetry:
                yield table, sorted(self._raw_before(before))
            else:
                older = self.lake.catalog.older_than(table.name, before)
                yield table, sorted(hour for hour, it in older.items() if not _is_emptied(table, it))

    def _raw_before(self, before: Hour) -> set[Hour]:
        """Arrival hours that have raw objects. Keys sort by their hours, so that nothing newer is listed."""
        found: set[Hour] = set()
        for page in self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.lake.bucket, Prefix=RAW):
            for item in page.get("Contents", []):
                try:
                    hour = arrival_hour_of_key(item["Key"])
                except ValueError:
                    self.unknown.append(f"s3://{self.lake.bucket}/{item['Key']}")
                    continue
                if hour >= before:
                    return found
                found.add(hour)
        return found

    def _batch(self, table: Table, hours: Sequence[Hour], now: datetime, *, dry: bool) -> Iterator[Outcome]:
        partitions = {} if table.projected else self.lake.catalog.partitions(table.name, hours)
        verdicts = Safety(self.lake, self.s3, self.held, self.needed).of(table, hours, now)
        for hour in hours:
            verdict = verdicts[hour]
            objects = self._objects(table, hour, partitions.get(hour)) if verdict.safe else None
            if objects is None:
                why = verdict.why if not verdict.safe else "its partition lies outside its table's place"
                yield Outcome(table.name, hour, removed=False, why=why)
                continue
            size = sum(item.size for item in objects)
            if not dry:
                self._remove(table, hour, objects, verdict, now)
            yield Outcome(table.name, hour, True, verdict.why, len(objects), size)

    def _objects(self, table: Table, hour: Hour, partition: Partition | None) -> list[StoredObject] | None:
        """What is to be removed of an hour; None where its partition shows what is not of this table."""
        place = f"s3://{self.lake.bucket}/{table.prefix}"
        location = partition.location if partition else f"{place}{hour.path}"
        if not location.startswith(place) or not location.endswith(f"/{hour.path}"):
            self.unknown.append(f"partition {hour} of {table.name} at {location!r}")
            return None
        found = []
        for item in Objects(self.s3).at(location):
            name = item.uri.removeprefix(location)
            if not name or "/" in name or name.startswith(("_", ".")):
                self.unknown.append(item.uri)
            else:
                found.append(item)
        return found

    def _remove(
        self, table: Table, hour: Hour, objects: Sequence[StoredObject], verdict: Verdict, now: datetime
    ) -> None:
        entry = {"why": verdict.why, "at": now.astimezone(UTC).isoformat(timespec="seconds"), "objects": len(objects)}
        if table.name == RAW_TABLE:
            entry |= {"received": verdict.received}
        Removals(self.s3, self.lake.bucket).note(table.name, hour, entry)
        if table.name == tables(self.lake.contract).daily_telemetry.name:
            # The view reads days up to the first without a partition: a day that is gone is an empty one.
            publisher = Publisher(self.lake.bucket, self.lake.catalog, self.lake.progress)
            publisher.publish(table, publisher.new_version(table), {hour: BuildNotes(now, counts=Counts())})
        elif not table.projected:
            self.lake.catalog.remove(table.name, [hour])
        delete(self.s3, self.lake.bucket, [item.uri.split("/", 3)[3] for item in objects])
        self.lake.progress(f"removed {hour} of {table.name}: {len(objects)} objects")


def _is_emptied(table: Table, partition: Partition) -> bool:
    """Whether a day holds nothing: it never did, or it was removed."""
    counts = partition.notes.counts if partition.notes else None
    return table.name == tables().daily_telemetry.name and counts == Counts()


def delete(s3: "S3Client", bucket: str, keys: Iterable[str]) -> None:
    """Remove objects. Raises RetentionError naming the first that S3 kept."""
    wanted = list(keys)
    for start in range(0, len(wanted), _BATCH):
        batch = [{"Key": key} for key in wanted[start : start + _BATCH]]
        answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": batch, "Quiet": True})  # type: ignore[typeddict-item]  # the stubs want their own TypedDict
        if answer.get("Errors"):
            raise RetentionError(f"S3 did not remove {len(answer['Errors'])} objects, first: {answer['Errors'][0]}")
