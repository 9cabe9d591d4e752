"""A point of a metric is what ministack's dictionary is, when it is read and when it is saved."""

import sys
from pathlib import Path
from typing import Any

import pytest
from ministack.core import persistence
from ministack.services import cloudwatch

from infra.local.emulator.metric_point import MetricPoint
from infra.local.emulator.state_file import save_state

PLAIN: dict[str, Any] = {"Timestamp": 1.5, "Value": 2.0, "Unit": "Count", "Dimensions": {"FunctionName": "f"}}


@pytest.mark.parametrize("plain", [PLAIN, {**PLAIN, "Count": 3.0}])
def test_it_is_read_as_the_dictionary_is(plain: dict[str, Any]) -> None:
    point = MetricPoint(plain)
    assert point == plain
    assert {**point} == plain
    assert len(point) == len(plain)
    for name in (*plain, "Count", "_stat", "__class__"):
        assert point.get(name, "none") == plain.get(name, "none")
    assert cloudwatch._calc_stats([point]) == cloudwatch._calc_stats([plain])
    assert 2 * sys.getsizeof(point) < sys.getsizeof(plain)


def test_a_statistic_set_is_no_point() -> None:
    with pytest.raises(ValueError, match="a point of a metric has no _stat"):
        MetricPoint({**PLAIN, "_stat": {}})


def test_it_is_saved_as_the_dictionary_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(persistence, "STATE_DIR", str(tmp_path))
    monkeypatch.setattr(persistence, "PERSIST_STATE", True)
    save_state("cloudwatch", {"metrics": {"one": [MetricPoint(PLAIN), PLAIN]}})
    assert persistence.load_state("cloudwatch") == {"metrics": {"one": [PLAIN, PLAIN]}}
