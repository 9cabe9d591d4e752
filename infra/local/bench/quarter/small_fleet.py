"""A handful of devices, what each was told to measure, and what of it is to be found in the lake at the end."""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

import orjson

from infra.local.bench.quarter.timetable import Timetable, Trouble
from infra.local.bench.raw_objects import iot_line
from iot_pipeline.lake.hours import Hour
from simulator.fleet import Device

MINUTE = timedelta(minutes=1)
# Each device sends a message every half hour, of what it has measured since.
SLOTS = (timedelta(minutes=30), timedelta())
_A_SLOT, _IN_A_BURST = 2, 16
_PACK = 20
# Which device has a part in which trouble, by its place in the fleet.
LATE, HOT, SPOILT = 0, 1, 2
# Each so-manieth reading of the hot device is beyond what the contract takes before its change, and within it after.
_HOT_EVERY, HOT_TEMPERATURE = 12, 170.0
# Beyond the lateness bound of 30 days.
_TOO_OLD = timedelta(days=31)


class Fate(StrEnum):
    """What is to become of a reading."""

    VALID = "valid"
    HOT = "refused until the contract changes"
    REFUSED = "refused"
    LOST = "never sent"


@dataclass(frozen=True)
class Measured:
    """One reading as a device was told to make it; `temperature` is None where it is sent as a text."""

    device_id: str
    at: datetime
    seq: int
    temperature: float | None
    fate: Fate


@dataclass(frozen=True)
class Message:
    """What a device sends at once, and when the broker takes it."""

    device: Device
    received: datetime
    readings: Sequence[Measured]

    def line(self, trace: bytes) -> bytes:
        """As it lies in a raw object; `trace` are 16 bytes that tell messages apart."""
        readings = [
            {
                "ts": each.at.isoformat(timespec="milliseconds"),
                "seq": each.seq,
                "temperature": "n/a" if each.temperature is None else each.temperature,
            }
            for each in self.readings
        ]
        payload = orjson.dumps({"v": 1, "fw": self.device.fw, "readings": readings})
        return iot_line(payload, self.device, round(self.received.timestamp() * 1000), trace)


@dataclass
class SmallFleet:
    """The devices, what they have measured so far, and the messages that were delivered."""

    devices: Sequence[Device]
    timetable: Timetable
    seed: int
    measured: list[Measured] = field(default_factory=list)
    delivered: list[Message] = field(default_factory=list)
    _chance: random.Random = field(init=False)
    _seq: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    _kept: list[Measured] = field(default_factory=list)
    _held: list[Message] = field(default_factory=list)

    def __post_init__(self) -> None:
        """The same seed gives the same readings."""
        self._chance = random.Random(self.seed)  # noqa: S311  # no secret

    def deliver(self, hour: datetime) -> list[Message]:
        """What is delivered within the hour that ends at `hour` (aware), and a minute after it."""
        messages = [each for slot in SLOTS for each in self._sent(hour, hour - slot)]
        if self.timetable.is_on(Trouble.HELD, hour):
            self._held += messages
            return []
        found = [*self._held, *messages]
        self._held.clear()
        self.delivered += found
        return found

    def lines(self, messages: Sequence[Message]) -> dict[Hour, list[bytes]]:
        """By arrival hour, as Firehose's prefix has it, the lines of messages."""
        found: dict[Hour, list[bytes]] = defaultdict(list)
        for message in messages:
            found[Hour.of(message.received)].append(message.line(self._chance.randbytes(16)))
        return found

    def _sent(self, hour: datetime, slot: datetime) -> Iterator[Message]:
        """The messages of a half hour. Those of a burst are sent twice, as by a client that saw no answer."""
        is_burst = self.timetable.is_on(Trouble.BURST, hour)
        silent = _site(self.devices[-1]) if self.timetable.is_on(Trouble.SILENT_SITE, hour) else None
        for place, device in enumerate(self.devices):
            readings = self._readings(device, place, slot, is_burst=is_burst, hour=hour)
            received = slot + timedelta(milliseconds=self._chance.randint(5_000, 40_000))
            if _site(device) == silent:
                readings = [Measured(it.device_id, it.at, it.seq, it.temperature, Fate.LOST) for it in readings]
                self.measured += readings
                continue
            self.measured += readings
            if place == LATE and self.timetable.is_on(Trouble.LATE_DEVICE, hour):
                self._kept += readings
                continue
            if place == LATE and self._kept:
                yield from self._late(device, slot)
            for copy in range(1 + is_burst):
                yield Message(device, received + copy * timedelta(seconds=1), readings)

    def _readings(
        self, device: Device, place: int, slot: datetime, hour: datetime, *, is_burst: bool
    ) -> list[Measured]:
        count = _IN_A_BURST if is_burst else _A_SLOT
        apart = timedelta(minutes=28) / count
        spoilt = place == SPOILT and self.timetable.is_on(Trouble.BAD_FIRMWARE, hour)
        found = []
        for number in range(count):
            at = slot - (count - number) * apart + timedelta(milliseconds=self._chance.randint(0, 60_000))
            seq = self._next(device)
            temperature = round(self._chance.uniform(15, 25), 2)
            if spoilt:
                found.append(Measured(device.device_id, at, seq, None, Fate.REFUSED))
            elif place == HOT and seq % _HOT_EVERY == 0:
                found.append(Measured(device.device_id, at, seq, HOT_TEMPERATURE, Fate.HOT))
            else:
                found.append(Measured(device.device_id, at, seq, temperature, Fate.VALID))
        return found

    def _late(self, device: Device, slot: datetime) -> Iterator[Message]:
        """All that a device has kept, and one reading from before the lateness bound."""
        old = Measured(device.device_id, slot - _TOO_OLD, self._next(device), 20.0, Fate.REFUSED)
        self.measured.append(old)
        kept = [*self._kept, old]
        self._kept.clear()
        for first in range(0, len(kept), _PACK):
            yield Message(device, slot + timedelta(seconds=1 + first), kept[first : first + _PACK])

    def _next(self, device: Device) -> int:
        self._seq[device.device_id] += 1
        return self._seq[device.device_id]


def _site(device: Device) -> tuple[str, str]:
    return device.tenant, device.site
