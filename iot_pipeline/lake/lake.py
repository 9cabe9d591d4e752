"""The lake of one deployment: judging what arrived, and building, auditing and publishing what follows from it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from iot_pipeline.contract import Contract, tables
from iot_pipeline.lake import statements
from iot_pipeline.lake.athena import Athena
from iot_pipeline.lake.balances import ArrivalHourBalance, EventHourBalance
from iot_pipeline.lake.catalog import Catalog
from iot_pipeline.lake.curating import Curating
from iot_pipeline.lake.expired import Expired
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.increments import Written, written_by_builds
from iot_pipeline.lake.judged_by import all_rules, unnoted_rows_stand
from iot_pipeline.lake.judging import Judging
from iot_pipeline.lake.notes import Counts, counts_by_hour
from iot_pipeline.lake.objects import Objects
from iot_pipeline.lake.plan import EventHourPlan, batches, marks_of, plan_event_hours
from iot_pipeline.lake.publishing import Publisher
from iot_pipeline.lake.quarantine import Quarantine, balances, follows, received_in
from iot_pipeline.lake.removals import RAW_TABLE, Removals
from iot_pipeline.lake.suspects import suspect_event_hours

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True)
class Lake:
    """The lake of one deployment: its bucket, its catalog, its engine and its contract."""

    bucket: str
    catalog: Catalog
    athena: Athena
    contract: Contract
    progress: Callable[[str], None] = lambda _: None
    s3: "S3Client | None" = None
    """With it `judge` finds and sets aside raw objects that cannot be read, and the book of removals is asked; without
    it one fails the hour, and nothing counts as expired.
    """

    def judge(self, hours: Iterable[Hour], *, whole: bool = False) -> None:
        """Judge all that arrived in these hours and build its ledger; publish both.

        Of an hour that is judged already only what arrived since is read, unless nothing did. The ledger comes last:
        what is judged but not in it is not looked at by any build. A raw object that cannot be read is set aside: it
        becomes one record, and the rest of its hour is judged. Raises pyathena.error.OperationalError if Athena fails
        and every object can be read.

        `whole`: nothing is taken over from what was judged before. Hours whose raw objects retention has removed are
        left as they are. Raises ExpiredError, with nothing published, if raw objects are removed or erased meanwhile.
        """
        wanted = [hour for batch in self._without(hours, self.expired.arrivals, "raw objects") for hour in batch]
        Judging(
            self.bucket, self.catalog, self.athena, self.contract, self._publisher, self._objects, self.progress
        ).judge(wanted, whole=whole)

    def quarantine(self, hours: Iterable[Hour]) -> list[ArrivalHourBalance]:
        """Build and publish the quarantine of these arrival hours, which must have a ledger; their balances.

        An hour whose judged rows follow those that its quarantine was built from gets what is new in them.
        """
        wanted = [hour for batch in self._without(hours, self.expired.judged, "judged rows") for hour in batch]
        if not wanted:
            return []
        built = Quarantine(self.catalog, self.athena, self.contract, self._publisher, self._objects).build(wanted)
        # Of these no raw line can be counted any more.
        expired = self.expired.arrivals(wanted)
        return [it for it in built if it.hour not in expired] + self.arrival_balances(expired)

    def unquarantined(self, hours: Iterable[Hour]) -> list[Hour]:
        """Those of these arrival hours whose quarantine is missing, or was not built from the rows of their ledger."""
        found = tables(self.contract)
        ledgers = self.catalog.partitions(found.ledger.name, hours)
        quarantines = self.catalog.partitions(found.quarantined_telemetry.name, ledgers)
        behind = [hour for hour, it in sorted(ledgers.items()) if not follows(quarantines.get(hour), it)]
        expired = self.expired.uncounted(behind) if behind else set()
        return [hour for hour in behind if hour not in expired]

    def curate(self, event_hours: Iterable[Hour], *, whole: bool = False) -> list[EventHourBalance]:
        """Build, audit and publish these event hours from what the ledger says touches them.

        To an hour that is built already the readings of further arrival hours are added, if they are few and their
        keys new, unless it is wanted `whole`. Returns the balance of each. Raises LedgerImbalanceError, with none of
        those concerned published, if a build does not hold what the ledger says. Hours that are expired are left as
        they are.
        """
        curating = Curating(self.catalog, self.athena, self.contract, self._publisher, self._objects, self.progress)
        balances: list[EventHourBalance] = []
        for batch in self._without(event_hours, self._expired_events, "sources"):
            balances += curating.curate(batch, whole=whole)
        return balances

    def plan(self, event_hours: Iterable[Hour]) -> EventHourPlan:
        """What the ledger says of these event hours."""
        return plan_event_hours(self.catalog, self.athena, self.contract, event_hours)

    def stale(self, event_hours: Iterable[Hour] | EventHourPlan) -> list[Hour]:
        """Those of these event hours whose curated partition is missing or does not hold what the ledger says.

        What retention has removed, or has removed sources of, is not named: it stays as it is.
        """
        plan = event_hours if isinstance(event_hours, EventHourPlan) else self.plan(event_hours)
        built = self.catalog.partitions(tables(self.contract).curated_telemetry.name, plan.hours)
        found = [
            hour
            for hour in plan.hours
            if (plan.valid[hour] or hour in built) and (hour not in built or built[hour].content != plan.content[hour])
        ]
        expired = self.expired.event_hours(found, plan, built)
        return [hour for hour in found if hour not in expired]

    def stale_arrivals(self, arrival_hours: Iterable[Hour]) -> list[Hour]:
        """Those of these arrival hours whose rows the present contract and transformation would judge otherwise.

        Those that were judged by these very rules have noted it. Of the others what the ledger keeps of the rows
        decides: an hour is named if its rows change or may change, and no other is. After judging them, `stale` names
        the event hours that follow.
        """
        rules = all_rules(self.contract)
        ledger = self.catalog.partitions(tables(self.contract).ledger.name, arrival_hours)
        wanted = [hour for hour, it in ledger.items() if it.notes is None or it.notes.rules != rules]
        if not wanted:
            return []
        sql = statements.arrival_hours_judged_otherwise(
            self.contract, wanted, unnoted_stand=unnoted_rows_stand(self.contract)
        )
        found = {Hour.from_values(row) for row in self.athena.run(sql).rows}
        return sorted(found - self.expired.arrivals(found)) if found else []

    def touched(self, arrival_hours: Iterable[Hour]) -> list[Hour]:
        """The event hours that have valid readings in these arrival hours."""
        found = self.catalog.partitions(tables(self.contract).ledger.name, arrival_hours)
        return sorted({hour for marks in marks_of(self.athena, found).values() for hour in marks})

    def stale_among(self, hours: Iterable[Hour]) -> list[Hour]:
        """The stale event hours that these hours show: themselves, and those that they touch as arrival hours."""
        suspects = suspect_event_hours(self.catalog, self.athena, self.contract, hours)
        return self.stale(suspects) if suspects else []

    def arrival_balances(self, arrival_hours: Iterable[Hour]) -> list[ArrivalHourBalance]:
        """The balance of each of these arrival hours that holds anything.

        Of an hour whose raw objects were removed, what was counted before stands for what was received; one whose
        judged rows or quarantine were removed has no balance any more.
        """
        asked = set(arrival_hours)
        wanted = sorted(asked - self.expired.uncounted(asked))
        if not wanted:
            return []
        received = received_in(self.athena, wanted)
        if self.removals:
            for hour in self.expired.arrivals(wanted):
                received[hour] = int(self.removals.entry(RAW_TABLE, hour)["received"])
        return balances(self.athena, wanted, received)

    def event_balances(self, event_hours: Iterable[Hour] | EventHourPlan) -> list[EventHourBalance]:
        """The balance of each of these event hours: the ledger against the curated table as it is published."""
        plan = event_hours if isinstance(event_hours, EventHourPlan) else self.plan(event_hours)
        built = counts_by_hour(self.athena.run(statements.balance_of_event_hours(plan.hours)).rows)
        return [EventHourBalance(hour, plan.valid[hour], built.get(hour, Counts())) for hour in plan.hours]

    def written(self, event_hours: Iterable[Hour]) -> list[Written]:
        """Those of these event hours that are built, each with what its build wrote itself.

        What it took over was looked at when it was written.
        """
        built = self.catalog.partitions(tables(self.contract).curated_telemetry.name, event_hours)
        if self._objects is None:
            return [Written(tuple(built))] if built else []
        return written_by_builds(self._objects, built)

    @cached_property
    def _objects(self) -> Objects | None:
        return Objects(self.s3) if self.s3 else None

    @property
    def removals(self) -> Removals | None:
        """The book of what was removed; None without S3."""
        return Removals(self.s3, self.bucket) if self.s3 else None

    @property
    def expired(self) -> Expired:
        """Which hours are expired."""
        return Expired(self.catalog, self.contract, self.removals)

    def _without(
        self, hours: Iterable[Hour], expired: Callable[[Sequence[Hour]], set[Hour]], what: str
    ) -> Iterator[list[Hour]]:
        """The hours in batches, without those that are expired, of which `progress` is told."""
        for batch in batches(hours):
            gone = expired(batch)
            if gone:
                self.progress(
                    f"left as they are, since retention has removed their {what}: {len(gone)} hours, {min(gone)}"
                )
            if len(gone) < len(batch):
                yield [hour for hour in batch if hour not in gone]

    def _expired_events(self, hours: Sequence[Hour]) -> set[Hour]:
        if not self.removals:
            return set()
        built = self.catalog.partitions(tables(self.contract).curated_telemetry.name, hours)
        return self.expired.event_hours(hours, self.plan(hours), built)

    @property
    def _publisher(self) -> Publisher:
        return Publisher(self.bucket, self.catalog, self.progress, self.s3)
