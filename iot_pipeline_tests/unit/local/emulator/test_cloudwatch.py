"""Metrics of the local AWS itself: the statistics of every point, in the memory of few."""

import random
from collections.abc import Iterator
from typing import Any

import pytest
from ministack.services import cloudwatch as stock

from infra.local.emulator import cloudwatch

NAMESPACE, DIMENSIONS = "test", {"FunctionName": "f"}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    now = [1_000_000.0]
    monkeypatch.setattr("time.time", lambda: now[0])
    stock._metrics.clear()
    yield now
    stock._metrics.clear()


def points(name: str) -> list[Any]:
    found: list[Any] = stock._metric_bucket((NAMESPACE, name, stock._dims_key(DIMENSIONS)))
    return found


def by_minute(found: list[Any]) -> dict[int, tuple[Any, list[float]]]:
    minutes: dict[int, list[Any]] = {}
    for point in found:
        minutes.setdefault(int(point["Timestamp"] // 60), []).append(point)
    return {
        minute: (
            stock._calc_stats(of_minute),
            [stock._stat_value({}, f"p{percent}", of_minute) for percent in (0, 10, 50, 90, 99, 99.9)],
        )
        for minute, of_minute in minutes.items()
    }


def test_values_that_repeat_are_kept_with_their_counts(clock: list[float]) -> None:
    """Ten a second for an hour: every statistic of every minute is what it is of the single points."""
    chance, single = random.Random(1), []
    for _ in range(36_000):
        clock[0] += 0.1
        value = float(chance.choice([0, 0, 0, 1, 2, 7]))
        cloudwatch.record(NAMESPACE, "Errors", value, "Count", DIMENSIONS)
        single.append({"Timestamp": clock[0], "Value": value})
    kept = points("Errors")
    assert by_minute(kept) == by_minute(single)
    # The last two minutes, what came since it was last looked at, and four values a minute.
    assert len(kept) < 1_200 + 600 + cloudwatch.LOOK_POINTS + 60 * 4


def test_values_that_differ_become_sets_of_a_minute(clock: list[float]) -> None:
    total = 0.0
    for number in range(3 * cloudwatch.KEPT_POINTS):
        clock[0] += 1
        cloudwatch.record(NAMESPACE, "Duration", number / 7, "Milliseconds", DIMENSIONS)
        total += number / 7
    kept = points("Duration")
    assert len({id(point["Dimensions"]) for point in kept}) == 1
    assert kept[0]["Dimensions"] == DIMENSIONS
    assert len(kept) <= 2 * cloudwatch.KEPT_POINTS
    assert stock._calc_stats(kept)["Sum"] == pytest.approx(total)
    assert stock._calc_stats(kept)["SampleCount"] == 3 * cloudwatch.KEPT_POINTS
