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


NOW = datetime(2026, 11, 18, 5, 40, tzinfo=UTC)
BY_GLUE = [
    *("--JOB_NAME", "telemetry-backfill", "--bucket", "bucket", "--database", "telemetry"),
    *("--lateness-days", "2.5", "--future-hours", "1.5", "--arrival-hours", "2"),
]


def test_a_run_of_glue_s_own_workflow_builds_the_last_hours_that_have_closed() -> None:
    assert Order.recent(BY_GLUE, NOW) == ORDER


@pytest.mark.parametrize("name", ["bucket", "database", "lateness-days", "future-hours", "arrival-hours"])
def test_an_argument_that_is_missing_is_named(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    place = BY_GLUE.index(f"--{name}")
    with pytest.raises(SystemExit):
        Order.recent([*BY_GLUE[:place], *BY_GLUE[place + 2 :]], NOW)
    assert f"--{name}" in capsys.readouterr().err


def test_no_hours_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        Order.recent([*BY_GLUE[:-1], "0"], NOW)
    assert "--arrival-hours 0: expected at least 1" in capsys.readouterr().err
