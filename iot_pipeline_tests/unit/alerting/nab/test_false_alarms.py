"""Calm series stay calm: no kind of them is alerted more than about twice a week."""

import pytest

from iot_pipeline.alerting.nab import false_alarms


@pytest.mark.parametrize("kind", false_alarms.KINDS)
def test_a_series_in_which_nothing_happens_is_seldom_alerted(kind: str) -> None:
    assert len(false_alarms.alerts(kind, weeks=3, seed=1)) <= 9


def test_the_table_has_all_kinds() -> None:
    lines = false_alarms.measure(weeks=1, series=1).splitlines()
    assert len(lines) == 1 + len(false_alarms.KINDS)
