"""The tail of a view: what share of numbers is beyond its level, and how surprise grows."""

import random
from collections.abc import Callable

import pytest

from iot_pipeline.alerting import detector_tail


def _learned(numbers: list[float]) -> list[float]:
    tails = [0.0] * detector_tail.SIZE
    for number in numbers:
        detector_tail.learn(tails, 0, number)
    return tails


@pytest.mark.parametrize("law", ["gauss", "exponential", "uniform"])
def test_about_one_in_fifty_is_beyond_the_level_of_each_side(law: str) -> None:
    """About: the level moves in steps of a part of the deviation, which are coarse at a hard edge of a distribution."""
    chance = random.Random(3)
    draws: dict[str, Callable[[], float]] = {
        "gauss": lambda: chance.gauss(5.0, 2.0),
        "exponential": lambda: chance.expovariate(1.0),
        "uniform": lambda: chance.uniform(-1.0, 1.0),
    }
    draw = draws[law]
    tails = _learned([draw() for _ in range(6000)])
    fresh = [draw() for _ in range(6000)]
    assert 0.008 < sum(x > tails[3] for x in fresh) / 6000 < 0.05
    assert 0.008 < sum(-x > tails[6] for x in fresh) / 6000 < 0.05
    surprising = sum(detector_tail.surprise(tails, 0, x, 1e-12) >= 3.0 for x in fresh) / 6000
    assert surprising < 0.004, "3 stands for one in a thousand, of each side"


def test_surprise_grows_with_distance_and_is_the_same_on_both_sides() -> None:
    tails = _learned([sign * x for x in range(1, 500) for sign in (1.0, -1.0)])
    high = [detector_tail.surprise(tails, 0, x, 1e-12) for x in (0.0, 600.0, 1000.0, 1e6)]
    assert high == sorted(high)
    assert high[0] == 0.0
    assert detector_tail.surprise(tails, 0, -1000.0, 1e-12) == pytest.approx(high[2], rel=0.1)


def test_nothing_is_surprising_before_the_first_number_or_of_its_like() -> None:
    assert detector_tail.surprise([0.0] * detector_tail.SIZE, 0, 5.0, 1e-12) == 0.0
    assert detector_tail.surprise(_learned([7.0] * 100), 0, 7.0, 1e-12) == 0.0


def test_numbers_of_other_views_are_left_alone() -> None:
    tails = [0.0] * (3 * detector_tail.SIZE)
    detector_tail.learn(tails, detector_tail.SIZE, 1.0)
    assert set(tails[: detector_tail.SIZE]) == set(tails[-detector_tail.SIZE :]) == {0.0}
