"""Starting, stopping and killing the local AWS."""

import importlib.metadata
import io
import json
import signal
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.local.emulator.extensions import WrongMinistackVersionError, check_ministack_version
from infra.local.emulator.process import start_emulator
from infra.local.servers.local_server import LocalError
from iot_pipeline_tests.support.emulator import LocalAws, eventually, notify, processes_of, restart, unique

pytestmark = pytest.mark.integration


def test_another_ministack_is_refused_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    check_ministack_version()
    monkeypatch.setattr(importlib.metadata, "version", lambda _name: "1.6.0")
    with pytest.raises(WrongMinistackVersionError, match=r"needs ministack 1\.5\.33, but 1\.6\.0 .* pip install"):
        check_ministack_version()


def test_a_second_process_on_the_same_port_says_which_port(own_aws: LocalAws, tmp_path: Path) -> None:
    with pytest.raises(LocalError, match=rf"Port {own_aws.emulator.port} on 127.0.0.1 cannot be used"):
        start_emulator(tmp_path / "other", port=own_aws.emulator.port)
    with pytest.raises(LocalError, match=rf"Port {own_aws.emulator.mqtt_port} on 127.0.0.1 cannot be used"):
        start_emulator(tmp_path / "other", mqtt_port=own_aws.emulator.mqtt_port)


def test_two_processes_do_not_share_a_state_folder(own_aws: LocalAws) -> None:
    pid = own_aws.emulator.process.pid
    with pytest.raises(LocalError, match=f"is in use by the local AWS with process id {pid}"):
        start_emulator(own_aws.emulator.state_dir)


def test_a_broken_state_file_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "services" / "iot.json"
    broken.parent.mkdir()
    broken.write_text('{"things": ')
    with pytest.raises(LocalError, match=r"services/iot\.json is not readable .* start afresh by removing"):
        start_emulator(tmp_path)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_state_survives_a_restart(own_aws: LocalAws, how: signal.Signals) -> None:
    device, bucket = own_aws.device(), own_aws.bucket()
    (stream, _arn), (url, _queue) = own_aws.stream(), own_aws.queue()
    wait_until_saved(own_aws, "sqs", url.rsplit("/", 1)[-1])  # what is sent then is a change of its own
    own_aws.client("sqs").send_message(QueueUrl=url, MessageBody="1")
    s3 = own_aws.client("s3")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    old = s3.put_object(Bucket=bucket, Key="a/b", Body=b"old bytes")["VersionId"]
    s3.put_object(Bucket=bucket, Key="a/b", Body=b"bytes")
    wait_until_saved(own_aws, "sqs", '"body": "1"')
    for service, evidence in (("iot", device.name), ("kinesis", stream), ("s3", "Enabled")):
        wait_until_saved(own_aws, service, evidence)
    restart(own_aws, how)
    assert own_aws.body(bucket, "a/b") == b"bytes"
    assert s3.get_object(Bucket=bucket, Key="a/b", VersionId=old)["Body"].read() == b"old bytes"
    assert own_aws.messages(url) == [1]
    assert stream in own_aws.client("kinesis").list_streams()["StreamNames"]
    session = own_aws.connect_device(device)
    assert session.of("connack") == ["Success"]
    session.close()


def warm_function(aws: LocalAws, code: str) -> tuple[str, Any]:
    """A function that was called once: its name, and what it answered."""
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("index.py", code)
    name, aws_lambda = unique("function"), aws.client("lambda")
    aws_lambda.create_function(
        FunctionName=name,
        Runtime="python3.14",
        Handler="index.handler",
        Role=aws.role(),
        Code={"ZipFile": package.getvalue()},
    )
    return name, json.load(aws_lambda.invoke(FunctionName=name)["Payload"])


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_what_is_temporary_lies_in_the_state_and_outlives_no_process(own_aws: LocalAws, how: signal.Signals) -> None:
    code = "import tempfile\ndef handler(event, context):\n    return tempfile.mkstemp()[1]"
    name, made = warm_function(own_aws, code)
    temporary = own_aws.emulator.state_dir / "tmp"
    assert Path(made).parent == temporary
    assert any(folder.name.startswith(f"ministack-lambda-{name}-") for folder in temporary.iterdir())
    restart(own_aws, how)
    assert not any(name in folder.name for folder in temporary.iterdir())
    own_aws.emulator.stop()
    assert not temporary.exists()


def test_no_process_of_a_function_outlives_a_stop(own_aws: LocalAws) -> None:
    """This one would not end by itself when nobody calls it any more: a thread of it holds it."""
    thread = "import threading, time\nthreading.Thread(target=time.sleep, args=(60,)).start()\n"
    name, _ = warm_function(own_aws, thread + "def handler(event, context):\n    return 1")
    processes = processes_of(own_aws.emulator.pid, name)
    assert processes
    own_aws.emulator.stop()
    assert not [process for process in processes if process.is_running()]


def test_what_became_of_messages_survives_a_kill(own_aws: LocalAws) -> None:
    """One that came from S3, without a request to SQS; one that a consumer holds; one that is deleted."""
    sqs, s3, bucket = own_aws.client("sqs"), own_aws.client("s3"), own_aws.bucket()
    notified, (held, _), (emptied, _) = notify(own_aws, bucket), own_aws.queue(), own_aws.queue()
    assert "s3:TestEvent" in str(own_aws.messages(notified))
    for url, body in ((held, "held-1"), (emptied, "gone-1")):
        sqs.send_message(QueueUrl=url, MessageBody=body)
        wait_until_saved(own_aws, "sqs", body)

    s3.put_object(Bucket=bucket, Key="its-key", Body=b"bytes")
    wait_until_saved(own_aws, "sqs", "its-key")
    (message,) = sqs.receive_message(QueueUrl=held, VisibilityTimeout=600)["Messages"]
    wait_until_saved(own_aws, "sqs", message["ReceiptHandle"])
    (message,) = sqs.receive_message(QueueUrl=emptied)["Messages"]
    sqs.delete_message(QueueUrl=emptied, ReceiptHandle=message["ReceiptHandle"])
    assert eventually(lambda: "gone-1" not in saved(own_aws, "sqs"))

    restart(own_aws, signal.SIGKILL)
    assert "its-key" in str(own_aws.messages(notified))
    counts = [sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"] for url in (held, emptied)]
    names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
    assert [[found[name] for name in names] for found in counts] == [["0", "1"], ["0", "0"]]


def test_what_is_made_after_records_and_lines_have_come_survives_a_kill(own_aws: LocalAws) -> None:
    """Records and lines lie in files of their own, and the state that is saved names them."""
    kinesis, logs, (stream, _) = own_aws.client("kinesis"), own_aws.client("logs"), own_aws.stream()
    kinesis.put_record(StreamName=stream, Data=b"a record", PartitionKey="k")
    name, _ = warm_function(own_aws, "def handler(event, context):\n    print('a line')\n    return 1")
    later, _ = own_aws.stream()
    wait_until_saved(own_aws, "kinesis", later)
    logs.create_log_group(logGroupName="/made/later")
    wait_until_saved(own_aws, "cloudwatch_logs", "/made/later")
    restart(own_aws, signal.SIGKILL)
    assert {stream, later} <= set(kinesis.list_streams()["StreamNames"])
    assert "/made/later" in {group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]}
    found = logs.filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
    assert any("a line" in event["message"] for event in found)


def test_metrics_of_a_function_survive_a_stop(own_aws: LocalAws) -> None:
    name, _ = warm_function(own_aws, "def handler(event, context):\n    return 1")
    question = {
        "Namespace": "AWS/Lambda",
        "MetricName": "Invocations",
        "Dimensions": [{"Name": "FunctionName", "Value": name}],
        "StartTime": datetime.now(UTC) - timedelta(hours=1),
        "EndTime": datetime.now(UTC) + timedelta(hours=1),
        "Period": 60,
        "Statistics": ["Sum"],
    }

    def invocations() -> float:
        points = own_aws.client("cloudwatch").get_metric_statistics(**question)["Datapoints"]
        return sum(float(point["Sum"]) for point in points)

    assert eventually(lambda: invocations() == 1)
    restart(own_aws, signal.SIGTERM)
    assert invocations() == 1


def test_what_devices_did_survives_a_kill(own_aws: LocalAws) -> None:
    """An identity that a device was given, what it reported, and what it left on a topic: none is an AWS request."""
    iot, data = own_aws.client("iot"), own_aws.client("iot-data")
    anything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iot:*", "Resource": "*"}]}
    device = own_aws.device(policy=anything)
    role, template = own_aws.role(), unique("template")
    own_aws.client("iam").put_role_policy(
        RoleName=role.rsplit("/", 1)[-1], PolicyName="provisioning", PolicyDocument=json.dumps(anything)
    )
    body = {
        "Parameters": {"AWS::IoT::Certificate::Id": {"Type": "String"}, "Name": {"Type": "String"}},
        "Resources": {
            "thing": {"Type": "AWS::IoT::Thing", "Properties": {"ThingName": {"Ref": "Name"}}},
            "certificate": {
                "Type": "AWS::IoT::Certificate",
                "Properties": {"CertificateId": {"Ref": "AWS::IoT::Certificate::Id"}, "Status": "Active"},
            },
        },
    }
    iot.create_provisioning_template(
        templateName=template, templateBody=json.dumps(body), enabled=True, provisioningRoleArn=role
    )
    wait_until_saved(own_aws, "iot", template)

    session = own_aws.connect_device(device)
    replies: list[dict[str, Any]] = []
    session.client.on_message = lambda _client, _data, message: replies.append(json.loads(message.payload))

    def ask(topic: str, payload: dict[str, Any]) -> dict[str, Any]:
        asked, subscribed = len(replies), len(session.of("suback"))
        session.client.subscribe([(f"{topic}/{kind}", 1) for kind in ("accepted", "rejected")])
        session.wait("suback", subscribed + 1)
        assert session.publish(topic, json.dumps(payload).encode()) == "Success"
        assert eventually(lambda: len(replies) > asked)
        return replies[-1]

    made = ask("$aws/certificates/create/json", {})
    wait_until_saved(own_aws, "iot", made["certificateId"])
    name = unique("provisioned")
    request = {"certificateOwnershipToken": made["certificateOwnershipToken"], "parameters": {"Name": name}}
    assert ask(f"$aws/provisioning-templates/{template}/provision/json", request)["thingName"] == name
    wait_until_saved(own_aws, "iot", name)
    shadow, kept = unique("reported"), unique("topic")
    ask(f"$aws/things/{device.name}/shadow/update", {"state": {"reported": {"firmware": shadow}}})
    wait_until_saved(own_aws, "iot", shadow)
    session.client.publish(kept, b"kept", qos=1, retain=True)
    wait_until_saved(own_aws, "iot", kept)
    session.close()

    restart(own_aws, signal.SIGKILL)
    certificate = iot.describe_certificate(certificateId=made["certificateId"])["certificateDescription"]
    assert certificate["status"] == "ACTIVE"
    assert iot.list_thing_principals(thingName=name)["principals"] == [certificate["certificateArn"]]
    assert shadow.encode() in data.get_thing_shadow(thingName=device.name)["payload"].read()
    assert data.get_retained_message(topic=kept)["payload"] == b"kept"


def test_state_that_cannot_be_saved_is_tried_again(own_aws: LocalAws) -> None:
    in_the_way = own_aws.emulator.state_dir / "services" / "sqs.json.tmp"
    in_the_way.mkdir(parents=True)
    url, _arn = own_aws.queue()
    assert eventually(lambda: "State of sqs is not saved" in own_aws.emulator.log_file.read_text())
    in_the_way.rmdir()
    wait_until_saved(own_aws, "sqs", url.rsplit("/", 1)[-1])


def wait_until_saved(aws: LocalAws, service: str, evidence: str) -> None:
    """Wait until a service's file holds a text; what is marked by then is saved with it."""
    assert eventually(lambda: evidence in saved(aws, service)), f"{evidence} is not saved in {service}.json"


def saved(aws: LocalAws, service: str) -> str:
    path = aws.emulator.state_dir / "services" / f"{service}.json"
    return path.read_text() if path.exists() else ""
