"""The time box of a run: the order of a day, and what is left when it is spent."""

import time
from pathlib import Path

import pytest

from iot_pipeline_tests.support import time_box
from iot_pipeline_tests.support.time_box import TURNS, in_turn, skip_what_is_left

OTHERS = [f"integration/test_{number}.py" for number in range(10)]
MODULES = ["e2e/test_flow.py", "e2e/test_ui.py", *OTHERS, "unit/test_a.py", "unit/lake/test_b.py"]


def test_what_is_always_run_comes_first() -> None:
    for day in range(TURNS):
        order = in_turn(MODULES, day)
        assert order[:3] == ["e2e/test_flow.py", "unit/test_a.py", "unit/lake/test_b.py"]
        assert sorted(order) == sorted(MODULES)


@pytest.mark.parametrize("module", ["e2e/test_ui.py", *OTHERS])
def test_each_module_comes_early_on_some_day(module: str) -> None:
    circle = len(MODULES) - 3
    assert any(in_turn(MODULES, day)[3:].index(module) <= circle // TURNS for day in range(TURNS))


def _spent(monkeypatch: pytest.MonkeyPatch, minutes: str) -> None:
    monkeypatch.setenv(time_box.MINUTES, minutes)
    monkeypatch.setenv(time_box._BEGAN, str(time.time() - 3600))


def test_what_is_left_when_it_is_spent_is_skipped_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    _spent(monkeypatch, "59")
    with pytest.raises(pytest.skip.Exception, match=r"59 minutes \(IOT_TEST_MINUTES"):
        skip_what_is_left("integration/test_1.py")
    skip_what_is_left("unit/test_a.py")


@pytest.mark.parametrize("minutes", ["61", "0"])
def test_within_it_and_without_an_end_all_is_run(minutes: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _spent(monkeypatch, minutes)
    skip_what_is_left("integration/test_1.py")


def test_a_long_test_is_begun_only_if_its_own_time_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    _spent(monkeypatch, "67")
    with pytest.raises(pytest.skip.Exception, match="67 minutes"):
        skip_what_is_left("integration/images/test_dagster.py")
    skip_what_is_left("integration/test_1.py")
    _spent(monkeypatch, "69")
    skip_what_is_left("integration/images/test_dagster.py")


def test_the_long_tests_are_there() -> None:
    tests = Path(time_box.__file__).parents[1]
    assert [prefix for prefix in time_box._LONG if not (tests / prefix).exists()] == []
