"""Event times as a CSV file writes them: dates in three orders, times of day, offsets, epoch numbers.

A time is read in one way or not at all: a date that may be day first or month first, an epoch number of an unclear
unit, a time without a zone, or one that its zone's clocks skip or show twice is refused.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from enum import StrEnum
from zoneinfo import ZoneInfo, available_timezones

from simulator.replay.flaws import CellError, CsvError, shown

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WALL_EPOCH = _EPOCH.replace(tzinfo=None)
_MILLISECOND = timedelta(milliseconds=1)
_FIRST_MS = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _MILLISECOND
_LAST_MS = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MILLISECOND
# Years 2000 to 2099 in seconds. The same years in milli-, micro- and nanoseconds are other numbers altogether, so that
# a number among them has one unit.
_FROM_S, _TO_S = 946_684_800, 4_102_444_800
_LARGEST_OFFSET_MIN = 14 * 60

_YEAR_FIRST = r"(?P<y>[0-9]{4})(?P<s>[-/.])(?P<m>[0-9]{1,2})(?P=s)(?P<d>[0-9]{1,2})"
_YEAR_LAST = r"(?P<a>[0-9]{1,2})(?P<t>[-/.])(?P<b>[0-9]{1,2})(?P=t)(?P<z>[0-9]{4})"
_DATE = rf"(?:{_YEAR_FIRST}|{_YEAR_LAST})"
_CLOCK = (
    r"(?P<hh>[0-9]{1,2})(?::(?P<mm>[0-9]{2})(?::(?P<ss>[0-9]{2}))?|\.(?P<mi>[0-9]{2})\.(?P<se>[0-9]{2}))"
    r"(?:(?<=[:.][0-9]{2}[:.][0-9]{2})[.,](?P<f>[0-9]{1,9}))?(?: ?(?P<half>[AaPp][Mm]))?"
)
_OFFSET = r"(?: ?(?P<utc>Z|z|UTC|GMT)| ?(?P<sign>[+-])(?P<oh>[0-9]{2})(?::?(?P<om>[0-9]{2}))?)"
_FULL = re.compile(rf"{_DATE}(?:T| +){_CLOCK}{_OFFSET}?")
_DATE_ALONE, _CLOCK_ALONE = re.compile(_DATE), re.compile(rf"{_CLOCK}{_OFFSET}?")
_EPOCH_NUMBER = re.compile(r"([+-]?[0-9]{1,24})(?:[.,]([0-9]{1,9}))?")
_FIXED = re.compile(r"([+-])([0-9]{2}):([0-9]{2})")


class Order(StrEnum):
    """The order of day, month and year in dates that do not begin with the year."""

    DMY = "dmy"
    MDY = "mdy"


class EpochUnit(StrEnum):
    """What an epoch number counts since 1970-01-01 UTC."""

    S = "s"
    MS = "ms"
    US = "us"
    NS = "ns"

    @property
    def per_second(self) -> int:
        """How many there are in a second."""
        return {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[self.value]


class Kind(StrEnum):
    """What a cell is by its form."""

    FULL = "date and time"
    EPOCH = "epoch number"
    DATE = "date"
    CLOCK = "time of day"


@dataclass(frozen=True)
class TimeForm:
    """How a file's times are to be read; None for what it has not shown and nobody has said."""

    order: Order | None = None
    unit: EpochUnit | None = None
    unit_is_given: bool = False
    zone: tzinfo | None = None


def kind_of(text: str) -> Kind | None:
    """What a cell may be by its form; None for none of it. An epoch number is one of the years 2000 to 2099."""
    if _FULL.fullmatch(text):
        return Kind.FULL
    if _DATE_ALONE.fullmatch(text):
        return Kind.DATE
    if _CLOCK_ALONE.fullmatch(text):
        return Kind.CLOCK
    return Kind.EPOCH if epoch_unit_of(text) else None


def order_of(text: str) -> Order | None:
    """The order that a date proves by a number above 12; None if both orders are possible or none is."""
    match = _FULL.fullmatch(text)
    if match is None or match["a"] is None:
        return None
    first, second = int(match["a"]), int(match["b"])
    if 12 < first <= 31 and 1 <= second <= 12:
        return Order.DMY
    return Order.MDY if 12 < second <= 31 and 1 <= first <= 12 else None


def has_unclear_order(text: str) -> bool:
    """Whether a date does not begin with the year."""
    match = _FULL.fullmatch(text)
    return match is not None and match["a"] is not None


def epoch_unit_of(text: str) -> EpochUnit | None:
    """The unit in which an epoch number is of the years 2000 to 2099; None for another number or text."""
    match = _EPOCH_NUMBER.fullmatch(text)
    if match is None:
        return None
    whole = int(match[1])
    return next((u for u in EpochUnit if _FROM_S * u.per_second <= whole < _TO_S * u.per_second), None)


def zone_of(name: str) -> tzinfo:
    """The zone that --time-zone names: of the IANA database, or a fixed offset such as +01:00. Raises CsvError."""
    if match := _FIXED.fullmatch(name):
        minutes = int(match[2]) * 60 + int(match[3])
        if minutes <= _LARGEST_OFFSET_MIN and int(match[3]) < 60:
            return timezone(timedelta(minutes=minutes if match[1] == "+" else -minutes))
    elif name in available_timezones():
        return ZoneInfo(name)
    raise CsvError(f"--time-zone {name!r} is unknown; write it as UTC, Europe/Berlin or +01:00")


def epoch_ms(text: str, form: TimeForm) -> tuple[int, bool]:
    """A time as epoch milliseconds UTC, rounded half up, and whether it was finer than that.

    Raises CellError for a time that cannot be read, or in more than one way.
    """
    if match := _FULL.fullmatch(text):
        return _calendar(text, match, form)
    if match := _EPOCH_NUMBER.fullmatch(text):
        return _number(text, match, form)
    if _DATE_ALONE.fullmatch(text):
        raise CellError(
            f"{shown(text)} has no time of day, expected both; if it is in another column, give --time-column twice: "
            "first the date's column, then the time's"
        )
    raise CellError(
        f"{shown(text)}, expected an ISO-8601 time such as 2026-11-21T12:00:00Z, a date as D/M/Y, D.M.Y or M/D/Y (with "
        "a year of four digits) and a time as 18:00:00 or 18.00.00, or an epoch number; correct it"
    )


def _number(text: str, match: re.Match[str], form: TimeForm) -> tuple[int, bool]:
    unit = form.unit if form.unit_is_given or epoch_unit_of(text) == form.unit else None
    if unit is None:
        raise CellError(
            f"{shown(text)} is an epoch number of unclear unit: it is of the years 2000 to 2099 in none, or the file "
            "has times of another form or unit before it; give --epoch-unit s, ms, us or ns (a compact date or the day "
            "number of a spreadsheet is not read)"
        )
    fraction = match[2] or ""
    count, per_ms = int(match[1] + fraction) * 1000, unit.per_second * 10 ** len(fraction)
    ms = (2 * count + per_ms) // (2 * per_ms)
    if not _FIRST_MS <= ms <= _LAST_MS:
        raise CellError(f"{shown(text)} in {unit} is beyond the years 1 to 9999; correct it, or --epoch-unit")
    return ms, count % per_ms != 0


def _calendar(text: str, match: re.Match[str], form: TimeForm) -> tuple[int, bool]:
    wall, fraction = _wall(text, match, form.order)
    since_ms = (wall - _WALL_EPOCH - _offset(text, match, wall, form.zone)) // _MILLISECOND
    digits = (fraction or "0").ljust(9, "0")
    ms = since_ms + (int(digits) + 500_000) // 1_000_000
    if not _FIRST_MS <= ms <= _LAST_MS:
        raise CellError(f"{shown(text)} is beyond the years 1 to 9999 in UTC; correct it")
    return ms, int(digits) % 1_000_000 != 0


def _wall(text: str, match: re.Match[str], order: Order | None) -> tuple[datetime, str | None]:
    """The date and time as written, without the fraction of a second, and that fraction's digits."""
    year, month, day = _ymd(text, match, order)
    hour, minute = int(match["hh"]), int(match["mm"] or match["mi"])
    second = int(match["ss"] or match["se"] or 0)
    if match["half"]:
        if not 1 <= hour <= 12:
            raise CellError(f"{shown(text)}: hour {hour}, expected 1 to 12 before AM or PM; correct it")
        hour = hour % 12 + (12 if match["half"].lower() == "pm" else 0)
    if second == 60:
        raise CellError(f"{shown(text)} is a leap second, which epoch time does not have; write it as :59 or :00")
    midnight = hour == 24 and not (minute or second or (match["f"] or "").strip("0"))
    try:
        wall = datetime(year, month, day, 0 if midnight else hour, minute, second)  # noqa: DTZ001  # as a wall shows it
        return wall + timedelta(days=midnight), match["f"]
    except (ValueError, OverflowError) as error:
        read = f"{year:04}-{month:02}-{day:02}"
        raise CellError(f"{shown(text)} is no time, read as {read} ({error}); correct it") from None


def _ymd(text: str, match: re.Match[str], order: Order | None) -> tuple[int, int, int]:
    if match["y"]:
        return int(match["y"]), int(match["m"]), int(match["d"])
    first, second, year = int(match["a"]), int(match["b"]), int(match["z"])
    if order is None:
        raise CellError(f"{shown(text)} may be day first or month first; give --date-order dmy or --date-order mdy")
    day, month = (first, second) if order == Order.DMY else (second, first)
    try:
        date(year, month, day)
    except ValueError as error:
        read = f"{order.upper()} by the rows before or --date-order"
        raise CellError(f"{shown(text)} is no date, read as {read} ({error}); correct it") from None
    return year, month, day


def _offset(text: str, match: re.Match[str], wall: datetime, zone: tzinfo | None) -> timedelta:
    if match["utc"]:
        return timedelta()
    if match["sign"]:
        minutes = int(match["oh"]) * 60 + int(match["om"] or 0)
        if minutes > _LARGEST_OFFSET_MIN or int(match["om"] or 0) > 59:
            raise CellError(f"{shown(text)}: expected an offset of -14:00 to +14:00; correct it")
        return timedelta(minutes=minutes if match["sign"] == "+" else -minutes)
    if zone is None:
        raise CellError(f"{shown(text)} has no zone; give --time-zone, such as UTC, Europe/Berlin or +01:00")
    return _zone_offset(text, wall, zone)


def _zone_offset(text: str, wall: datetime, zone: tzinfo) -> timedelta:
    before = wall.replace(tzinfo=zone, fold=0).utcoffset() or timedelta()
    after = wall.replace(tzinfo=zone, fold=1).utcoffset() or timedelta()
    if before < after:
        raise CellError(
            f"{shown(text)} did not exist in {zone}: the clocks were set forward then; if the clock that wrote it was "
            "never set, give its offset, such as --time-zone +01:00, otherwise correct it"
        )
    if before > after:
        raise CellError(
            f"{shown(text)} happened twice in {zone}, at {wall - before:%H:%M:%S} and {wall - after:%H:%M:%S} UTC; "
            "write it with its offset, or give --time-zone +01:00 or the like if the clock that wrote it was never set"
        )
    return before
