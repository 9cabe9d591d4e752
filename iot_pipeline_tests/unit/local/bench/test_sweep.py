"""What the edge costs a day, from the sizes of its items."""

import pytest

from infra.local.bench.edge_prices import a_day
from infra.local.bench.sweep import item_bytes, warm_state
from iot_pipeline_tests.support.edge import NOON_MS


def test_a_write_is_billed_by_the_begun_kilobyte() -> None:
    lines = {line.what: line for line in a_day(10_000, 8_500)}
    written = lines["DynamoDB: a write of each state a message"]
    assert written.units == 10_000 * 1440 * 9
    assert written.dollars == pytest.approx(written.units * 0.625 / 1_000_000)
    scanned = lines["DynamoDB: the sweep's scan each minute"]
    assert scanned.units == pytest.approx(1440 * 10_000 * 8_500 / 8192)


def test_every_price_has_a_unit_and_a_source() -> None:
    assert all(line.price.unit and line.price.source and line.dollars > 0 for line in a_day(10_000, 8_500))


def test_the_state_that_is_measured_is_a_warm_one_of_six_metrics() -> None:
    state = warm_state(NOON_MS)
    assert len(state.series) == len(state.detectors) == 6
    assert set(state.counts) == {"valid"}
    assert not any(tracker.severity for tracker in state.trackers.values())
    assert 6 * 1314 < item_bytes(state) < 10_240
