"""Building event hours: whole, or by adding what came late to what stands.

Which reception of a key wins needs all receptions of it (`winners.py`). Those of a key that has no row yet all came
late: their rows stand beside the others', which S3 copies. A key that has a row already makes its hour be built whole.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from iot_pipeline.contract import Contract, Table, tables
from iot_pipeline.lake import statements
from iot_pipeline.lake.athena import Athena
from iot_pipeline.lake.balances import EventHourBalance
from iot_pipeline.lake.catalog import Catalog, Partition
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.increments import MAX_OBJECTS, size_of, sizes_of_build, take_over
from iot_pipeline.lake.notes import BuildNotes, Counts, Marks, counts_by_hour
from iot_pipeline.lake.objects import Objects, StoredObject
from iot_pipeline.lake.plan import EventHourPlan, plan_event_hours
from iot_pipeline.lake.publishing import Publisher
from iot_pipeline.lake.statements import Target

# A ledger published while a build runs changes what the build must hold; it is then built anew.
ATTEMPTS = 3

# Hours to which the same arrival hours are added share a statement. Where more are needed, one builds all whole.
MAX_STATEMENTS = 4


class LedgerImbalanceError(RuntimeError):
    """A build does not hold what the ledger says it must. It was not published; the previous version stands."""


@dataclass(frozen=True)
class Addition:
    """An event hour that is built, of which further arrival hours have readings. `objects` lie where `base` is."""

    base: Partition
    counts: Counts
    objects: tuple[StoredObject, ...]
    arrivals: frozenset[Hour]


@dataclass(frozen=True)
class Curating:
    """Builds the event hours of one lake. Without `objects` each is built whole."""

    catalog: Catalog
    athena: Athena
    contract: Contract
    publisher: Publisher
    objects: Objects | None
    progress: Callable[[str], None]

    def curate(self, hours: Sequence[Hour], *, whole: bool) -> list[EventHourBalance]:
        """As `Lake.curate`, of at most as many hours as one statement may build."""
        plan = self._plan(hours)
        added = self._add(self.objects, plan) if self.objects and not whole else []
        rest = plan.of({*plan.hours} - {it.hour for it in added})
        built = self._build(rest) if rest.hours else []
        return sorted(added + built, key=lambda it: it.hour)

    def _add(self, objects: Objects, plan: EventHourPlan) -> list[EventHourBalance]:
        """Add to the hours of the plan that can be added to; their balances."""
        together: dict[frozenset[Hour], list[Addition]] = defaultdict(list)
        for hour, base in self.catalog.partitions(self._table.name, plan.hours).items():
            if found := find_addition(objects, base, plan.marks[hour], self._columns):
                together[found.arrivals].append(found)
        if len(together) > MAX_STATEMENTS:
            return []
        return [it for additions in together.values() for it in self._add_together(objects, additions, plan)]

    def _add_together(
        self, objects: Objects, additions: Sequence[Addition], plan: EventHourPlan
    ) -> list[EventHourBalance]:
        """Add the same arrival hours to these hours; the balances of those to which it could be done."""
        wanted = {it.base.hour: it for it in additions}
        with self.publisher.building(self._table) as target:
            self.athena.run(statements.build_curated(self.contract, wanted, additions[0].arrivals, target))
            rows = self.athena.run(statements.count_added(target.table, wanted)).rows
            # A key that has a row already makes its hour be built whole.
            new = counts_by_hour(row for row in rows if not int(row[7]))
            balances = [
                EventHourBalance(hour, plan.valid[hour], wanted[hour].counts + counts) for hour, counts in new.items()
            ]
            good = [it for it in balances if it.balances]
            for it in good:
                # After the counts, which are of what lies at the build's location.
                take_over(objects.s3, wanted[it.hour].objects, target, it.hour)
        with self.publisher.turn():
            unchanged = self._unchanged(wanted, plan)
            same = [it for it in good if it.hour in unchanged]
            self._publish(target, plan, same)
        for it in same:
            self.progress(f"{it.hour}: {len(wanted[it.hour].arrivals)} arrival hours are added")
        return same

    def _unchanged(self, wanted: Mapping[Hour, Addition], plan: EventHourPlan) -> set[Hour]:
        """Of these hours those whose partition and ledger are what the addition began with."""
        bases, content = self.catalog.partitions(self._table.name, wanted), self._plan(wanted).content
        return {
            hour for hour, it in wanted.items() if bases.get(hour) == it.base and content[hour] == plan.content[hour]
        }

    def _build(self, plan: EventHourPlan) -> list[EventHourBalance]:
        """Build the hours of the plan whole."""
        for attempt in range(1, ATTEMPTS + 1):
            with self.publisher.building(self._table) as target:
                balances = self._built(plan, target)
            wrong = [balance for balance in balances if not balance.balances]
            # What an erasure has judged again meanwhile may not come back by this. Where arrivals change the ledger
            # again and again, what is built is whole, and the sensor asks for the rest.
            if not wrong and self._publish_whole(target, plan, balances, is_last=attempt == ATTEMPTS):
                return balances
            before, plan = plan, self._plan(plan.hours)
            if wrong and plan.content == before.content:
                raise LedgerImbalanceError(_explain(wrong))
            self.progress(f"the ledger changed while building (attempt {attempt} of {ATTEMPTS}); building again")
        raise LedgerImbalanceError(f"the ledger kept changing; run the hours again later. {_explain(wrong)}")

    def _publish_whole(
        self, target: Target, plan: EventHourPlan, balances: Iterable[EventHourBalance], *, is_last: bool
    ) -> bool:
        """Publish, unless the ledger has changed since the plan and there is another attempt; whether it was."""
        with self.publisher.turn():
            if not is_last and self._plan(plan.hours).content != plan.content:
                return False
            self._publish(target, plan, balances)
            return True

    def _built(self, plan: EventHourPlan, target: Target) -> list[EventHourBalance]:
        counts: dict[Hour, Counts] = {}
        if plan.all_arrivals:
            self.athena.run(statements.build_curated(self.contract, plan.hours, plan.all_arrivals, target))
            counts = counts_by_hour(self.athena.run(statements.count_built(target.table)).rows)
        return [EventHourBalance(hour, plan.valid[hour], counts.get(hour, Counts())) for hour in plan.hours]

    def _publish(self, target: Target, plan: EventHourPlan, balances: Iterable[EventHourBalance]) -> None:
        built = {it.hour: it.built for it in balances}
        stored: Mapping[Hour, str] = sizes_of_build(self.objects, target, built) if self.objects and built else {}
        now = datetime.now(UTC)
        notes = {
            hour: BuildNotes(
                now, plan.content[hour], counts, plan.marks[hour], stored=stored.get(hour), columns=self._columns
            )
            for hour, counts in built.items()
        }
        if notes:
            self.publisher.publish(self._table, target, notes)

    def _plan(self, hours: Iterable[Hour]) -> EventHourPlan:
        return plan_event_hours(self.catalog, self.athena, self.contract, hours)

    @property
    def _table(self) -> Table:
        return tables(self.contract).curated_telemetry

    @property
    def _columns(self) -> str:
        texts = (f"{column.name} {column.type}" for column in self._table.columns)
        return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]


def find_addition(objects: Objects, base: Partition, marks: Marks, columns: str) -> Addition | None:
    """What is to be added to an event hour, of which the ledger says `marks`; None if it is to be built whole.

    It is if what it was built from has changed or is not known, if its objects are not those that were written or are
    many, and if most is new, of which much may be a repetition. If nothing is new, whoever asks for it wants it whole.
    Objects of other `columns` than the contract's now are never added to: COPY wants all of an hour alike.
    """
    noted = base.notes
    if not noted or noted.marks is None or noted.counts is None or noted.stored is None or noted.columns != columns:
        return None
    new = marks.keys() - noted.marks.keys()
    has_changed = any(marks.get(arrival) != mark for arrival, mark in noted.marks.items())
    if not new or has_changed or 2 * sum(marks[arrival].readings for arrival in new) > noted.counts.readings:
        return None
    stored = tuple(objects.at(base.location))
    if len(stored) >= MAX_OBJECTS or size_of(stored) != noted.stored:
        return None
    return Addition(base, noted.counts, stored, frozenset(new))


def _explain(wrong: Iterable[EventHourBalance]) -> str:
    return (
        f"the build does not hold what the ledger says: {'; '.join(str(balance) for balance in wrong)}. Nothing was "
        "published; the last version stands. Judge their arrival hours again, then build these hours"
    )
