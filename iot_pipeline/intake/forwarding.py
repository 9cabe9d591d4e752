"""Putting lines onto the platform's stream, so that a device's lines keep their order whatever call or record fails."""

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from iot_pipeline.producer.packing import fitting, packed
from iot_pipeline.producer.put import BYTES_PER_CALL, RECORDS_PER_CALL, put_once, wait_seconds


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the raw zone, its device, and the place in the batch of the record that it came in."""

    position: int
    device: str
    data: bytes


@dataclass(slots=True)
class _Lane:
    """A device's lines in their order, and from when on the first of them may be put."""

    lines: deque[Line] = field(default_factory=deque)
    failures: int = 0
    due: float = 0.0

    def settled(self, count: int, code: str | None, now: float) -> bool:
        """Note what became of so many of the first lines; whether there are some to put."""
        if code is None:
            for _ in range(count):
                self.lines.popleft()
            self.failures = 0
        else:
            self.failures += 1
            self.due = now + wait_seconds(self.failures)
        return bool(self.lines)


def forward(
    kinesis: Any,
    stream: str,
    lines: Sequence[Line],
    seconds: float,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> list[Line]:
    """Put lines; those that are still not on the stream after so many seconds, in their order.

    The first lines of a device go together, as one record in the format of the Kinesis Producer Library. A call carries
    one record of a device at most: of two, Kinesis may take the second alone (API reference, PutRecords: "A single
    record failure does not stop the processing of subsequent records"). Raises botocore's errors that another call
    would not mend.
    """
    lanes: dict[str, _Lane] = {}
    for line in lines:
        lanes.setdefault(line.device, _Lane()).lines.append(line)
    deadline = clock() + seconds
    while lanes and (now := clock()) < deadline:
        heads = _call({device: lane.lines for device, lane in lanes.items() if lane.due <= now})
        if not heads:
            sleep(min(deadline, *(lane.due for lane in lanes.values())) - now)
            continue
        entries = [packed(device, [line.data for line in together]) for device, together in heads.items()]
        for (device, together), code in zip(heads.items(), put_once(kinesis, stream, entries), strict=True):
            # To the end, behind those that have not had a turn.
            lane = lanes.pop(device)
            if lane.settled(len(together), code, clock()):
                lanes[device] = lane
    return sorted((line for lane in lanes.values() for line in lane.lines), key=lambda line: line.position)


def _call(due: Mapping[str, deque[Line]]) -> dict[str, list[Line]]:
    """The lines of a call, within its limits: the first of each device that go into one record."""
    taken: dict[str, list[Line]] = {}
    room = BYTES_PER_CALL
    for device, lines in islice(due.items(), RECORDS_PER_CALL):
        count, size = fitting(line.data for line in lines)
        room -= size + len(device.encode())
        if taken and room < 0:
            break
        taken[device] = list(islice(lines, count))
    return taken
