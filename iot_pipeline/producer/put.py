"""PutRecords: one call within Kinesis' limits, what became of each of its records, and how long to wait after it."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotocoreConnectionError

# Kinesis API reference, PutRecords: "Each PutRecords request can support up to 500 records. Each record in the request
# can be as large as 10 MiB, up to a limit of 10 MiB for the entire request, including partition keys."
RECORDS_PER_CALL, BYTES_PER_CALL = 500, 10 * 1024 * 1024
# Full jitter: a random time up to the doubled one (AWS Architecture Blog, "Exponential Backoff And Jitter").
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 0.1, 10.0
# What may succeed later (API reference, PutRecords, "Errors", and the error codes of its records).
_PASSING = frozenset(
    {
        "InternalFailure",
        "InternalServerError",
        "KMSThrottlingException",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestTimeout",
        "ServiceUnavailable",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
    }
)
# A call that got no answer may have put all of its records: they are put again, and are duplicates to the pipeline.
UNREACHED = "Unreached"


@dataclass(frozen=True, slots=True)
class Entry:
    """A record to put."""

    partition_key: str
    data: bytes

    @property
    def size(self) -> int:
        """What Kinesis counts of it, in bytes."""
        return len(self.partition_key.encode()) + len(self.data)


def put_once(kinesis: Any, stream: str, entries: Sequence[Entry]) -> list[str | None]:
    """Put records by one call; for each None, or the code of an error that may pass.

    Raises botocore's errors where another call would end alike, such as a missing permission or a stream that is not
    there. Then nothing was put.
    """
    records = [{"PartitionKey": entry.partition_key, "Data": entry.data} for entry in entries]
    try:
        answer = kinesis.put_records(StreamName=stream, Records=records)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code not in _PASSING:
            raise
        return [code] * len(entries)
    except (BotocoreConnectionError, HTTPClientError):
        return [UNREACHED] * len(entries)
    if not answer["FailedRecordCount"]:
        return [None] * len(entries)
    return [each.get("ErrorCode") for each in answer["Records"]]


def wait_seconds(attempt: int) -> float:
    """How long to wait after so many attempts that failed, at least one."""
    longest = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2 ** min(attempt - 1, 16))
    return random.uniform(0, longest)  # noqa: S311  spreads load; nobody gains by guessing it
