"""Publishes what the outbox holds over one connection a device, all on one event loop, and notes every answer.

A message is in the outbox before it is sent, and marked as sent before it is handed over; a lost connection puts what
it left unanswered back in front of its device's queue, so the broker receives a device's messages in order, some twice.
"""

import asyncio
import time
from collections import deque
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from simulator.connection import Connection, Endpoint, tls_context
from simulator.keys import Credentials
from simulator.outbox import REJECTED, Outbox, Pending

# AWS IoT Core allows 100 unacknowledged messages from a client (AWS IoT Core quotas, "Message broker").
DEVICE_WINDOW = 20
TICK_S = 0.01
_BACKOFF_FIRST_S, _BACKOFF_MAX_S = 0.25, 30.0
_CONNECTING_AT_ONCE = 4


def now_ms() -> int:
    """Now, epoch milliseconds UTC."""
    return time.time_ns() // 1_000_000


@dataclass
class Counts:
    """Progress of the publisher, in messages."""

    acknowledged: int = 0
    rejected: int = 0
    again: int = 0
    connections: int = 0
    failed_connections: int = 0


@dataclass
class _Device:
    connection: Connection
    queue: deque[Pending] = field(default_factory=deque)
    inflight: dict[int, Pending] = field(default_factory=dict)
    backoff_s: float = _BACKOFF_FIRST_S


class Publisher:
    """The connections of a fleet. Use as an async context manager: entering starts connecting, leaving closes all."""

    def __init__(
        self, outbox: Outbox, endpoint: Endpoint, devices: dict[str, Credentials], window: int = 1000, seed: int = 1
    ) -> None:
        """Prepare a connection for each device (by id). `window` bounds the unanswered messages of the fleet."""
        self._outbox, self._window = outbox, window
        self._devices = {
            device_id: _Device(Connection(device_id, endpoint, tls_context(endpoint, files)))
            for device_id, files in devices.items()
        }
        self._rng = np.random.default_rng([seed, 5])
        self._threads = ThreadPoolExecutor(_CONNECTING_AT_ONCE)
        self._tasks: list[asyncio.Task[None]] = []
        self._inflight = 0
        self._tried: set[int] = set()
        self._settled: list[tuple[int, int, int]] = []
        self.counts = Counts()
        self.queued = 0

    async def __aenter__(self) -> "Publisher":
        """Start connecting every device."""
        for device_id, device in self._devices.items():
            device.connection.on_answer = partial(self._answer, device)
            self._tasks.append(asyncio.create_task(self._stay_connected(device), name=device_id))
        self._tasks.append(asyncio.create_task(self._keep_alive(), name="keep-alive"))
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Close all connections and note the last answers."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for device in self._devices.values():
            device.connection.close()
        self._threads.shutdown(cancel_futures=True)
        self._note([])

    @property
    def unanswered(self) -> int:
        """Messages queued or on their way."""
        return self.queued + self._inflight

    @property
    def overdue(self) -> bool:
        """Whether a message is on its way, or waits though its time has come."""
        now = now_ms()
        return self._inflight > 0 or any(d.queue and d.queue[0].due_ms <= now for d in self._devices.values())

    @property
    def connected(self) -> int:
        """Devices that are connected."""
        return sum(device.connection.connected for device in self._devices.values())

    @property
    def errors(self) -> dict[str, str]:
        """The last error of each device that is not connected and had one."""
        return {
            device_id: device.connection.error
            for device_id, device in self._devices.items()
            if device.connection.error and not device.connection.connected
        }

    def enqueue(self, messages: Iterable[Pending]) -> None:
        """Queue messages of the outbox, in publish order. Raises KeyError for a device without a connection."""
        for message in messages:
            self._devices[message.device_id].queue.append(message)
            self.queued += 1
            if message.sent_ms is not None:
                self._tried.add(message.id)

    def check(self) -> None:
        """Raise what a background task raised."""
        for task in self._tasks:
            if task.done() and not task.cancelled() and (error := task.exception()):
                raise error

    def pump(self) -> None:
        """Note the answers so far, then send what is due and fits the windows. Raises what a background task raised."""
        self.check()
        now = now_ms()
        to_send: list[tuple[_Device, Pending]] = []
        room = self._window - self._inflight
        for device in self._devices.values():
            if not device.queue or not device.connection.connected:
                continue
            free = min(room, DEVICE_WINDOW - len(device.inflight))
            while free > 0 and device.queue and device.queue[0].due_ms <= now:
                to_send.append((device, device.queue.popleft()))
                free -= 1
                room -= 1
        self.queued -= len(to_send)
        self._note([message for _, message in to_send])
        unsent = [pair for pair in to_send if not self._send(*pair)]
        for device, message in reversed(unsent):
            device.queue.appendleft(message)
        self.queued += len(unsent)

    def _send(self, device: _Device, message: Pending) -> bool:
        mid = device.connection.publish(message.topic, message.payload) if device.connection.connected else None
        self._tried.add(message.id)
        if mid is None:
            return False
        device.inflight[mid] = message
        self._inflight += 1
        return True

    def _note(self, sending: list[Pending]) -> None:
        settled, self._settled = self._settled, []
        now = now_ms()
        self.counts.again += sum(message.id in self._tried for message in sending)
        if sending or settled:
            self._outbox.record([(now, message.id) for message in sending], settled)

    def _answer(self, device: _Device, mid: int, reason: int) -> None:
        message = device.inflight.pop(mid, None)
        if message is None:
            return
        self._inflight -= 1
        self._tried.discard(message.id)
        self._settled.append((now_ms(), reason, message.id))
        device.backoff_s = _BACKOFF_FIRST_S
        if reason < REJECTED:
            self.counts.acknowledged += 1
        else:
            self.counts.rejected += 1

    async def _stay_connected(self, device: _Device) -> None:
        connection = device.connection
        while True:
            try:
                await connection.connect(self._threads)
                self.counts.connections += 1
                await connection.wait_lost()
            except OSError as error:  # refused, unreachable, TLS: the next attempt may succeed
                self.counts.failed_connections += 1
                connection.error = f"{type(error).__name__}: {error}"
            connection.close()
            unanswered = sorted(device.inflight.values(), key=lambda message: message.id)
            device.inflight.clear()
            self._inflight -= len(unanswered)
            self.queued += len(unanswered)
            device.queue.extendleft(reversed(unanswered))
            # Full jitter: devices that lost the same broker do not come back at the same moment.
            await asyncio.sleep(device.backoff_s * float(self._rng.uniform(0.3, 1)))
            device.backoff_s = min(_BACKOFF_MAX_S, device.backoff_s * 2)

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(1)
            for device in self._devices.values():
                device.connection.keep_alive()
