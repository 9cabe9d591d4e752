"""The profiles of hours, and the habit of being surprising at one."""

import pytest

from iot_pipeline.alerting.detector_habit import Habit
from iot_pipeline.alerting.detector_season import HOUR_MS, Season

QUARTER = HOUR_MS // 4


def _season(days: int, weekend: float = 0.0) -> Season:
    """Each hour has its number as its value; two days of a week have something added."""
    season = Season()
    for i in range(days * 96):
        at = i * QUARTER
        value = float(at // HOUR_MS % 24) + (weekend if at // (24 * HOUR_MS) % 7 >= 5 else 0.0)
        season.learn(at, value, value)
    return season


def test_nothing_is_known_in_the_first_day() -> None:
    season = _season(0)
    assert season.outside(0, 1.0) is None
    assert season.residual(0, 1.0) is None
    assert _season(1).outside(5 * HOUR_MS, 5.0) == 0.0


@pytest.mark.parametrize(("level", "outside"), [(5.0, 0.0), (4.0, 0.0), (6.0, 0.0), (9.0, 3.0), (1.0, -3.0)])
def test_the_envelope_is_that_of_three_hours(level: float, outside: float) -> None:
    assert _season(3).outside(3 * 24 * HOUR_MS + 5 * HOUR_MS, level) == outside


def test_the_residual_is_taken_from_the_line_between_hours() -> None:
    season = _season(3)
    day = 3 * 24 * HOUR_MS
    assert season.residual(day + 5 * HOUR_MS + 2 * QUARTER, 5.0) == pytest.approx(0.0)
    assert season.residual(day + 6 * HOUR_MS, 5.5) == pytest.approx(0.0)


def test_a_weekend_is_learned_after_some_weeks() -> None:
    saturday_noon = (5 * 24 + 12) * HOUR_MS + 2 * QUARTER
    residuals = [
        _season(7 * weeks + 5, 10.0).residual(7 * weeks * 24 * HOUR_MS + saturday_noon, 22.0) for weeks in (1, 4)
    ]
    first, later = [abs(residual) for residual in residuals if residual is not None]
    assert later < 4.0 < first


def test_a_profile_comes_back_as_it_was_stored() -> None:
    season = _season(9, 2.5)
    assert Season.decode(season.encode()).encode() == season.encode()


def test_a_habit_takes_off_what_repeats_and_no_more_than_half() -> None:
    habit = Habit()
    news = []
    for hour in range(10 * 24):
        surprise = 4.0 if hour % 24 == 3 else 0.5
        news.append(habit.news(hour * HOUR_MS, surprise))
    nights = news[3::24]
    assert nights[0] == 4.0
    assert nights == sorted(nights, reverse=True)
    assert 2.0 < nights[-1] < 3.0
    assert news[15] == news[15 + 9 * 24] == 0.5, "another hour is as it was"
    assert Habit.decode(habit.encode()).encode() == habit.encode()
