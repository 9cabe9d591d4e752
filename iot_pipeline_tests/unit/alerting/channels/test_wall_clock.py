"""Quiet hours and daily moments, over the changes to summer time and back."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from iot_pipeline.alerting.channels.wall_clock import Daily, QuietHours
from iot_pipeline.alerting.lifecycle import Severity

ZURICH = ZoneInfo("Europe/Zurich")
MINUTE = timedelta(minutes=1)


def utc(text: str) -> datetime:
    """A moment."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def quiet(begin: time, end: time, through: Severity | None = Severity.CRITICAL) -> QuietHours:
    """Quiet hours in Zurich."""
    return QuietHours(ZURICH, begin, end, through)


def quiet_minutes(hours: QuietHours, first: datetime, last: datetime) -> list[datetime]:
    """The minutes in which it is quiet."""
    count = int((last - first) / MINUTE)
    return [first + number * MINUTE for number in range(count) if hours.is_quiet(first + number * MINUTE)]


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-11-28T20:59", False),
        ("2026-11-28T21:00", True),
        ("2026-11-29T05:29", True),
        ("2026-11-29T05:30", False),
        ("2026-07-01T19:59", False),
        ("2026-07-01T20:00", True),
        ("2026-07-02T04:30", False),
    ],
)
def test_quiet_hours_over_midnight_follow_the_clock_on_the_wall(at: str, expected: bool) -> None:
    assert quiet(time(22), time(6, 30)).is_quiet(utc(at)) is expected


def test_quiet_hours_within_a_day() -> None:
    found = quiet_minutes(quiet(time(12), time(13)), utc("2026-11-28T00:00"), utc("2026-11-29T00:00"))
    assert (found[0], found[-1], len(found)) == (utc("2026-11-28T11:00"), utc("2026-11-28T11:59"), 60)


@pytest.mark.parametrize(
    ("day", "minutes"),
    [("2026-03-28", 7.5 * 60), ("2026-10-24", 9.5 * 60), ("2026-11-24", 8.5 * 60)],
    ids=["the night an hour is skipped", "the night an hour is repeated", "another night"],
)
def test_a_night_is_as_long_as_the_clock_makes_it(day: str, minutes: float) -> None:
    noon = utc(f"{day}T12:00")
    assert len(quiet_minutes(quiet(time(22), time(6, 30)), noon, noon + timedelta(days=1))) == minutes


def test_an_hour_that_is_skipped_is_never_quiet_and_one_that_is_repeated_twice() -> None:
    hours = quiet(time(2, 15), time(2, 45))
    assert quiet_minutes(hours, utc("2026-03-28T12:00"), utc("2026-03-29T12:00")) == []
    found = quiet_minutes(hours, utc("2026-10-24T12:00"), utc("2026-10-25T12:00"))
    assert found[:: len(found) - 1] == [utc("2026-10-25T00:15"), utc("2026-10-25T01:44")]
    assert len(found) == 60


def test_what_is_severe_enough_breaks_through() -> None:
    night, noon = utc("2026-11-28T23:00"), utc("2026-11-28T12:00")
    hours = quiet(time(22), time(6))
    assert [hours.holds(each, night) for each in (Severity.WARNING, Severity.CRITICAL)] == [True, False]
    assert quiet(time(22), time(6), None).holds(Severity.CRITICAL, night)
    assert not quiet(time(22), time(6), Severity.WARNING).holds(Severity.WARNING, night)
    assert not hours.holds(Severity.WARNING, noon)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-11-28T06:59", "2026-11-27T07:00"),
        ("2026-11-28T07:00", "2026-11-28T07:00"),
        ("2026-11-28T23:30", "2026-11-28T07:00"),
        ("2026-07-01T06:00", "2026-07-01T06:00"),
    ],
)
def test_the_last_daily_moment(now: str, expected: str) -> None:
    assert Daily(ZURICH, time(8)).last(utc(now)) == utc(expected)


@pytest.mark.parametrize(("first", "days"), [("2026-03-26", 6), ("2026-10-22", 6)])
def test_each_day_has_one_moment_though_the_clock_skips_or_repeats_it(first: str, days: int) -> None:
    daily, begin = Daily(ZURICH, time(2, 30)), utc(f"{first}T12:00")
    moments = {daily.last(begin + number * 10 * MINUTE) for number in range(days * 144)}
    shown = sorted(moment.astimezone(ZURICH).date() for moment in moments)
    assert shown == [shown[0] + timedelta(days=number) for number in range(days + 1)]


def test_a_zone_beyond_midnight_utc() -> None:
    daily = Daily(ZoneInfo("Pacific/Auckland"), time(8))
    assert daily.last(utc("2026-11-28T18:59")) == utc("2026-11-27T19:00")
    assert daily.last(utc("2026-11-28T19:00")) == utc("2026-11-28T19:00")
