"""A device's state is bounded, and says after it was stored what it said before."""

import random

from iot_pipeline.alerting import detector
from iot_pipeline.alerting.lifecycle import FLAPS, Severity, Tracker
from iot_pipeline.alerting.rule_kinds import KINDS
from iot_pipeline.contract import METRICS, Reason
from iot_pipeline.contract.contract import MAX_FIRMWARE
from iot_pipeline.edge.device_state import MAX_BYTES, DeviceState, Series
from iot_pipeline.edge.evaluation import CLOCK_AHEAD, LATE, STALE
from iot_pipeline_tests.support.edge import NOON_MS

_COUNT = 10**12


def _fullest() -> DeviceState:
    """A state with all that can be in one: every metric, every reason, every alert open, warm detectors."""
    rng = random.Random(1)
    state = DeviceState("d1", "acme", "bern", "x" * MAX_FIRMWARE, window=(NOON_MS, _COUNT, _COUNT), held_by="f" * 32)
    state.newest = (NOON_MS, 2**63 - 1)
    state.counts = dict.fromkeys(("valid", *map(str, Reason), LATE, STALE, CLOCK_AHEAD), _COUNT)
    for metric in METRICS:
        value = -1 / 3
        state.series[metric.name] = Series(value, NOON_MS, NOON_MS, 2**63 - 1, NOON_MS, _COUNT, NOON_MS, _COUNT, _COUNT)
        model = state.detectors[metric.name] = detector.new_state()
        for step in range(2500):
            detector.update(model, NOON_MS + step * 300_000, rng.gauss(20, 5))
    for kind in KINDS.values():
        for metric_name in kind.metrics or ("",):
            opened = tuple(NOON_MS + each for each in range(FLAPS))
            state.trackers[f"{kind.name}:{metric_name}"] = Tracker(
                Severity.CRITICAL, NOON_MS, NOON_MS, -1 / 3, -1 / 3, True, opened, True
            )
    return state


def test_the_fullest_state_is_within_its_bound() -> None:
    state = _fullest()
    models = sum(len(detector.encode(each)) for each in state.detectors.values())
    size = len(state.encode()) + models
    print(f"\n{size:,} bytes: {models:,} of the detectors")
    assert size <= MAX_BYTES


def test_what_is_stored_is_restored() -> None:
    state = _fullest()
    assert DeviceState("d1", "acme", "bern").restore(state.encode()).encode() == state.encode()
