"""What is said of a day's cost, from its first hours to the next day."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from iot_pipeline.alerting.lifecycle import Severity
from iot_pipeline.defs.dagster_internals import take_note
from iot_pipeline.defs.pipeline_alerts.budget import seen_now
from iot_pipeline.lake.spending import Spent

MORNING = datetime(2026, 11, 28, 8, tzinfo=UTC)


def _seen(dollars: float, now: datetime) -> tuple[Severity | None, str]:
    with dg.DagsterInstance.ephemeral() as instance:
        assert list(seen_now(instance, now)) == [], "nothing has been added up yet"
        spent = Spent("2026-11-28", {"builds": dollars}, {"builds": 1}, {"builds": 1})
        take_note(instance, "iot_pipeline/spent", spent.encode())
        (seen,) = seen_now(instance, now)
    return seen.observation.severity, seen.about.words if seen.about else ""


@pytest.mark.parametrize(
    ("dollars", "now", "severity", "words"),
    [
        (3.0, MORNING, Severity.CLEAR, ""),
        (4.0, MORNING, Severity.WARNING, "will cost 12.00 USD today if the day goes on so, the budget is 10.00"),
        (9.0, MORNING.replace(hour=3), Severity.CLEAR, ""),
        (10.5, MORNING.replace(hour=3), Severity.CRITICAL, "has cost 10.50 USD today, the budget is 10.00"),
        (50.0, MORNING + timedelta(days=1), Severity.CLEAR, ""),
    ],
    ids=["within", "forecast", "too early to say", "exceeded", "the next day"],
)
def test_a_day_is_told_of_when_it_is_or_will_be_too_dear(
    dollars: float, now: datetime, severity: Severity, words: str
) -> None:
    found, told = _seen(dollars, now)
    assert found is severity
    assert words in told
