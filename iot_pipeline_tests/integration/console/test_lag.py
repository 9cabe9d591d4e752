"""Who was last heard of when, for the console: what a whole week's ledger says, at a fraction of its listings."""

from datetime import UTC, datetime, timedelta

import pytest

from iot_pipeline.console.health.lag import Arrivals
from iot_pipeline.lake import statements
from iot_pipeline.lake.hours import Hour, hours_between
from iot_pipeline.lake.lake import Lake
from iot_pipeline_tests.support.messages import RawZone, Sender, line, message, reading

NOW = datetime(2026, 11, 21, 10, 40, tzinfo=UTC)


@pytest.fixture(scope="module")
def judged(lake: Lake) -> Lake:
    """Hours in which both, one or none of two sites sent."""
    _send(lake, NOW, "a")
    _send(lake, NOW - timedelta(hours=1), "a", "b")
    _send(lake, NOW - timedelta(hours=5), "a", "b", "c")
    _send(lake, NOW - timedelta(days=6), "b", "d")
    return lake


def _send(lake: Lake, at: datetime, *sites: str) -> None:
    lines = [line(message(reading(at, 1)), at, Sender(f"lag-{site}", "lag", site)) for site in sites]
    RawZone(lake.bucket).put(Hour.of(at), lines)
    lake.judge({Hour.of(at)})


def _counted(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many hours each statement reads."""
    found: list[int] = []
    real = statements.last_arrival_by_site

    def noted(hours: list[Hour]) -> str:
        found.append(len(hours))
        return real(hours)

    monkeypatch.setattr(statements, "last_arrival_by_site", noted)
    return found


def test_it_is_what_the_whole_week_says(judged: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    week = hours_between(Hour.of(NOW) + -7 * 24, Hour.of(NOW))
    rows = judged.athena.run(statements.last_arrival_by_site(week)).rows
    whole = {(tenant, site): (at.replace(tzinfo=UTC), readings) for tenant, site, at, readings in rows}
    assert {site for tenant, site in whole if tenant == "lag"} == {"a", "b", "c", "d"}
    read = _counted(judged, monkeypatch)
    arrivals = Arrivals(judged.athena)
    assert arrivals.at(NOW) == whole
    assert arrivals.at(NOW + timedelta(minutes=1)) == whole
    assert read == [7 * 24 - 2, 3, 3], "the hours before the last are read once an hour"
    _send(judged, NOW, "d")
    assert arrivals.at(NOW + timedelta(minutes=2))["lag", "d"] == (NOW, whole["lag", "d"][1] + 1)
    read.clear()
    next_hour = arrivals.at(NOW + timedelta(hours=1))
    assert next_hour["lag", "b"] == whole["lag", "b"]
    assert read == [7 * 24 - 2, 3]
