"""Putting lines onto the platform's stream, so that a device's lines keep their order whatever call or record fails."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from iot_pipeline.producer.put import BYTES_PER_CALL, RECORDS_PER_CALL, Entry, put_once, wait_seconds


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the raw zone, its device, and the place in the batch of the record that it came in."""

    position: int
    device: str
    data: bytes


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
    lanes: dict[str, deque[Line]] = {}
    for line in lines:
        lanes.setdefault(line.device, deque()).append(line)
    deadline, attempt = clock() + seconds, 0
    while lanes:
        heads = _call([lane[0] for lane in lanes.values()])
        codes = put_once(kinesis, stream, [Entry(line.device, line.data) for line in heads])
        for line, code in zip(heads, codes, strict=True):
            lane = lanes.pop(line.device)
            if code is None:
                lane.popleft()
            if lane:
                # Behind those that have not had a turn.
                lanes[line.device] = lane
        attempt = attempt + 1 if any(codes) else 0
        if attempt:
            if clock() >= deadline:
                break
            sleep(wait_seconds(attempt))
    return sorted((line for lane in lanes.values() for line in lane), key=lambda line: line.position)


def _call(heads: Sequence[Line]) -> list[Line]:
    taken, size = [], 0
    for line in heads[:RECORDS_PER_CALL]:
        size += Entry(line.device, line.data).size
        if size > BYTES_PER_CALL:
            break
        taken.append(line)
    return taken
