"""Firehose's transformation of records by a Lambda function, under the delivery stream's role.

Amazon Data Firehose developer guide, "Transform source data": the function is handed batches up to a size, is asked
again as often as the processor says, and answers for each record by its id. Stock ministack passes records on as they
are where the function fails.
"""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ministack.core.responses import get_region, new_uuid
from ministack.services import lambda_svc

from infra.local.emulator.authorisation.service_roles import ServiceRole
from infra.local.emulator.firehose.delivery_permissions import FIREHOSE
from infra.local.emulator.firehose.failed_records import PROCESSING, FailedRecord
from infra.local.emulator.firehose.journal import Record

MEBIBYTE = 1 << 20
# What the local AWS says of a function that fails: AWS's own codes are not documented one by one.
_FUNCTION, _RECORD, _STATUS = "Lambda.FunctionError", "Lambda.MissingRecordId", "Lambda.ProcessingFailedStatus"


@dataclass(frozen=True)
class Transformed:
    """A record as it is to be delivered, and the partition keys that the function gave it."""

    record: Record
    data: bytes
    partition_keys: dict[str, str] = field(default_factory=dict)


def lambda_parameters(config: Any) -> dict[str, str] | None:
    """The parameters of a destination's Lambda processor, None without one."""
    processing = config.get("ProcessingConfiguration") or {}
    for processor in (processing.get("Processors") or []) if processing.get("Enabled") else []:
        if processor["Type"] == "Lambda":
            return {p["ParameterName"]: str(p["ParameterValue"]) for p in processor.get("Parameters") or []}
    return None


def transform(stream: Any, config: Any, records: Sequence[Record]) -> Iterator[Transformed | FailedRecord]:
    """The records as the function gives them back, without those that it dropped; as they are without a function."""
    parameters = lambda_parameters(config)
    if parameters is None:
        yield from (Transformed(record, record.data) for record in records)
        return
    role = ServiceRole(config["RoleARN"], FIREHOSE, stream["arn"])
    for name in ("InvokeFunction", "GetFunctionConfiguration"):
        role.check(f"lambda:{name}", parameters["LambdaArn"])
    limit = float(parameters.get("BufferSizeInMBs", "1")) * MEBIBYTE
    for batch in _batches(records, limit):
        yield from _handed_over(stream, parameters, batch)


def _batches(records: Sequence[Record], limit: float) -> Iterator[list[Record]]:
    batch: list[Record] = []
    size = 0
    for record in records:
        if batch and size + len(record.data) > limit:
            yield batch
            batch, size = [], 0
        batch.append(record)
        size += len(record.data)
    if batch:
        yield batch


def _handed_over(stream: Any, parameters: Any, batch: list[Record]) -> Iterator[Transformed | FailedRecord]:
    arn = parameters["LambdaArn"]
    attempts = 1 + int(parameters.get("NumberOfRetries", "3"))
    answer: Any = {}
    for _ in range(attempts):
        answer = _invoke(stream, arn, batch)
        if not answer.get("error") and isinstance(answer.get("body"), dict):
            break
    details = {"lambdaArn": arn}
    if answer.get("error") or not isinstance(answer.get("body"), dict):
        why = str((answer.get("body") or {}).get("errorMessage", "the answer is no object"))
        for record in batch:
            yield FailedRecord(record, record.data, PROCESSING, _FUNCTION, why, attempts, details)
        return
    found = {each.get("recordId"): each for each in answer["body"].get("records", [])}
    for number, record in enumerate(batch):
        each = found.get(str(number))
        if each is None:
            why = "the function gave no record of this id back"
            yield FailedRecord(record, record.data, PROCESSING, _RECORD, why, details=details)
        elif each["result"] == "Ok":
            keys = (each.get("metadata") or {}).get("partitionKeys") or {}
            yield Transformed(record, base64.b64decode(each["data"]), keys)
        elif each["result"] != "Dropped":
            why = "ProcessingFailed status set for record"
            yield FailedRecord(record, record.data, PROCESSING, _STATUS, why, details=details)


def _invoke(stream: Any, arn: str, batch: list[Record]) -> Any:
    name, qualifier = lambda_svc._resolve_name_and_qualifier(arn)
    function, _config = lambda_svc._get_func_record_for_qualifier(name, qualifier)
    if function is None:
        return {"error": True, "body": {"errorMessage": f"Function not found: {arn}"}}
    event = {
        "invocationId": new_uuid(),
        "deliveryStreamArn": stream["arn"],
        "region": get_region(),
        "records": [
            {
                "recordId": str(number),
                "approximateArrivalTimestamp": round(record.arrival * 1000),
                "data": base64.b64encode(record.data).decode(),
            }
            for number, record in enumerate(batch)
        ],
    }
    return lambda_svc._execute_function(function, event)
