"""Which arrival hours an event hour's plan asks the ledger about."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iot_pipeline.contract import CONTRACT
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.plan import may_touch

FIRST = Hour(datetime(2026, 11, 1, tzinfo=UTC))


@given(st.sets(st.integers(0, 1000), max_size=4) | st.integers(1, 30).map(lambda n: set(range(n))))
def test_hours_together_may_be_touched_by_what_may_touch_each(numbers: set[int]) -> None:
    hours = [FIRST + number for number in numbers]
    assert may_touch(CONTRACT, hours) == {arrival for hour in hours for arrival in may_touch(CONTRACT, [hour])}


@pytest.mark.parametrize(
    ("arrived_after", "is_asked"),
    [
        (-CONTRACT.future_bound, True),
        (-CONTRACT.future_bound - timedelta(hours=1), False),
        (CONTRACT.lateness_bound, True),
        (CONTRACT.lateness_bound + timedelta(hours=1), True),
        (CONTRACT.lateness_bound + timedelta(hours=2), False),
    ],
)
def test_a_reading_within_the_bounds_on_event_time_is_asked_about(arrived_after: timedelta, is_asked: bool) -> None:
    arrival = Hour.of(FIRST.start + arrived_after)
    assert (arrival in may_touch(CONTRACT, [FIRST])) is is_asked
