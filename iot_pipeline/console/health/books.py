"""The books of one hour, counted when somebody asks: as an hour of arrival, and as an hour of the events' time.

What was received stands as it was counted from the raw lines when the quarantine was built: to count it again would
read all that arrived, which Dagster's check `raw_objects_are_as_judged` and a build of the hour do.
"""

from collections.abc import Callable, Mapping
from datetime import datetime

from pydantic import BaseModel

from iot_pipeline.console.bounded_athena import Meter
from iot_pipeline.console.dependencies import asking
from iot_pipeline.console.health.balance import Balance, of_arrivals, of_events
from iot_pipeline.console.health.hours_seen import open_lake
from iot_pipeline.contract import tables
from iot_pipeline.lake import statements
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.lake import Lake
from iot_pipeline.lake.notes import Counts, Mark
from iot_pipeline.lake.plan import marks_of

SECONDS = 12.0


class Outcome(BaseModel):
    """What the ledger says of one outcome: `valid`, or a reason for quarantine."""

    outcome: str
    messages: int
    readings: int
    objects: int


class Shared(BaseModel):
    """Valid readings that an arrival hour and an event hour share, by the other one of the two."""

    hour: datetime
    readings: int


class ArrivalBooks(BaseModel):
    """`received` = `valid` + `quarantined`. `received` is null if no build has noted it.

    `quarantine`: records by reason, as they are in the quarantine. `built_at` is null without a partition.
    """

    balance: Balance
    received: int | None
    valid: int
    quarantined: int
    ledger: list[Outcome]
    quarantine: dict[str, int]
    touches: list[Shared]
    judged_at: datetime | None
    quarantined_at: datetime | None


class EventBooks(BaseModel):
    """`valid` = `counted` rows + duplicates + conflicts. `noted` is what the build noted; null without one.

    `is_as_noted`: what the objects hold now is what was noted.
    """

    balance: Balance
    valid: int
    noted: Counts | None
    counted: Counts
    is_as_noted: bool
    comes_from: list[Shared]
    built_at: datetime | None


class Books(BaseModel):
    """The books of an hour, both ways, and what it has cost to count them."""

    hour: datetime
    arrivals: ArrivalBooks
    events: EventBooks


def open_books(meter: Meter) -> Callable[[Hour], Books]:
    """Counts the books of an hour. Raises DownError. The lake is opened for each, for several may ask at once."""
    return lambda hour: books_of(open_lake(meter, SECONDS), hour)


def books_of(lake: Lake, hour: Hour) -> Books:
    """The books of an hour. Raises DownError naming what has not answered."""
    return Books(hour=hour.start, arrivals=_arrivals(lake, hour), events=_events(lake, hour))


def _arrivals(lake: Lake, hour: Hour) -> ArrivalBooks:
    zones = tables(lake.contract)
    with asking("Glue"):
        ledger = lake.catalog.partitions(zones.ledger.name, [hour])
        quarantine = lake.catalog.partitions(zones.quarantined_telemetry.name, [hour]).get(hour)
    with asking("Athena"):
        outcomes = lake.athena.run(statements.ledger_of_arrival_hours([hour])).rows if ledger else []
        records = lake.athena.run(statements.quarantined_of_arrival_hours([hour])).rows if quarantine else []
        marks = marks_of(lake.athena, ledger).get(hour, {})
    found = [
        Outcome(outcome=row[4], messages=int(row[5]), readings=int(row[6]), objects=int(row[8])) for row in outcomes
    ]
    valid = sum(it.readings for it in found if it.outcome == "valid")
    quarantined = sum(int(row[5]) for row in records)
    notes, of_ledger = quarantine.notes if quarantine else None, ledger.get(hour)
    received = notes.received if notes else None
    return ArrivalBooks(
        balance=of_arrivals(of_ledger, quarantine, received, valid + quarantined),
        received=received,
        valid=valid,
        quarantined=quarantined,
        ledger=sorted(found, key=lambda it: (it.outcome != "valid", -it.readings)),
        quarantine={row[4]: int(row[5]) for row in sorted(records, key=lambda row: -int(row[5]))},
        touches=_shared(marks),
        judged_at=of_ledger.notes.built_at if of_ledger and of_ledger.notes else None,
        quarantined_at=notes.built_at if notes else None,
    )


def _events(lake: Lake, hour: Hour) -> EventBooks:
    with asking("Glue"):
        plan = lake.plan([hour])
        built = lake.catalog.partitions(tables(lake.contract).curated_telemetry.name, [hour]).get(hour)
    with asking("Athena"):
        rows = lake.athena.run(statements.balance_of_event_hours([hour])).rows if built else []
    counted = Counts.of(rows[0][4:7]) if rows else Counts()
    notes = built.notes if built else None
    noted, valid = notes.counts if notes else None, plan.valid[hour]
    balance = of_events(built, valid, plan.content[hour])
    # A build that balanced when it was noted may have lost objects since.
    if balance is Balance.BALANCED and counted.readings != valid:
        balance = Balance.UNBALANCED
    return EventBooks(
        balance=balance,
        valid=valid,
        noted=noted,
        counted=counted,
        is_as_noted=(noted or Counts()) == counted,
        comes_from=_shared(plan.marks[hour]),
        built_at=notes.built_at if notes else None,
    )


def _shared(marks: Mapping[Hour, Mark]) -> list[Shared]:
    return [Shared(hour=hour.start, readings=mark.readings) for hour, mark in sorted(marks.items())]
