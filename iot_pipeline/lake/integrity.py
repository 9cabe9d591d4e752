"""Whether what lies in S3 is what the builds wrote and judged: objects removed, added or overwritten by hand."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from iot_pipeline.contract import Table, tables
from iot_pipeline.contract.layout import RAW
from iot_pipeline.lake import faults, statements
from iot_pipeline.lake.catalog import Partition
from iot_pipeline.lake.faults import Fault
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.lake import Lake
from iot_pipeline.lake.notes import Counts, counts_by_hour
from iot_pipeline.lake.objects import Objects
from iot_pipeline.lake.plan import batches
from iot_pipeline.lake.quarantine import follows
from iot_pipeline.lake.raw_integrity import raw_faults

# A build that publishes while its hours are looked at makes them look wrong; they are then looked at anew.
ATTEMPTS = 3

Partitions = Mapping[str, Mapping[Hour, Partition]]
ByOutcome = Mapping[Hour, Mapping[str, int]]


@dataclass(frozen=True)
class Audit:
    """Looks at hours of one lake, listing nothing but the prefixes of these hours."""

    lake: Lake
    objects: Objects

    def curated(self, event_hours: Iterable[Hour]) -> list[Fault]:
        """Event hours whose partition does not hold the rows that its build noted, or holds what it did not write."""
        return self._settled((tables(self.lake.contract).curated_telemetry,), event_hours, self._curated)

    def judged(self, arrival_hours: Iterable[Hour]) -> list[Fault]:
        """Arrival hours whose judged rows, ledger and quarantine do not agree, or hold what no build wrote.

        A quarantine older than its ledger is not compared: it is yet to follow.
        """
        found = tables(self.lake.contract)
        looked_at = (found.judged_telemetry, found.ledger, found.quarantined_telemetry)
        return self._settled(looked_at, arrival_hours, self._judged)

    def raw(self, arrival_hours: Iterable[Hour], now: datetime) -> list[Fault]:
        """Arrival hours whose raw objects are not those that were judged: gone, written since, or never judged.

        `now` is aware. Of an hour that closed less than an hour ago only what is gone is told.
        """
        ledger = tables(self.lake.contract).ledger
        return self._settled((ledger,), arrival_hours, lambda batch, found: self._raw(batch, found[ledger.name], now))

    def _settled(
        self,
        looked_at: Sequence[Table],
        hours: Iterable[Hour],
        faults_of: Callable[[Sequence[Hour], Partitions], Iterable[Fault]],
    ) -> list[Fault]:
        found: list[Fault] = []
        for batch in batches(hours):
            for _ in range(ATTEMPTS):
                partitions = self._partitions(looked_at, batch)
                of_batch = list(faults_of(batch, partitions))
                if not of_batch or self._partitions(looked_at, batch) == partitions:
                    break
            found += of_batch
        return sorted(found, key=lambda fault: (fault.hour, fault.table))

    def _partitions(self, looked_at: Sequence[Table], hours: Sequence[Hour]) -> Partitions:
        return {table.name: self.lake.catalog.partitions(table.name, hours) for table in looked_at}

    def _curated(self, _: Sequence[Hour], partitions: Partitions) -> Iterator[Fault]:
        ((table, found),) = partitions.items()
        strange = self._written_since(found)
        whole = sorted(found.keys() - strange)
        rows = self.lake.athena.run(statements.balance_of_event_hours(whole)).rows if whole else []
        held = counts_by_hour(rows)
        for hour, partition in found.items():
            built = partition.notes.counts if partition.notes else None
            if hour in strange:
                yield faults.of_curated(hour, table, strange[hour])
            elif built is None:
                yield faults.of_curated(hour, table, "no build has noted what it holds")
            elif (now := held.get(hour, Counts())) != built:
                what = faults.other_rows(partition.location, faults.counts(built), faults.counts(now))
                yield faults.of_curated(hour, table, what)

    def _judged(self, _: Sequence[Hour], partitions: Partitions) -> Iterator[Fault]:
        judged, ledger, _quarantine = partitions
        strange: set[Hour] = set()
        for table, found in partitions.items():
            for hour, what in self._written_since(found).items():
                strange.add(hour)
                yield faults.of_judged(hour, table, what)
        both = partitions[judged].keys() & partitions[ledger].keys() - strange
        if both:
            yield from self._compared(sorted(both), partitions)

    def _compared(self, hours: Sequence[Hour], partitions: Partitions) -> Iterator[Fault]:
        judged, ledger, quarantine = partitions
        counted = self._by_outcome(statements.ledger_of_arrival_hours(hours), readings=6)
        rows = self._by_outcome(statements.judged_of_arrival_hours(hours), readings=5)
        records = self._by_outcome(statements.quarantined_of_arrival_hours(hours), readings=5)
        for hour in hours:
            faulty = {outcome: count for outcome, count in counted[hour].items() if outcome != "valid"}
            if rows[hour] != counted[hour]:
                # Either may have lost objects: the one that holds less has.
                lost_rows = sum(rows[hour].values()) <= sum(counted[hour].values())
                table, said, held = (judged, counted, rows) if lost_rows else (ledger, rows, counted)
                yield _other_outcomes(hour, table, partitions, said[hour], held[hour])
            elif follows(partitions[quarantine].get(hour), partitions[ledger][hour]) and records[hour] != faulty:
                yield _other_outcomes(hour, quarantine, partitions, faulty, records[hour])

    def _by_outcome(self, sql: str, readings: int) -> ByOutcome:
        found: dict[Hour, Counter[str]] = defaultdict(Counter)
        for row in self.lake.athena.run(sql).rows:
            found[Hour.from_values(row[:4])][row[4]] += int(row[readings])
        return found

    def _raw(self, hours: Sequence[Hour], ledgers: Mapping[Hour, Partition], now: datetime) -> Iterator[Fault]:
        known: dict[Hour, set[str]] = defaultdict(set)
        for row in self.lake.athena.run(statements.objects_of_arrival_hours(hours)).rows:
            known[Hour.from_values(row[:4])].add(row[4])
        for hour in hours:
            there = self.objects.at(f"s3://{self.lake.bucket}/{RAW}{hour.path}")
            found = list(raw_faults(hour, there, known[hour], ledgers.get(hour), now))
            if found and not self.lake.expired.arrivals([hour]):
                meant = frozenset(self.lake.removals.erased(hour) if self.lake.removals else ())
                yield from raw_faults(hour, there, known[hour], ledgers.get(hour), now, meant)

    def _written_since(self, partitions: Mapping[Hour, Partition]) -> dict[Hour, str]:
        """By hour, what its build cannot have written there."""
        found = {}
        for hour, partition in partitions.items():
            built_at = partition.notes.built_at if partition.notes else None
            since = [it for it in self.objects.at(partition.location) if built_at and it.written_at > built_at]
            if since:
                listed = faults.listed(faults.uris_of(since))
                found[hour] = f"{listed} written after the hour was built at {built_at:%Y-%m-%d %H:%M:%S}Z, by hand"
        return found


def _other_outcomes(
    hour: Hour, table: str, partitions: Partitions, built: Mapping[str, int], held: Mapping[str, int]
) -> Fault:
    location = partitions[table][hour].location
    return faults.of_judged(hour, table, faults.other_rows(location, faults.outcomes(built), faults.outcomes(held)))
