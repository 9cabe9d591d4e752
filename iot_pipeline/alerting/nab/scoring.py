"""Scores a detector as the Numenta Anomaly Benchmark (NAB) does, with its standard profile.

A row is detected where its anomaly score reaches the threshold. With p the position of a row, and the scaled sigmoid
s(p) = 2 / (1 + exp(5 p)) - 1, which is +1 far before and -1 far after position 0:

- a window counts once, by its earliest detected row: +s(p) / s(-1) with p from -1 at the window's first row towards 0
  after its last, or -1 if no row of it is detected;
- each detected row outside all windows counts 0.11 s(p), with p the distance from the last row of the window before
  in units of that window's length, or -0.11 if there is no window before;
- the first 15% of a series, of at most 5,000 rows, are for learning and count nothing.

The sum over all series is the raw score, at the one threshold that makes it largest. Normalised, a detector that
detects nothing has 0 and one that detects nothing but each window's first row has 100.

Written from the behaviour of `nab/sweeper.py`, `nab/optimizer.py` and `nab/runner.py` of github.com/numenta/NAB.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from iot_pipeline.alerting.nab.corpus import Series

PROBATION = 0.15
PROBATION_ROWS = 5000
# A threshold above every score, at which nothing is detected.
NOTHING = 1.1


@dataclass(frozen=True)
class Profile:
    """What a detected window, a false positive and a missed window weigh."""

    true_positive: float = 1.0
    false_positive: float = 0.11
    false_negative: float = 1.0


STANDARD = Profile()


class Row(NamedTuple):
    """A row after probation: its anomaly score, what detecting it is worth, its window (series, index) if any."""

    score: float
    worth: float
    window: tuple[str, int] | None


class Outcome(NamedTuple):
    """The raw score at a threshold, and the rows that are true and false, positives and negatives."""

    threshold: float
    score: float
    tp: int
    tn: int
    fp: int
    fn: int


def scaled_sigmoid(position: float) -> float:
    """The worth of a detection at a position relative to a window's end."""
    return -1.0 if position > 3.0 else 2.0 / (1.0 + math.exp(5.0 * position)) - 1.0


def probation_rows(rows: int, fraction: float = PROBATION) -> int:
    """How many rows at the beginning of a series are not scored."""
    return int(min(math.floor(fraction * rows), fraction * PROBATION_ROWS))


def weigh(
    series: Series, scores: Sequence[float], profile: Profile = STANDARD, probation: float = PROBATION
) -> list[Row]:
    """What detecting each row of a series after its probation would be worth.

    Raises ValueError if there are not as many scores as rows.
    """
    if len(scores) != len(series.times):
        raise ValueError(f"{series.name} has {len(series.times)} rows, and {len(scores)} scores")
    worths = _worths(series, profile)
    inside = {i: (series.name, n) for n, w in enumerate(series.windows) for i in range(w.first, w.last + 1)}
    begin = probation_rows(len(scores), probation)
    return [Row(scores[i], worths[i], inside.get(i)) for i in range(begin, len(scores))]


def _worths(series: Series, profile: Profile) -> list[float]:
    worths: list[float] = []
    rows = len(series.times)
    last: int | None = None
    width = 0
    # The rows after the last window are those before a window that never comes.
    for first, end in [*((w.first, w.last) for w in series.windows), (rows, rows)]:
        for i in range(len(worths), first):
            # A window of one row has no length to measure the distance by; NAB divides by zero there.
            far = scaled_sigmoid((i - last) / max(width - 1, 1)) if last is not None else -1.0
            worths.append(far * profile.false_positive)
        last, width = end, end - first + 1
        for i in range(first, min(end + 1, rows)):
            near = scaled_sigmoid(-(end - i + 1) / width)
            worths.append(near * profile.true_positive / scaled_sigmoid(-1.0))
    return worths


def sweep(rows: Iterable[Row], profile: Profile = STANDARD) -> list[Outcome]:
    """The outcome at each threshold that makes a difference, from the highest, which detects nothing, downwards."""
    ordered = sorted(rows, key=lambda row: row.score, reverse=True)
    best = {row.window: -profile.false_negative for row in ordered if row.window is not None}
    tn = sum(row.window is None for row in ordered)
    fn = len(ordered) - tn
    tp = fp = 0
    windows, false_positives = sum(best.values()), 0.0
    threshold = NOTHING
    outcomes = []
    for row in ordered:
        if row.score != threshold:
            outcomes.append(Outcome(threshold, windows + false_positives, tp, tn, fp, fn))
            threshold = row.score
        if row.window is None:
            fp, tn = fp + 1, tn - 1
            false_positives += row.worth
        else:
            tp, fn = tp + 1, fn - 1
            if row.worth > best[row.window]:
                windows += row.worth - best[row.window]
                best[row.window] = row.worth
    outcomes.append(Outcome(threshold, windows + false_positives, tp, tn, fp, fn))
    return outcomes


def optimum(outcomes: Sequence[Outcome]) -> Outcome:
    """The outcome with the largest score; of equal ones that of the highest threshold, as NAB chooses."""
    return max(outcomes, key=lambda outcome: (outcome.score, outcome.threshold))


def at_threshold(rows: Sequence[Row], threshold: float, profile: Profile = STANDARD) -> Outcome:
    """The outcome at one threshold."""
    marked = (Row(1.0 if row.score >= threshold else 0.0, row.worth, row.window) for row in rows)
    found = [outcome for outcome in sweep(marked, profile) if outcome.threshold > 0.0]
    return found[-1]._replace(threshold=threshold)


def reachable(rows: Iterable[Row]) -> int:
    """How many windows have a row after probation: a detector that detects nothing misses as many."""
    return len({row.window for row in rows if row.window is not None})


def normalised(score: float, windows: int, missable: int, profile: Profile = STANDARD) -> float:
    """A raw score on the scale from 0, nothing detected, to 100, each window detected at its first row.

    `missable` windows are those that `reachable` counts; NAB's own labels have no others. Without any window there is
    nothing to detect: false positives then count as if there were one, where NAB divides by zero.
    """
    nothing = -missable * profile.false_negative
    perfect = windows * profile.true_positive if windows else profile.true_positive + profile.false_negative
    return 100.0 * (score - nothing) / (perfect - nothing)
