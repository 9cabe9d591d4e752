"""The model of one series: what its five views saw so far, and how surprising its next step would be.

The views of a step with value x:

    level      the median of x and the two steps before
    change     x less the step before
    activity   the mean of the absolute changes of the last 24 steps
    envelope   how far the level is outside what it was at this hour of the day, give or take one
    residual   the smoothed value (weight 2/13 for the newest) less its profile of the hour of day and week

Each view says how surprising its number is by itself, as -log10 of a tail probability; the step's surprise is the mean
of the two highest. So two views have to agree: one alone, which happens to be in its tail, tells little. The two that
need the profile are silent for the first day and 96 steps more, in which the other three work alone.
`detector_habit.py` then takes off what is usual at the hour of the day.
"""

import struct
from array import array

from iot_pipeline.alerting import detector_habit, detector_season, detector_tail
from iot_pipeline.alerting.detector_habit import Habit
from iot_pipeline.alerting.detector_season import Season

VIEWS = 5
ACTIVITY_STEPS = 24
SMOOTHING = 2.0 / 13.0
# A pause of this many usual intervals breaks what is said of changes.
GAP_INTERVALS = 12.0
_FORM = struct.Struct(f"<2IB7d{ACTIVITY_STEPS}f{VIEWS * detector_tail.SIZE}dq")
SIZE = _FORM.size + detector_season.SIZE + detector_habit.SIZE
_MOST_STEPS = 2**32 - 1


class Model:
    """What is known of one series. Values are kept less its first one, so that a large offset costs no precision."""

    __slots__ = (
        "age",
        "before",
        "changes",
        "habit",
        "interval",
        "newest",
        "offset",
        "older",
        "peak",
        "per_step",
        "position",
        "season",
        "smoothed",
        "steps",
        "tails",
    )

    def __init__(self, offset: float) -> None:
        self.offset = offset
        self.steps = 0
        # When the last step began, and how long steps are apart and how many readings they have, on average.
        self.before = 0
        self.interval = self.per_step = 0.0
        self.newest = self.older = self.smoothed = 0.0
        self.changes = array("f", bytes(4 * ACTIVITY_STEPS))
        self.position = 0
        self.tails = [0.0] * (VIEWS * detector_tail.SIZE)
        self.season = Season()
        self.habit = Habit()
        # The highest surprise that was said, and how many steps ago.
        self.peak = 0.0
        self.age = 0

    def news(self, at_ms: int, value: float, floor: float) -> float:
        """How surprising it is that the step that begins at a time has a value, less what is usual at its hour."""
        return self.habit.news(at_ms, self._surprise(at_ms, value, floor))

    def _surprise(self, at_ms: int, value: float, floor: float) -> float:
        floor += 1e-12 + 1e-9 * abs(self.offset)
        size, tails = detector_tail.SIZE, self.tails
        seen = [
            detector_tail.surprise(tails, i * size, x, floor)
            for i, x in enumerate(self._views(at_ms, value - self.offset))
            if x is not None
        ]
        seen.sort()
        return (seen[-1] + seen[-2]) / 2.0 if len(seen) > 1 else 0.0

    def learn(self, at_ms: int, value: float, readings: int) -> None:
        """Take in the step that began at a time, its value and of how many readings it is the mean."""
        x = value - self.offset
        views = self._views(at_ms, x)
        for i, number in enumerate(views):
            if number is not None:
                detector_tail.learn(self.tails, i * detector_tail.SIZE, number)
        level, change = views[0], views[1]
        smoothed = self._smooth(x) if change is not None else x
        self.season.learn(at_ms, x if level is None else level, smoothed)
        if change is not None:
            self.changes[self.position] = abs(change)
            self.position = (self.position + 1) % ACTIVITY_STEPS
        self._keep_pace(at_ms, readings)
        self.older = self.newest if change is not None else x
        self.newest, self.smoothed = x, smoothed
        self.before = at_ms
        self.steps = min(self.steps + 1, _MOST_STEPS)

    def _views(self, at_ms: int, x: float) -> tuple[float | None, ...]:
        if not self.steps or self._is_gap(at_ms):
            return x, None, None, self.season.outside(at_ms, x), self.season.residual(at_ms, x)
        change = x - self.newest
        level = sorted((x, self.newest, self.older))[1]
        activity = None
        if self.steps > ACTIVITY_STEPS:
            activity = (sum(self.changes) - self.changes[self.position] + abs(change)) / ACTIVITY_STEPS
        season = self.season
        return level, change, activity, season.outside(at_ms, level), season.residual(at_ms, self._smooth(x))

    def _smooth(self, x: float) -> float:
        return self.smoothed + SMOOTHING * (x - self.smoothed)

    def _is_gap(self, at_ms: int) -> bool:
        return at_ms - self.before > GAP_INTERVALS * self.interval > 0.0

    def _keep_pace(self, at_ms: int, readings: int) -> None:
        if not self.steps:
            self.per_step = float(readings)
            return
        self.per_step += (readings - self.per_step) / 16.0
        apart = float(at_ms - self.before)
        if not self.interval:
            self.interval = apart
        else:
            self.interval += (min(apart, GAP_INTERVALS * self.interval) - self.interval) / 16.0

    def encode(self) -> bytes:
        """All of it, in SIZE bytes."""
        own = _FORM.pack(
            self.steps, self.age, self.position,
            self.offset, self.interval, self.per_step, self.newest, self.older, self.smoothed, self.peak,
            *self.changes, *self.tails, self.before,
        )  # fmt: skip
        return own + self.season.encode() + self.habit.encode()

    @classmethod
    def decode(cls, data: bytes) -> "Model":
        """What `encode` gave."""
        found = _FORM.unpack_from(data)
        model = cls(found[3])
        model.steps, model.age, model.position = found[:3]
        model.interval, model.per_step, model.newest, model.older, model.smoothed, model.peak = found[4:10]
        model.changes = array("f", found[10 : 10 + ACTIVITY_STEPS])
        model.tails = list(found[10 + ACTIVITY_STEPS : -1])
        model.before = found[-1]
        model.season = Season.decode(data[_FORM.size : -detector_habit.SIZE])
        model.habit = Habit.decode(data[-detector_habit.SIZE :])
        return model
