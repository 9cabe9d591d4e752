"""Firehose's transformation: each record of the stream becomes the JSON that Firehose converts to a row of Parquet.

Amazon Data Firehose developer guide, "Transform source data": a function gets a batch of records, and answers for each
by its id with `Ok` or `ProcessingFailed`; what failed goes to the error prefix under `processing-failed`. Partition
keys are `metadata.partitionKeys` ("Create partitioning keys with an AWS Lambda function").
"""

import base64
import json
import logging
import re
from typing import Any

from iot_pipeline.contract.envelope import TENANT
from iot_pipeline.contract.raw_columns import raw_columns

# Request and answer of a synchronous invocation have 6 MB each (AWS Lambda guide, "Lambda quotas"); what stands around
# the records' data takes the rest.
MAX_ANSWER_BYTES = 5_500_000
_AROUND_A_RECORD = 200
# A tenant as a folder's name: what a topic's level may hold besides could not be told from a folder.
_FOLDER = re.compile("[A-Za-z0-9_-]{1,64}")
NO_TENANT = "_none"

log = logging.getLogger(__name__)


def handle(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer for a batch of Firehose's records; no record can fail another one."""
    answers = [_answer(record) for record in event["records"]]
    size = sum(_size(answer) for answer in answers)
    # One record of the stream may be 1 MB, and its text as JSON several times that.
    for answer in sorted(answers, key=_size, reverse=True):
        if size <= MAX_ANSWER_BYTES:
            break
        size -= _size(answer) - _AROUND_A_RECORD
        log.error("record %s does not fit into an answer of Lambda: it goes to the error prefix", answer["recordId"])
        answer |= {"result": "ProcessingFailed", "data": ""}
    return {"records": answers}


def _answer(record: dict[str, Any]) -> dict[str, Any]:
    columns = raw_columns(base64.b64decode(record["data"]))
    tenant = columns.get(TENANT.name, "")
    text = json.dumps(columns, ensure_ascii=False, separators=(",", ":"))
    return {
        "recordId": record["recordId"],
        "result": "Ok",
        "data": base64.b64encode(text.encode()).decode(),
        "metadata": {"partitionKeys": {"tenant": tenant if _FOLDER.fullmatch(tenant) else NO_TENANT}},
    }


def _size(answer: dict[str, Any]) -> int:
    return len(answer["data"]) + _AROUND_A_RECORD
