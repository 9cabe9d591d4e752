"""The detector: says how anomalous each reading of one series (a device's metric) is, in constant memory.

    state = new_state()
    score = update(state, at_ms, value)             # one reading
    score = update_many(state, times_ms, values)    # a message of them: the highest score
    stored = encode(state)                          # at most MOST_BYTES
    state = decode(stored)                          # goes on as if it had never been stored

A score is in [0, 1]: a tenth of -log10 of the probability that a step of this series is as unusual, so that 0.3 stands
for one step in a thousand. From ALERT_SCORE on, a reading is worth an alert. `detector_model.py` has what is unusual.

Time goes in steps of five minutes of event time. A step's value is the mean of its readings, and the model learns it
when the step is over, with the first later reading. How it is judged depends on how many readings a step usually has:

- one (a reading every five minutes or less often): each reading is judged at once, as it comes;
- several: a lone reading is noisier than a mean, so a step is judged as a whole once it is over. Its score is returned
  with the first reading of the next step, and readings within a step cost an addition.

A score is said once. For the next HOLD_STEPS steps the score is 0 unless a step is more unusual than that one was: the
first of a run of alerts says it all. `surprise_of` still tells how unusual the last judged step was.

A reading that is not newer than the last one, or not finite, changes nothing and scores 0, so that repeats and late
data are harmless. A gap is no anomaly: after it, what depends on the step before stays silent for a step, and the
profile of hours is kept. The first WARM_UP_STEPS steps score 0; the profile of hours speaks during the second day.
"""

import math
import struct
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from operator import lt

from iot_pipeline.alerting import detector_model
from iot_pipeline.alerting.detector_model import Model

# One step in a thousand is as unusual.
ALERT_SCORE = 0.3
WARM_UP_STEPS = 96
HOLD_STEPS = 144
# Values beyond this are taken for it, so that no square of theirs is infinite.
_LARGEST = 1e30
# With fewer readings in a step, on average, each is judged as it comes.
_SEVERAL = 1.5
# What the score 1 stands for: one step in 10^10 is as unusual.
FULL_SCORE = 10.0
_HEADER = struct.Struct("<B2qdId")
_VERSION = 1
MOST_BYTES = _HEADER.size + detector_model.SIZE


@dataclass(frozen=True, slots=True)
class Settings:
    """How long a step is, and the change of a value that is no news whatever the past.

    A sensor that says the same all day and then moves by its resolution is no anomaly: `resolution` should be about
    what the sensor can tell apart. 0 trusts every digit.
    """

    step_ms: int = 300_000
    resolution: float = 0.0

    def __post_init__(self) -> None:
        """Raise ValueError if a step does not divide an hour, or the resolution is negative."""
        if self.step_ms <= 0 or 3_600_000 % self.step_ms:
            raise ValueError(f"a step should divide an hour, {self.step_ms} ms does not")
        if not 0.0 <= self.resolution < math.inf:
            raise ValueError(f"the resolution should be 0 or more, not {self.resolution}")


DEFAULT = Settings()


class State:
    """One series as far as it was read: the open step, and the model, which is unpacked when a step ends."""

    __slots__ = ("count", "last_ms", "model", "packed", "step_ms", "surprise", "total")

    def __init__(self) -> None:
        # The last reading's time; when the open step began; the number and the sum of its readings.
        self.last_ms = self.step_ms = -1
        self.count = 0
        self.total = 0.0
        self.surprise = 0.0
        self.model: Model | None = None
        self.packed = b""


def new_state() -> State:
    """The state of a series before its first reading."""
    return State()


def surprise_of(state: State) -> float:
    """How unusual the step judged last was: -log10 of a probability, whether or not its score was held back."""
    return state.surprise


def update(state: State, at_ms: int, value: float, settings: Settings = DEFAULT) -> float:
    """Take a reading in and return its score, in [0, 1]. Times are in milliseconds of the epoch, from 0."""
    if at_ms <= state.last_ms or not math.isfinite(value):
        return 0.0
    value = min(max(value, -_LARGEST), _LARGEST)
    state.last_ms = at_ms
    if state.count and at_ms < state.step_ms + settings.step_ms:
        state.count += 1
        state.total += value
        return 0.0
    return _begin_step(state, at_ms, value, settings)


def update_many(state: State, times_ms: Sequence[int], values: Sequence[float], settings: Settings = DEFAULT) -> float:
    """Take readings in and return the highest of their scores: as one by one, and fast if each is newer than the last.

    Raises ValueError if there are not as many values as times.
    """
    if len(times_ms) != len(values):
        raise ValueError(f"{len(times_ms)} times and {len(values)} values")
    if not times_ms:
        return 0.0
    if state.last_ms >= times_ms[0] or not all(map(lt, times_ms, islice(times_ms, 1, None))):
        return max(map(partial(update, state, settings=settings), times_ms, values))
    score, begin, count = 0.0, 0, len(times_ms)
    while begin < count:
        # All that is in the open step at once; the reading after it closes that and opens the next.
        end = bisect_left(times_ms, state.step_ms + settings.step_ms, begin) if state.count else begin
        now, these = times_ms[begin:end], values[begin:end]
        if end == begin or not add_to_step(state, now, these, min(these), max(these), settings):
            end = begin + 1
            score = max(score, update(state, times_ms[begin], values[begin], settings))
        begin = end
    return score


def add_to_step(
    state: State,
    times_ms: Sequence[int],
    values: Sequence[float],
    lowest: float,
    highest: float,
    settings: Settings = DEFAULT,
) -> bool:
    """Take readings in, each newer than the one before, if they add to the open step and do no more.

    Their score is 0 then; otherwise nothing is taken. `lowest` and `highest` are those of the values.
    """
    if not state.count or times_ms[0] <= state.last_ms or times_ms[-1] >= state.step_ms + settings.step_ms:
        return False
    # Not `sum`, which rounds otherwise from Python 3.12 on than one addition after the other does.
    total = state.total
    for value in values:
        total += value
    if not -_LARGEST < total < _LARGEST or highest > _LARGEST or lowest < -_LARGEST:
        return False
    state.last_ms, state.total = times_ms[-1], total
    state.count += len(values)
    return True


def _begin_step(state: State, at_ms: int, value: float, settings: Settings) -> float:
    """Close the open step, if there is one, and open the one that a reading is in; the higher score of the two."""
    model = state.model
    if model is None:
        model = state.model = Model.decode(state.packed) if state.packed else Model(value)
        state.packed = b""
    closed = opened = 0.0
    if state.count:
        mean = state.total / state.count
        if model.per_step >= _SEVERAL:
            closed = _judge(state, model, state.step_ms, mean, settings)
        model.learn(state.step_ms, mean, state.count)
    state.step_ms = at_ms - at_ms % settings.step_ms
    state.count, state.total = 1, value
    if model.per_step < _SEVERAL:
        opened = _judge(state, model, state.step_ms, value, settings)
    return max(closed, opened)


def _judge(state: State, model: Model, step_ms: int, value: float, settings: Settings) -> float:
    surprise = model.news(step_ms, value, settings.resolution)
    if model.steps < WARM_UP_STEPS:
        return 0.0
    state.surprise = surprise
    model.age += 1
    if model.age > HOLD_STEPS:
        model.peak = 0.0
    if surprise <= model.peak:
        return 0.0
    model.peak, model.age = surprise, 0
    return min(surprise / FULL_SCORE, 1.0)


def encode(state: State) -> bytes:
    """The state as at most MOST_BYTES bytes, in a form that does not depend on the machine."""
    header = _HEADER.pack(_VERSION, state.last_ms, state.step_ms, state.total, state.count, state.surprise)
    return header + (state.model.encode() if state.model is not None else state.packed)


def decode(data: bytes) -> State:
    """The state that `encode` gave these bytes for. Raises ValueError if they are no such state."""
    if len(data) not in {_HEADER.size, MOST_BYTES} or data[0] != _VERSION:
        raise ValueError(f"{len(data)} bytes are no state of this version of the detector, which has {MOST_BYTES}")
    state = State()
    _, state.last_ms, state.step_ms, state.total, state.count, state.surprise = _HEADER.unpack_from(data)
    state.packed = data[_HEADER.size :]
    return state
