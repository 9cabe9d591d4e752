"""What a day has cost: each query once, on its day."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from iot_pipeline.lake.pricing import query_cost
from iot_pipeline.lake.spending import SpendingError, Spent, counted, forecast

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
GB = 1024**3


class Athena:
    """Its list of queries, the newest first, in pages of two."""

    def __init__(self) -> None:
        self.queries: dict[str, dict[str, Any]] = {}
        self.asked = 0
        self.undescribed: set[str] = set()

    def add(self, name: str, at: datetime, scanned: int = GB, state: str = "SUCCEEDED") -> None:
        """A query that was submitted."""
        self.queries[name] = {
            "QueryExecutionId": name,
            "WorkGroup": "builds",
            "Status": {"State": state, "SubmissionDateTime": at},
            "Statistics": {"DataScannedInBytes": scanned},
        }

    def get_paginator(self, operation: str) -> "Athena":
        assert operation == "list_query_executions"
        return self

    def paginate(self, WorkGroup: str) -> Any:  # noqa: N803  # botocore's name
        assert WorkGroup == "builds"
        ids = list(reversed(self.queries))
        return ({"QueryExecutionIds": ids[i : i + 2]} for i in range(0, len(ids), 2))

    def batch_get_query_execution(self, QueryExecutionIds: list[str]) -> dict[str, Any]:  # noqa: N803  # botocore's name
        self.asked += len(QueryExecutionIds)
        left = [
            {"QueryExecutionId": name, "ErrorCode": "Busy"} for name in QueryExecutionIds if name in self.undescribed
        ]
        told = [self.queries[name] for name in QueryExecutionIds if name not in self.undescribed]
        return {"QueryExecutions": told, "UnprocessedQueryExecutionIds": left}


def _look(athena: Athena, before: Spent | None, now: datetime = NOW) -> Spent:
    found = counted(athena, ["builds"], before, now)  # type: ignore[arg-type]  # as much of a client as is asked
    return Spent.decode(found.encode())


def test_each_query_is_counted_once_when_it_has_ended() -> None:
    athena = Athena()
    athena.add("yesterday", NOW - timedelta(hours=13))
    for n in range(5):
        athena.add(f"q{n}", NOW - timedelta(minutes=10 - n))
    first = _look(athena, None)
    assert first.queries == {"builds": 5}
    assert first.total == pytest.approx(5 * query_cost(GB))
    athena.add("runs", NOW, 0, "RUNNING")
    athena.add("failed", NOW, GB, "FAILED")
    athena.add("cancelled", NOW, GB, "CANCELLED")
    asked = athena.asked
    second = _look(athena, first)
    assert athena.asked - asked == 3, "what was counted is not asked for again"
    assert (second.queries, second.waiting) == ({"builds": 7}, ["runs"])
    assert second.total == pytest.approx(6 * query_cost(GB)), "a failed query is free"
    athena.add("runs", NOW, GB)
    third = _look(athena, second)
    assert (third.queries, third.waiting) == ({"builds": 8}, [])
    assert _look(athena, third) == third


def test_a_new_day_begins_at_nothing() -> None:
    athena = Athena()
    athena.add("late", NOW)
    first = _look(athena, None)
    tomorrow = NOW + timedelta(days=1)
    found = _look(athena, first, tomorrow)
    assert (found.day, found.total, found.queries) == ("2026-11-29", 0.0, {})


def test_a_day_is_forecast_once_a_quarter_of_it_is_over() -> None:
    assert forecast(2.0, NOW) == 4.0
    assert forecast(2.0, NOW.replace(hour=5)) is None


def test_queries_that_athena_leaves_out_are_not_taken_for_none() -> None:
    athena = Athena()
    athena.add("first", NOW - timedelta(minutes=9))
    before = _look(athena, None)
    athena.add("second", NOW - timedelta(minutes=5))
    athena.undescribed = {"second"}
    with pytest.raises(SpendingError, match=r"did not describe 1 of 1 queries.*second"):
        _look(athena, before)
    athena.undescribed = set()
    assert _look(athena, before).queries == {"builds": 2}, "it is counted by the look that was told of it"
