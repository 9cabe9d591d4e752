"""The ledger's balance by hour: of what arrived, and of what was built from it.

Both stand in what the builds have noted in Glue; Athena counts the quarantined records alone. Whether the objects still
hold what was noted is seen by an hour's own books (`books.py`), and by Dagster's checks of the stored objects.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel

from iot_pipeline.console.bounded_athena import Meter
from iot_pipeline.console.dependencies import asking
from iot_pipeline.console.health.findings import Finding, State, several
from iot_pipeline.console.health.hours_seen import is_recent, last_hours, open_lake
from iot_pipeline.console.health.shared import Look
from iot_pipeline.contract import tables
from iot_pipeline.lake import statements
from iot_pipeline.lake.catalog import Partition
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.lake import Lake
from iot_pipeline.lake.plan import marks_of
from iot_pipeline.lake.quarantine import follows

DAYS = 7
HOURS = DAYS * 24
SECONDS = 20.0


class Balance(StrEnum):
    """How an hour's books stand. `recent` ones may still be under way."""

    EMPTY = "empty"
    BALANCED = "balanced"
    BEHIND = "behind"
    MISSING = "missing"
    UNBALANCED = "unbalanced"
    UNKNOWN = "unknown"


class ArrivalCell(BaseModel):
    """An arrival hour: received = valid + quarantined. A number that no build has noted is null."""

    hour: datetime
    balance: Balance
    recent: bool
    received: int | None
    valid: int
    quarantined: int


class EventCell(BaseModel):
    """An event hour: valid = rows + duplicates + conflicts. What is not built, or has not noted it, is null."""

    hour: datetime
    balance: Balance
    recent: bool
    valid: int
    rows: int | None
    duplicates: int | None
    conflicts: int | None


class ArrivalBalance(BaseModel):
    """Hours of arrival, in order."""

    hours: list[ArrivalCell]


class EventBalance(BaseModel):
    """Hours of the events' time, in order."""

    hours: list[EventCell]


def open_arrivals(meter: Meter) -> Look:
    """Asks Glue, and has Athena count the quarantine."""
    lake = open_lake(meter, SECONDS)
    return lambda now: arrivals(lake, now)


def open_events(meter: Meter) -> Look:
    """Asks Glue alone, unless a release before its notes has built some of the ledger."""
    lake = open_lake(meter, SECONDS)
    return lambda now: events(lake, now)


def arrivals(lake: Lake, now: datetime) -> Finding:
    """The arrival hours of the last days."""
    hours, zones = last_hours(now, HOURS), tables(lake.contract)
    with asking("Glue"):
        ledgers = lake.catalog.partitions(zones.ledger.name, hours)
        quarantines = lake.catalog.partitions(zones.quarantined_telemetry.name, hours)
    with asking("Athena"):
        marks = marks_of(lake.athena, ledgers)
        quarantined = _quarantined(lake, sorted(quarantines))
    cells = []
    for hour in hours:
        valid = sum(mark.readings for mark in marks.get(hour, {}).values())
        notes = quarantines[hour].notes if hour in quarantines else None
        received = notes.received if notes else None
        cells.append(
            ArrivalCell(
                hour=hour.start,
                balance=of_arrivals(ledgers.get(hour), quarantines.get(hour), received, valid + quarantined[hour]),
                recent=is_recent(hour, now),
                received=received,
                valid=valid,
                quarantined=quarantined[hour],
            )
        )
    return Finding(*_judged(cells), ArrivalBalance(hours=cells))


def _quarantined(lake: Lake, hours: Sequence[Hour]) -> Mapping[Hour, int]:
    found: dict[Hour, int] = defaultdict(int)
    if hours:
        for row in lake.athena.run(statements.quarantined_of_arrival_hours(hours)).rows:
            found[Hour.from_values(row[:4])] += int(row[5])
    return found


def of_arrivals(
    ledger: Partition | None, quarantine: Partition | None, received: int | None, accounted: int
) -> Balance:
    """How the books of an arrival hour stand; `accounted` are its valid readings and quarantined records."""
    if ledger is None:
        return Balance.EMPTY if quarantine is None else Balance.MISSING
    if quarantine is None:
        return Balance.MISSING
    if not follows(quarantine, ledger):
        return Balance.BEHIND
    if received is None:
        return Balance.UNKNOWN
    return Balance.BALANCED if received == accounted else Balance.UNBALANCED


def events(lake: Lake, now: datetime) -> Finding:
    """The event hours of the last days."""
    hours = last_hours(now, HOURS)
    with asking("Glue"):
        plan = lake.plan(hours)
        built = lake.catalog.partitions(tables(lake.contract).curated_telemetry.name, hours)
    cells = []
    for hour in hours:
        notes = built[hour].notes if hour in built else None
        counts = notes.counts if notes else None
        cells.append(
            EventCell(
                hour=hour.start,
                balance=of_events(built.get(hour), plan.valid[hour], plan.content[hour]),
                recent=is_recent(hour, now),
                valid=plan.valid[hour],
                rows=counts.rows if counts else None,
                duplicates=counts.duplicates if counts else None,
                conflicts=counts.conflicts if counts else None,
            )
        )
    return Finding(*_judged(cells), EventBalance(hours=cells))


def of_events(built: Partition | None, valid: int, content: str) -> Balance:
    """How the books of an event hour stand, by what its build noted; `valid` and `content` are the ledger's."""
    if built is None:
        return Balance.MISSING if valid else Balance.EMPTY
    if built.content != content:
        return Balance.BEHIND
    counts = built.notes.counts if built.notes else None
    if counts is None:
        return Balance.UNKNOWN
    return Balance.BALANCED if counts.readings == valid else Balance.UNBALANCED


def _judged(cells: Sequence[ArrivalCell | EventCell]) -> tuple[State, str]:
    """An imbalance is never meant; what is missing or behind is a matter of time, at first."""
    wrong = [cell for cell in cells if cell.balance is Balance.UNBALANCED]
    late = [cell for cell in cells if cell.balance in {Balance.MISSING, Balance.BEHIND} and not cell.recent]
    count = Counter(cell.balance for cell in cells)
    if wrong:
        return State.CRITICAL, f"{several(len(wrong), 'hour')} do not balance, the last {Hour.of(wrong[-1].hour)}"
    if late:
        return State.WARNING, f"{several(len(late), 'hour')} missing or behind, the last {Hour.of(late[-1].hour)}"
    if count[Balance.UNKNOWN]:
        return State.UNKNOWN, f"{several(count[Balance.UNKNOWN], 'hour')} without notes of what they hold"
    return State.OK, f"{several(count[Balance.BALANCED], 'hour')} of the last {DAYS} days balance"
