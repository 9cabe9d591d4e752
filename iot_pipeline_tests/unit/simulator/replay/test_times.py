"""Times: each way of writing one against Python's own calendar, and every kind that can be read in two ways refused."""

import re
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from simulator.replay.flaws import CellError, CsvError
from simulator.replay.times import EpochUnit, Order, TimeForm, epoch_ms, epoch_unit_of, order_of, zone_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/Sao_Paulo")
HOUR = timedelta(hours=1)


def ms(time: datetime) -> int:
    return (time - EPOCH) // timedelta(milliseconds=1)


walls = st.datetimes(datetime(1900, 1, 2), datetime(2199, 12, 30))  # noqa: DTZ001  # times as a file writes them
dates = st.sampled_from(
    [
        ("%Y-%m-%d", None),
        ("%Y/%m/%d", None),
        ("%Y.%m.%d", None),
        ("%d/%m/%Y", Order.DMY),
        ("%d.%m.%Y", Order.DMY),
        ("%d-%m-%Y", Order.DMY),
        ("%m/%d/%Y", Order.MDY),
        ("%m-%d-%Y", Order.MDY),
    ]
)
clocks = st.sampled_from(["%H:%M:%S", "%H.%M.%S", "%I:%M:%S %p", "%H:%M:%S.%f", "%H:%M:%S,%f", "%H.%M.%S.%f"])


@given(walls, dates, st.sampled_from(["T", " ", "  "]), clocks, st.sampled_from(ZONES))
def test_each_form_is_what_the_calendar_says(
    wall: datetime, date: tuple[str, Order | None], between: str, clock: str, zone: str
) -> None:
    aware = wall.replace(tzinfo=ZoneInfo(zone))
    assume(aware.utcoffset() == aware.replace(fold=1).utcoffset())
    if "%f" not in clock:
        aware = aware.replace(microsecond=0)
    text = wall.strftime(date[0].replace("%Y", f"{wall.year:04}") + between + clock)
    read, was_finer = epoch_ms(text, TimeForm(order=date[1], zone=zone_of(zone)))
    exact = (aware - EPOCH) / timedelta(milliseconds=1)
    assert abs(read - exact) <= 0.5
    assert was_finer == (aware.microsecond % 1000 != 0)


@given(walls, st.integers(-14 * 60, 14 * 60), st.sampled_from(["", " "]), st.sampled_from([":", ""]))
def test_an_offset_counts_more_than_the_zone(wall: datetime, minutes: int, before: str, colon: str) -> None:
    aware = wall.replace(microsecond=0, tzinfo=timezone(timedelta(minutes=minutes)))
    sign, (hours, rest) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
    text = f"{aware:%Y-%m-%dT%H:%M:%S}{before}{sign}{hours:02}{colon}{rest:02}"
    assert epoch_ms(text, TimeForm(zone=zone_of("Asia/Tokyo"))) == (ms(aware), False)


def transitions(zone: str) -> list[datetime]:
    """The hours of 2000 to 2030, UTC, at which a zone's offset changes."""
    info, time, found = ZoneInfo(zone), datetime(2000, 1, 1, tzinfo=UTC), []
    while time.year < 2030:
        if time.astimezone(info).utcoffset() != (time + 24 * HOUR).astimezone(info).utcoffset():
            steps = [time + n * HOUR / 2 for n in range(49)]
            found += [b for a, b in pairwise(steps) if a.astimezone(info).utcoffset() != b.astimezone(info).utcoffset()]
        time += 24 * HOUR
    return found


@pytest.mark.parametrize("zone", [zone for zone in ZONES if zone not in ("UTC", "Asia/Kolkata")])
def test_every_gap_and_every_overlap_of_a_zone_is_refused(zone: str) -> None:
    info, form = ZoneInfo(zone), TimeForm(zone=zone_of(zone))
    seen = set()
    for change in transitions(zone):
        before = (change - timedelta(minutes=1)).astimezone(info).utcoffset() or timedelta()
        after = change.astimezone(info).utcoffset() or timedelta()
        first = (change + min(before, after)).replace(tzinfo=None)
        size = abs(after - before)
        word = "did not exist" if after > before else "happened twice"
        seen.add(word)
        for inside in (first, first + size / 2, first + size - timedelta(seconds=1)):
            with pytest.raises(CellError, match=f"{word} in {zone}.*--time-zone"):
                epoch_ms(inside.isoformat(" "), form)
        for outside, offset in ((first - timedelta(seconds=1), before), (first + size, after)):
            expected = ms(outside.replace(tzinfo=UTC) - offset)
            assert epoch_ms(outside.isoformat(" "), form) == (expected, False)
    assert seen == {"did not exist", "happened twice"}


@given(st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31)), st.sampled_from(EpochUnit))  # noqa: DTZ001  # in UTC
def test_an_epoch_number_of_our_century_has_one_unit(time: datetime, unit: EpochUnit) -> None:
    seconds = (time.replace(tzinfo=UTC, microsecond=0) - EPOCH) // timedelta(seconds=1)
    text = str(seconds * unit.per_second)
    assert epoch_unit_of(text) == unit
    assert epoch_ms(text, TimeForm(unit=unit)) == (seconds * 1000, False)
    for other in set(EpochUnit) - {unit}:
        with pytest.raises(CellError, match=r"unclear unit.*--epoch-unit"):
            epoch_ms(text, TimeForm(unit=other))


@pytest.mark.parametrize("text", ["0", "-5", "5", "86400000", "43905", "20040310", "20040310180000", "9" * 20])
def test_another_number_needs_its_unit(text: str) -> None:
    assert epoch_unit_of(text) is None
    for form in (TimeForm(), TimeForm(unit=EpochUnit.MS)):
        with pytest.raises(CellError, match=r"unclear unit.*--epoch-unit"):
            epoch_ms(text, form)


@given(st.integers(-(10**19), 10**19), st.sampled_from(EpochUnit))
def test_with_its_unit_any_number_is_exact_or_refused(count: int, unit: EpochUnit) -> None:
    form = TimeForm(unit=unit, unit_is_given=True)
    first, last = ms(datetime.min.replace(tzinfo=UTC)), ms(datetime.max.replace(tzinfo=UTC))
    if not first <= count * 1000 / unit.per_second <= last:
        with pytest.raises(CellError, match="beyond the years 1 to 9999"):
            epoch_ms(str(count), form)
    else:
        read, was_finer = epoch_ms(str(count), form)
        assert abs(read * unit.per_second - count * 1000) * 2 <= unit.per_second
        assert was_finer == (read * unit.per_second != count * 1000)


@given(st.integers(1, 12), st.integers(1, 12), st.sampled_from("/.-"))
def test_a_day_that_may_be_a_month_proves_nothing(a: int, b: int, mark: str) -> None:
    text = f"{a:02}{mark}{b:02}{mark}2004 18:00:00"
    assert order_of(text) is None
    with pytest.raises(CellError, match="day first or month first; give --date-order"):
        epoch_ms(text, TimeForm(zone=UTC))


@given(st.integers(13, 28), st.integers(1, 12), st.sampled_from("/.-"))
def test_a_day_above_twelve_proves_the_order(day: int, month: int, mark: str) -> None:
    for text, order, other in (
        (f"{day}{mark}{month}{mark}2004 18:00", Order.DMY, Order.MDY),
        (f"{month}{mark}{day}{mark}2004 18:00", Order.MDY, Order.DMY),
    ):
        assert order_of(text) == order
        assert epoch_ms(text, TimeForm(order=order, zone=UTC))[0] == ms(datetime(2004, month, day, 18, tzinfo=UTC))
        with pytest.raises(CellError, match="is no date, read as"):
            epoch_ms(text, TimeForm(order=other, zone=UTC))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("soon", "expected an ISO-8601 time"),
        ("", "expected an ISO-8601 time"),
        ("2026-11-21", "has no time of day.*--time-column twice"),
        ("12:00:00", "expected an ISO-8601 time"),
        ("0000-01-01 00:00:00", "year 0 is out of range"),
        ("10000-01-01 00:00:00", "expected an ISO-8601"),
        ("2016-12-31 23:59:60", "leap second"),
        ("2016-12-31 24:00:01", "hour must be in"),
        ("2016-12-31 23:60:00", "minute must be in"),
        ("2015-02-29 00:00:00", "read as 2015-02-29"),
        ("2015-13-01 00:00:00", "month must be in"),
        ("2015-01-00 00:00:00", "read as 2015-01-00"),
        ("21.11.26 12:00:00", "a year of four digits"),
        ("2016-12-31 13:00:00 PM", "expected 1 to 12 before AM or PM"),
        ("2016-12-31 00:30 AM", "expected 1 to 12 before AM or PM"),
        ("2016-12-31 18.30", "expected an ISO-8601"),
        ("2016-12-31T12:00:00+14:30", "expected an offset of -14:00"),
        ("2016-12-31T12:00:00+01:75", "expected an offset of -14:00"),
        ("2016-12-31T12:00:00 CET", "expected an ISO-8601"),
        ("0001-01-01T00:00:00+01:00", "beyond the years 1 to 9999"),
        ("9999-12-31T23:30:00-01:00", "beyond the years 1 to 9999"),
        ("9999-12-31T24:00:00", "is no time"),
        ("\uff12016-12-31 12:00:00", "expected an ISO-8601"),
        ("2016-12-31 12:00:0\u0663", "expected an ISO-8601"),
        ("1_795_000_000", "expected an ISO-8601"),
        ("1.585e9", "expected an ISO-8601"),
    ],
)
def test_what_is_no_time_is_named(text: str, message: str) -> None:
    with pytest.raises(CellError, match=message) as refused:
        epoch_ms(text, TimeForm(zone=UTC))
    assert repr(text) in str(refused.value)


def test_a_time_without_zone_needs_one() -> None:
    with pytest.raises(CellError, match=r"has no zone; give --time-zone"):
        epoch_ms("2026-11-21 12:00:00", TimeForm())
    assert epoch_ms("2026-11-21 24:00:00Z", TimeForm())[0] == ms(datetime(2026, 11, 22, tzinfo=UTC))


@given(st.text(max_size=30))
def test_any_text_is_a_time_or_refused(text: str) -> None:
    try:
        read, _ = epoch_ms(text, TimeForm(zone=UTC))
    except CellError:
        return
    assert re.fullmatch(r"[\x20-\x7e]+", text)
    assert EPOCH + timedelta(milliseconds=read)


@pytest.mark.parametrize(
    "name", ["", "Europe", "../etc/passwd", "/etc/localtime", "+25:00", "+01:0", "CET5", "europe/"]
)
def test_an_unknown_zone_is_named(name: str) -> None:
    with pytest.raises(CsvError, match=r"--time-zone .* is unknown; write it as UTC"):
        zone_of(name)
