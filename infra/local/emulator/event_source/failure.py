"""The document that an event source mapping sends to its on-failure destination.

AWS Lambda developer guide, "Retain discarded batch records for a Kinesis Data Streams event source in Lambda".
"""

import json
import logging
from datetime import UTC, datetime
from typing import Any

from ministack.core.arn import parse_arn
from ministack.core.responses import get_account_id, get_region, new_uuid
from ministack.services import lambda_svc, sns, sqs

from infra.local.emulator.event_source import mapping_permissions as permissions
from infra.local.emulator.event_source.batch import Work
from infra.local.emulator.s3 import put_object

log = logging.getLogger("local_aws.event_source")


def send_failure(
    mapping: Any, shard_id: str, work: Work, condition: str, event: dict[str, Any], *, function_error: bool
) -> bool:
    """Tell the mapping's destination (SQS, SNS or S3) of discarded records; without one, log that they are lost.

    `event` is what the function was, or would have been, called with. Whether there was a destination. Raises
    RuntimeError for one that does not exist or that is not there locally.
    """
    destination = ((mapping.get("DestinationConfig") or {}).get("OnFailure") or {}).get("Destination")
    document = failure_document(mapping, shard_id, work, condition, function_error=function_error)
    if not destination:
        log.error("Event source mapping %s discards %d records: %s", mapping["UUID"], len(work.records), document)
        return False
    shard, now = document["KinesisBatchInfo"]["shardId"], datetime.now(UTC)
    key = f"aws/lambda/{mapping['UUID']}/{shard}/{now:%Y/%m/%d}/{now:%Y-%m-%dT%H.%M.%S}-{new_uuid()}"
    # S3 alone gets the whole event: JSON in a text, records' data in base64.
    function_arn = mapping["FunctionArn"]
    send(destination, document, key, function_arn=function_arn, payload=json.dumps(event))
    return True


def send(
    destination: str, document: dict[str, Any], key: str, *, function_arn: str, payload: str | None = None
) -> None:
    """Give a document to a destination as the function's role; to S3 under `key` and with `payload`, if there is one.

    Raises RuntimeError for a destination that does not exist, or that the local AWS does not have; AccessDeniedError if
    the role may not.
    """
    target = parse_arn(destination)
    function, _config, _name = lambda_svc._get_func_record_for_ref(function_arn)
    if function is not None:
        permissions.check_destination(function["config"]["Role"], function_arn, destination, key)
    if target.service == "sqs":
        url = f"http://localhost/{target.account_id}/{target.resource}"
        sqs._act_send_message({"MessageBody": json.dumps(document)}, url)
    elif target.service == "sns":
        if sns.publish_internal(destination, json.dumps(document)) is None:
            msg = f"The on-failure destination {destination} does not exist"
            raise RuntimeError(msg)
    elif target.service == "s3":
        body = json.dumps(document if payload is None else document | {"payload": payload}).encode()
        put_object(get_account_id(), get_region(), target.resource, key, body)
    else:
        msg = f"The local AWS has no on-failure destination {destination}: it has SQS, SNS and S3"
        raise RuntimeError(msg)


def failure_document(
    mapping: Any, shard_id: str, work: Work, condition: str, *, function_error: bool
) -> dict[str, Any]:
    """AWS's JSON document; `functionError` is absent when the function returned a partial batch response."""
    response = {"statusCode": 200, "executedVersion": mapping.get("Qualifier") or "$LATEST"}
    if function_error:
        response["functionError"] = "Unhandled"
    first, last = work.records[0], work.records[-1]
    return {
        "requestContext": {
            "requestId": new_uuid(),
            "functionArn": mapping["FunctionArn"],
            "condition": condition,
            "approximateInvokeCount": work.invocations,
        },
        "responseContext": response,
        "version": "1.0",
        "timestamp": _text(datetime.now(UTC).timestamp()),
        "KinesisBatchInfo": {
            "shardId": shard_id,
            "startSequenceNumber": first["SequenceNumber"],
            "endSequenceNumber": last["SequenceNumber"],
            "approximateArrivalOfFirstRecord": _text(first["ApproximateArrivalTimestamp"]),
            "approximateArrivalOfLastRecord": _text(last["ApproximateArrivalTimestamp"]),
            "batchSize": len(work.records),
            "streamArn": mapping["EventSourceArn"],
        },
    }


def _text(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
