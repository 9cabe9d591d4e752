"""Building event hours: whole, or by adding what came late to what stands.

Which reception of a key wins needs all receptions of it (`winners.py`). Those of a key that has no row yet all came
late: their rows stand beside the others', which S3 copies (`additions.py`). A key that has a row already makes its hour
be built whole.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial

from iot_pipeline.contract import Contract, Table, tables
from iot_pipeline.lake import statements
from iot_pipeline.lake.additions import Addition, alike, find_addition, judged_names, read_of
from iot_pipeline.lake.athena import Athena
from iot_pipeline.lake.balances import EventHourBalance
from iot_pipeline.lake.catalog import Catalog
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.increments import fits_statement, sizes_of_build, take_over
from iot_pipeline.lake.notes import BuildNotes, Counts, counts_by_hour
from iot_pipeline.lake.objects import Objects
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
        names = cache(partial(judged_names, objects))
        bases = self.catalog.partitions(self._table.name, plan.hours).values()
        found = (find_addition(objects, base, plan, self._columns, names) for base in bases)
        together = alike([it for it in found if it])
        if len(together) > MAX_STATEMENTS:
            return []
        return [it for additions in together for it in self._add_together(objects, additions, plan)]

    def _add_together(
        self, objects: Objects, additions: Sequence[Addition], plan: EventHourPlan
    ) -> list[EventHourBalance]:
        """Make these additions, which are alike; the balances of those hours to which it could be done."""
        wanted = {it.base.hour: it for it in additions}
        judged = self._judged_objects(wanted, additions[0])
        if not judged:
            return []
        with self.publisher.building(self._table) as target:
            arrivals = additions[0].arrivals
            self.athena.run(statements.build_curated(self.contract, wanted, arrivals, target, judged))
            new = self._count_new(target, wanted)
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
            self.progress(f"{it.hour}: {len(arrivals)} arrival hours are added")
        return same

    def _count_new(self, target: Target, wanted: Iterable[Hour]) -> dict[Hour, Counts]:
        """What was built of the hours that have none of its keys already: one makes its hour be built whole."""
        rows = self.athena.run(statements.count_added(target.table, wanted)).rows
        if any(int(row[7]) for row in rows):
            # A device that begins its numbers anew has the numbers of before, and other times.
            known = self.athena.run(statements.count_known(target.table, wanted)).rows
            whole = {Hour.from_values(row[:4]) for row in known}
            rows = [row for row in rows if Hour.from_values(row[:4]) not in whole]
        return counts_by_hour(rows)

    def _judged_objects(self, wanted: Iterable[Hour], addition: Addition) -> list[str]:
        """The objects of judged rows to read for an addition, and those alike; none if no statement can name them."""
        rows = self.athena.run(statements.judged_objects_of_event_hours(wanted, addition.arrivals)).rows
        found = [row[4] for row in rows if addition.is_new(Hour.from_values(row[:4]), row[4])]
        return found if fits_statement(found) else []

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
        read = read_of(plan, now, partial(judged_names, self.objects)) if self.objects and built else {}
        notes = {
            hour: BuildNotes(
                now,
                plan.content[hour],
                counts,
                plan.marks[hour],
                stored=stored.get(hour),
                columns=self._columns,
                read=read.get(hour),
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


def _explain(wrong: Iterable[EventHourBalance]) -> str:
    return (
        f"the build does not hold what the ledger says: {'; '.join(str(balance) for balance in wrong)}. Nothing was "
        "published; the last version stands. Judge their arrival hours again, then build these hours"
    )
