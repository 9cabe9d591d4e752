"""Records that Firehose could not process or convert, as it writes them to the error prefix: a line of JSON each.

Amazon Data Firehose developer guide, "Handle failure in data transformation" and "Handle errors for data format
conversion".
"""

import base64
import json
from dataclasses import dataclass, field
from typing import Any

from infra.local.emulator.firehose.journal import Record

PROCESSING, CONVERSION = "processing-failed", "format-conversion-failed"


@dataclass(frozen=True)
class FailedRecord:
    """A record with what failed (the folder it goes to), why, after how many attempts, and the failure's own fields.

    `data` is what was handed to the step that failed.
    """

    record: Record
    data: bytes
    failure: str
    code: str
    message: str
    attempts: int = 1
    details: dict[str, Any] = field(default_factory=dict)

    def line(self, ended: float) -> bytes:
        """The line, with its newline; `ended` is when the last attempt ended, epoch seconds."""
        code, message = ("errorCode", "errorMessage") if self.failure == PROCESSING else _OF_CONVERSION
        document = {
            "attemptsMade": self.attempts,
            "arrivalTimestamp": round(self.record.arrival * 1000),
            code: self.code,
            message: self.message,
            "attemptEndingTimestamp": round(ended * 1000),
            "rawData": base64.b64encode(self.data).decode(),
            **self.details,
        }
        return json.dumps(document).encode() + b"\n"


_OF_CONVERSION = ("lastErrorCode", "lastErrorMessage")
