"""When each device takes a reading and when it sends a message: live, or a backlog of past hours."""

import math
from dataclasses import dataclass

from iot_pipeline.contract import CONTRACT

# A slow fleet does not wait for full packs: every device reports at least this often.
LINGER_MS = 5_000
# Readings that the generator makes at once: enough to vectorise, few enough not to hold up the network.
_BATCH_READINGS = 4_000
# Nor does a live fleet look further ahead than this, unless a single message takes longer.
_BATCH_MS = 1_000
MAX_PACK = 500
_DAY_MS = 86_400_000
# Late readings are up to 25 days old at the plan's end, those of the future at least 7 days ahead of it; the contract's
# bounds are 30 days and an hour.
MAX_AGE_DAYS = 4


@dataclass(frozen=True)
class Plan:
    """A rectangular plan: every device takes `readings` readings, one each `step_ms`, `pack` to a message.

    Reading k of device d is due at start_ms + (k + d / devices) * step_ms (epoch milliseconds, UTC). A paced plan sends
    a message when its last reading is due; the other kind as fast as the broker acknowledges.
    """

    devices: int
    start_ms: int
    step_ms: float
    readings: int
    pack: int
    paced: bool

    @property
    def messages(self) -> int:
        """Messages of one device; the last may be shorter."""
        return math.ceil(self.readings / self.pack)

    @property
    def total_readings(self) -> int:
        """Readings of the fleet, before faults add or remove some."""
        return self.readings * self.devices

    @property
    def end_ms(self) -> int:
        """When the last reading is due, epoch milliseconds."""
        return self.start_ms + math.ceil(self.readings * self.step_ms)

    @property
    def batch_messages(self) -> int:
        """Messages of each device that are generated at once."""
        many = _BATCH_READINGS // (self.pack * self.devices)
        if self.paced:
            many = min(many, int(_BATCH_MS / (self.pack * self.step_ms)))
        return max(1, many)

    def timely(self, now_ms: int) -> bool:
        """Whether its readings, however late or in the future, meet the fate at `now_ms` that they were made for."""
        earliest = now_ms - round(CONTRACT.lateness_bound.total_seconds() * 1000) + _DAY_MS
        return self.start_ms >= earliest and now_ms - MAX_AGE_DAYS * _DAY_MS <= self.end_ms <= now_ms

    @property
    def batches(self) -> int:
        """In how many batches the plan is generated."""
        return math.ceil(self.messages / self.batch_messages)

    def batch_range(self, batch: int) -> tuple[int, int]:
        """The readings of each device, first and one past the last, in a batch."""
        size = self.batch_messages * self.pack
        return batch * size, min(self.readings, (batch + 1) * size)


def live_plan(devices: int, rate: float, duration_s: float, pack: int, start_ms: int) -> Plan:
    """`rate` readings a second over the whole fleet for `duration_s` seconds from `start_ms` on.

    Packs shrink where a full one would keep a device silent for longer than LINGER_MS. Raises ValueError when some
    device would have nothing to send.
    """
    readings = round(rate * duration_s / devices)
    if readings < 1:
        raise ValueError(
            f"{rate:g} readings/s for {duration_s:g} s is less than one reading for each of {devices} devices; "
            "raise --rate or --duration, or lower --devices"
        )
    step_ms = 1000 * devices / rate
    pack = max(1, min(_checked(pack), int(LINGER_MS / step_ms)))
    return Plan(devices, start_ms, step_ms, readings, pack, paced=True)


def history_plan(devices: int, readings: int, hours: float, pack: int, until_ms: int) -> Plan:
    """`readings` readings, rounded up to the same number for each device, evenly over the `hours` before `until_ms`."""
    each = math.ceil(readings / devices)
    span_ms = round(hours * 3_600_000)
    return Plan(devices, until_ms - span_ms, span_ms / each, each, _checked(pack), paced=False)


def _checked(pack: int) -> int:
    if not 1 <= pack <= MAX_PACK:
        raise ValueError(f"--pack {pack}: a message carries 1 to {MAX_PACK} readings (AWS IoT Core takes 128 KB)")
    return pack
