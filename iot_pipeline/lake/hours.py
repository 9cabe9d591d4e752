"""Hours as the lake names them: partition values, S3 prefixes, SQL predicates. All UTC."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby

from iot_pipeline.contract.layout import RAW

HOUR = timedelta(hours=1)

_RAW_KEY = re.compile(re.escape(RAW) + r"year=(\d{4})/month=(\d{2})/day=(\d{2})/hour=(\d{2})/(?:[^/]+/)*[^/]+")


@dataclass(frozen=True, order=True)
class Hour:
    """One hour of UTC, by its start."""

    start: datetime

    def __post_init__(self) -> None:
        """Refuse what is not the start of an hour in UTC. Raises ValueError."""
        if self.start.utcoffset() != timedelta(0):
            raise ValueError(f"{self.start!r} is not in UTC: a partition's hour needs an aware UTC datetime")
        if self.start.replace(minute=0, second=0, microsecond=0) != self.start:
            raise ValueError(f"{self.start.isoformat()} is not the start of an hour")

    @classmethod
    def of(cls, moment: datetime) -> "Hour":
        """The hour that holds a moment. Raises ValueError for a naive datetime."""
        if moment.tzinfo is None:
            raise ValueError(f"{moment!r} has no time zone; every time here is UTC and aware")
        return cls(moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0))

    @classmethod
    def from_values(cls, values: Sequence[str]) -> "Hour":
        """The hour of partition values (year, month, day, hour). Raises ValueError if they are no such hour."""
        year, month, day, hour = (int(value) for value in values)
        return cls(datetime(year, month, day, hour, tzinfo=UTC))

    @classmethod
    def from_sql(cls, value: datetime) -> "Hour":
        """The hour of a SQL timestamp, which is naive and means UTC."""
        return cls.of(value.replace(tzinfo=UTC))

    @property
    def values(self) -> tuple[str, str, str, str]:
        """The partition values (year, month, day, hour), zero-padded."""
        s = self.start
        return f"{s.year:04d}", f"{s.month:02d}", f"{s.day:02d}", f"{s.hour:02d}"

    @property
    def path(self) -> str:
        """The Hive-style path below a table's or a build's location, with a closing slash."""
        year, month, day, hour = self.values
        return f"year={year}/month={month}/day={day}/hour={hour}/"

    @property
    def sql(self) -> str:
        """The start as a SQL timestamp literal."""
        return f"TIMESTAMP '{self.start:%Y-%m-%d %H:%M:%S}'"

    def __str__(self) -> str:
        """The hour as people read it."""
        return f"{self.start:%Y-%m-%d %H}:00Z"

    def __add__(self, hours: int) -> "Hour":
        """The hour so many hours later."""
        return Hour(self.start + hours * HOUR)


def partition_predicate(hours: Iterable[Hour]) -> str:
    """A SQL predicate on year, month, day and hour that holds in exactly these hours, and that engines can prune by.

    Raises ValueError for no hours: a statement without partitions would scan the whole table.
    """
    days = []
    for (year, month, day), group in groupby(sorted(set(hours)), key=lambda h: h.values[:3]):
        of_day = _literals(hour.values[3] for hour in group)
        days.append(f"(year = '{year}' AND month = '{month}' AND day = '{day}' AND hour IN ({of_day}))")
    if not days:
        raise ValueError("no hours given: a statement must name its partitions")
    return "(" + "\n    OR ".join(days) + ")"


def partition_range(first: Hour, last: Hour) -> str:
    """A SQL predicate on the partition keys that holds from one hour to another, both inclusive."""
    return f"year || month || day || hour BETWEEN '{''.join(first.values)}' AND '{''.join(last.values)}'"


def contiguous(hours: Iterable[Hour]) -> list[tuple[Hour, Hour]]:
    """The hours as the fewest ranges (first, last), both inclusive, in order."""
    ranges: list[tuple[Hour, Hour]] = []
    for hour in sorted(set(hours)):
        if ranges and ranges[-1][1] + 1 == hour:
            ranges[-1] = (ranges[-1][0], hour)
        else:
            ranges.append((hour, hour))
    return ranges


def arrival_hour_of_key(key: str) -> Hour:
    """The arrival hour of a raw object's key. Raises ValueError, naming what was expected, for any other key."""
    expected = f"{key!r} is no raw object: expected {RAW}year=YYYY/month=MM/day=DD/hour=HH/<name>"
    match = _RAW_KEY.fullmatch(key)
    if not match:
        raise ValueError(expected)
    try:
        return Hour.from_values(match.groups())
    except ValueError as error:
        raise ValueError(f"{expected}; {error}") from error


def _literals(values: Iterable[str]) -> str:
    return ", ".join(f"'{value}'" for value in values)
