"""The lake of one deployment: judging what arrived, and building, auditing and publishing what follows from it."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyathena.error import OperationalError

from iot_pipeline.contract import Contract, tables
from iot_pipeline.lake import statements
from iot_pipeline.lake.athena import Athena
from iot_pipeline.lake.balances import ArrivalHourBalance, EventHourBalance
from iot_pipeline.lake.catalog import Catalog
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.judged_by import all_rules, unnoted_rows_stand
from iot_pipeline.lake.notes import Counts
from iot_pipeline.lake.plan import EventHourPlan, batches, marks_of, plan_event_hours, read_marks
from iot_pipeline.lake.publishing import Publisher
from iot_pipeline.lake.statements import Target
from iot_pipeline.lake.suspects import suspect_event_hours
from iot_pipeline.lake.unreadable import unreadable

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

        The ledger comes last: what is judged but not in it is not looked at by any build. A raw object that cannot be
        read is set aside: it becomes one record, and the rest of its hour is judged. Raises
        pyathena.error.OperationalError if Athena fails and every object can be read.
        """
        for batch in batches(hours):
            set_aside: dict[str, str] = {}
            while True:
                try:
                    self._judge_batch(batch, set_aside)
                    break
                except OperationalError:
                    found = unreadable(self.s3, self.bucket, batch) if self.s3 else {}
                    if found.keys() <= set_aside.keys():
                        raise
                    for uri, why in found.items():
                        self.progress(f"set aside, since it cannot be read: {uri}: {why}")
                    set_aside = found

    def quarantine(self, hours: Iterable[Hour]) -> None:
        """Build and publish the quarantine of these arrival hours, which must have a ledger."""
        table = tables(self.contract).quarantined_telemetry
        for batch in batches(hours):
            with self._publisher.building(table) as target:
                self.athena.run(statements.build_quarantine(batch, target))
            self._publisher.publish(table, target, batch)

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
        set_aside = [
            (Hour.from_values(row[:4]), row[4]) for row in self.athena.run(statements.unreadable_objects(wanted)).rows
        ]
        received = Counter(hour for hour, _ in set_aside)
        for row in self.athena.run(statements.received_in_arrival_hours(wanted, [uri for _, uri in set_aside])).rows:
            received[Hour.from_values(row[:4])] += int(row[5])
        valid: dict[Hour, int] = defaultdict(int)
        for row in self.athena.run(statements.ledger_of_arrival_hours(wanted)).rows:
            if row[4] == "valid":
                valid[Hour.from_values(row[:4])] += int(row[6])
        quarantined: dict[Hour, int] = defaultdict(int)
        for row in self.athena.run(statements.quarantined_of_arrival_hours(wanted)).rows:
            quarantined[Hour.from_values(row[:4])] += int(row[5])
        return [
            ArrivalHourBalance(hour, received[hour], valid[hour], quarantined[hour])
            for hour in sorted({*received, *valid, *quarantined})
        ]

    def event_balances(self, event_hours: Iterable[Hour] | EventHourPlan) -> list[EventHourBalance]:
        """The balance of each of these event hours: the ledger against the curated table as it is published."""
        plan = event_hours if isinstance(event_hours, EventHourPlan) else self.plan(event_hours)
        built = self._counts(statements.balance_of_event_hours(plan.hours))
        return [EventHourBalance(hour, plan.valid[hour], built.get(hour, Counts())) for hour in plan.hours]

    def _judge_batch(self, batch: Sequence[Hour], set_aside: Mapping[str, str]) -> None:
        judged, ledger = tables(self.contract).judged_telemetry, tables(self.contract).ledger
        with self._publisher.building(judged) as rows, self._publisher.building(ledger) as counts:
            self.athena.run(statements.build_judged(self.contract, batch, rows, set_aside))
            self.athena.run(statements.build_ledger(self.contract, rows.table, counts))
            marks = read_marks(self.athena, statements.marks_of_build(counts.table))
        self._publisher.publish(judged, rows, batch)
        self._publisher.publish(ledger, counts, batch, marks=marks, rules=all_rules(self.contract))

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
                counts = {balance.hour: balance.built for balance in balances}
                self._publisher.publish(table, target, batch, plan.content, counts, plan.marks)
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
