"""What Dagster sends to the job, and what the job makes of it."""

from datetime import UTC, datetime, timedelta

import pytest

from iot_pipeline.contract import Contract
from iot_pipeline.lake.hours import Hour
from iot_pipeline.spark.order import Order

ORDER = Order(
    "bucket",
    "telemetry",
    Contract(lateness_bound=timedelta(days=2.5), future_bound=timedelta(minutes=90)),
    (Hour(datetime(2026, 11, 18, 3, tzinfo=UTC)), Hour(datetime(2026, 11, 18, 4, tzinfo=UTC))),
)


def test_an_order_arrives_as_it_was_sent() -> None:
    assert Order.of(ORDER.extras) == ORDER


@pytest.mark.parametrize("name", ["bucket", "database", "lateness_seconds", "future_seconds", "arrival_hours"])
def test_what_is_missing_is_named(name: str) -> None:
    extras = {key: value for key, value in ORDER.extras.items() if key != name}
    with pytest.raises(ValueError, match=name):
        Order.of(extras)


def test_an_hour_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="are no year, month, day and hour"):
        Order.of({**ORDER.extras, "arrival_hours": [["2026", "11", "18", "24"]]})
