"""What the rules engine makes of a message.

AWS IoT Core developer guide: "AWS IoT SQL reference" (WHERE clause, isUndefined(), encode()), "Working with binary
payloads", "AWS IoT rule actions" (kinesis, firehose, s3), "Substitution templates", "Error handling (error action)".
"""

import base64
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from iot_pipeline_tests.support.emulator import Device, LocalAws, Session, eventually, unique

pytestmark = pytest.mark.integration

ADDED = (
    "topic(2) AS iot_tenant, topic(3) AS iot_site, topic(4) AS iot_device, "
    "timestamp() AS iot_received_at, clientid() AS iot_client"
)
ALIASES = {"iot_tenant", "iot_site", "iot_device", "iot_received_at", "iot_client"}


@dataclass
class Pipe:
    """The product's two rules into one Kinesis stream, and a device that publishes to them."""

    aws: LocalAws
    device: Device
    session: Session
    topic: str
    stream: str
    iterator: str

    def records(self, count: int) -> list[bytes]:
        """At least `count` records that came since the last call."""
        kinesis = self.aws.client("kinesis")
        found: list[bytes] = []

        def read() -> bool:
            page = kinesis.get_records(ShardIterator=self.iterator)
            self.iterator = page["NextShardIterator"]
            found.extend(record["Data"] for record in page["Records"])
            return len(found) >= count

        eventually(read)
        return found

    def send(self, payload: bytes) -> dict[str, Any]:
        """Publish, and return the one line it became; a second message marks the end, so that "one" is not a guess."""
        assert self.session.publish(self.topic, payload) == "Success"
        assert self.session.publish(self.topic, b'{"readings": ["end"]}') == "Success"
        line, end = self.records(2)
        assert json.loads(end)["readings"] == ["end"]
        assert b"\n" not in line
        record: dict[str, Any] = json.loads(line)
        return record


@pytest.fixture(scope="module")
def pipe(local_aws: LocalAws) -> Iterator[Pipe]:
    iot, device = local_aws.client("iot"), local_aws.device()
    root = unique("pipe")
    stream, _arn = local_aws.stream()
    kinesis = {"streamName": stream, "partitionKey": "${topic(4)}", "roleArn": local_aws.role()}
    source = f"FROM '{root}/+/+/+/telemetry' WHERE"
    for name, sql in (
        ("good", f"SELECT *, {ADDED} {source} NOT isUndefined(readings)"),
        ("other", f"SELECT encode(*, 'base64') AS iot_payload, {ADDED} {source} isUndefined(readings)"),
    ):
        rule = unique(name).replace("-", "_")
        iot.create_topic_rule(ruleName=rule, topicRulePayload={"sql": sql, "actions": [{"kinesis": kinesis}]})
    iterator = local_aws.client("kinesis").get_shard_iterator(
        StreamName=stream, ShardId="shardId-000000000000", ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    session = local_aws.connect_device(device)
    yield Pipe(local_aws, device, session, f"{root}/acme/lyon/{device.name}/telemetry", stream, iterator)
    session.close()


GOOD = {
    "packed": {"v": 1, "device_id": "d", "readings": [{"ts": 1, "temperature": 21.4}, {"ts": 2, "extra": None}]},
    "readings that are null": {"readings": None, "v": 1},
    "readings of a wrong type": {"readings": "none today"},
    "unicode": {"readings": [], "note": "Grüße, 東京 \U0001f321, \u2028 and \\n"},
    "our own aliases": {"readings": [], "iot_tenant": "forged", "iot_device": "forged", "iot_received_at": 0},
}


@pytest.mark.parametrize("document", GOOD.values(), ids=GOOD.keys())
def test_json_with_readings_becomes_one_json_line(pipe: Pipe, document: dict[str, Any]) -> None:
    before = time.time()
    record = pipe.send(json.dumps(document, indent=2).encode())
    assert {key: value for key, value in record.items() if key not in ALIASES} == {
        key: value for key, value in document.items() if key not in ALIASES
    }
    assert (record["iot_tenant"], record["iot_site"]) == ("acme", "lyon")
    assert record["iot_device"] == record["iot_client"] == pipe.device.name
    assert before - 1 <= record["iot_received_at"] / 1000 <= time.time() + 1


OTHER = {
    "json without readings": b'{"v": 1, "temperature": 3}',
    "json array": b'[{"readings": 1}]',
    "json number": b"42",
    "json string": b'"readings"',
    "json null": b"null",
    "truncated json": b'{"v": 1, "readings": [{"ts": 1, "temp',
    "two documents": b'{"readings": []}\n{"readings": []}',
    "embedded newlines": b"a\nb\r\n\n",
    "invalid utf-8": b'{"readings": "\xff\xfe"}',
    "lone surrogate": b'{"readings": "\\ud800"}',
    "not a number": b'{"readings": [NaN]}',
    "beyond any double": b'{"readings": [1E400]}',
    "too deep": b'{"readings": ' + b"[" * 5000 + b"]" * 5000 + b"}",
    "byte order mark": b'\xef\xbb\xbf{"readings": []}',
    "cbor": b"\xa1\x68readings\x81\xa1\x62ts\x1b\x00\x00\x01\x8b\xcf\xe5\x68\x00",
    "empty": b"",
    "all bytes": bytes(range(256)),
    "128 KB": bytes(range(256)) * 512,
    "its own iot_payload": b'{"iot_payload": "forged", "iot_tenant": "forged"}',
}


@pytest.mark.parametrize("payload", OTHER.values(), ids=OTHER.keys())
def test_anything_else_becomes_one_line_with_the_exact_bytes(pipe: Pipe, payload: bytes) -> None:
    record = pipe.send(payload)
    assert set(record) == ALIASES | {"iot_payload"}
    assert base64.b64decode(record["iot_payload"], validate=True) == payload
    assert (record["iot_tenant"], record["iot_device"]) == ("acme", pipe.device.name)


def test_128_kb_of_json_with_readings_arrive_whole(pipe: Pipe) -> None:
    readings = ["x" * 100] * 1270
    assert pipe.send(json.dumps({"readings": readings}, separators=(",", ":")).encode())["readings"] == readings


def test_of_duplicate_keys_the_last_wins(pipe: Pipe) -> None:
    assert pipe.send(b'{"readings": [1], "readings": [2], "v": 1, "v": 2}') | {"v": 2, "readings": [2]} == pipe.send(
        b'{"readings": [2], "v": 2}'
    ) | {"iot_received_at": pytest.approx(time.time() * 1000, abs=60_000)}


NUMBERS = {
    "9007199254740993": "9007199254740993",
    "12345678901234567890123456789012": "12345678901234567890123456789012",
    "-18446744073709551617": "-18446744073709551617",
    "0.12345678901234567890123456": "0.12345678901234567890123456",
    "1E300": "1E300",
    "21.4": "21.4",
    "1.10": "1.1",
    "-0.0": "-0.0",
    "1.0": "1.0",
}


@pytest.mark.parametrize(("sent", "arrived"), NUMBERS.items())
def test_numbers_keep_their_value(pipe: Pipe, sent: str, arrived: str) -> None:
    """AWS IoT numbers have 34 digits ("Data types"); a shorter one may lose its trailing zeros, never its value."""
    assert pipe.session.publish(pipe.topic, f'{{"readings": [{sent}]}}'.encode()) == "Success"
    (line,) = pipe.records(1)
    assert line.startswith(f'{{"readings":[{arrived}],'.encode())


def test_the_partition_key_is_substituted(pipe: Pipe) -> None:
    pipe.session.publish(pipe.topic, b'{"readings": []}')
    records = pipe.aws.client("kinesis").get_records(ShardIterator=pipe.iterator)["Records"]
    assert [record["PartitionKey"] for record in records] == [pipe.device.name]
    pipe.records(1)


def rule(aws: LocalAws, sql: str, action: dict[str, Any], error_action: dict[str, Any] | None = None) -> None:
    payload: dict[str, Any] = {"sql": sql, "actions": [action]}
    if error_action:
        payload["errorAction"] = error_action
    aws.client("iot").create_topic_rule(ruleName=unique("rule").replace("-", "_"), topicRulePayload=payload)


def test_the_s3_action_writes_an_object_per_message(local_aws: LocalAws, pipe: Pipe) -> None:
    root, bucket = unique("s3"), local_aws.bucket()
    action = {"bucketName": bucket, "key": "${topic(2)}/${n}.json", "roleArn": local_aws.role()}
    rule(local_aws, f"SELECT * FROM '{root}/#'", {"s3": action})
    pipe.session.publish(f"{root}/x/{pipe.device.name}/telemetry", b'{"n": 7}')
    assert json.loads(local_aws.body(bucket, "x/7.json")) == {"n": 7}


def test_a_binary_payload_passes_select_star_unchanged(local_aws: LocalAws, pipe: Pipe) -> None:
    root, bucket = unique("raw"), local_aws.bucket()
    action = {"bucketName": bucket, "key": "${topic(2)}", "roleArn": local_aws.role()}
    rule(local_aws, f"SELECT *, topic() AS t FROM '{root}/#'", {"s3": action})
    pipe.session.publish(f"{root}/binary/{pipe.device.name}/telemetry", b"\xff\x00\n")
    pipe.session.publish(f"{root}/empty/{pipe.device.name}/telemetry", b"")
    assert local_aws.body(bucket, "binary") == b"\xff\x00\n"
    assert json.loads(local_aws.body(bucket, "empty")) == {"t": f"{root}/empty/{pipe.device.name}/telemetry"}


def test_the_firehose_action_appends_its_separator(local_aws: LocalAws, pipe: Pipe) -> None:
    root, bucket = unique("fh"), local_aws.bucket()
    delivery = local_aws.delivery_stream(bucket, ProcessingConfiguration={"Enabled": False})
    action = {"deliveryStreamName": delivery, "separator": "\n", "roleArn": local_aws.role()}
    rule(local_aws, f"SELECT n FROM '{root}/#'", {"firehose": action})
    for n in range(3):
        pipe.session.publish(f"{root}/x/{pipe.device.name}/telemetry", b'{"n": %d}' % n)
    assert eventually(lambda: local_aws.lines(bucket, "raw/")) == ['{"n":0}', '{"n":1}', '{"n":2}']


FAILING = {
    "kinesis": {"kinesis": {"streamName": "no-such-stream", "partitionKey": "k"}},
    "firehose": {"firehose": {"deliveryStreamName": "no-such-delivery"}},
    "s3": {"s3": {"bucketName": "no-such-bucket", "key": "k"}},
    "an action the local AWS lacks": {"cloudwatchLogs": {"logGroupName": "no-such-action"}},
}


@pytest.mark.parametrize("action", FAILING.values(), ids=FAILING.keys())
def test_a_failing_action_reaches_the_error_action(
    local_aws: LocalAws, pipe: Pipe, action: dict[str, dict[str, str]]
) -> None:
    root, payload = unique("fail"), b"\xffnot json"
    url, _arn = local_aws.queue()
    kind, spec = next(iter(action.items()))
    error_action = {"sqs": {"queueUrl": url, "roleArn": local_aws.role(), "useBase64": False}}
    rule(local_aws, f"SELECT * FROM '{root}/#'", {kind: spec | {"roleArn": local_aws.role()}}, error_action)
    assert pipe.session.publish(f"{root}/x/{pipe.device.name}/telemetry", payload) == "Success"
    (document,) = local_aws.messages(url)
    assert base64.b64decode(document["base64OriginalPayload"]) == payload
    assert (document["topic"], document["clientId"]) == (f"{root}/x/{pipe.device.name}/telemetry", pipe.device.name)
    (failure,) = document["failures"]
    assert failure["failedAction"] == f"{kind[0].upper()}{kind[1:]}Action"
    assert kind == "cloudwatchLogs" or failure["failedResource"] == next(iter(spec.values()))
    assert (kind if kind == "cloudwatchLogs" else failure["failedResource"]) in failure["errorMessage"]


@pytest.mark.parametrize("kind", ["s3", "firehose", "kinesis"])
def test_error_documents_go_to_s3_firehose_and_kinesis_too(local_aws: LocalAws, pipe: Pipe, kind: str) -> None:
    root, bucket = unique("error"), local_aws.bucket()
    stream, arn = local_aws.stream()
    delivery = local_aws.delivery_stream(bucket, None if kind == "firehose" else arn)
    error_action = {
        "s3": {"s3": {"bucketName": bucket, "key": "raw/${topic(1)}.json", "roleArn": local_aws.role()}},
        "firehose": {"firehose": {"deliveryStreamName": delivery, "roleArn": local_aws.role()}},
        "kinesis": {"kinesis": {"streamName": stream, "partitionKey": "${newuuid()}", "roleArn": local_aws.role()}},
    }[kind]
    rule(
        local_aws,
        f"SELECT * FROM '{root}/#'",
        {"s3": {"bucketName": "no-such-bucket", "key": "k", "roleArn": local_aws.role()}},
        error_action,
    )
    pipe.session.publish(f"{root}/x/{pipe.device.name}/telemetry", b"{}")
    (line,) = eventually(lambda: local_aws.lines(bucket, "raw/"))
    assert json.loads(line)["failures"][0]["failedAction"] == "S3Action"
