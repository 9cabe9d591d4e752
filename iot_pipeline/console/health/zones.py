"""Missing and stale partitions, zone by zone, as the catalog has them."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import BaseModel

from iot_pipeline.console.bounded_athena import Meter
from iot_pipeline.console.dependencies import asking
from iot_pipeline.console.health.findings import Finding, State, several
from iot_pipeline.console.health.hours_seen import is_recent, last_hours, open_lake
from iot_pipeline.console.health.shared import Look
from iot_pipeline.contract import tables
from iot_pipeline.lake.compaction import Compaction
from iot_pipeline.lake.hours import DAY, Day, Hour
from iot_pipeline.lake.lake import Lake
from iot_pipeline.lake.objects import Objects
from iot_pipeline.lake.publishing import Publisher
from iot_pipeline.settings import policy

HOURS = 48
DAYS = 7
SECONDS = 20.0
# Days are compacted once an hour, when they are over for three.
_DAY_GRACE = timedelta(hours=6)


class Partition(StrEnum):
    """How a partition stands: there, with nothing to be made of, not there, or not what the zone before it holds."""

    BUILT = "built"
    EMPTY = "empty"
    MISSING = "missing"
    BEHIND = "behind"


class HourRow(BaseModel):
    """An hour: of arrival in raw, judged and quarantined; of the event in curated."""

    hour: datetime
    recent: bool
    raw: Partition
    judged: Partition
    quarantined: Partition
    curated: Partition


class DayRow(BaseModel):
    """A day of compacted readings. `recent`: over for so short a time that nobody misses it."""

    day: datetime
    recent: bool
    daily: Partition


class Partitions(BaseModel):
    """The newest first. `stale_days`: of all days. `view_stands`: people's view is as it should be."""

    hours: list[HourRow]
    days: list[DayRow]
    stale_days: int
    view_stands: bool


def open_look(meter: Meter) -> Look:
    """Asks Glue, and S3 for hours without a ledger."""
    lake = open_lake(meter, SECONDS)
    return lambda now: look(lake, now)


def look(lake: Lake, now: datetime) -> Finding:
    """The last two days by hour, and the last week by day."""
    with asking("Glue or S3"):
        found = _compaction(lake).look(now)
        data = Partitions(
            hours=_hours(lake, now),
            days=_days(lake, now, found.stale),
            stale_days=len(found.stale),
            view_stands=found.view_stands,
        )
    wrong = {Partition.MISSING, Partition.BEHIND}
    late = [
        f"{zone} {Hour.of(row.hour)} {getattr(row, zone)}"
        for row in data.hours
        if not row.recent
        for zone in ("judged", "quarantined", "curated")
        if getattr(row, zone) in wrong
    ]
    late += [f"daily {Day.of(row.day)} {row.daily}" for row in data.days if not row.recent and row.daily in wrong]
    if late:
        more = f" and {len(late) - 3} more" if len(late) > 3 else ""
        return Finding(State.WARNING, f"{'; '.join(late[:3])}{more}", data)
    if not data.view_stands:
        return Finding(State.WARNING, "the view `telemetry` is missing or has other columns than the contract", data)
    if not any(row.raw is Partition.BUILT for row in data.hours):
        return Finding(State.WARNING, f"nothing has arrived in {HOURS} hours", data)
    built = sum(row.curated is Partition.BUILT for row in data.hours)
    return Finding(State.OK, f"nothing is missing; {several(built, 'hour')} of {len(data.hours)} are curated", data)


def _hours(lake: Lake, now: datetime) -> list[HourRow]:
    hours, zones = last_hours(now, HOURS), tables(lake.contract)
    ledgers = lake.catalog.partitions(zones.ledger.name, hours)
    curated = lake.catalog.partitions(zones.curated_telemetry.name, hours)
    quarantined = lake.catalog.partitions(zones.quarantined_telemetry.name, hours)
    stale, unquarantined = set(lake.stale(hours)), set(lake.unquarantined(hours))
    raw = _with_raw_objects(lake, [hour for hour in hours if hour not in ledgers]) | ledgers.keys()
    return [
        HourRow(
            hour=hour.start,
            recent=is_recent(hour, now),
            raw=Partition.BUILT if hour in raw else Partition.EMPTY,
            judged=_state(hour in ledgers, hour in raw - ledgers.keys()),
            quarantined=_state(hour in quarantined, hour in unquarantined),
            curated=_state(hour in curated, hour in stale),
        )
        for hour in reversed(hours)
    ]


def _with_raw_objects(lake: Lake, hours: Sequence[Hour]) -> set[Hour]:
    """One call to S3 an hour: of those without a ledger alone, which are few where all is well."""
    if lake.s3 is None:
        raise ValueError("a lake without S3 cannot tell what has arrived")
    objects, place = Objects(lake.s3), f"s3://{lake.bucket}/{tables(lake.contract).raw_lines.prefix}"
    return {hour for hour in hours if objects.any_at(f"{place}{hour.path}")}


def _days(lake: Lake, now: datetime, stale: Collection[Day]) -> list[DayRow]:
    today, first = Day.of(now), Day.of(policy().partitions_start)
    wanted = [day for day in (today + -n for n in range(1, DAYS + 1)) if day >= first]
    built = lake.catalog.partitions(tables(lake.contract).daily_telemetry.name, wanted)
    return [
        DayRow(day=day.start, recent=now < day.start + DAY + _DAY_GRACE, daily=_state(day in built, day in stale))
        for day in wanted
    ]


def _compaction(lake: Lake) -> Compaction:
    publisher = Publisher(lake.bucket, lake.catalog, lake.progress)
    first = Day.of(policy().partitions_start)
    return Compaction(lake.catalog, lake.athena, lake.contract, publisher, first, lake.progress)


def _state(is_there: bool, is_wanted: bool) -> Partition:  # two facts, of which the names say all
    if is_wanted:
        return Partition.BEHIND if is_there else Partition.MISSING
    return Partition.BUILT if is_there else Partition.EMPTY
