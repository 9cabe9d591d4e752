"""What the ledger says of event hours: asked once, and handed to whoever builds, audits or looks for stale hours."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from iot_pipeline.contract import Contract
from iot_pipeline.lake import statements
from iot_pipeline.lake.athena import Athena
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.notes import content_id
from iot_pipeline.lake.statements import MAX_PARTITIONS


@dataclass(frozen=True)
class EventHourPlan:
    """Of each event hour: its valid readings, the arrival hours that they came in, and the content id that follows."""

    valid: dict[Hour, int]
    arrivals: dict[Hour, frozenset[Hour]]
    content: dict[Hour, str]

    @property
    def hours(self) -> list[Hour]:
        """The event hours, in order."""
        return sorted(self.valid)

    @property
    def all_arrivals(self) -> set[Hour]:
        """Every arrival hour that contributes to any of the event hours."""
        return {hour for hours in self.arrivals.values() for hour in hours}


def plan_event_hours(athena: Athena, contract: Contract, event_hours: Iterable[Hour]) -> EventHourPlan:
    """Ask the ledger about these event hours."""
    wanted = sorted(set(event_hours))
    valid = dict.fromkeys(wanted, 0)
    arrivals: dict[Hour, set[Hour]] = defaultdict(set)
    marks: dict[Hour, list[str]] = defaultdict(list)
    for batch in batches(wanted):
        rows = athena.run(statements.ledger_of_event_hours(contract, batch)).rows
        for event_hour, year, month, day, hour, readings, objects in rows:
            event, arrival = Hour.from_sql(event_hour), Hour.from_values((year, month, day, hour))
            valid[event] += int(readings)
            arrivals[event].add(arrival)
            marks[event].append(f"{arrival} {readings} {objects}")
    return EventHourPlan(
        valid=valid,
        arrivals={hour: frozenset(arrivals[hour]) for hour in wanted},
        content={hour: content_id(marks[hour]) for hour in wanted},
    )


def batches(hours: Iterable[Hour]) -> Iterator[list[Hour]]:
    """The hours in order, in as many as one statement may build."""
    wanted = sorted(set(hours))
    return (wanted[i : i + MAX_PARTITIONS] for i in range(0, len(wanted), MAX_PARTITIONS))
