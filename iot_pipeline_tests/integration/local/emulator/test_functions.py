"""How functions run.

AWS Lambda developer guide: "Understanding the Lambda execution environment lifecycle", "Sending Lambda function logs to
CloudWatch Logs", "How Lambda handles errors and retries with asynchronous invocation", "Capturing records of Lambda
asynchronous invocations", "Configuring reserved concurrency". CloudWatch user guide, "Specification: Embedded metric
format". EventBridge user guide, "Creating an Amazon EventBridge rule that runs on a schedule".
"""

import base64
import io
import json
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infra.local.servers.freed_memory import GIVING_BACK
from iot_pipeline_tests.support.emulator import ACCOUNT, REGION, LocalAws, eventually, unique

pytestmark = pytest.mark.integration

# Does what its event asks for, and writes each call to S3 if there is a bucket.
FUNCTION = """
import boto3, json, logging, os, sys, time
loaded = []
calls = 0

def handler(event, context):
    global calls
    calls += 1
    if "BUCKET" in os.environ:
        body = json.dumps({"at": time.time(), "event": event}).encode()
        boto3.client("s3").put_object(Bucket=os.environ["BUCKET"], Key=f"{time.time_ns()}", Body=body)
    if "import" in event:
        module = __import__(event["import"], fromlist=["x"])
        return {"file": module.__file__}
    if "raise" in event:
        raise ValueError(event["raise"])
    if "exit" in event:
        os._exit(3)
    time.sleep(event.get("sleep", 0))
    for line in event.get("print", []):
        print(line)
    logging.getLogger("edge").info("logged", extra={"device": "d"})
    return {"pid": os.getpid(), "calls": calls, "left": context.get_remaining_time_in_millis(),
            "environment": dict(os.environ), "request": context.aws_request_id, "group": context.log_group_name}
"""


@dataclass
class Function:
    """A function, and calls of it."""

    aws: LocalAws
    name: str
    bucket: str

    def call(self, **event: Any) -> tuple[Any, str | None]:
        """A synchronous call: what it answers, and the kind of its error."""
        answer = self.aws.client("lambda").invoke(FunctionName=self.name, Payload=json.dumps(event).encode())
        return json.loads(answer["Payload"].read()), answer.get("FunctionError")

    def post(self, **event: Any) -> None:
        """An asynchronous call."""
        answer = self.aws.client("lambda").invoke(
            FunctionName=self.name, InvocationType="Event", Payload=json.dumps(event).encode()
        )
        assert answer["StatusCode"] == 202

    def calls(self) -> list[Any]:
        """Each call so far: when, and with what."""
        return [json.loads(self.aws.body(self.bucket, key)) for key in sorted(self.aws.keys(self.bucket))]

    def lines(self, stream_count: int = 1) -> list[str]:
        """All log lines."""
        logs, group = self.aws.client("logs"), f"/aws/lambda/{self.name}"
        streams = logs.describe_log_streams(logGroupName=group)["logStreams"]
        assert len(streams) == stream_count
        return [
            event["message"]
            for stream in streams
            for event in logs.get_log_events(
                logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True
            )["events"]
        ]

    def sum(self, metric: str, namespace: str = "AWS/Lambda", **dimensions: str) -> float:
        """The sum of a metric over the last hour."""
        named = [{"Name": k, "Value": v} for k, v in (dimensions or {"FunctionName": self.name}).items()]
        now = datetime.now(UTC)
        found = self.aws.client("cloudwatch").get_metric_statistics(
            Namespace=namespace,
            MetricName=metric,
            Dimensions=named,
            StartTime=now - timedelta(hours=1),
            EndTime=now + timedelta(minutes=1),
            Period=60,
            Statistics=["Sum"],
        )
        return float(sum(point["Sum"] for point in found["Datapoints"]))


def make(aws: LocalAws, *, code: str = FUNCTION, files: dict[str, str] | None = None, **settings: Any) -> Function:
    name, bucket = unique("function"), aws.bucket()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as package:
        for path, text in {"index.py": code, **(files or {})}.items():
            package.writestr(path, text)
    defaults: dict[str, Any] = {"Timeout": 30, "Environment": {"Variables": {"BUCKET": bucket}}}
    aws.client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.14",
        Handler="index.handler",
        Role=aws.role(),
        Code={"ZipFile": archive.getvalue()},
        **(defaults | settings),
    )
    return Function(aws, name, bucket)


@pytest.fixture(scope="module")
def function(local_aws: LocalAws) -> Function:
    return make(local_aws)


def test_a_function_has_its_package_the_standard_library_and_boto3(local_aws: LocalAws) -> None:
    packaged = make(local_aws, files={"iot_pipeline/__init__.py": "", "iot_pipeline/contract.py": "", "own.py": ""})
    for module in ("iot_pipeline", "iot_pipeline.contract", "own"):
        answer, error = packaged.call(**{"import": module})
        assert error is None
        assert "/ministack-lambda-" in answer["file"], "from the package, not from the checkout"
    for module in ("sqlite3", "boto3", "botocore.config", "urllib3", "dateutil.parser"):
        assert packaged.call(**{"import": module})[1] is None
    for module in ("iot_pipeline.lake", "pydantic", "dagster", "orjson", "infra"):
        answer, error = packaged.call(**{"import": module})
        assert (error, answer["errorType"]) == ("Unhandled", "ModuleNotFoundError")


def test_its_environment_leads_to_the_local_aws_and_holds_no_setting_of_ours(function: Function) -> None:
    answer, _ = function.call()
    environment = answer["environment"]
    assert environment["AWS_ENDPOINT_URL"] == function.aws.emulator.endpoint_url
    assert environment["AWS_REGION"] == REGION
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == function.name
    assert environment["AWS_ACCESS_KEY_ID"] != function.aws.emulator.credentials.access_key_id, "its role's"
    assert {name for name in environment if name.startswith("IOT_") or name == "PYTHONPATH"} <= {"IOT_MTLS_PORT"}
    assert not environment.keys() & GIVING_BACK.keys()
    assert 0 < answer["left"] <= 30_000
    assert answer["group"] == f"/aws/lambda/{function.name}"


def test_an_exception_leaves_the_environment_as_it_is(local_aws: LocalAws) -> None:
    function = make(local_aws)
    first, _ = function.call()
    failed, error = function.call(**{"raise": "no"})
    second, _ = function.call()
    assert error == "Unhandled"
    assert (failed["errorMessage"], failed["errorType"]) == ("no", "ValueError")
    assert "raise ValueError" in failed["stackTrace"][-1]
    assert (second["pid"], second["calls"]) == (first["pid"], first["calls"] + 2)


def test_a_process_that_ends_or_takes_too_long_is_an_error_and_replaced(local_aws: LocalAws) -> None:
    function = make(local_aws, Timeout=2)
    first, _ = function.call()
    ended, error = function.call(exit=True)
    assert (error, ended["errorType"]) == ("Unhandled", "Runtime.ExitError")
    assert ended["errorMessage"].endswith("Runtime exited with error: exit status 3")
    late, error = function.call(sleep=20)
    assert (error, late["errorType"]) == ("Unhandled", "Sandbox.Timedout")
    assert late["errorMessage"].endswith("Task timed out after 2.00 seconds")
    again, error = function.call()
    assert error is None
    assert again["pid"] != first["pid"]


def test_a_module_that_cannot_be_loaded_is_an_error_of_each_call(local_aws: LocalAws) -> None:
    function = make(local_aws, code="import pydantic\ndef handler(event, context): return 1")
    for _ in range(2):
        answer, error = function.call()
        assert error == "Unhandled"
        assert "No module named 'pydantic': it is not in the function's package" in answer["errorMessage"]


def test_concurrent_calls_have_environments_of_their_own(local_aws: LocalAws) -> None:
    function = make(local_aws)
    with ThreadPoolExecutor(3) as pool:
        pids = {answer["pid"] for answer, _ in pool.map(lambda _: function.call(sleep=2), range(3))}
    assert len(pids) == 3, "one after the other they would share the one that is free"


def test_log_lines_are_json_where_the_function_asks_for_it(local_aws: LocalAws) -> None:
    asked = {"LogFormat": "JSON", "ApplicationLogLevel": "INFO", "SystemLogLevel": "WARN"}
    function = make(local_aws, LoggingConfig=asked, Environment={"Variables": {}})
    answer, _ = function.call(print=["plain"])
    function.call()
    plain, logged, again = function.lines()
    assert plain == "plain"
    line = json.loads(logged)
    assert (line["level"], line["message"], line["logger"], line["device"]) == ("INFO", "logged", "edge", "d")
    assert line["requestId"] == answer["request"]
    assert json.loads(again)["message"] == "logged", "no platform line below the level that was asked for"


def test_platform_lines_frame_each_call_in_the_text_format(function: Function) -> None:
    answer, _ = function.call(print=["plain"])
    lines = function.lines()
    begin = lines.index(f"START RequestId: {answer['request']} Version: $LATEST")
    assert lines[begin + 1] == "plain"
    assert lines[begin + 2] == f"END RequestId: {answer['request']}"


def test_embedded_metrics_are_metrics(local_aws: LocalAws) -> None:
    function, namespace = make(local_aws), unique("Edge")
    directive = {
        "Namespace": namespace,
        "Dimensions": [["site"], []],
        "Metrics": [{"Name": "readings", "Unit": "Count"}, {"Name": "age_ms", "Unit": "Milliseconds"}],
    }
    document = {"_aws": {"Timestamp": 1, "CloudWatchMetrics": [directive]}, "site": "berlin", "readings": 7}
    broken = [{"_aws": {"CloudWatchMetrics": 5}}, {"_aws": {"CloudWatchMetrics": [directive]}, "readings": "many"}]
    function.call(print=[json.dumps(d) for d in (document | {"age_ms": [1.5, 2.5]}, *broken)] + ['{"_aws": '])
    assert function.sum("readings", namespace, site="berlin") == 7
    assert function.sum("age_ms", namespace, site="berlin") == 4
    metrics = function.aws.client("cloudwatch").list_metrics(Namespace=namespace)["Metrics"]
    assert len(metrics) == 4, "two metrics, each with its site and without"


def test_lambdas_own_metrics_count_every_call(local_aws: LocalAws) -> None:
    function = make(local_aws, Environment={"Variables": {}})
    function.call()
    function.call(**{"raise": "no"})
    function.post()
    assert eventually(lambda: function.sum("Invocations") == 3)
    assert function.sum("Errors") == 1
    assert function.sum("Duration") > 0


def failures_of(aws: LocalAws, function: Function, **rules: Any) -> str:
    """A queue that gets the function's calls that failed; its URL."""
    url, arn = aws.queue()
    aws.client("lambda").put_function_event_invoke_config(
        FunctionName=function.name, DestinationConfig={"OnFailure": {"Destination": arn}}, **rules
    )
    return url


def test_an_asynchronous_call_that_fails_is_tried_twice_more_and_then_recorded(local_aws: LocalAws) -> None:
    function = make(local_aws)
    url = failures_of(local_aws, function)
    function.post(**{"raise": "no"})
    (record,) = local_aws.messages(url)
    assert len(function.calls()) == 3
    first, second, third = (call["at"] for call in function.calls())
    assert third - second > 1.5 * (second - first) * 0.5, "the second wait is twice the first"
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function.name}"
    assert record["requestContext"] | {"requestId": ""} == {
        "requestId": "",
        "functionArn": f"{arn}:$LATEST",
        "condition": "RetriesExhausted",
        "approximateInvokeCount": 3,
    }
    assert record["requestPayload"] == {"raise": "no"}
    assert record["responseContext"]["functionError"] == "Unhandled"
    assert record["responsePayload"]["errorMessage"] == "no"


def test_a_call_that_is_throttled_waits_and_uses_no_attempt(local_aws: LocalAws) -> None:
    function = make(local_aws)
    local_aws.client("lambda").put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=1)
    url = failures_of(local_aws, function, MaximumRetryAttempts=0)
    for number in range(4):
        function.post(number=number, sleep=0.5)
    assert eventually(lambda: len(function.calls()) == 4, 60)
    assert sorted(call["event"]["number"] for call in function.calls()) == [0, 1, 2, 3]
    assert function.sum("Throttles") >= 1
    assert local_aws.client("sqs").receive_message(QueueUrl=url).get("Messages", []) == []
    time.sleep(1)  # the last of them is through
    with ThreadPoolExecutor(2) as pool:
        slow = pool.submit(function.call, sleep=8)
        assert eventually(lambda: len(function.calls()) == 5)
        client = local_aws.client("lambda")
        with pytest.raises(client.exceptions.TooManyRequestsException):
            function.call()
        assert slow.result()[1] is None


def test_a_call_that_grows_too_old_is_recorded_as_such(local_aws: LocalAws) -> None:
    function = make(local_aws)
    local_aws.client("lambda").put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=0)
    url = failures_of(local_aws, function, MaximumEventAgeInSeconds=60)
    function.post(number=1)
    # Tried again after 1, 2, 4, 8 and 16 s at most; the next pause would end beyond the minute.
    (record,) = eventually(lambda: local_aws.messages(url), 60)
    assert record["requestContext"]["condition"] == "EventAgeExceeded"
    assert record["requestContext"]["approximateInvokeCount"] == 0
    assert function.calls() == []


def test_each_shard_has_an_environment_of_its_own(local_aws: LocalAws) -> None:
    stream, arn = local_aws.stream(4)
    function = make(local_aws)
    mapping = local_aws.client("lambda").create_event_source_mapping(
        EventSourceArn=arn, FunctionName=function.name, StartingPosition="TRIM_HORIZON", BatchSize=10
    )["UUID"]
    put = local_aws.client("kinesis").put_record
    shards = {put(StreamName=stream, Data=b"{}", PartitionKey=f"k{n}")["ShardId"] for n in range(40)}
    assert len(shards) == 4
    assert eventually(lambda: sum(len(c["event"]["Records"]) for c in function.calls()) == 40)
    assert base64.b64decode(function.calls()[0]["event"]["Records"][0]["kinesis"]["data"]) == b"{}"
    local_aws.client("lambda").delete_event_source_mapping(UUID=mapping)


def test_a_rule_with_a_rate_calls_each_minute_and_asynchronously(local_aws: LocalAws) -> None:
    function = make(local_aws)
    url = failures_of(local_aws, function, MaximumRetryAttempts=0)
    events, name = local_aws.client("events"), unique("rule")
    began = time.time()
    events.put_rule(Name=name, ScheduleExpression="rate(1 minute)", State="ENABLED")
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function.name}"
    local_aws.client("lambda").add_permission(
        FunctionName=function.name,
        StatementId="clock",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{name}",
    )
    failing = {"Id": "two", "Arn": arn, "Input": '{"raise": "no"}'}
    events.put_targets(Rule=name, Targets=[{"Id": "one", "Arn": arn}, failing])
    assert eventually(lambda: len(function.calls()) == 2, 75)
    (call,) = [each for each in function.calls() if "source" in each["event"]]
    assert call["at"] - began > 59
    assert call["event"]["source"] == "aws.events"
    assert call["event"]["detail-type"] == "Scheduled Event"
    assert call["event"]["resources"] == [f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{name}"]
    assert eventually(lambda: local_aws.messages(url, 1), 20)
    events.put_rule(Name=name, ScheduleExpression="rate(1 minute)", State="DISABLED")
