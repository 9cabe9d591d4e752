"""What is live, fanned out to all tabs: the fleet, its alerts, rates, and what cannot be read.

Everything here runs in the event loop. The readers' threads hand over by `call_soon_threadsafe`.
"""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from iot_pipeline.alerting.table import PIPELINE
from iot_pipeline.console.live.fleet import NAMES, Device, Fleet, LiveReading
from iot_pipeline.console.live.shards import Batch
from iot_pipeline.console.live.subscriber import Subscriber
from iot_pipeline.console.viewer import Viewer
from iot_pipeline.contract import METRICS
from iot_pipeline.contract.judge import Judge
from iot_pipeline.contract.judged_reading import VALID
from iot_pipeline.edge.device_state import DeviceState

TICK_SECONDS = 1.0


class Hub:
    """The state that all tabs share, and the tabs. `trouble` has a sentence for each source that cannot be read."""

    def __init__(self, judge: Judge) -> None:
        self.fleet = Fleet()
        self.alerts: dict[str, Mapping[str, Any]] = {}
        self.trouble: dict[str, str] = {}
        self.behind_ms: dict[str, int] = {}
        self.closing = False
        self._judge = judge
        self._tick = 1
        self._subscribers: set[Subscriber] = set()
        self._counts: Counter[tuple[str, str]] = Counter()
        self._rates: Counter[tuple[str, str]] = Counter()
        self._frames: dict[tuple[str | None, int], str] = {}

    def take(self, batch: Batch) -> None:
        """Records of the stream: judged as the lake will judge them."""
        self.behind_ms[batch.shard] = batch.behind_ms
        for line in batch.lines:
            readings = self._judge.line(line.rstrip(b"\n"))
            tenant = readings[0].message.tenant or ""
            self._counts[tenant, "messages"] += 1
            self._counts[tenant, "readings"] += len(readings)
            self._counts[tenant, "refused"] += sum(1 for reading in readings if reading.outcome != VALID)
            taken = self.fleet.take(readings, self._tick)
            if taken is not None:
                self._offer(*taken)

    def _offer(self, device: Device, readings: list[LiveReading]) -> None:
        if not readings:
            return
        for subscriber in self._subscribers:
            if device.id in subscriber.chosen and subscriber.viewer.sees(device.tenant):
                subscriber.offer(device, readings)

    def restore(self, states: Iterable[DeviceState]) -> None:
        """The fleet as the edge knows it, for those of which the stream has not told anything newer."""
        self.fleet.restore(states, self._tick)

    def take_alerts(self, episodes: Iterable[Mapping[str, Any]]) -> None:
        """Episodes that have changed."""
        for episode in episodes:
            if episode["status"] == "resolved":
                self.alerts.pop(episode["id"], None)
            else:
                self.alerts[episode["id"]] = episode
            for subscriber in self._subscribers:
                subscriber.tell(episode)

    def note_trouble(self, source: str, what: str | None) -> None:
        """What of the sources cannot be read, or can be again."""
        if what is None:
            self.trouble.pop(source, None)
        else:
            self.trouble[source] = what

    async def run(self) -> None:
        """Once a second everybody is told what has changed, until the hub is closed."""
        while not self.closing:
            await asyncio.sleep(TICK_SECONDS)
            self.beat()

    def beat(self) -> None:
        """End a tick: rates are of this one, and what comes now belongs to the next."""
        self._rates, self._counts = self._counts, Counter()
        self._frames.clear()
        self._tick += 1
        for subscriber in self._subscribers:
            subscriber.wake.set()

    def close(self) -> None:
        """Every stream ends; the browsers connect again by themselves, to whichever service is there."""
        self.closing = True
        for subscriber in self._subscribers:
            subscriber.wake.set()

    def join(self, subscriber: Subscriber) -> dict[str, Any]:
        """A tab comes: everything it is to show from now on, after which it gets what changes."""
        self._subscribers.add(subscriber)
        viewer = subscriber.viewer
        subscriber.tick = self._tick - 1
        devices = [device for device in self.fleet.devices.values() if viewer.sees(device.tenant)]
        return {
            "now_ms": int(time.time() * 1000),
            "metrics": [{"name": metric.name, "unit": metric.unit} for metric in METRICS],
            "devices": [device_row(device) for device in devices],
            "alerts": [alert_row(each) for each in self.alerts.values() if viewer.sees(str(each["tenant"]))],
            "readings": {
                device.id: [reading_row(reading) for reading in device.readings()]
                for device in devices
                if device.id in subscriber.chosen
            },
            "status": self.status(subscriber),
        }

    def leave(self, subscriber: Subscriber) -> None:
        """A tab has gone."""
        self._subscribers.discard(subscriber)

    def recent(self, device: str, viewer: Viewer) -> list[LiveReading]:
        """The readings of a device in the last minutes; none of a device that the viewer does not see."""
        found = self.fleet.devices.get(device)
        return found.readings() if found is not None and viewer.sees(found.tenant) else []

    def fleet_frame(self, subscriber: Subscriber) -> str | None:
        """The devices that changed since this tab was told last, as JSON, encoded once for all tabs that are due the
        same; None if it was told in this tick already.
        """
        since, done = subscriber.tick, self._tick - 1
        if since >= done:
            return None
        subscriber.tick = done
        key = (subscriber.viewer.tenant, since)
        if key not in self._frames:
            rows = [
                device_row(device)
                for device in self.fleet.devices.values()
                if since < device.changed <= done and subscriber.viewer.sees(device.tenant)
            ]
            self._frames[key] = json.dumps(rows, separators=(",", ":"))
        return self._frames[key]

    def status(self, subscriber: Subscriber) -> dict[str, Any]:
        """The last second's rates as far as the viewer sees them, how far behind this is, and what is in trouble."""
        rates: Counter[str] = Counter()
        for (tenant, what), number in self._rates.items():
            if subscriber.viewer.sees(tenant):
                rates[what] += number
        return {
            "now_ms": int(time.time() * 1000),
            **{what: rates[what] for what in ("messages", "readings", "refused")},
            "missed": subscriber.missed,
            "behind_ms": max(self.behind_ms.values(), default=0),
            "trouble": sorted(self.trouble) if subscriber.viewer.tenant else sorted(self.trouble.values()),
        }


def device_row(device: Device) -> list[Any]:
    """A device as browsers get it: id, tenant, site, firmware, last arrival, and each metric's value and time."""
    latest = [device.latest.get(name) for name in NAMES]
    return [device.id, device.tenant, device.site, device.firmware, device.arrival_ms, latest]


def reading_row(reading: LiveReading) -> list[Any]:
    """A reading as browsers get it: time, number as text (JavaScript's numbers are too short), and values by metric."""
    return [reading.at_ms, str(reading.seq), [reading.values.get(name) for name in NAMES]]


_OF_ALERT = (
    "id",
    "rule",
    "metric",
    "tenant",
    "site",
    "device",
    "severity",
    "status",
    "flapping",
    "opened_ms",
    "resolved_ms",
    "value",
    "limit",
    "worst",
    "parent",
    "about",
    "text",
    "acknowledged_by",
    "acknowledged_ms",
    "acknowledged_reason",
)


def alert_row(episode: Mapping[str, Any]) -> dict[str, Any]:
    """An alert as browsers get it."""
    row = {name: episode[name] for name in _OF_ALERT if episode.get(name) is not None}
    if row["tenant"] == PIPELINE:
        row["tenant"] = ""
    return row
