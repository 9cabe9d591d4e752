"""The state that the sweep is measured with."""

from infra.local.bench.sweep import item_bytes, warm_state
from iot_pipeline_tests.support.edge import NOON_MS


def test_the_state_that_is_measured_is_a_warm_one_of_six_metrics() -> None:
    state = warm_state(NOON_MS)
    assert len(state.series) == len(state.detectors) == 6
    assert set(state.counts) == {"valid"}
    assert not any(tracker.severity for tracker in state.trackers.values())
    assert 6 * 1314 < item_bytes(state) < 10_240
