"""PutRecord and PutRecordBatch within Firehose's limits, and only to delivery streams that take them.

API reference, PutRecordBatch: "up to 500 records. Each record in the request can be as large as 1,000 KB (before
base64 encoding), up to a limit of 4 MB for the entire request"; the API's model bounds a record's data at 1,024,000
bytes. The texts are AWS's: osquery/osquery issue 3568. Its rates (5,000 records and 5 MB a second, unless raised) are
not enforced.
"""

import base64
import binascii
from collections.abc import Callable
from typing import Any

from ministack.core.responses import error_response_json
from ministack.services import firehose

RECORDS_PER_BATCH = 500
RECORD_BYTES = 1000 * 1024
BATCH_BYTES = 4 << 20
NOT_PERMITTED = "This operation is not permitted on KinesisStreamAsSource delivery stream type."

Handler = Callable[[Any], Any]


def install() -> None:
    """Check both requests before stock ministack handles them."""
    firehose._HANDLERS["PutRecord"] = _checking(
        firehose._put_record, lambda data: [data.get("Record") or {}], "record."
    )
    firehose._HANDLERS["PutRecordBatch"] = _checking(firehose._put_record_batch, lambda data: data.get("Records") or [])


def reads_a_stream(stream: Any) -> bool:
    """Whether a delivery stream has a Kinesis stream as its source, and takes no records by itself."""
    return bool(stream["type"] == "KinesisStreamAsSource")


def _checking(stock: Handler, records_of: Callable[[Any], list[Any]], where: str | None = None) -> Handler:
    def handle(data: Any) -> Any:
        return _refusal(data, records_of(data), where) or stock(data)

    return handle


def _refusal(data: Any, records: list[Any], where: str | None) -> Any:
    """The error that answers a request, None when it may go on."""
    stream = firehose._streams.get(data.get("DeliveryStreamName", ""))
    if stream is not None and reads_a_stream(stream):
        return error_response_json("InvalidArgumentException", NOT_PERMITTED, 400)
    if not 1 <= len(records) <= RECORDS_PER_BATCH:
        bound = f"less than or equal to {RECORDS_PER_BATCH}" if records else "greater than or equal to 1"
        return _unmet("records", bound)
    total = 0
    for number, record in enumerate(records, 1):
        place = where or f"records.{number}.member."
        try:
            size = len(base64.b64decode(record.get("Data") or "", validate=True))
        except (binascii.Error, TypeError, ValueError):
            return error_response_json("SerializationException", f"{place}data is not base64", 400)
        if size > RECORD_BYTES:
            return _unmet(f"{place}data", f"less than or equal to {RECORD_BYTES}")
        total += size
    if total > BATCH_BYTES:
        return error_response_json("InvalidArgumentException", "Records size exceeds 4 MB limit", 400)
    return None


def _unmet(where: str, bound: str) -> Any:
    text = (
        f"1 validation error detected: Value at '{where}' failed to satisfy constraint: Member must have length {bound}"
    )
    return error_response_json("ValidationException", text, 400)
