"""What Athena has cost on a day, workgroup by workgroup, by its own record of what was run.

Each look counts what is new. A query is counted once it has ended, with what it scanned, on the day (UTC) on which it
was submitted; one that was cancelled is billed as well (Athena pricing page).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from iot_pipeline.lake.pricing import query_cost

if TYPE_CHECKING:
    from mypy_boto3_athena import AthenaClient

DAY = timedelta(days=1)
# BatchGetQueryExecution takes as many (Athena API reference).
_AT_ONCE = 50
_ENDED = frozenset({"SUCCEEDED", "FAILED", "CANCELLED"})
_BILLED = frozenset({"SUCCEEDED", "CANCELLED"})


class SpendingError(RuntimeError):
    """Athena did not say what some queries have scanned; nothing was counted."""


@dataclass(frozen=True)
class Spent:
    """What was spent on a day (UTC, ISO 8601) by workgroup: US dollars, bytes, queries.

    `newest`: by workgroup the query up to which all were counted; `waiting`: those before it that had not ended.
    """

    day: str
    dollars: Mapping[str, float] = field(default_factory=dict)
    scanned: Mapping[str, int] = field(default_factory=dict)
    queries: Mapping[str, int] = field(default_factory=dict)
    newest: Mapping[str, str] = field(default_factory=dict)
    waiting: Sequence[str] = ()

    @property
    def total(self) -> float:
        """In US dollars."""
        return sum(self.dollars.values())

    def encode(self) -> str:
        """As JSON."""
        return json.dumps({name: getattr(self, name) for name in self.__dataclass_fields__})

    @classmethod
    def decode(cls, text: str) -> "Spent":
        """What `encode` gave."""
        return cls(**json.loads(text))


def counted(athena: "AthenaClient", workgroups: Sequence[str], before: Spent | None, now: datetime) -> Spent:
    """What has been spent on the day of `now`, by what was spent at the last look.

    Raises botocore's errors, and SpendingError if Athena leaves out queries that it was asked for.
    One call lists 50 queries, and one more looks at them; with the first look of a day all of that day are listed.
    """
    day = f"{now.astimezone(UTC):%Y-%m-%d}"
    same_day = before is not None and before.day == day
    held = before if before is not None and same_day else Spent(day)
    dollars, scanned, queries = dict(held.dollars), dict(held.scanned), dict(held.queries)
    newest = dict(held.newest)
    waiting = []
    found = [each for ids in _batches(held.waiting) for each in _described(athena, ids)]
    for group in workgroups:
        fresh = list(_since(athena, group, held.newest.get(group), day))
        found += fresh
        if fresh:
            newest[group] = fresh[0]["QueryExecutionId"]
    for query in found:
        group, state = query["WorkGroup"], query["Status"]["State"]
        if state not in _ENDED:
            waiting.append(query["QueryExecutionId"])
            continue
        size = query.get("Statistics", {}).get("DataScannedInBytes", 0)
        queries[group] = queries.get(group, 0) + 1
        scanned[group] = scanned.get(group, 0) + size
        dollars[group] = dollars.get(group, 0.0) + (query_cost(size) if state in _BILLED else 0.0)
    return Spent(day, dollars, scanned, queries, newest, waiting)


def forecast(spent: float, now: datetime, enough: float = 0.25) -> float | None:
    """What a day comes to if it goes on as it began; None before a quarter of it, when a burst says nothing."""
    moment = now.astimezone(UTC)
    passed = (moment - moment.replace(hour=0, minute=0, second=0, microsecond=0)) / DAY
    return spent / passed if passed >= enough else None


def _since(athena: "AthenaClient", workgroup: str, newest: str | None, day: str) -> Iterator[dict]:  # type: ignore[type-arg]  # botocore's answers
    """The queries of a day that were submitted after one, the newest first, as Athena lists them."""
    for page in athena.get_paginator("list_query_executions").paginate(WorkGroup=workgroup):
        ids = page["QueryExecutionIds"]
        fresh = ids[: ids.index(newest)] if newest in ids else ids
        described = {each["QueryExecutionId"]: each for each in _described(athena, fresh)}
        for name in fresh:
            query = described.get(name)
            if query is None:
                continue
            submitted = f"{query['Status']['SubmissionDateTime'].astimezone(UTC):%Y-%m-%d}"
            if submitted < day:
                return
            # A day that is over is counted to its end while the next one goes on.
            if submitted == day:
                yield query
        if len(fresh) < len(ids):
            return


def _described(athena: "AthenaClient", ids: Sequence[str]) -> list[dict]:  # type: ignore[type-arg]  # botocore's answers
    if not ids:
        return []
    answer = athena.batch_get_query_execution(QueryExecutionIds=list(ids))
    if left := answer.get("UnprocessedQueryExecutionIds"):
        raise SpendingError(
            f"Athena did not describe {len(left)} of {len(ids)} queries, the first: {left[0]}; without them the sum "
            "would be too small, so nothing is counted. The next look asks for them again"
        )
    return [dict(each) for each in answer["QueryExecutions"]]


def _batches(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (ids[i : i + _AT_ONCE] for i in range(0, len(ids), _AT_ONCE))
