"""A fleet without a fault raises no alert: an hour of it with the defaults, and a day for the detector to warm up."""

from datetime import UTC, datetime

import pytest

from infra.local.bench.raw_objects import lines_of
from iot_pipeline.alerting.device_rules import RuleSet
from iot_pipeline.alerting.lifecycle import Transition
from iot_pipeline.contract.judge import Judge
from iot_pipeline.edge.device_state import DeviceState
from iot_pipeline.edge.evaluation import take
from iot_pipeline.lake.hours import Hour
from simulator.faults import choose_faults

_NONE = choose_faults("none", [])
# Cells that are nearly empty are no fault of the simulator's, and an alert that is right.
_HAS_A_CAUSE = {("range", "battery")}


@pytest.mark.parametrize(("hours", "seconds_apart", "pack"), [(1, 10, 5), (24, 120, 1)])
def test_nothing_is_raised(hours: int, seconds_apart: int, pack: int) -> None:
    readings = 200 * hours * 3600 // seconds_apart
    by_hour = lines_of(Hour(datetime(2026, 11, 20, tzinfo=UTC)), hours, readings, pack, _NONE)
    judge, rules = Judge(), RuleSet()
    states: dict[str, DeviceState] = {}
    found: list[Transition] = []
    for hour in sorted(by_hour):
        for _, line in sorted(by_hour[hour], key=lambda each: each[0]):
            judged = judge.line(line)
            device = str(judged[0].message.device_id)
            take(states.setdefault(device, DeviceState(device)), judged, rules, found.append)
    assert len(states) == 200
    assert sum(state.counts["valid"] for state in states.values()) == readings
    assert [each for each in found if (each.key.rule, each.key.metric) not in _HAS_A_CAUSE] == []
