"""What the edge remembers of one device: bounded in bytes, and the same however its messages were batched.

Times are epoch milliseconds UTC, values in canonical units. The effective time of a reading is its event time, or its
arrival where the device's clock is ahead of that, so that a clock that is wrong cannot hold "latest" in the future.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from iot_pipeline.alerting import detector
from iot_pipeline.alerting.lifecycle import Tracker

# What a state of all the contract's metrics, each with its detector, and with every alert open, stays within. DynamoDB
# bills writes by the kilobyte, and holds 400 KB in an item.
MAX_BYTES = 16 * 1024


@dataclass(slots=True)
class Series:
    """One metric of a device: its latest value, and what the rules and the detector keep.

    `stuck_*`: since when, and how often, the value has been the same. `flow_*`: since when, over what observed time and
    in how many readings a flow has not been zero.
    """

    value: float
    at_ms: int
    arrival_ms: int
    seq: int
    stuck_ms: int
    stuck_readings: int = 1
    flow_since_ms: int = 0
    flow_ms: int = 0
    flow_readings: int = 0

    def encode(self) -> list[Any]:
        """As a list that JSON holds."""
        return [
            self.value,
            self.at_ms,
            self.arrival_ms,
            self.seq,
            self.stuck_ms,
            self.stuck_readings,
            self.flow_since_ms,
            self.flow_ms,
            self.flow_readings,
        ]

    @classmethod
    def decode(cls, fields: list[Any]) -> "Series":
        """What `encode` gave."""
        return cls(*fields)


@dataclass(slots=True)
class DeviceState:
    """The state of one device.

    `version` counts the writes. `sequence` is the Kinesis sequence number of the last record taken, so that a record
    delivered again changes nothing. `arrival_ms` is the latest arrival of anything. `newest`: effective time and
    sequence number of the newest reading. `counts` is by outcome, and counts `late`, `stale` and `clock_ahead` readings
    besides. `series` and `detectors` are by metric, `trackers` by rule and metric. `window`: the open window of bad
    data, its readings and the bad ones. `held_by`: the episode of the whole site that speaks for this device's silence.
    """

    device: str
    tenant: str = ""
    site: str = ""
    firmware: str | None = None
    version: int = 0
    sequence: int = 0
    arrival_ms: int = 0
    newest: tuple[int, int] = (0, 0)
    counts: dict[str, int] = field(default_factory=dict)
    series: dict[str, Series] = field(default_factory=dict)
    trackers: dict[str, Tracker] = field(default_factory=dict)
    detectors: dict[str, detector.State] = field(default_factory=dict)
    window: tuple[int, int, int] = (0, 0, 0)
    held_by: str = ""

    def encode(self) -> str:
        """All but the key, what stands beside it and the detectors, as JSON text."""
        held = {
            "firmware": self.firmware,
            "counts": self.counts,
            "series": {name: series.encode() for name, series in self.series.items()},
            "trackers": {name: t.encode() for name, t in self.trackers.items() if not t.is_idle},
            "window": self.window,
            "newest": self.newest,
            "held_by": self.held_by,
        }
        return json.dumps(held, separators=(",", ":"), sort_keys=True)

    def restore(self, text: str) -> "DeviceState":
        """Fill in what `encode` gave."""
        held: Mapping[str, Any] = json.loads(text)
        self.firmware = held["firmware"]
        self.counts = dict(held["counts"])
        self.series = {name: Series.decode(fields) for name, fields in held["series"].items()}
        self.trackers = {name: Tracker.decode(fields) for name, fields in held["trackers"].items()}
        start, readings, bad = held["window"]
        self.window = (start, readings, bad)
        at_ms, seq = held["newest"]
        self.newest = (at_ms, seq)
        self.held_by = held["held_by"]
        return self
