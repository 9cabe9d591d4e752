"""Kinesis to Lambda.

AWS Lambda developer guide: "Process records from Kinesis", "Configuring partial batch response with Kinesis Data
Streams and Lambda", "Retain discarded batch records for a Kinesis Data Streams event source in Lambda", "Using
event filtering with a Kinesis event source".
"""

import base64
import io
import json
import re
import signal
import statistics
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from infra.local.emulator.event_source import batch
from infra.local.emulator.process import start_emulator
from iot_pipeline_tests.support.emulator import REGION, LocalAws, eventually, restart, unique

pytestmark = pytest.mark.integration

# Writes each invocation to S3. A record {"fail": "raise"} fails the batch, "report" is reported as the failed item.
FUNCTION = """
import base64, boto3, json, os, time, uuid
s3 = boto3.client("s3")

def handler(event, context):
    documents = [json.loads(base64.b64decode(r["kinesis"]["data"])) for r in event["Records"]]
    sequences = [r["kinesis"]["sequenceNumber"] for r in event["Records"]]
    first = event["Records"][0]
    age = time.time() - first["kinesis"]["approximateArrivalTimestamp"]
    body = json.dumps({"numbers": [d["n"] for d in documents], "sequences": sequences, "first": first, "age": age})
    key = f"{time.time_ns()}"
    again = s3.list_objects_v2(Bucket=os.environ["BUCKET"])["KeyCount"]
    s3.put_object(Bucket=os.environ["BUCKET"], Key=key, Body=body)
    if not again:
        time.sleep(max(d.get("sleep", 0) for d in documents))
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


def s3_destination(aws: LocalAws) -> tuple[str, dict[str, Any]]:
    bucket = aws.bucket()
    return bucket, {"OnFailure": {"Destination": f"arn:aws:s3:::{bucket}"}}


def test_a_bucket_gets_the_whole_event(local_aws: LocalAws) -> None:
    """ "Retain discarded batch records for a Kinesis Data Streams event source in Lambda": only S3 gets the payload."""
    failures, destination = s3_destination(local_aws)
    mapped = map_function(local_aws, DestinationConfig=destination, MaximumRetryAttempts=0)
    payload = b'{"n": 1, "fail": "raise", "raw": "\xc3\xa9"}'
    local_aws.client("kinesis").put_record(StreamName=mapped.stream, Data=payload, PartitionKey="k")
    (key,) = eventually(lambda: local_aws.keys(failures))
    day = time.strftime("%Y/%m/%d", time.gmtime())
    name = rf"aws/lambda/{mapped.mapping_id}/shardId-000000000000/{day}/[0-9-]+T\d\d\.\d\d\.\d\d-[0-9a-f-]{{36}}"
    assert re.fullmatch(name, key)
    record = json.loads(local_aws.body(failures, key))
    assert record["requestContext"]["condition"] == "RetryAttemptsExhausted"
    (sent,) = json.loads(record["payload"])["Records"]
    assert sent == mapped.invocations()[0]["first"]
    assert base64.b64decode(sent["kinesis"]["data"]) == payload
    mapped.delete()


def test_a_record_that_is_too_old_goes_to_the_bucket_uncalled(local_aws: LocalAws) -> None:
    failures, destination = s3_destination(local_aws)
    records = good(1)
    settings: dict[str, Any] = {"DestinationConfig": destination, "MaximumRecordAgeInSeconds": 60}
    mapped = map_function(local_aws, records, Enabled=False, **settings)
    functions = local_aws.client("lambda")
    # AWS takes 60 s at least; the emulator takes what it is told, so that the test need not wait.
    functions.update_event_source_mapping(UUID=mapped.mapping_id, MaximumRecordAgeInSeconds=0, Enabled=True)
    (key,) = eventually(lambda: local_aws.keys(failures))
    assert json.loads(local_aws.body(failures, key))["requestContext"]["condition"] == "RecordAgeExceeded"
    assert mapped.invocations() == []
    mapped.delete()


def test_a_paused_mapping_goes_on_where_it_stopped(local_aws: LocalAws) -> None:
    mapped = map_function(local_aws, good(1))
    assert mapped.batches(1) == [[1]]
    functions = local_aws.client("lambda")
    functions.update_event_source_mapping(UUID=mapped.mapping_id, Enabled=False)
    mapped.put(*good(2, 3))
    time.sleep(0.5)
    assert len(mapped.invocations()) == 1
    functions.update_event_source_mapping(UUID=mapped.mapping_id, Enabled=True)
    assert mapped.batches(2) == [[1], [2, 3]]
    mapped.delete()


def test_a_batch_is_no_larger_than_what_a_function_can_be_called_with(local_aws: LocalAws) -> None:
    """ "Lambda quotas": 6 MB for a call; a full payload ends a batch ("How Lambda processes records ...")."""
    large = [{"n": n, "pad": "x" * 900_000} for n in range(8)]
    mapped = map_function(local_aws)
    mapped.put(*large[:4])
    mapped.put(*large[4:])
    assert eventually(lambda: sum(len(i["numbers"]) for i in mapped.invocations()) == 8)
    assert all(len(i["numbers"]) <= 5 for i in mapped.invocations())
    mapped.delete()


def killed(function: str) -> int:
    """Kill the processes that run a function with SIGKILL; how many."""
    mark = f"ministack-lambda-{function}-"
    found = [p for p in psutil.process_iter(["cmdline"]) if any(mark in part for part in p.info["cmdline"] or [])]
    for process in found:
        process.kill()
    return len(found)


def test_a_process_that_is_killed_in_a_batch_is_an_error_that_is_retried(local_aws: LocalAws) -> None:
    """ "Understanding Lambda function retries": a runtime that ends is a function error, and the batch comes again."""
    mapped = map_function(local_aws, MaximumRetryAttempts=5)
    mapped.put({"n": 1}, {"n": 2, "sleep": 20})
    assert eventually(lambda: len(mapped.invocations()) == 1)
    assert killed(mapped.function) == 1
    assert mapped.batches(2) == [[1, 2], [1, 2]]
    mapped.delete()


def test_a_standard_iterator_polls_a_shard_once_a_second(tmp_path: Path) -> None:
    """ "Process Amazon Kinesis Data Streams records with Lambda": "at a base rate of once per second"."""
    aws = LocalAws(start_emulator(tmp_path / "state"), tmp_path)
    try:
        mapped = map_function(aws, good(0))
        assert mapped.batches(1) == [[0]]
        for n in range(1, 41):
            mapped.put(*good(n))
            time.sleep(0.1)
        assert eventually(lambda: sum(len(i["numbers"]) for i in mapped.invocations()) == 41)
        assert 5 <= len(mapped.invocations()) <= 7, "one batch a second, for the four seconds of puts"

        consumer = aws.client("kinesis").register_stream_consumer(StreamARN=mapped.arn, ConsumerName="fast")
        arn = consumer["Consumer"]["ConsumerARN"]
        mapped.delete()
        fast = aws.client("lambda").create_event_source_mapping(
            EventSourceArn=arn, FunctionName=mapped.function, StartingPosition="LATEST"
        )
        before = len(mapped.invocations())
        for n in range(100, 110):
            mapped.put(*good(n))
            time.sleep(0.3)
        assert eventually(lambda: len(mapped.invocations()) == before + 10), "each record is pushed by itself"
        ages = [json.loads(aws.body(mapped.bucket, key))["age"] for key in sorted(aws.keys(mapped.bucket))[before:]]
        assert all(0.07 <= age < 0.5 for age in ages), ages
        assert statistics.median(ages) < 0.2
        assert mapped.invocations()[-1]["first"]["eventSourceARN"] == arn
        assert fast["EventSourceArn"] == arn
    finally:
        aws.emulator.stop()


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
