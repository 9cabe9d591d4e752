"""What Athena has cost, by day and by workgroup.

Athena's own record is counted as it grows (lake/spending.py). A day is closed once it is over: the first look after it
counts what came after the last look of it. A day on which nobody looked is not made up: it is null.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import boto3
from pydantic import BaseModel

from iot_pipeline.console.dependencies import asking
from iot_pipeline.console.health.findings import Finding, State
from iot_pipeline.console.health.shared import Look
from iot_pipeline.console.store import Store
from iot_pipeline.lake.spending import Spent, counted, forecast
from iot_pipeline.settings import deployment, policy

if TYPE_CHECKING:
    from mypy_boto3_athena import AthenaClient

DAYS = 7
_KEPT = timedelta(days=400)


class Group(BaseModel):
    """A workgroup on a day."""

    workgroup: str
    dollars: float
    scanned_bytes: int
    queries: int


class SpentDay(BaseModel):
    """A day (UTC, ISO 8601). `groups` is null where it was not counted; `closed`: nothing can be added to it."""

    day: str
    closed: bool
    dollars: float | None
    groups: list[Group] | None


class Spending(BaseModel):
    """The newest day first. `forecast_dollars`: what today comes to if it goes on so; null in its first quarter."""

    days: list[SpentDay]
    budget_dollars: float
    forecast_dollars: float | None


class Book:
    """What was counted of each day, in the console's table."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, day: str) -> tuple[Spent, bool] | None:
        """What was counted, and whether the day is closed; None if nothing was. Raises botocore's errors."""
        item = self._store.get("spending", day)
        return None if item is None else (Spent.decode(item["spent"]), bool(item["closed"]))

    def put(self, spent: Spent, *, closed: bool) -> None:
        """Keep it in place of what was kept of that day. Raises botocore's errors."""
        expires = int((datetime.fromisoformat(spent.day).replace(tzinfo=UTC) + _KEPT).timestamp())
        self._store.put("spending", spent.day, {"spent": spent.encode(), "closed": closed, "expires": expires})


def open_look(book: Book) -> Look:
    """Asks Athena for the queries since the last look."""
    groups, athena = deployment().workgroups, boto3.client("athena")
    return lambda now: look(athena, groups, book, now)


def look(athena: "AthenaClient", groups: Sequence[str], book: Book, now: datetime) -> Finding:
    """Count what is new, and tell the last days."""
    with asking("DynamoDB"):
        held = {day: book.get(day) for day in _days(now)}
    today, *past = held
    # The newest day before today of which something was counted; those before it were closed then.
    last = next((day for day in past if held[day] is not None), None)
    if last is not None and (kept := held[last]) is not None and not kept[1]:
        end = datetime.fromisoformat(last).replace(hour=23, minute=59, second=59, tzinfo=UTC)
        held[last] = (_counted(athena, groups, kept[0], end), True)
    before = held[today]
    held[today] = (_counted(athena, groups, before[0] if before else None, now), False)
    with asking("DynamoDB"):
        for day in (last, today):
            if day is not None and (kept := held[day]) is not None:
                book.put(kept[0], closed=kept[1])
    spent = held[today]
    total = spent[0].total if spent else 0.0
    coming = forecast(total, now)
    budget = policy().daily_budget_usd
    data = Spending(
        days=[_day(day, kept) for day, kept in held.items()], budget_dollars=budget, forecast_dollars=coming
    )
    words = f"{total:.2f} USD today of {budget:.2f}"
    if total > budget:
        return Finding(State.CRITICAL, words, data)
    if coming is not None and coming > budget:
        return Finding(State.WARNING, f"{words}; it will be {coming:.2f} if the day goes on so", data)
    return Finding(State.OK, words, data)


def _counted(athena: "AthenaClient", groups: Sequence[str], before: Spent | None, now: datetime) -> Spent:
    with asking("Athena"):
        return counted(athena, groups, before, now)


def _days(now: datetime) -> list[str]:
    return [f"{now.astimezone(UTC) - timedelta(days=n):%Y-%m-%d}" for n in range(DAYS)]


def _day(day: str, kept: tuple[Spent, bool] | None) -> SpentDay:
    if kept is None:
        return SpentDay(day=day, closed=False, dollars=None, groups=None)
    spent, closed = kept
    groups = [
        Group(
            workgroup=name,
            dollars=spent.dollars.get(name, 0.0),
            scanned_bytes=spent.scanned.get(name, 0),
            queries=count,
        )
        for name, count in sorted(spent.queries.items())
    ]
    return SpentDay(day=day, closed=closed, dollars=spent.total, groups=groups)
