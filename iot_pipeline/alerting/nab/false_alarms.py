"""How often the detector alerts on series in which nothing happens, by kind of series and by threshold.

The series are made, with a fixed seed: a reading each five minutes, for some weeks after the first day.
"""

import math
import random
from collections.abc import Callable, Iterator

from iot_pipeline.alerting import detector

THRESHOLDS = (detector.ALERT_SCORE, 0.4, 0.5)
_STEP_MS, _DAY_STEPS, _WEEK_STEPS = 300_000, 288, 2016
_START = 1_767_225_600_000

Draw = Callable[[random.Random], Iterator[float]]


def _white(chance: random.Random) -> Iterator[float]:
    while True:
        yield chance.gauss(0.0, 1.0)


def _bursts(chance: random.Random) -> Iterator[float]:
    while True:
        yield chance.lognormvariate(0.0, 1.0)


def _walk(chance: random.Random) -> Iterator[float]:
    value = 0.0
    while True:
        value += chance.gauss(0.0, 1.0)
        yield value


def _sluggish(chance: random.Random) -> Iterator[float]:
    value = 0.0
    while True:
        value = 0.95 * value + chance.gauss(0.0, 1.0)
        yield value


def _wave(chance: random.Random) -> Iterator[float]:
    for i, noise in enumerate(_white(chance)):
        yield 10.0 * math.sin(i / _DAY_STEPS * math.tau) + noise


def _office_hours(chance: random.Random) -> Iterator[float]:
    for i, noise in enumerate(_white(chance)):
        yield 30.0 * (96 <= i % _DAY_STEPS < 192) + noise


KINDS: dict[str, Draw] = {
    "white noise": _white,
    "bursts (log-normal)": _bursts,
    "sluggish (autoregressive, 0.95)": _sluggish,
    "random walk": _walk,
    "daily wave of 10 deviations": _wave,
    "daily step of 30 deviations": _office_hours,
}


def alerts(kind: str, weeks: int, seed: int) -> list[float]:
    """The scores from the lowest threshold on that a made series of a kind gets, after its first day."""
    readings = KINDS[kind](random.Random(f"{seed} {kind}"))  # noqa: S311 - a measurement, no secret
    state = detector.new_state()
    scores = []
    for i in range(_DAY_STEPS + weeks * _WEEK_STEPS):
        score = detector.update(state, _START + i * _STEP_MS, next(readings))
        if i >= _DAY_STEPS and score >= THRESHOLDS[0]:
            scores.append(score)
    return scores


def measure(weeks: int = 8, series: int = 5) -> str:
    """Lines that say how many alerts a week a series of each kind has."""
    head = "".join(f"{f'at {threshold}':>10}" for threshold in THRESHOLDS)
    lines = [f"{'alerts a week and series':<34}{head}"]
    for kind in KINDS:
        scores = [score for seed in range(series) for score in alerts(kind, weeks, seed)]
        rates = (sum(score >= threshold for score in scores) / weeks / series for threshold in THRESHOLDS)
        lines.append(f"{kind:<34}" + "".join(f"{rate:>10.2f}" for rate in rates))
    return "\n".join(lines)
