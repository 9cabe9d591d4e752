"""How unusual a number is among those that the same view of a series had before: the probability of its tail.

Peaks over a threshold (Siffer and others, "Anomaly detection in streams with extreme value theory", KDD 2017), in a
form that takes nine numbers a view, whatever the length of the series. For each side of the distribution it keeps

- u, the level that 2% of the numbers exceed, which moves by stochastic approximation;
- b, the mean excess of the numbers beyond u, over the last 200 of them.

A number x beyond u then has, by a generalised Pareto distribution of shape 0.2, the tail probability

    p(x) = 0.02 (1 + 0.2 (x - u) / b) ** (-1 / 0.2)

and its surprise is -log10 p(x): 1.7 at u, 3 where one number in a thousand is as far out. The shape is heavier than the
exponential tail: most telemetry has bursts, and a light tail would call each of them impossible.
"""

import math

# How many numbers of a list a view takes: how many numbers it saw, their mean and variance, and u, b and the count of
# numbers beyond u, of the high side and of the low side, whose numbers are negated.
SIZE = 9
EXCEEDED_BY = 0.02
SHAPE = 0.2
MEMORY = 4000.0
EXCESSES = 200.0
# With fewer numbers than this a view knows no tail yet, and is not surprised.
ENOUGH = 96.0
# b is at least this part of the standard deviation, so that a first excess does not make it zero.
LEAST_EXCESS = 0.02
_AT_LEVEL = -math.log10(EXCEEDED_BY)


def surprise(tails: list[float], at: int, x: float, floor: float) -> float:
    """Minus the logarithm, to base ten, of the probability of a number as far out; 0 within the usual levels.

    `tails` holds a view's numbers from index `at`. Excesses are never measured by less than `floor`.
    """
    excess = max(x - tails[at + 3], -x - tails[at + 6])
    if excess <= 0.0 or tails[at] < ENOUGH:
        return 0.0
    mean_excess = tails[at + 4] if excess == x - tails[at + 3] else tails[at + 7]
    scale = mean_excess + LEAST_EXCESS * math.sqrt(tails[at + 2]) + floor
    return _AT_LEVEL + math.log10(1.0 + SHAPE * excess / scale) / SHAPE


def learn(tails: list[float], at: int, x: float) -> None:
    """Take a number in."""
    count = min(tails[at] + 1.0, MEMORY)
    tails[at] = count
    if count == 1.0:
        tails[at + 1], tails[at + 3], tails[at + 6] = x, x, -x
        return
    weight = 1.0 / count
    change = x - tails[at + 1]
    tails[at + 1] += weight * change
    tails[at + 2] = (1.0 - weight) * (tails[at + 2] + weight * change * change)
    gain = math.sqrt(tails[at + 2]) * max(3.0 * count**-0.7, 0.02)
    _learn_side(tails, at + 3, x, gain)
    _learn_side(tails, at + 6, -x, gain)


def _learn_side(tails: list[float], at: int, x: float, gain: float) -> None:
    excess = x - tails[at]
    if excess <= 0.0:
        tails[at] -= gain * EXCEEDED_BY
        return
    beyond = min(tails[at + 2] + 1.0, EXCESSES)
    tails[at + 2] = beyond
    tails[at + 1] += (excess - tails[at + 1]) / beyond
    tails[at] += gain * (1.0 - EXCEEDED_BY)
