"""How far the handler is behind the stream: while it is, no silence of a device means anything."""

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

_SHARD = "shard/"


def progress_key(shard: str) -> dict[str, Any]:
    """The item of the alerts table that says up to which record a shard has been taken."""
    return {"id": {"S": _SHARD + shard}}


def shard_of(event_id: str) -> str:
    """The shard of a record, from its event id (AWS Lambda guide, "Using AWS Lambda with Amazon Kinesis")."""
    return event_id.partition(":")[0]


def record_progress(dynamodb: Any, alerts: str, shard: str, sequence: str, now_ms: int) -> None:
    """Remember the last record that the handler has done with: never an earlier one, which a batch given again has.

    A stream that ends with such a batch would seem to lag for ever, and hold every silence back.
    """
    try:
        dynamodb.put_item(
            TableName=alerts,
            Item={**progress_key(shard), "sequence": {"S": sequence}, "taken_ms": {"N": str(now_ms)}},
            # Numbers of 56 digits, more than DynamoDB's have.
            ConditionExpression=(
                "attribute_not_exists(id) OR size(#sequence) < :length "
                "OR (size(#sequence) = :length AND #sequence < :sequence)"
            ),
            ExpressionAttributeNames={"#sequence": "sequence"},
            ExpressionAttributeValues={":sequence": {"S": sequence}, ":length": {"N": str(len(sequence))}},
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise


def lag_ms(kinesis: Any, dynamodb: Any, stream: str, alerts: str, now_ms: int) -> int:
    """For how long the oldest record that the handler has not taken has waited; 0 if it has taken all.

    Raises botocore's errors.
    """
    # Whoever calls by name is let in by IAM as well; GetRecords, which is given an iterator, only if the ARN is said.
    arn = kinesis.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]["StreamARN"]
    return max((_behind(kinesis, dynamodb, arn, alerts, shard, now_ms) for shard in _shards(kinesis, arn)), default=0)


def _shards(kinesis: Any, arn: str) -> Iterator[str]:
    answer = kinesis.list_shards(StreamARN=arn)
    while True:
        yield from (shard["ShardId"] for shard in answer["Shards"])
        if not answer.get("NextToken"):
            return
        answer = kinesis.list_shards(NextToken=answer["NextToken"])


def _behind(kinesis: Any, dynamodb: Any, arn: str, alerts: str, shard: str, now_ms: int) -> int:
    item = dynamodb.get_item(TableName=alerts, Key=progress_key(shard), ConsistentRead=True).get("Item")
    after = None if item is None else item["sequence"]["S"]
    answer = kinesis.get_records(ShardIterator=_iterator(kinesis, arn, shard, after), StreamARN=arn, Limit=1)
    if answer["Records"]:
        waiting = answer["Records"][0]["ApproximateArrivalTimestamp"]
        return max(1, now_ms - int(waiting.timestamp() * 1000))
    return int(answer.get("MillisBehindLatest") or 0)


def _iterator(kinesis: Any, arn: str, shard: str, after: str | None) -> str:
    start = {"ShardIteratorType": "TRIM_HORIZON"}
    if after is not None:
        start = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": after}
    try:
        return str(kinesis.get_shard_iterator(StreamARN=arn, ShardId=shard, **start)["ShardIterator"])
    except ClientError as error:
        if after is None or error.response["Error"]["Code"] != "InvalidArgumentException":
            raise
        # The record has expired: nothing has been taken for as long as the stream keeps records.
        return _iterator(kinesis, arn, shard, None)
