"""The ledger's two balances, read from the lake's own tables."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from iot_pipeline.lake import statements
from iot_pipeline.lake.builds import EventHourBalance, Lake
from iot_pipeline.lake.hours import Hour


@dataclass(frozen=True)
class ArrivalHourBalance:
    """One arrival hour: readings counted from the raw lines, valid by the ledger, records in the quarantine."""

    hour: Hour
    received: int
    valid: int
    quarantined: int

    @property
    def balances(self) -> bool:
        """Whether every received reading is exactly one of valid, quarantined."""
        return self.received == self.valid + self.quarantined


def arrival_balances(lake: Lake, hours: Iterable[Hour]) -> Iterator[ArrivalHourBalance]:
    """The balance of each of these arrival hours that holds anything."""
    wanted = sorted(set(hours))
    received = {
        Hour.from_values(row[:4]): int(row[5])
        for row in lake.athena.run(statements.received_in_arrival_hours(wanted)).rows
    }
    valid: dict[Hour, int] = defaultdict(int)
    for row in lake.athena.run(statements.ledger_of_arrival_hours(wanted)).rows:
        if row[4] == "valid":
            valid[Hour.from_values(row[:4])] += int(row[6])
    quarantined: dict[Hour, int] = defaultdict(int)
    for row in lake.athena.run(statements.quarantined_of_arrival_hours(wanted)).rows:
        quarantined[Hour.from_values(row[:4])] += int(row[5])
    for hour in sorted({*received, *valid, *quarantined}):
        yield ArrivalHourBalance(hour, received.get(hour, 0), valid[hour], quarantined[hour])


def event_balances(lake: Lake, hours: Iterable[Hour]) -> list[EventHourBalance]:
    """The balance of each of these event hours: the ledger against the curated table as it is published."""
    wanted = sorted(set(hours))
    valid = lake.plan(wanted).valid
    built = {
        Hour.from_values(row[:4]): (int(row[4]), int(row[5]), int(row[6]))
        for row in lake.athena.run(statements.balance_of_event_hours(wanted)).rows
    }
    return [EventHourBalance(hour, valid[hour], *built.get(hour, (0, 0, 0))) for hour in wanted]
