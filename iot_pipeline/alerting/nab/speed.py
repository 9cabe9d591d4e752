"""What the detector costs: time a reading, and bytes a series."""

import random
import time
from collections.abc import Callable

from iot_pipeline.alerting import detector
from iot_pipeline.alerting.detector import State

_START = 1_767_225_600_000
_MESSAGE = 25


# A reading a step, and one a second: in messages of so many.
_STEP_MS, _SECOND_MS = 300_000, 1000


def _readings(count: int, apart_ms: int) -> tuple[list[int], list[float]]:
    chance = random.Random(7)  # noqa: S311 - a measurement, no secret
    return [_START + i * apart_ms for i in range(count)], [chance.gauss(20.0, 1.0) for _ in range(count)]


def _one_by_one(state: State, times: list[int], values: list[float]) -> State:
    for at, value in zip(times, values, strict=True):
        detector.update(state, at, value)
    return state


def _messages(state: State, times: list[int], values: list[float]) -> State:
    for i in range(0, len(times), _MESSAGE):
        detector.update_many(state, times[i : i + _MESSAGE], values[i : i + _MESSAGE])
    return state


def _stored_messages(state: State, times: list[int], values: list[float]) -> State:
    for i in range(0, len(times), _MESSAGE):
        state = detector.decode(detector.encode(state))
        detector.update_many(state, times[i : i + _MESSAGE], values[i : i + _MESSAGE])
    return state


_CASES: dict[str, tuple[Callable[[State, list[int], list[float]], State], int, int]] = {
    "one reading each 5 minutes, each judged": (_one_by_one, _STEP_MS, 20_000),
    "one reading a second, one by one": (_one_by_one, _SECOND_MS, 500_000),
    f"one reading a second, {_MESSAGE} a message": (_messages, _SECOND_MS, 1_000_000),
    "the same, stored after each message": (_stored_messages, _SECOND_MS, 1_000_000),
}


def measure() -> str:
    """Lines that say the microseconds of CPU that a reading takes, and the bytes of a state."""
    lines = []
    for name, (work, apart_ms, count) in _CASES.items():
        times, values = _readings(count, apart_ms)
        began = time.process_time()
        state = work(detector.new_state(), times, values)
        lines.append(f"{name:<42} {(time.process_time() - began) / count * 1e6:8.3f} us of CPU a reading")
    lines.append(f"{'a state, at most':<42} {detector.MOST_BYTES:8} bytes, here {len(detector.encode(state))}")
    return "\n".join(lines)
