"""Slow tests take turns: none is left out for ever."""

import pytest

from iot_pipeline_tests.support.turns import TURNS, is_due


@pytest.mark.parametrize("name", ["a.py::test_one", "a.py::test_two", "b.py::test_three[1]"])
def test_each_has_its_turn_once_in_so_many_days(name: str) -> None:
    for first in range(10):
        assert sum(is_due(name, first + day) for day in range(TURNS)) == 1


def test_a_day_has_its_share() -> None:
    names = [f"tests/test_some.py::test_{number}" for number in range(300)]
    for day in range(TURNS):
        assert 50 < sum(is_due(name, day) for name in names) < 150
