"""The lake of one deployment: judging what arrived, and building, auditing and publishing what follows from it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from iot_pipeline.contract import Contract, tables
from iot_pipeline.lake import statements
from iot_pipeline.lake.athena import Athena
from iot_pipeline.lake.balances import ArrivalHourBalance, EventHourBalance
from iot_pipeline.lake.catalog import Catalog
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.judged_by import all_rules, unnoted_rows_stand
from iot_pipeline.lake.judging import Judging
from iot_pipeline.lake.notes import BuildNotes, Counts
from iot_pipeline.lake.objects import Objects
from iot_pipeline.lake.plan import EventHourPlan, batches, marks_of, plan_event_hours
from iot_pipeline.lake.publishing import Publisher
from iot_pipeline.lake.quarantine import Quarantine, balances, follows, received_in
from iot_pipeline.lake.statements import Target
from iot_pipeline.lake.suspects import suspect_event_hours

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# A ledger published while a curated build runs changes what the build must hold; it is then built anew.
ATTEMPTS = 3


class LedgerImbalanceError(RuntimeError):
    """A build does not hold what the ledger says it must. It was not published; the previous version stands."""


@dataclass(frozen=True)
class Lake:
    """The lake of one deployment: its bucket, its catalog, its engine and its contract."""

    bucket: str
    catalog: Catalog
    athena: Athena
    contract: Contract
    progress: Callable[[str], None] = lambda _: None
    s3: "S3Client | None" = None
    """With it `judge` finds and sets aside raw objects that cannot be read; without it one fails the hour."""

    def judge(self, hours: Iterable[Hour]) -> None:
        """Judge all that arrived in these hours and build its ledger; publish both.

        Of an hour that is judged already only what arrived since is read, unless nothing did. The ledger comes last:
        what is judged but not in it is not looked at by any build. A raw object that cannot be read is set aside: it
        becomes one record, and the rest of its hour is judged. Raises pyathena.error.OperationalError if Athena fails
        and every object can be read.
        """
        Judging(
            self.bucket, self.catalog, self.athena, self.contract, self._publisher, self._objects, self.progress
        ).judge(hours)

    def quarantine(self, hours: Iterable[Hour]) -> list[ArrivalHourBalance]:
        """Build and publish the quarantine of these arrival hours, which must have a ledger; their balances.

        An hour whose judged rows follow those that its quarantine was built from gets what is new in them.
        """
        return Quarantine(self.catalog, self.athena, self.contract, self._publisher, self._objects).build(hours)

    def unquarantined(self, hours: Iterable[Hour]) -> list[Hour]:
        """Those of these arrival hours whose quarantine is missing, or was not built from the rows of their ledger."""
        found = tables(self.contract)
        ledgers = self.catalog.partitions(found.ledger.name, hours)
        quarantines = self.catalog.partitions(found.quarantined_telemetry.name, ledgers)
        return [hour for hour, it in sorted(ledgers.items()) if not follows(quarantines.get(hour), it)]

    def curate(self, event_hours: Iterable[Hour]) -> list[EventHourBalance]:
        """Build, audit and publish these event hours from what the ledger says touches them.

        Returns the balance of each. Raises LedgerImbalanceError, with nothing published of the batch concerned, if a
        build does not hold what the ledger says.
        """
        balances: list[EventHourBalance] = []
        for batch in batches(event_hours):
            balances += self._curate_batch(batch)
        return balances

    def plan(self, event_hours: Iterable[Hour]) -> EventHourPlan:
        """What the ledger says of these event hours."""
        return plan_event_hours(self.catalog, self.athena, self.contract, event_hours)

    def stale(self, event_hours: Iterable[Hour] | EventHourPlan) -> list[Hour]:
        """Those of these event hours whose curated partition is missing or does not hold what the ledger says."""
        plan = event_hours if isinstance(event_hours, EventHourPlan) else self.plan(event_hours)
        built = self.catalog.partitions(tables(self.contract).curated_telemetry.name, plan.hours)
        return [
            hour
            for hour in plan.hours
            if (plan.valid[hour] or hour in built) and (hour not in built or built[hour].content != plan.content[hour])
        ]

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
        return sorted(Hour.from_values(row) for row in self.athena.run(sql).rows)

    def touched(self, arrival_hours: Iterable[Hour]) -> list[Hour]:
        """The event hours that have valid readings in these arrival hours."""
        found = self.catalog.partitions(tables(self.contract).ledger.name, arrival_hours)
        return sorted({hour for marks in marks_of(self.athena, found).values() for hour in marks})

    def stale_among(self, hours: Iterable[Hour]) -> list[Hour]:
        """The stale event hours that these hours show: themselves, and those that they touch as arrival hours."""
        suspects = suspect_event_hours(self.catalog, self.athena, self.contract, hours)
        return self.stale(suspects) if suspects else []

    def arrival_balances(self, arrival_hours: Iterable[Hour]) -> list[ArrivalHourBalance]:
        """The balance of each of these arrival hours that holds anything."""
        wanted = sorted(set(arrival_hours))
        return balances(self.athena, wanted, received_in(self.athena, wanted))

    def event_balances(self, event_hours: Iterable[Hour] | EventHourPlan) -> list[EventHourBalance]:
        """The balance of each of these event hours: the ledger against the curated table as it is published."""
        plan = event_hours if isinstance(event_hours, EventHourPlan) else self.plan(event_hours)
        built = self._counts(statements.balance_of_event_hours(plan.hours))
        return [EventHourBalance(hour, plan.valid[hour], built.get(hour, Counts())) for hour in plan.hours]

    @cached_property
    def _objects(self) -> Objects | None:
        return Objects(self.s3) if self.s3 else None

    @property
    def _publisher(self) -> Publisher:
        return Publisher(self.bucket, self.catalog, self.progress)

    def _curate_batch(self, batch: Sequence[Hour]) -> list[EventHourBalance]:
        table = tables(self.contract).curated_telemetry
        plan = self.plan(batch)
        for attempt in range(1, ATTEMPTS + 1):
            with self._publisher.building(table) as target:
                balances = self._build(plan, target)
            wrong = [balance for balance in balances if not balance.balances]
            if not wrong:
                now = datetime.now(UTC)
                notes = {
                    it.hour: BuildNotes(now, plan.content[it.hour], it.built, plan.marks[it.hour]) for it in balances
                }
                self._publisher.publish(table, target, notes)
                return balances
            before, plan = plan, self.plan(batch)
            if plan.content == before.content:
                raise LedgerImbalanceError(_explain(wrong))
            self.progress(f"the ledger changed while building (attempt {attempt} of {ATTEMPTS}); building again")
        raise LedgerImbalanceError(f"the ledger kept changing; run the hours again later. {_explain(wrong)}")

    def _build(self, plan: EventHourPlan, target: Target) -> list[EventHourBalance]:
        counts: dict[Hour, Counts] = {}
        if plan.all_arrivals:
            self.athena.run(statements.build_curated(self.contract, plan.hours, plan.all_arrivals, target))
            counts = self._counts(statements.count_built(target.table))
        return [EventHourBalance(hour, plan.valid[hour], counts.get(hour, Counts())) for hour in plan.hours]

    def _counts(self, sql: str) -> dict[Hour, Counts]:
        return {Hour.from_values(row[:4]): Counts.of(row[4:7]) for row in self.athena.run(sql).rows}


def _explain(wrong: Iterable[EventHourBalance]) -> str:
    return (
        f"the build does not hold what the ledger says: {'; '.join(str(balance) for balance in wrong)}. Nothing was "
        "published; the last version stands. Judge their arrival hours again, then build these hours"
    )
