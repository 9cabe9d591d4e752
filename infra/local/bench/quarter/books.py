"""What the lake and the warehouse hold beside what the devices were told to send, hour by hour."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from redshift_connector.core import Connection

from infra.local.bench.quarter.small_fleet import Fate, Measured, Message
from iot_pipeline.lake.hours import Hour, hours_between, partition_predicate
from iot_pipeline.lake.lake import Lake
from iot_pipeline.lake.plan import batches
from iot_pipeline.warehouse.transaction import read

# Device, epoch milliseconds of the event, number.
Key = tuple[str, int, int]
Rows = dict[Hour, Counter[tuple[Key, float | None]]]
_COLUMNS = "device_id, event_time, seq, temperature"


@dataclass(frozen=True)
class Difference:
    """An hour in which a zone does not hold what it should."""

    zone: str
    hour: Hour
    missing: int
    extra: int

    def __str__(self) -> str:
        """In words."""
        return f"{self.zone} {self.hour}: {self.missing} rows are missing, {self.extra} should not be there"


def expected_rows(measured: Iterable[Measured], delivered: Iterable[Message], *, takes_hot: bool) -> Rows:
    """By event hour each reading once that was delivered and that the contract takes in the end."""
    fates = {Fate.VALID, Fate.HOT} if takes_hot else {Fate.VALID}
    came = {_key(it.device_id, it.at, it.seq) for message in delivered for it in message.readings}
    found: Rows = defaultdict(Counter)
    for it in measured:
        key = _key(it.device_id, it.at, it.seq)
        if it.fate in fates and key in came:
            found[Hour.of(it.at)][key, it.temperature] += 1
    return found


def expected_refused(delivered: Iterable[Message], *, takes_hot: bool) -> Counter[Hour]:
    """By arrival hour how many readings the contract refuses in the end, each as often as it was sent."""
    fates = {Fate.REFUSED} if takes_hot else {Fate.REFUSED, Fate.HOT}
    return Counter(Hour.of(message.received) for message in delivered for it in message.readings if it.fate in fates)


def differences(zone: str, expected: Rows, found: Rows) -> list[Difference]:
    """The hours in which these are not the same."""
    both = sorted(expected.keys() | found.keys())
    pairs = [(hour, expected.get(hour, Counter()), found.get(hour, Counter())) for hour in both]
    return [
        Difference(zone, hour, (wanted - there).total(), (there - wanted).total())
        for hour, wanted, there in pairs
        if wanted != there
    ]


def differences_of_counts(zone: str, expected: Mapping[Hour, int], found: Mapping[Hour, int]) -> list[Difference]:
    """The hours in which these are not the same."""
    pairs = [(hour, expected.get(hour, 0), found.get(hour, 0)) for hour in sorted(expected.keys() | found.keys())]
    return [
        Difference(zone, hour, max(0, wanted - there), max(0, there - wanted))
        for hour, wanted, there in pairs
        if wanted != there
    ]


def curated_rows(lake: Lake, first: Hour, last: Hour) -> Rows:
    """What the curated hours hold, the last included."""
    found: Rows = defaultdict(Counter)
    for hours in batches(hours_between(first, last)):
        predicate = partition_predicate(hours)
        rows = lake.athena.run(
            f"SELECT {_COLUMNS}, year, month, day, hour FROM curated_telemetry WHERE {predicate}"
        ).rows
        for device, at, seq, temperature, *values in rows:
            found[Hour.from_values(values)][_key(device, at, seq), temperature] += 1
    return found


def refused_records(lake: Lake, first: Hour, last: Hour) -> Counter[Hour]:
    """How many records the quarantine holds, by arrival hour, the last included."""
    found: Counter[Hour] = Counter()
    for hours in batches(hours_between(first, last)):
        keys = "year, month, day, hour"
        predicate = partition_predicate(hours)
        sql = f"SELECT {keys}, count(*) FROM quarantined_telemetry WHERE {predicate} GROUP BY {keys}"
        for *values, count in lake.athena.run(sql).rows:
            found[Hour.from_values(values)] += int(count)
    return found


def loaded_rows(connection: Connection) -> Rows:
    """What the warehouse holds, by event hour. All of it: nobody else loads it."""
    found: Rows = defaultdict(Counter)
    for device, at, seq, temperature in read(connection, f"SELECT {_COLUMNS} FROM lake.readings"):
        found[Hour.of(at.replace(tzinfo=UTC))][_key(device, at, seq), temperature] += 1
    return found


def _key(device: str, at: datetime, seq: int) -> Key:
    aware = at if at.tzinfo else at.replace(tzinfo=UTC)
    return device, round(aware.timestamp() * 1000), int(seq)
