"""What repeats at the same hour each day is less and less news.

For each hour of the day, in UTC, it keeps how surprising the hour's most surprising step usually is: the mean of these
maxima, in which a new day weighs 30%. Of a new surprise, half of what is usual for its hour and the two beside it, as
far as that is beyond chance, is taken off. A job that runs each night is then alerted in its first nights alone, and a
step that is more unusual than usual still stands out.
"""

import struct
from array import array

from iot_pipeline.alerting.detector_season import HOUR_MS, HOURS

_NEW_DAY = 0.3
_TAKEN_OFF = 0.5
# The most surprising of a dozen steps has about this surprise by chance.
_BY_CHANCE = 1.2
_FORM = struct.Struct(f"<qd{HOURS}f")
SIZE = _FORM.size
_NONE = -1


class Habit:
    """The usual surprise of each hour of the day, and the most surprising step of the hour that is not over yet."""

    __slots__ = ("highest", "hour", "usual")

    def __init__(self) -> None:
        self.hour = _NONE
        self.highest = 0.0
        self.usual = array("f", bytes(4 * HOURS))

    def news(self, at_ms: int, surprise: float) -> float:
        """What is left of the surprise of a step, which is taken in."""
        hour = at_ms // HOUR_MS
        if hour != self.hour:
            if self.hour != _NONE:
                i = self.hour % HOURS
                self.usual[i] += _NEW_DAY * (self.highest - self.usual[i])
            self.hour, self.highest = hour, 0.0
        self.highest = max(self.highest, surprise)
        i = hour % HOURS
        usual = max(self.usual[i - 1], self.usual[i], self.usual[(i + 1) % HOURS])
        return max(surprise - _TAKEN_OFF * max(usual - _BY_CHANCE, 0.0), 0.0)

    def encode(self) -> bytes:
        """All of it, in SIZE bytes."""
        return _FORM.pack(self.hour, self.highest, *self.usual)

    @classmethod
    def decode(cls, data: bytes) -> "Habit":
        """What `encode` gave."""
        habit = cls()
        habit.hour, habit.highest, *usual = _FORM.unpack(data)
        habit.usual = array("f", usual)
        return habit
