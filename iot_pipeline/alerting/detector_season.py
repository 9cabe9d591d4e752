"""What a series usually is at an hour of the day and of the week, in UTC.

For each hour of the day: the mean of the smoothed values, over about the last four days, and the envelope, the lowest
and the highest level, which widens at once and narrows by 15% of the difference a day. For each three hours of the
week: by how much the mean of the hour of the day is off. A profile is learned when its hour is over, so that an hour is
not compared with itself.
"""

import struct
from array import array

HOUR_MS = 3_600_000
HOURS = 24
BLOCKS = 56
_DAYS_OF_MEAN = 4
_NARROWING = 0.15
_WEEKS_OF_MEAN = 3
_FORM = struct.Struct(f"<q3d2Hd{3 * HOURS}f{HOURS}B{BLOCKS}f{BLOCKS}B")
SIZE = _FORM.size
_NONE = -1


class Season:
    """The profiles of one series, and what the hour and the three hours that are not over yet add to them."""

    __slots__ = (
        "block_count",
        "block_sum",
        "blocks",
        "count",
        "high",
        "highest",
        "hour",
        "low",
        "lowest",
        "mean",
        "seen",
        "total",
        "weeks",
    )

    def __init__(self) -> None:
        self.hour = _NONE
        self.lowest = self.highest = self.total = self.block_sum = 0.0
        self.count = self.block_count = 0
        self.mean, self.low, self.high = (array("f", bytes(4 * HOURS)) for _ in range(3))
        self.seen = bytearray(HOURS)
        self.blocks = array("f", bytes(4 * BLOCKS))
        self.weeks = bytearray(BLOCKS)

    def outside(self, at_ms: int, level: float) -> float | None:
        """How far a level is outside the envelope of its hour and the two beside it; None until all three are known."""
        hour = at_ms // HOUR_MS % HOURS
        three = (hour - 1, hour, (hour + 1) % HOURS)
        if not (self.seen[three[0]] and self.seen[hour] and self.seen[three[2]]):
            return None
        highest = max(self.high[i] for i in three)
        if level > highest:
            return level - highest
        return min(level - min(self.low[i] for i in three), 0.0)

    def residual(self, at_ms: int, smoothed: float) -> float | None:
        """By how much a smoothed value is off the means of the nearest two hours, interpolated; None if unknown."""
        daily = self._daily(at_ms, smoothed)
        return None if daily is None else daily - self.blocks[_block(at_ms)]

    def learn(self, at_ms: int, level: float, smoothed: float) -> None:
        """Take a step in; if it is the first of its hour, the hour before becomes part of the profiles."""
        hour = at_ms // HOUR_MS
        if hour != self.hour:
            self._turn(hour)
            self.lowest = self.highest = level
        self.lowest = min(self.lowest, level)
        self.highest = max(self.highest, level)
        if self.count < 0xFFFF:
            self.total += smoothed
            self.count += 1
        daily = self._daily(at_ms, smoothed)
        if daily is not None and self.block_count < 0xFFFF:
            self.block_sum += daily
            self.block_count += 1

    def _daily(self, at_ms: int, smoothed: float) -> float | None:
        hour, into = at_ms // HOUR_MS % HOURS, at_ms % HOUR_MS / HOUR_MS - 0.5
        beside = (hour + 1) % HOURS if into > 0.0 else hour - 1
        if not (self.seen[hour] and self.seen[beside]):
            return None
        part = abs(into)
        return smoothed - (1.0 - part) * self.mean[hour] - part * self.mean[beside]

    def _turn(self, hour: int) -> None:
        before, self.hour = self.hour, hour
        if before != _NONE:
            self._close_hour(before % HOURS)
            if _block(before * HOUR_MS) != _block(hour * HOUR_MS):
                self._close_block(_block(before * HOUR_MS))
        self.total, self.count = 0.0, 0

    def _close_hour(self, i: int) -> None:
        if self.seen[i]:
            self.low[i] = min(self.lowest, self.low[i] + _NARROWING * (self.lowest - self.low[i]))
            self.high[i] = max(self.highest, self.high[i] + _NARROWING * (self.highest - self.high[i]))
        else:
            self.low[i], self.high[i] = self.lowest, self.highest
        self.seen[i] = min(self.seen[i] + 1, _DAYS_OF_MEAN)
        self.mean[i] += (self.total / self.count - self.mean[i]) / self.seen[i]

    def _close_block(self, i: int) -> None:
        if self.block_count:
            # Half of a first difference is believed: an anomaly would otherwise come back as its opposite in a week.
            self.weeks[i] = min(self.weeks[i] + 1, _WEEKS_OF_MEAN)
            self.blocks[i] += (self.block_sum / self.block_count - self.blocks[i]) / (1 + self.weeks[i])
        self.block_sum, self.block_count = 0.0, 0

    def encode(self) -> bytes:
        """All of it, in SIZE bytes."""
        return _FORM.pack(
            self.hour, self.lowest, self.highest, self.total, self.count, self.block_count, self.block_sum,
            *self.mean, *self.low, *self.high, *self.seen, *self.blocks, *self.weeks,
        )  # fmt: skip

    @classmethod
    def decode(cls, data: bytes) -> "Season":
        """What `encode` gave."""
        season = cls()
        found = _FORM.unpack(data)
        season.hour, season.lowest, season.highest, season.total = found[:4]
        season.count, season.block_count, season.block_sum = found[4:7]
        daily = found[7 : 7 + 3 * HOURS]
        season.mean, season.low, season.high = (array("f", daily[i : i + HOURS]) for i in range(0, 3 * HOURS, HOURS))
        rest = found[7 + 3 * HOURS :]
        season.seen = bytearray(rest[:HOURS])
        season.blocks = array("f", rest[HOURS : HOURS + BLOCKS])
        season.weeks = bytearray(rest[HOURS + BLOCKS :])
        return season


def _block(at_ms: int) -> int:
    """Which three hours of the week; the epoch began on a Thursday, which does not matter."""
    return at_ms // (3 * HOUR_MS) % BLOCKS
