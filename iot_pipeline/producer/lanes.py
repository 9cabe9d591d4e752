"""Which messages go into the next call: those of a device one after another, those of different devices side by side.

A device has a lane. While a record of it is in a call or waits after a failure, nothing of its lane is taken, so that
its messages reach the stream in their order, whatever call or record fails.
"""

import heapq
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from iot_pipeline.producer.packing import fitting, packed
from iot_pipeline.producer.put import BYTES_PER_CALL, RECORDS_PER_CALL, Entry, wait_seconds
from iot_pipeline.producer.spool import Message


@dataclass(slots=True)
class Parcel:
    """What one record of a call carries: messages of a device, in their order."""

    device: str
    messages: list[Message]

    def entry(self) -> Entry:
        """The record: the message itself, or an aggregate of several."""
        return packed(self.device, [message.payload for message in self.messages])


@dataclass(slots=True)
class _Lane:
    messages: deque[Message] = field(default_factory=deque)
    failures: int = 0
    busy: bool = False


class Lanes:
    """The lanes of all devices of which something is in memory. Not safe for threads: the client locks."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lanes: dict[str, _Lane] = {}
        self._ready: deque[str] = deque()
        self._waiting: list[tuple[float, str]] = []
        self.messages = 0

    def add(self, messages: Iterable[Message]) -> None:
        """Put messages at the ends of their lanes."""
        for message in messages:
            lane = self._lanes.setdefault(message.device, _Lane())
            if not lane.messages and not lane.busy:
                self._ready.append(message.device)
            lane.messages.append(message)
            self.messages += 1

    def due_in(self) -> float | None:
        """Seconds until something can be taken: 0 if it can, None if that depends on answers alone."""
        if self._ready:
            return 0.0
        return max(0.0, self._waiting[0][0] - self._clock()) if self._waiting else None

    def ready(self) -> int:
        """How many records could be taken now."""
        self._wake()
        return len(self._ready)

    def take(self) -> list[Parcel]:
        """The parcels of a call, within its limits; their lanes are busy until `done`."""
        self._wake()
        parcels: list[Parcel] = []
        size = 0
        while self._ready and len(parcels) < RECORDS_PER_CALL:
            device = self._ready[0]
            lane = self._lanes[device]
            count, wanted = fitting(message.payload for message in lane.messages)
            if parcels and size + wanted + len(device.encode()) > BYTES_PER_CALL:
                break
            size += wanted + len(device.encode())
            self._ready.popleft()
            lane.busy = True
            parcels.append(Parcel(device, [lane.messages.popleft() for _ in range(count)]))
        return parcels

    def done(self, parcel: Parcel) -> None:
        """A parcel is on the stream, or given up: its lane goes on."""
        lane = self._lanes[parcel.device]
        self.messages -= len(parcel.messages)
        lane.busy, lane.failures = False, 0
        if lane.messages:
            self._ready.append(parcel.device)
        else:
            del self._lanes[parcel.device]

    def failed(self, parcel: Parcel) -> None:
        """A parcel has to be sent again, first of its lane, after a wait that grows with each failure."""
        lane = self._lanes[parcel.device]
        lane.messages.extendleft(reversed(parcel.messages))
        lane.failures += 1
        # Busy until then: nothing of the lane overtakes it.
        heapq.heappush(self._waiting, (self._clock() + wait_seconds(lane.failures), parcel.device))

    def _wake(self) -> None:
        now = self._clock()
        while self._waiting and self._waiting[0][0] <= now:
            _at, device = heapq.heappop(self._waiting)
            self._lanes[device].busy = False
            self._ready.append(device)
