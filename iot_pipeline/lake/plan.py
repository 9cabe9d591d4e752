"""What the ledger says of event hours: asked once, and handed to whoever builds, audits or looks for stale hours.

Each partition of the ledger notes in Glue which event hours its arrival hour has valid readings of. So the catalog
answers, and Athena reads the ledger only for partitions that a release before these notes has built.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from iot_pipeline.contract import Contract, tables
from iot_pipeline.lake import statements
from iot_pipeline.lake.athena import Athena
from iot_pipeline.lake.catalog import Catalog, Partition
from iot_pipeline.lake.hours import Hour, contiguous, hours_between
from iot_pipeline.lake.notes import Mark, Marks, content_id
from iot_pipeline.lake.statements import MAX_PARTITIONS


@dataclass(frozen=True)
class EventHourPlan:
    """Of each event hour the marks of the arrival hours that have valid readings of it, and what follows from them.

    `ledger` are the partitions that noted the marks, of further arrival hours too.
    """

    marks: Mapping[Hour, Marks]
    ledger: Mapping[Hour, Partition] = field(default_factory=dict)

    @cached_property
    def hours(self) -> list[Hour]:
        """The event hours, in order."""
        return sorted(self.marks)

    @cached_property
    def valid(self) -> dict[Hour, int]:
        """The valid readings of each event hour."""
        return {hour: sum(mark.readings for mark in marks.values()) for hour, marks in self.marks.items()}

    @cached_property
    def content(self) -> dict[Hour, str]:
        """The content id of each event hour."""
        return {hour: content_id(marks) for hour, marks in self.marks.items()}

    @cached_property
    def all_arrivals(self) -> set[Hour]:
        """Every arrival hour that contributes to any of the event hours."""
        return {arrival for marks in self.marks.values() for arrival in marks}

    def of(self, hours: Collection[Hour]) -> "EventHourPlan":
        """The plan of these of its event hours alone."""
        return EventHourPlan({hour: marks for hour, marks in self.marks.items() if hour in hours}, self.ledger)


def plan_event_hours(
    catalog: Catalog, athena: Athena, contract: Contract, event_hours: Iterable[Hour]
) -> EventHourPlan:
    """Ask the ledger about these event hours: about every arrival hour that the bounds on event time let touch them.

    Raises CatalogError if Glue leaves partitions unanswered.
    """
    wanted = set(event_hours)
    ledger = catalog.partitions(tables(contract).ledger.name, may_touch(contract, wanted))
    marks_by_hour: dict[Hour, dict[Hour, Mark]] = {hour: {} for hour in sorted(wanted)}
    for arrival, marks in marks_of(athena, ledger).items():
        for hour in marks.keys() & wanted:
            marks_by_hour[hour][arrival] = marks[hour]
    return EventHourPlan(marks_by_hour, ledger)


def may_touch(contract: Contract, event_hours: Iterable[Hour]) -> set[Hour]:
    """The arrival hours that the bounds on event time let touch any of these event hours."""
    # Hours that follow each other share all but one of a month of arrival hours: each alone would make them anew.
    return {
        arrival
        for first, last in contiguous(event_hours)
        for arrival in hours_between(
            Hour.of(first.start - contract.future_bound), Hour.of(last.start + contract.lateness_bound) + 1
        )
    }


def marks_of(athena: Athena, ledger: Mapping[Hour, Partition]) -> dict[Hour, Marks]:
    """The marks of these partitions of the ledger, by arrival hour, then by event hour."""
    found: dict[Hour, Marks] = {hour: marks for hour, it in ledger.items() if (marks := it.marks) is not None}
    for batch in batches(set(ledger) - set(found)):
        read = read_marks(athena, statements.marks_in_ledger(batch))
        found |= {hour: read.get(hour, {}) for hour in batch}
    return found


def read_marks(athena: Athena, sql: str) -> dict[Hour, Marks]:
    """The marks that a statement of `statements.marks_...` gives, by arrival hour, then by event hour."""
    found: dict[Hour, dict[Hour, Mark]] = defaultdict(dict)
    for event_hour, year, month, day, hour, readings, objects in athena.run(sql).rows:
        arrival = Hour.from_values((year, month, day, hour))
        found[arrival][Hour.from_sql(event_hour)] = Mark(int(readings), objects)
    return dict(found)


def batches(hours: Iterable[Hour]) -> Iterator[list[Hour]]:
    """The hours in order, in as many as one statement may build."""
    wanted = sorted(set(hours))
    return (wanted[i : i + MAX_PARTITIONS] for i in range(0, len(wanted), MAX_PARTITIONS))
