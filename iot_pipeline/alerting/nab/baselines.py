"""Detectors to compare with: two that know nothing, the windowed Gaussian of NAB, and one of a library."""

import math
import random
from collections import deque
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec

from iot_pipeline.alerting.nab.corpus import Series

Scores = list[float]
Baseline = Callable[[Series], Scores]
# As NAB tuned them for its own series.
GAUSSIAN_WINDOW = 6400
GAUSSIAN_STEP = 100
SMALLEST_DEVIATION = 0.000001
SEED = 42


def null(series: Series) -> Scores:
    """Say the same of every row, so that no threshold tells one from another. It has 0 by definition."""
    return [0.5] * len(series.times)


def perfect(series: Series) -> Scores:
    """Detect each window's first row and nothing else. It has 100 by definition."""
    firsts = {window.first for window in series.windows}
    return [float(i in firsts) for i in range(len(series.times))]


def uniform(series: Series) -> Scores:
    """Say at random, always the same for a series."""
    chance = random.Random(f"{SEED} {series.name}")  # noqa: S311 - a comparison, no secret
    return [chance.random() for _ in series.times]


def _moments(window: Sequence[float]) -> tuple[float, float]:
    mean = math.fsum(window) / len(window)
    return mean, math.sqrt(math.fsum((value - mean) ** 2 for value in window) / len(window))


class _Sums:
    """Mean and deviation of values that are only added (Welford's method)."""

    def __init__(self) -> None:
        self.count, self.mean, self.squares = 0, 0.0, 0.0

    def add(self, value: float) -> tuple[float, float]:
        self.count += 1
        change = value - self.mean
        self.mean += change / self.count
        self.squares += change * (value - self.mean)
        return self.mean, math.sqrt(max(self.squares, 0.0) / self.count)


def windowed_gaussian(series: Series) -> Scores:
    """One less the tail probability of a value, by mean and deviation of the rows before it.

    The window grows to 6,400 rows; then it moves on by a hundred rows at a time.
    """
    window: deque[float] = deque(maxlen=GAUSSIAN_WINDOW)
    growing = _Sums()
    waiting: list[float] = []
    mean, deviation = 0.0, 1.0
    scores = []
    for value in series.values:
        tail = 0.5 * math.erfc(abs(value - mean) / (deviation or SMALLEST_DEVIATION) / math.sqrt(2.0))
        scores.append(1.0 - tail if window else 0.0)
        if len(window) < GAUSSIAN_WINDOW:
            window.append(value)
            mean, deviation = growing.add(value)
            continue
        waiting.append(value)
        if len(waiting) == GAUSSIAN_STEP:
            window.extend(waiting)
            waiting.clear()
            mean, deviation = _moments(window)
    return scores


def has_library() -> bool:
    """Whether the library is installed whose detector is compared with: `river`, of the group `benchmark`."""
    return find_spec("river") is not None


def half_space_trees(series: Series) -> Scores:
    """Half-space trees of the library `river` (Tan, Ting and Liu, IJCAI 2011), on values scaled to what was seen.

    Raises ModuleNotFoundError if it is not installed. It is imported by name: the product does without it.
    """
    anomaly, preprocessing = import_module("river.anomaly"), import_module("river.preprocessing")
    scaler, trees = preprocessing.MinMaxScaler(), anomaly.HalfSpaceTrees(seed=SEED)
    scores = []
    for value in series.values:
        scaler.learn_one({"value": value})
        scaled = scaler.transform_one({"value": value})
        scores.append(float(trees.score_one(scaled)))
        trees.learn_one(scaled)
    return scores
