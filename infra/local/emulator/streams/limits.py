"""The numbers of Kinesis Data Streams, and the errors of a request that goes beyond them.

They are those of the API's own model (botocore's `kinesis/2013-12-02/service-2.json`) and of the API reference; the
texts of the errors are AWS's where they are known (awslabs/amazon-kinesis-producer issue 680 for a record,
aws/amazon-kinesis-streams-for-fluent-bit issue 21 for a request, mhart/kinesalite for the shard count). A shard's
throughput (1 MiB and 1,000 records a second in, 2 MiB and 5 calls a second out) is not enforced.
"""

from typing import Any

from ministack.core.responses import error_response_json

KIB, MIB = 1 << 10, 1 << 20

# PutRecords: "Each PutRecords request can support up to 500 records. Each record in the request can be as large as
# 10 MiB, up to a limit of 10 MiB for the entire request, including partition keys."
RECORDS_PER_PUT, BYTES_PER_PUT = 500, 10 * MIB
# Guide, "Handle large records": "The default maximum record size ... is set to 1 MiB"; CreateStream and
# UpdateMaxRecordSize: MaxRecordSizeInKiB, 1,024 to 10,240.
SMALLEST_MAXIMUM_KIB, LARGEST_MAXIMUM_KIB = 1024, 10_240
PARTITION_KEY_CHARACTERS = 256
LARGEST_HASH_KEY = 2**128 - 1
# GetRecords: "The maximum number of records that can be returned per call is 10,000", "the maximum size of data that
# GetRecords can return is 10 MiB".
RECORDS_PER_GET, BYTES_PER_GET = 10_000, 10 * MIB
# ListShards: MaxResults, 1,000 unless said, 10,000 at the most; a NextToken expires after 300 seconds.
SHARDS_PER_PAGE, LARGEST_PAGE, TOKEN_SECONDS = 1000, 10_000, 300
# UpdateShardCount: not "more than ten times per rolling 24-hour period per stream", not "more than double" nor "below
# half your current shard count", not "more than 10000 shards in a stream".
SCALINGS_A_DAY, LARGEST_SHARD_COUNT = 10, 10_000


class RefusedRequestError(Exception):
    """A request that is answered with one of Kinesis' errors."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code

    @property
    def response(self) -> Any:
        """As a handler of ministack answers it."""
        return error_response_json(self.code, str(self), 400)


def invalid(text: str) -> RefusedRequestError:
    """A request that cannot be meant."""
    return RefusedRequestError("InvalidArgumentException", text)


def unmet(where: str, constraint: str) -> RefusedRequestError:
    """A member of a request that breaks a constraint of the API's model."""
    text = (
        f"1 validation error detected: Value at '{where}' failed to satisfy constraint: Member must have {constraint}"
    )
    return RefusedRequestError("ValidationException", text)


def at_most(value: int, most: int, where: str, *, least: int = 0) -> None:
    """Raise RefusedRequestError unless a length is within its bounds."""
    if value > most:
        raise unmet(where, f"length less than or equal to {most}")
    if value < least:
        raise unmet(where, f"length greater than or equal to {least}")


def maximum_record_bytes(stream: Any) -> int:
    """What a stream takes of one record, its partition key included."""
    return int(stream.get("MaxRecordSizeInKiB") or SMALLEST_MAXIMUM_KIB) * KIB


def maximum_record_kib(value: Any) -> int:
    """A stream's MaxRecordSizeInKiB, as a request says it. Raises RefusedRequestError."""
    if not isinstance(value, int) or not SMALLEST_MAXIMUM_KIB <= value <= LARGEST_MAXIMUM_KIB:
        bounds = f"a value from {SMALLEST_MAXIMUM_KIB} to {LARGEST_MAXIMUM_KIB}"
        raise unmet("maxRecordSizeInKiB", bounds)
    return value
