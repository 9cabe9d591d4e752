"""One browser tab that watches: what is due to it, bounded however slow it is."""

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from iot_pipeline.console.live.fleet import Device, LiveReading
from iot_pipeline.console.viewer import Viewer

# Readings of one chosen device that wait for a slow browser; beyond it the oldest give way, and are counted.
MAX_WAITING = 200
MAX_CHOSEN = 12


@dataclass(eq=False)
class Subscriber:
    """A tab's stream. `tick` is the hub's tick up to which the tab has the fleet; `missed` counts what gave way."""

    viewer: Viewer
    chosen: frozenset[str]
    tick: int = 0
    missed: int = 0
    waiting: dict[str, deque[LiveReading]] = field(default_factory=dict)
    alerts: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    def offer(self, device: Device, readings: list[LiveReading]) -> None:
        """Readings of one of its chosen devices."""
        queue = self.waiting.setdefault(device.id, deque())
        queue.extend(readings)
        while len(queue) > MAX_WAITING:
            queue.popleft()
            self.missed += 1
        self.wake.set()

    def tell(self, episode: Mapping[str, Any]) -> None:
        """An alert that has changed; the newest state of each is what a tab gets."""
        if self.viewer.sees(str(episode["tenant"])):
            self.alerts[str(episode["id"])] = episode
            self.wake.set()

    def take_waiting(self) -> dict[str, list[LiveReading]]:
        """The readings that wait, which then do no more."""
        waiting, self.waiting = self.waiting, {}
        return {device: list(readings) for device, readings in waiting.items()}

    def take_alerts(self) -> list[Mapping[str, Any]]:
        """The alerts that wait, which then do no more."""
        alerts, self.alerts = self.alerts, {}
        return list(alerts.values())
