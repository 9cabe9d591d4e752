"""The detectors to compare with."""

import math
import random
from statistics import fmean, pstdev

import pytest

from iot_pipeline.alerting.nab import baselines
from iot_pipeline.alerting.nab.corpus import Series


def _series(values: list[float]) -> Series:
    return Series("x", range(len(values)), values)


def test_chance_is_the_same_each_time_and_differs_by_series() -> None:
    series = _series([0.0] * 100)
    assert baselines.uniform(series) == baselines.uniform(series)
    assert baselines.uniform(series) != baselines.uniform(Series("y", series.times, series.values))


def test_the_windowed_gaussian_is_nabs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Against its definition, with short windows: a tail probability by the window before."""
    monkeypatch.setattr(baselines, "GAUSSIAN_WINDOW", 40)
    monkeypatch.setattr(baselines, "GAUSSIAN_STEP", 10)
    chance = random.Random(1)
    values = [chance.gauss(5.0, 2.0) for _ in range(200)]
    expected = [0.0]
    for i in range(1, len(values)):
        end = i if i <= 40 else 40 + (i - 40) // 10 * 10
        window = values[max(0, end - 40) : end]
        deviation = pstdev(window) or 0.000001
        expected.append(1.0 - 0.5 * math.erfc(abs(values[i] - fmean(window)) / deviation / math.sqrt(2.0)))
    assert baselines.windowed_gaussian(_series(values)) == pytest.approx(expected)


def test_the_windowed_gaussian_takes_a_constant_series() -> None:
    assert set(baselines.windowed_gaussian(_series([3.0] * 50))) == {0.0, 0.5}


def test_the_trees_run_where_their_library_is() -> None:
    if not baselines.has_library():
        with pytest.raises(ModuleNotFoundError):
            baselines.half_space_trees(_series([1.0]))
        pytest.skip("river is not installed (the group `benchmark` of pyproject.toml)")
    assert len(baselines.half_space_trees(_series([1.0, 2.0, 1.5]))) == 3
