"""Athena's cost by day: each query on its own day, also when nobody looked at the end of it."""

from datetime import UTC, datetime, timedelta

import pytest

from iot_pipeline.console.health import spending
from iot_pipeline.console.health.findings import Finding, State
from iot_pipeline.lake.pricing import query_cost
from iot_pipeline_tests.support.console_parts import HeldStore
from iot_pipeline_tests.unit.lake.test_spending import GB, Athena

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)


def look(athena: Athena, book: spending.Book, now: datetime) -> Finding:
    return spending.look(athena, ["builds"], book, now)  # type: ignore[arg-type]  # as much of a client as is asked


def days(found: Finding) -> dict[str, tuple[bool, int | None]]:
    """By day whether it is closed, and its queries."""
    data = found.data
    assert isinstance(data, spending.Spending)
    return {
        day.day: (day.closed, None if day.groups is None else sum(group.queries for group in day.groups))
        for day in data.days
    }


def test_a_day_is_closed_by_the_first_look_of_a_later_one() -> None:
    athena, book = Athena(), spending.Book(HeldStore())
    athena.add("a", NOON - timedelta(hours=1))
    assert days(look(athena, book, NOON))["2026-11-28"] == (False, 1)
    athena.add("b", NOON + timedelta(hours=11))
    athena.add("c", NOON + timedelta(hours=13))
    found = days(look(athena, book, NOON + timedelta(hours=14)))
    assert (found["2026-11-29"], found["2026-11-28"]) == ((False, 1), (True, 2))
    athena.add("d", NOON + timedelta(hours=15))
    again = days(look(athena, book, NOON + timedelta(hours=16)))
    assert (again["2026-11-29"], again["2026-11-28"]) == ((False, 2), (True, 2))


def test_a_day_on_which_nobody_looked_is_not_made_up() -> None:
    athena, book = Athena(), spending.Book(HeldStore())
    athena.add("a", NOON - timedelta(days=2))
    look(athena, book, NOON - timedelta(days=2))
    athena.add("b", NOON - timedelta(days=1))
    found = days(look(athena, book, NOON))
    assert (found["2026-11-26"], found["2026-11-27"], found["2026-11-28"]) == ((True, 1), (False, None), (False, 0))
    assert len(found) == spending.DAYS


def test_the_budget_decides_the_state(monkeypatch: pytest.MonkeyPatch) -> None:
    athena = Athena()
    monkeypatch.setattr(spending, "policy", lambda: type("Policy", (), {"daily_budget_usd": 1.0}))
    athena.add("a", NOON - timedelta(hours=1), 120 * GB)
    assert query_cost(120 * GB) == pytest.approx(0.586, abs=0.001)
    found = look(athena, spending.Book(HeldStore()), NOON)
    assert found.state is State.WARNING
    assert "it will be 1.17 if the day goes on so" in found.sentence
    athena.add("b", NOON, 120 * GB)
    assert look(athena, spending.Book(HeldStore()), NOON).state is State.CRITICAL
