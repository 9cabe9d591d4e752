"""Putting lines onto the platform's stream, so that a device's lines keep their order whatever call or record fails."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from iot_pipeline.producer.put import BYTES_PER_CALL, RECORDS_PER_CALL, Entry, put_once, wait_seconds


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

    def settled(self, code: str | None, now: float) -> bool:
        """Note what became of the first line; whether there is one to put."""
        if code is None:
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

    A call carries one line of a device at most: of two, Kinesis may take the second alone (API reference, PutRecords:
    "A single record failure does not stop the processing of subsequent records"). Raises botocore's errors that another
    call would not mend.
    """
    lanes: dict[str, _Lane] = {}
    for line in lines:
        lanes.setdefault(line.device, _Lane()).lines.append(line)
    deadline = clock() + seconds
    while lanes and (now := clock()) < deadline:
        heads = _call([lane.lines[0] for lane in lanes.values() if lane.due <= now])
        if not heads:
            sleep(min(deadline, *(lane.due for lane in lanes.values())) - now)
            continue
        codes = put_once(kinesis, stream, [Entry(line.device, line.data) for line in heads])
        for line, code in zip(heads, codes, strict=True):
            # To the end, behind those that have not had a turn.
            lane = lanes.pop(line.device)
            if lane.settled(code, clock()):
                lanes[line.device] = lane
    return sorted((line for lane in lanes.values() for line in lane.lines), key=lambda line: line.position)


def _call(heads: Sequence[Line]) -> list[Line]:
    taken, size = [], 0
    for line in heads[:RECORDS_PER_CALL]:
        size += Entry(line.device, line.data).size
        if size > BYTES_PER_CALL:
            break
        taken.append(line)
    return taken
