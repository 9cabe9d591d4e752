"""Loading curated event hours: each in one transaction, that counts what it loaded before it commits."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from redshift_connector.core import Connection
from redshift_connector.error import ProgrammingError

from iot_pipeline.contract import Contract, Table, tables
from iot_pipeline.lake.balances import LoadedHourBalance
from iot_pipeline.lake.catalog import Catalog, Partition
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.notes import Counts
from iot_pipeline.warehouse import statements
from iot_pipeline.warehouse.transaction import is_conflict, read, retried, run, writing

# An error that stops many hours has one cause; so many of them show it.
SHOWN_REASONS = 5


@dataclass(frozen=True)
class LoadedHour:
    """The outcome for one event hour. `skipped`: it was loaded already, and nothing was done."""

    hour: Hour
    rows: int
    seconds: float = 0.0
    skipped: bool = False


class LoadError(RuntimeError):
    """Hours that could not be loaded, or did not hold what the ledger says. What was loaded of them before stands.

    `loaded` has the outcome of the other hours that were asked for.
    """

    def __init__(self, reasons: Sequence[str], loaded: Sequence[LoadedHour]) -> None:
        """Say of the first hours what was wrong."""
        shown = "; ".join(reasons[:SHOWN_REASONS])
        super().__init__(
            f"{len(reasons)} hours were rolled back: {shown}. What was loaded of them before stands, the other "
            f"{len(loaded)} hours are loaded. Build these hours again, then load them again"
        )
        self.loaded = loaded


@dataclass(frozen=True)
class Loader:
    """Loads the curated table of one catalog into the warehouse behind a connection, whose autocommit is off."""

    connection: Connection
    catalog: Catalog
    contract: Contract
    role_arn: str
    progress: Callable[[str], None] = lambda _: None

    def load(self, event_hours: Iterable[Hour]) -> list[LoadedHour]:
        """Bring these event hours to their curated partitions, each in a transaction of its own, in order.

        An hour that is loaded already is left alone, so that an interrupted range is resumed by asking for it again.
        Raises LoadError, with all other hours loaded, if COPY refuses an hour or its counts are not the ledger's.
        """
        loaded: list[LoadedHour] = []
        reasons: list[str] = []
        for balance in self.balances(event_hours):
            try:
                loaded.append(self._bring(balance))
            except _HourError as error:
                self.progress(f"rolled back: {error}")
                reasons.append(str(error))
        if reasons:
            raise LoadError(reasons, loaded)
        return loaded

    def unloaded(self, event_hours: Iterable[Hour] | None = None) -> list[Hour]:
        """Those of these event hours, or of all, whose curated content is not what is loaded."""
        wanted = None if event_hours is None else sorted(set(event_hours))
        if wanted == []:
            return []
        curated = self.catalog.partitions(self._curated.name, wanted)
        sql = statements.loads() if wanted is None else statements.loads_of_hours(wanted)
        loaded = {Hour.from_sql(row[0]): row[1] for row in read(self.connection, sql)}
        return sorted(
            hour
            for hour in {*curated, *loaded}
            if hour not in curated or hour not in loaded or curated[hour].content != loaded[hour]
        )

    def balances(self, event_hours: Iterable[Hour]) -> list[LoadedHourBalance]:
        """Each of these event hours as curated, as loaded and as counted."""
        wanted = sorted(set(event_hours))
        if not wanted:
            return []
        try:
            return self._compare(wanted)
        finally:
            self.connection.rollback()

    @property
    def _curated(self) -> Table:
        return tables(self.contract).curated_telemetry

    def _compare(self, hours: Sequence[Hour]) -> list[LoadedHourBalance]:
        curated = self.catalog.partitions(self._curated.name, hours)
        loads = {Hour.from_sql(row[0]): row for row in run(self.connection, statements.loads_of_hours(hours))}
        counted = self._count(hours)
        return [
            LoadedHourBalance(
                hour,
                curated[hour].content if hour in curated else None,
                loads[hour][1] if hour in loads else None,
                noted(curated[hour])[1] if hour in curated else Counts(),
                Counts.of(loads[hour][2:]) if hour in loads else Counts(),
                counted.get(hour, Counts()),
            )
            for hour in hours
        ]

    def _count(self, hours: Sequence[Hour]) -> dict[Hour, Counts]:
        rows = run(self.connection, statements.readings_of_hours(hours))
        return {Hour.from_sql(row[0]): Counts.of(row[1:]) for row in rows}

    def _bring(self, before: LoadedHourBalance) -> LoadedHour:
        if before.is_current and before.balances:
            return LoadedHour(before.hour, before.counted.rows, skipped=True)
        done = retried(lambda: self._replace(before), self.progress)
        if not done.skipped:
            self.progress(f"loaded {done.rows:,} rows of {done.hour} in {done.seconds:.2f} s")
        return done

    def _replace(self, before: LoadedHourBalance) -> LoadedHour:
        hour, started = before.hour, time.monotonic()
        with writing(self.connection):
            # Looked at again now that no other writer is at work: curated may have moved on, or be loaded by now.
            partition = self.catalog.partitions(self._curated.name, [hour]).get(hour)
            content, curated = noted(partition) if partition else (None, Counts())
            loads = run(self.connection, statements.loads_of_hours([hour]))
            loaded_content = loads[0][1] if loads else None
            if loaded_content == content != before.loaded_content:
                return LoadedHour(hour, curated.rows, skipped=True)
            if partition is None and not self.catalog.is_absent(self._curated.name, hour):
                raise _HourError(f"{hour}: Glue left its partition out of a list, but has it; nothing was deleted")
            run(self.connection, statements.delete_readings(hour))
            if partition and curated.rows:
                self._copy(hour, partition.location)
            found = self._count([hour]).get(hour, Counts())
            if found != curated:
                place = partition.location if partition else "the lake"
                raise _HourError(f"{hour}: the ledger says {curated}, {place} has {found}")
            run(self.connection, statements.delete_load(hour))
            if partition and content:
                now = datetime.now(UTC)
                run(self.connection, statements.insert_load(hour, content, partition.location, curated, now))
        return LoadedHour(hour, curated.rows, time.monotonic() - started)

    def _copy(self, hour: Hour, location: str) -> None:
        sql = statements.copy_readings(location, self._columns(hour), self.role_arn)
        try:
            run(self.connection, sql)
        except ProgrammingError as error:
            if is_conflict(error):
                raise
            raise _HourError(f"{hour}: COPY from {location} failed: {error}") from error

    def _columns(self, hour: Hour) -> list[str]:
        return self.catalog.columns(self._curated.name, hour)


def noted(partition: Partition) -> tuple[str, Counts]:
    """A curated partition's content id and counts, audited against the ledger. Raises ValueError without them."""
    notes = partition.notes
    if notes is None or notes.content is None or notes.counts is None:
        raise ValueError(
            f"{partition.hour}: the curated partition has no content id and counts noted, so that its load could not "
            "be checked; build the hour again"
        )
    return notes.content, notes.counts


class _HourError(RuntimeError):
    """What was wrong with one hour of those to be loaded."""
