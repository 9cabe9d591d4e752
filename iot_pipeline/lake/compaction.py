"""Days that are over, compacted: their curated rows in few and large objects, behind one view over days and hours.

The hours stay as they are: the warehouse loads them, and late data rebuilds them. A day holds what its hours held when
it was built, and notes their content; if one of them changes since, the day is built again and moved to in one step.
Up to which day the view reads days, and from which on hours, stands in its text, which one call replaces. So a reader
sees each reading once, at any time.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from iot_pipeline.contract import PARTITION_KEYS, Contract, Table, tables
from iot_pipeline.lake import statements
from iot_pipeline.lake.athena import Athena
from iot_pipeline.lake.catalog import Catalog, Partition
from iot_pipeline.lake.hours import Day, Hour
from iot_pipeline.lake.notes import BuildNotes, Counts
from iot_pipeline.lake.publishing import Publisher

# A clock may be ahead, and an hour is built once more after it has closed: until then a day's last hours still move.
CLOSED_AFTER = timedelta(hours=3)
# Hours that are built anew while a day is compacted have it built again so often.
ATTEMPTS = 3


class CompactionError(RuntimeError):
    """A day does not hold what its hours hold. It was not published; the version before stands."""


@dataclass(frozen=True)
class Days:
    """What a look at the days that are over has found.

    `stale` are those that do not hold what their hours hold. `days_until` is the first day that has no partition of its
    own, or the day that is not over: the view reads days before it, and from it on hours. `view_stands` is whether
    there are both views, with the columns that the contract has.
    """

    stale: tuple[Day, ...]
    days_until: Day
    view_stands: bool


@dataclass(frozen=True)
class CompactedDay:
    """A day as it was published, and what it holds."""

    day: Day
    counts: Counts


@dataclass(frozen=True)
class Compaction:
    """Compacts the days of one lake, which began on the day `first`."""

    catalog: Catalog
    athena: Athena
    contract: Contract
    publisher: Publisher
    first: Day
    progress: Callable[[str], None]

    def look(self, now: datetime) -> Days:
        """Which days are to be compacted, and where the view's days end. `now` is aware.

        A day is compared with its hours while late data may still change them; one without a partition always. Its
        cost grows with the days, a thousand a call, and not with the hours.
        """
        closed = self._closed(now)
        built = self.catalog.partitions(self._daily.name, closed)
        late = Day.of(now - self.contract.lateness_bound)
        compared = [day for day in closed if day >= late or day not in built]
        held = self._hours(compared)
        stale = tuple(day for day in compared if day not in built or built[day].content != content_of(held[day]))
        missing = [day for day in stale if day not in built]
        columns = [column.name for column in tables(self.contract).curated_telemetry.columns] + list(PARTITION_KEYS)
        found = [self.catalog.table_columns(name) for name in (statements.TELEMETRY_VIEW, statements.DEVICE_VIEW)]
        stands = found[0] == columns and found[1] is not None
        return Days(stale, min(missing, default=self._open(now)), stands)

    def compact(self, days: Iterable[Day], now: datetime) -> list[CompactedDay]:
        """Build, audit and publish these days, which must be over, then have the view read what there is.

        Raises ValueError for a day that is not over, CompactionError if a build does not hold what its hours hold.
        """
        wanted = sorted(set(days))
        if open_days := [str(day) for day in wanted if day >= self._open(now)]:
            raise ValueError(f"{', '.join(open_days)}: not over yet; a day is compacted {CLOSED_AFTER} after its end")
        held = self._hours(wanted)
        empty = [day for day in wanted if not held[day]]
        if empty:
            notes = BuildNotes(datetime.now(UTC), content_of({}), Counts())
            self.publisher.publish(self._daily, self.publisher.new_version(self._daily), dict.fromkeys(empty, notes))
        done = [CompactedDay(day, Counts()) for day in empty]
        done += [self._compact(day) for day in wanted if held[day]]
        self.athena.run(statements.telemetry_view(self.contract, self.look(now).days_until))
        # Over the one before, whose columns it has.
        self.athena.run(statements.device_view())
        return done

    def _compact(self, day: Day) -> CompactedDay:
        for attempt in range(1, ATTEMPTS + 1):
            held = self._hours([day])[day]
            content, expected = content_of(held), _sum_of(held.values())
            with self.publisher.building(self._daily) as target:
                self.athena.run(statements.build_daily(self.contract, day, target))
                found = Counts.of(self.athena.run(statements.count_day(target.table)).rows[0])
            if content_of(self._hours([day])[day]) != content:
                self.progress(f"hours of {day} were built meanwhile (attempt {attempt} of {ATTEMPTS}): once more")
                continue
            if found != expected:
                raise CompactionError(
                    f"{day}: the build holds {found}, its hours {expected}. Nothing was published; the version before "
                    "stands. Look at the check `curated_objects_are_as_built`, then compact the day again"
                )
            self.publisher.publish(self._daily, target, {day: BuildNotes(datetime.now(UTC), content, found)})
            return CompactedDay(day, found)
        raise CompactionError(f"{day}: its hours kept changing; nothing was published. Compact it again later")

    def _hours(self, days: Sequence[Day]) -> dict[Day, Mapping[Hour, Partition]]:
        """The curated partitions of each of these days."""
        wanted = [hour for day in days for hour in day.hours]
        found = self.catalog.partitions(tables(self.contract).curated_telemetry.name, wanted)
        return {day: {hour: found[hour] for hour in day.hours if hour in found} for day in days}

    def _closed(self, now: datetime) -> list[Day]:
        last = self._open(now)
        return [self.first + n for n in range((last.start - self.first.start).days)]

    @staticmethod
    def _open(now: datetime) -> Day:
        return Day.of(now - CLOSED_AFTER)

    @property
    def _daily(self) -> Table:
        return tables(self.contract).daily_telemetry


def content_of(hours: Mapping[Hour, Partition]) -> str:
    """The content id of a day with these hours; an hour of a former release counts by its place."""
    texts = [f"{hour} {partition.content or partition.location}" for hour, partition in sorted(hours.items())]
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]


def _sum_of(hours: Iterable[Partition]) -> Counts:
    """What these hours noted that they hold. Raises CompactionError for one that has noted nothing."""
    total = Counts()
    for partition in hours:
        counts = partition.notes.counts if partition.notes else None
        if counts is None:
            raise CompactionError(f"{partition.hour} has not noted what it holds: build it again, then its day")
        total = Counts(
            total.rows + counts.rows, total.duplicates + counts.duplicates, total.conflicts + counts.conflicts
        )
    return total
