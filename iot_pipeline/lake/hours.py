"""Hours as the lake names them: partition values, S3 prefixes, SQL predicates. All UTC."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby

from iot_pipeline.contract import PARTITION_KEYS
from iot_pipeline.contract.layout import RAW

HOUR, DAY = timedelta(hours=1), timedelta(days=1)

# Digits are ASCII ones: `\d` would take those of any script, which name no partition of the lake.
_RAW_KEY = re.compile(
    re.escape(RAW) + "year=([0-9]{4})/month=([0-9]{2})/day=([0-9]{2})/hour=([0-9]{2})/(?:[^/]+/)*[^/]+"
)


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
        """The hour of partition values (year, month, day, hour), written as `values` writes them.

        Raises ValueError, naming them, for any others: `hour=5` is another partition than `hour=05`.
        """
        try:
            hour = cls(datetime.strptime("-".join(values), "%Y-%m-%d-%H").replace(tzinfo=UTC))
        except (TypeError, ValueError) as error:
            raise ValueError(f"{list(values)} are no year, month, day and hour of UTC") from error
        if hour.values != tuple(values):
            raise ValueError(f"{list(values)} are not how the lake writes {hour}: {list(hour.values)}")
        return hour

    @classmethod
    def from_sql(cls, value: datetime) -> "Hour":
        """The hour of a SQL timestamp, which is naive and means UTC."""
        return cls.of(value.replace(tzinfo=UTC))

    @property
    def values(self) -> tuple[str, ...]:
        """The partition values (year, month, day, hour), zero-padded."""
        s = self.start
        return f"{s.year:04d}", f"{s.month:02d}", f"{s.day:02d}", f"{s.hour:02d}"

    @property
    def path(self) -> str:
        """The Hive-style path below a table's or a build's location, with a closing slash."""
        return "".join(f"{key}={value}/" for key, value in zip(PARTITION_KEYS, self.values, strict=False))

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


class Day(Hour):
    """A day of UTC, by its first hour: a partition of a table that is partitioned by day."""

    def __post_init__(self) -> None:
        """Refuse what is not the start of a day in UTC. Raises ValueError."""
        super().__post_init__()
        if self.start.hour:
            raise ValueError(f"{self.start.isoformat()} is not the start of a day")

    @classmethod
    def of(cls, moment: datetime) -> "Day":
        """The day that holds a moment. Raises ValueError for a naive datetime."""
        return cls(Hour.of(moment).start.replace(hour=0))

    @classmethod
    def from_values(cls, values: Sequence[str]) -> "Day":
        """The day of partition values (year, month, day). Raises ValueError, naming them, for any others."""
        try:
            return cls(Hour.from_values((*values, "00")).start)
        except ValueError as error:
            raise ValueError(f"{list(values)} are no year, month and day of UTC") from error

    @classmethod
    def from_sql(cls, value: datetime) -> "Day":
        """The day of a SQL timestamp, which is naive and means UTC."""
        return cls.of(value.replace(tzinfo=UTC))

    @property
    def values(self) -> tuple[str, ...]:
        """The partition values (year, month, day), zero-padded."""
        return super().values[:3]

    @property
    def hours(self) -> list[Hour]:
        """Its hours, in order."""
        return [Hour(self.start) + n for n in range(DAY // HOUR)]

    def __str__(self) -> str:
        """The day as people read it."""
        return f"{self.start:%Y-%m-%d}"

    def __add__(self, days: int) -> "Day":
        """The day so many days later."""
        return Day(self.start + days * DAY)


def partition_of(values: Sequence[str]) -> Hour:
    """The hour, or the day, that partition values name. Raises ValueError, naming them, if they name none."""
    return Day.from_values(values) if len(values) == len(PARTITION_KEYS) - 1 else Hour.from_values(values)


def partition_predicate(hours: Iterable[Hour]) -> str:
    """A SQL predicate on year, month, day and hour that holds in exactly these hours, and that engines can prune by.

    Each key is compared alone with literals. Athena hands Glue what a predicate says of single keys (Trino,
    `GlueExpressionUtil`); a key inside an expression, as in `year || month`, would have it list the whole table.

    Raises ValueError for no hours: a statement without partitions would scan the whole table.
    """
    days: dict[tuple[str, str, str], list[str]] = {}
    for (year, month, day), group in groupby(sorted(set(hours)), key=lambda h: h.values[:3]):
        of_day = _literals(hour.values[3] for hour in group)
        days.setdefault((year, month, of_day), []).append(day)
    if not days:
        raise ValueError("no hours given: a statement must name its partitions")
    alike = [
        f"(year = '{year}' AND month = '{month}' AND {_one_of('day', of_month)} AND hour IN ({of_day}))"
        for (year, month, of_day), of_month in days.items()
    ]
    return "(" + "\n    OR ".join(alike) + ")"


def partition_range(first: Hour, last: Hour) -> str:
    """A SQL predicate as `partition_predicate` makes it, from one hour to another, both inclusive.

    Raises ValueError if the last is before the first.
    """
    return partition_predicate(hours_between(first, last))


def before_day(day: Day) -> str:
    """A SQL predicate on year, month and day that holds on the days before this one.

    Each key is compared alone, as in `partition_predicate`.
    """
    year, month, of_month = day.values
    return (
        f"(year < '{year}' OR (year = '{year}' AND (month < '{month}' OR (month = '{month}' AND day < '{of_month}'))))"
    )


def hours_between(first: Hour, last: Hour) -> list[Hour]:
    """The hours from one to another, both inclusive, in order; none if the last is before the first."""
    return [first + n for n in range((last.start - first.start) // HOUR + 1)]


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


def _one_of(key: str, values: Sequence[str]) -> str:
    return f"{key} = '{values[0]}'" if len(values) == 1 else f"{key} IN ({_literals(values)})"


def _literals(values: Iterable[str]) -> str:
    return ", ".join(f"'{value}'" for value in values)
