"""The fleet as it is now: each device's latest values, and its readings of the last minutes, bounded in memory."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from struct import Struct
from typing import Any

from iot_pipeline.contract import METRICS
from iot_pipeline.contract.judged_reading import VALID, Reading
from iot_pipeline.edge.device_state import DeviceState

# Readings that are kept for a device's page and for a stream that begins: in all, and of one device. They lie packed in
# one buffer a device, which has an eighth to spare: the whole stays below 25 MB.
MAX_KEPT = 300_000
MAX_KEPT_OF_DEVICE = 900
NAMES = tuple(metric.name for metric in METRICS)
_PACKED = Struct(f"<qq{len(NAMES)}d")


@dataclass(frozen=True, slots=True)
class LiveReading:
    """A valid reading: its time (epoch milliseconds UTC), its number, and its values by metric in canonical units."""

    at_ms: int
    seq: int
    values: Mapping[str, float]


@dataclass(slots=True)
class Device:
    """A device as it is now. `latest` has each metric's newest value and its effective time.

    The effective time of a reading is its event time, or its arrival where the device's clock is ahead of that. Times
    are epoch milliseconds UTC; `arrival_ms` is of the last message, whatever was in it. `changed` is the hub's tick at
    which something of this was last changed.
    """

    id: str
    tenant: str = ""
    site: str = ""
    firmware: str | None = None
    arrival_ms: int = 0
    latest: dict[str, tuple[float, int]] = field(default_factory=dict)
    changed: int = 0
    recent: bytearray = field(default_factory=bytearray)

    def readings(self) -> list[LiveReading]:
        """The readings of the last minutes by their time; one that was delivered twice is there once."""
        found = {(it.at_ms, it.seq): it for it in map(_unpacked, _PACKED.iter_unpack(bytes(self.recent)))}
        return [found[key] for key in sorted(found)]

    def keep(self, readings: Iterable[LiveReading], most: int) -> None:
        """Keep these readings too, and of all of them the last `most`."""
        for reading in readings:
            self.recent += _packed(reading)
        del self.recent[: max(0, len(self.recent) - most * _PACKED.size)]


class Fleet:
    """All devices from which something has arrived."""

    def __init__(self) -> None:
        self.devices: dict[str, Device] = {}

    def restore(self, states: Iterable[DeviceState], tick: int) -> None:
        """Begin with what the edge knows, so that a device which sends once a day is there at once."""
        for state in states:
            device = self._device(state.device)
            if state.arrival_ms <= device.arrival_ms:
                continue
            device.tenant, device.site, device.firmware = state.tenant, state.site, state.firmware
            device.arrival_ms, device.changed = state.arrival_ms, tick
            for name, series in state.series.items():
                _keep(device, name, series.value, series.at_ms)

    def take(self, readings: list[Reading], tick: int) -> tuple[Device, list[LiveReading]] | None:
        """Take one message, judged: its device and the valid readings; None if it does not say of whom it is."""
        message = readings[0].message
        if message.device_id is None:
            return None
        device = self._device(message.device_id)
        arrival_ms = message.received_ms or 0
        if arrival_ms >= device.arrival_ms:
            if device.tenant != (message.tenant or ""):
                # What it sent for its former tenant is not the new one's to see.
                device.recent.clear()
                device.latest.clear()
            device.tenant, device.site = message.tenant or "", message.site or ""
            device.arrival_ms = arrival_ms
            if message.fw is not None and not message.wrong_fw:
                device.firmware = message.fw
        device.changed = tick
        if device.tenant != (message.tenant or ""):
            # It comes late, and is of before the device was onboarded for another tenant.
            return device, []
        valid = [_live(reading) for reading in readings if reading.outcome == VALID]
        for reading in valid:
            for name, value in reading.values.items():
                _keep(device, name, value, min(reading.at_ms, arrival_ms))
        device.keep(valid, max(1, min(MAX_KEPT_OF_DEVICE, MAX_KEPT // len(self.devices))))
        return device, valid

    def _device(self, name: str) -> Device:
        if name not in self.devices:
            self.devices[name] = Device(name)
        return self.devices[name]


def _keep(device: Device, name: str, value: float, at_ms: int) -> None:
    """Nothing older moves a value backwards."""
    if name not in device.latest or at_ms >= device.latest[name][1]:
        device.latest[name] = (value, at_ms)


def _live(reading: Reading) -> LiveReading:
    if reading.event_ms is None or reading.seq is None:
        raise ValueError("a valid reading has a time and a number")
    return LiveReading(reading.event_ms, reading.seq, reading.values)


def _packed(reading: LiveReading) -> bytes:
    return _PACKED.pack(reading.at_ms, reading.seq, *(reading.values.get(name, math.nan) for name in NAMES))


def _unpacked(fields: tuple[Any, ...]) -> LiveReading:
    at_ms, seq, *values = fields
    sent = {name: value for name, value in zip(NAMES, values, strict=True) if not math.isnan(value)}
    return LiveReading(at_ms, seq, sent)
