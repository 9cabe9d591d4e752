"""What becomes of a batch of Kinesis records after an invocation: pure decisions, no I/O.

AWS Lambda developer guide: "Configuring partial batch response with Kinesis Data Streams and Lambda" and "Retain
discarded batch records for a Kinesis Data Streams event source in Lambda".
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from infra.local.emulator.streams.record_log import Record

# The most that a function is called with, and what a record takes of it beside its data (AWS Lambda quotas).
PAYLOAD_BYTES = 6 << 20
RECORD_BYTES = 600
RETRIES_EXHAUSTED = "RetryAttemptsExhausted"
TOO_OLD = "RecordAgeExceeded"


@dataclass(frozen=True)
class Policy:
    """An event source mapping's error handling. -1 means without limit."""

    retries: int
    record_age: int
    bisects: bool
    partial: bool

    @classmethod
    def of(cls, mapping: Any) -> "Policy":
        """Read it from ministack's record of the mapping."""

        def number(name: str) -> int:
            value = mapping.get(name)
            return -1 if value is None else int(value)

        return cls(
            number("MaximumRetryAttempts"),
            number("MaximumRecordAgeInSeconds"),
            bool(mapping.get("BisectBatchOnFunctionError")),
            "ReportBatchItemFailures" in (mapping.get("FunctionResponseTypes") or []),
        )


@dataclass(frozen=True)
class Work:
    """Records of one shard, in order, and how often they have been given to the function."""

    records: list[Any]
    invocations: int = 0


@dataclass(frozen=True)
class Outcome:
    """After an invocation: how many leading records are done, what is tried again, what is discarded."""

    done: int
    retry: tuple[Work, ...] = ()
    discarded: Work | None = None
    condition: str = ""


def fitting(records: Iterable[Record]) -> list[Record]:
    """As many of the first records as a function can be called with, and at least one."""
    found: list[Record] = []
    size = 0
    for record in records:
        size += len(record["Data"]) * 4 // 3 + RECORD_BYTES  # base64 takes a third more
        if size > PAYLOAD_BYTES and found:
            break
        found.append(record)
    return found


def expired(work: Work, policy: Policy, now: float) -> int:
    """How many leading records are older than the mapping's maximum record age."""
    if policy.record_age < 0:
        return 0
    oldest = now - policy.record_age
    return sum(1 for record in work.records if record["ApproximateArrivalTimestamp"] < oldest)


def failed_at(work: Work, response: Any, policy: Policy) -> int | None:
    """The index of the first record to try again; None when all are done.

    `response` is the function's result as ministack reports it: `error` and `body`.
    """
    if response.get("error"):
        return 0
    if not policy.partial:
        return None
    body = response.get("body")
    if isinstance(body, str | bytes):
        try:
            body = json.loads(body) if body else None
        except ValueError:
            return 0
    failures = (body or {}).get("batchItemFailures") if isinstance(body, dict | None) else None
    if not failures:
        return None
    positions = {record["SequenceNumber"]: index for index, record in enumerate(work.records)}
    indices = [positions.get(item.get("itemIdentifier")) if isinstance(item, dict) else None for item in failures]
    return 0 if None in indices else min(index for index in indices if index is not None)


def decide(work: Work, failed: int | None, policy: Policy, *, counts: bool = True) -> Outcome:
    """What to do with a batch of which record `failed` is the first that failed.

    Splitting a batch does not consume the retry quota; `counts` is false when the function was not invoked
    (throttled).
    """
    if failed is None:
        return Outcome(done=len(work.records))
    rest = work.records[failed:]
    invocations = (0 if failed else work.invocations) + int(counts)
    if policy.bisects and counts and len(rest) > 1:
        if failed:
            return Outcome(failed, (Work(rest),))
        middle = len(rest) // 2
        return Outcome(0, (Work(rest[:middle], work.invocations), Work(rest[middle:], work.invocations)))
    if 0 <= policy.retries < invocations:
        return Outcome(failed, discarded=Work(rest, invocations), condition=RETRIES_EXHAUSTED)
    return Outcome(failed, (Work(rest, invocations),))
