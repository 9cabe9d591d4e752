"""Kinesis to Lambda.

AWS Lambda developer guide: "Process records from Kinesis", "Configuring partial batch response with Kinesis Data
Streams and Lambda", "Retain discarded batch records for a Kinesis Data Streams event source in Lambda", "Using
event filtering with a Kinesis event source".
"""

import io
import json
import signal
import time
import zipfile
from dataclasses import dataclass
from typing import Any

import pytest

from infra.local.emulator.event_source import batch
from iot_pipeline_tests.support.emulator import REGION, LocalAws, eventually, restart, unique

pytestmark = pytest.mark.integration

# Writes each invocation to S3. A record {"fail": "raise"} fails the batch, "report" is reported as the failed item.
FUNCTION = """
import base64, boto3, json, os, time, uuid
s3 = boto3.client("s3")

def handler(event, context):
    documents = [json.loads(base64.b64decode(r["kinesis"]["data"])) for r in event["Records"]]
    sequences = [r["kinesis"]["sequenceNumber"] for r in event["Records"]]
    body = json.dumps({"numbers": [d["n"] for d in documents], "sequences": sequences, "first": event["Records"][0]})
    s3.put_object(Bucket=os.environ["BUCKET"], Key=f"{time.time_ns()}", Body=body)
    if any(d.get("fail") == "raise" for d in documents):
        raise ValueError("poison")
    bad = [s for s, d in zip(sequences, documents) if d.get("fail") == "report"]
    return {"batchItemFailures": [{"itemIdentifier": s} for s in reversed(bad)]}
"""


@dataclass
class Mapped:
    """A stream, a function on it, and what the function was given."""

    aws: LocalAws
    bucket: str
    stream: str
    arn: str
    function: str
    mapping_id: str
    failures_url: str

    def put(self, *documents: dict[str, Any], key: str = "k") -> None:
        """Put documents in order, to the shard of `key`."""
        records = [{"Data": json.dumps(document).encode(), "PartitionKey": key} for document in documents]
        self.aws.client("kinesis").put_records(StreamName=self.stream, Records=records)

    def invocations(self) -> list[Any]:
        """What each invocation was given, in order."""
        return [json.loads(self.aws.body(self.bucket, key)) for key in sorted(self.aws.keys(self.bucket))]

    def batches(self, count: int) -> list[list[int]]:
        """The numbers in each batch, once there are `count` batches and no more come."""
        eventually(lambda: len(self.aws.keys(self.bucket)) >= count)
        time.sleep(0.4)
        return [invocation["numbers"] for invocation in self.invocations()]

    def delete(self) -> None:
        """Stop reading."""
        self.aws.client("lambda").delete_event_source_mapping(UUID=self.mapping_id)


def map_function(aws: LocalAws, before: tuple[dict[str, Any], ...] = (), shards: int = 1, **settings: Any) -> Mapped:
    """A function on a new stream; `before` is put first."""
    bucket, function = aws.bucket(), unique("function")
    stream, arn = aws.stream(shards)
    url, queue = aws.queue()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as package:
        package.writestr("index.py", FUNCTION)
    aws.client("lambda").create_function(
        FunctionName=function,
        Runtime="python3.11",
        Handler="index.handler",
        Role=aws.role(),
        Code={"ZipFile": archive.getvalue()},
        Timeout=30,
        Environment={"Variables": {"BUCKET": bucket}},
    )
    mapped = Mapped(aws, bucket, stream, arn, function, "", url)
    if before:
        mapped.put(*before)
    defaults: dict[str, Any] = {"StartingPosition": "TRIM_HORIZON", "BatchSize": 100, "MaximumRetryAttempts": 1}
    defaults["DestinationConfig"] = {"OnFailure": {"Destination": queue}}
    mapped.mapping_id = aws.client("lambda").create_event_source_mapping(
        EventSourceArn=arn, FunctionName=function, **(defaults | settings)
    )["UUID"]
    return mapped


def good(*numbers: int) -> tuple[dict[str, Any], ...]:
    return tuple({"n": n} for n in numbers)


def test_a_batch_holds_up_to_batch_size_records_in_order(local_aws: LocalAws) -> None:
    mapped = map_function(local_aws, good(*range(25)), BatchSize=10)
    assert mapped.batches(3) == [list(range(10)), list(range(10, 20)), list(range(20, 25))]
    event = mapped.invocations()[0]["first"]
    assert event["eventSource"] == "aws:kinesis"
    assert event["eventName"] == "aws:kinesis:record"
    assert event["eventSourceARN"] == mapped.arn
    assert event["awsRegion"] == REGION
    assert event["eventID"] == f"shardId-000000000000:{event['kinesis']['sequenceNumber']}"
    assert event["kinesis"]["partitionKey"] == "k"
    assert abs(event["kinesis"]["approximateArrivalTimestamp"] - time.time()) < 60
    mapped.delete()


def test_latest_starts_behind_what_is_there(local_aws: LocalAws) -> None:
    mapped = map_function(local_aws, good(1, 2), StartingPosition="LATEST")
    mapped.put(*good(3))
    assert mapped.batches(1) == [[3]]
    mapped.delete()


def test_the_window_gathers_records(local_aws: LocalAws) -> None:
    mapped = map_function(local_aws, MaximumBatchingWindowInSeconds=1)
    for n in range(4):
        mapped.put(*good(n))
        time.sleep(0.1)
    assert mapped.batches(1) == [[0, 1, 2, 3]]
    mapped.delete()


def test_bisecting_isolates_a_poison_record(local_aws: LocalAws) -> None:
    """Splitting consumes no retry: the record alone is tried 1 + MaximumRetryAttempts times."""
    documents = [{"n": n} for n in range(8)]
    documents[5]["fail"] = "raise"  # type: ignore[assignment]  # a text among numbers
    mapped = map_function(local_aws, tuple(documents), BisectBatchOnFunctionError=True)
    (failure,) = local_aws.messages(mapped.failures_url)
    batches = mapped.batches(8)
    assert batches == [[*range(8)], [0, 1, 2, 3], [4, 5, 6, 7], [4, 5], [4], [5], [5], [6, 7]]
    sequence = mapped.invocations()[5]["sequences"][0]
    info = failure["KinesisBatchInfo"]
    assert (info["startSequenceNumber"], info["endSequenceNumber"], info["batchSize"]) == (sequence, sequence, 1)
    mapped.delete()


def test_retries_exhausted_sends_awss_document(local_aws: LocalAws) -> None:
    mapped = map_function(local_aws, ({"n": 1}, {"n": 2, "fail": "raise"}, {"n": 3}), BatchSize=3)
    mapped.put(*good(4))
    (failure,) = local_aws.messages(mapped.failures_url)
    assert mapped.batches(3) == [[1, 2, 3], [1, 2, 3], [4]]
    function_arn = f"arn:aws:lambda:{REGION}:000000000000:function:{mapped.function}"
    assert failure["requestContext"] | {"requestId": ""} == {
        "requestId": "",
        "functionArn": function_arn,
        "condition": "RetryAttemptsExhausted",
        "approximateInvokeCount": 2,
    }
    assert failure["responseContext"] == {
        "statusCode": 200,
        "executedVersion": "$LATEST",
        "functionError": "Unhandled",
    }
    assert failure["version"] == "1.0"
    sequences = mapped.invocations()[0]["sequences"]
    info = failure["KinesisBatchInfo"]
    assert info["startSequenceNumber"] == sequences[0]
    assert info["endSequenceNumber"] == sequences[2]
    assert (info["shardId"], info["batchSize"], info["streamArn"]) == ("shardId-000000000000", 3, mapped.arn)
    assert info["approximateArrivalOfFirstRecord"].endswith("Z")
    mapped.delete()


def test_a_partial_failure_checkpoints_at_the_lowest_reported_record(local_aws: LocalAws) -> None:
    documents = [{"n": n} for n in range(6)]
    documents[2]["fail"] = documents[4]["fail"] = "report"  # type: ignore[assignment]  # a text among numbers
    mapped = map_function(local_aws, tuple(documents), FunctionResponseTypes=["ReportBatchItemFailures"])
    (failure,) = local_aws.messages(mapped.failures_url)
    assert mapped.batches(2) == [[0, 1, 2, 3, 4, 5], [2, 3, 4, 5]]
    assert failure["KinesisBatchInfo"]["batchSize"] == 4
    assert "functionError" not in failure["responseContext"]
    mapped.delete()


def test_partial_failures_with_bisecting_lose_only_the_bad_records(local_aws: LocalAws) -> None:
    documents = [{"n": n} for n in range(10)]
    documents[3]["fail"] = documents[7]["fail"] = "report"  # type: ignore[assignment]  # a text among numbers
    settings: dict[str, Any] = {
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "BisectBatchOnFunctionError": True,
    }
    mapped = map_function(local_aws, tuple(documents), **settings)
    failures = local_aws.messages(mapped.failures_url, 2)
    assert [failure["KinesisBatchInfo"]["batchSize"] for failure in failures] == [1, 1]
    mapped.put(*good(10))
    assert eventually(lambda: mapped.invocations()[-1]["numbers"] == [10])
    delivered = {n for invocation in mapped.invocations() for n in invocation["numbers"]}
    assert delivered == set(range(11))
    mapped.delete()


def test_without_the_response_type_a_report_is_ignored(local_aws: LocalAws) -> None:
    mapped = map_function(local_aws, ({"n": 1, "fail": "report"}, {"n": 2}))
    assert mapped.batches(1) == [[1, 2]]
    mapped.delete()


def test_filter_criteria_drop_records_before_the_function(local_aws: LocalAws) -> None:
    pattern = json.dumps({"data": {"n": [{"numeric": [">", 2]}]}})
    mapped = map_function(local_aws, good(1, 2, 3, 4), FilterCriteria={"Filters": [{"Pattern": pattern}]})
    assert mapped.batches(1) == [[3, 4]]
    mapped.put(*good(1))
    mapped.put(*good(5))
    assert mapped.batches(2) == [[3, 4], [5]]
    mapped.delete()


def test_order_holds_in_each_shard(local_aws: LocalAws) -> None:
    mapped = map_function(local_aws, shards=2, BatchSize=3)
    keys = ["a", "b", "c", "d", "e", "f"]
    for n in range(60):
        mapped.put({"n": n}, key=keys[n % len(keys)])
    assert eventually(lambda: sum(len(i["numbers"]) for i in mapped.invocations()) == 60)
    by_key: dict[int, list[int]] = {}
    for invocation in mapped.invocations():
        for n in invocation["numbers"]:
            by_key.setdefault(n % len(keys), []).append(n)
    assert all(numbers == sorted(numbers) for numbers in by_key.values())
    mapped.delete()


def test_at_timestamp_is_refused_by_name(local_aws: LocalAws) -> None:
    client = local_aws.client("lambda")
    with pytest.raises(client.exceptions.InvalidParameterValueException, match="LATEST or TRIM_HORIZON"):
        map_function(local_aws, StartingPosition="AT_TIMESTAMP", StartingPositionTimestamp=0)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_the_checkpoint_survives_a_restart(own_aws: LocalAws, how: signal.Signals) -> None:
    mapped = map_function(own_aws, good(1, 2, 3))
    assert mapped.batches(1) == [[1, 2, 3]]
    saved = own_aws.emulator.state_dir / "services" / "lambda.json"
    eventually(lambda: saved.exists() and mapped.mapping_id in saved.read_text(), 10)
    restart(own_aws, how)
    mapped.put(*good(4))
    assert mapped.batches(2) == [[1, 2, 3], [4]]


def test_an_sns_topic_can_be_the_failure_destination(local_aws: LocalAws) -> None:
    sns, (url, queue) = local_aws.client("sns"), local_aws.queue()
    topic = sns.create_topic(Name=unique("failures"))["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    statement = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement | {"Resource": queue}]})
    local_aws.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    destination = {"OnFailure": {"Destination": topic}}
    settings: dict[str, Any] = {"DestinationConfig": destination, "MaximumRetryAttempts": 0}
    mapped = map_function(local_aws, ({"n": 1, "fail": "raise"},), **settings)
    (notification,) = local_aws.messages(url)
    assert json.loads(notification["Message"])["requestContext"]["condition"] == "RetryAttemptsExhausted"
    mapped.delete()


@pytest.fixture
def five() -> batch.Work:
    records = [{"SequenceNumber": f"{n}", "ApproximateArrivalTimestamp": 100.0 + n} for n in range(5)]
    return batch.Work(records)


def policy(**changes: Any) -> batch.Policy:
    return batch.Policy(**({"retries": -1, "record_age": -1, "bisects": False, "partial": True} | changes))


def reply(*identifiers: object) -> dict[str, Any]:
    return {"body": {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in identifiers]}}


COMPLETE_SUCCESS: list[Any] = [
    {"body": None},
    {"body": ""},
    {"body": {}},
    {"body": {"batchItemFailures": None}},
    reply(),
    {"body": "{}"},
]
COMPLETE_FAILURE: list[Any] = [
    reply(""),
    reply(None),
    reply("not in the batch"),
    {"body": {"batchItemFailures": [{"wrongKey": "1"}]}},
    {"error": True, "body": {}},
    {"body": "no json"},
]


@pytest.mark.parametrize("response", COMPLETE_SUCCESS)
def test_what_lambda_treats_as_a_complete_success(five: batch.Work, response: Any) -> None:
    assert batch.failed_at(five, response, policy()) is None


@pytest.mark.parametrize("response", COMPLETE_FAILURE)
def test_what_lambda_treats_as_a_complete_failure(five: batch.Work, response: Any) -> None:
    assert batch.failed_at(five, response, policy()) == 0


def test_the_lowest_sequence_number_counts(five: batch.Work) -> None:
    assert batch.failed_at(five, reply("3", "1", "4"), policy()) == 1


def test_records_beyond_the_maximum_age_are_counted_from_the_oldest(five: batch.Work) -> None:
    assert batch.expired(five, policy(record_age=60), 162.5) == 3
    assert batch.expired(five, policy(), 1e9) == 0


def test_throttling_does_not_consume_the_retry_quota(five: batch.Work) -> None:
    outcome = batch.decide(five, 0, policy(retries=0, bisects=True), counts=False)
    assert outcome == batch.Outcome(0, (batch.Work(five.records, 0),))
    assert batch.decide(five, 0, policy(retries=0)).condition == "RetryAttemptsExhausted"
