"""Starting, stopping and killing the local AWS."""

import importlib.metadata
import json
import signal
from pathlib import Path

import pytest

from infra.local.emulator.extensions import WrongMinistackVersionError, check_ministack_version
from infra.local.emulator.process import start_emulator
from infra.local.servers.local_server import LocalError
from iot_pipeline_tests.support.emulator import LocalAws, eventually, restart

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
    own_aws.client("sqs").send_message(QueueUrl=url, MessageBody=json.dumps({"n": 1}))
    s3 = own_aws.client("s3")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    old = s3.put_object(Bucket=bucket, Key="a/b", Body=b"old bytes")["VersionId"]
    s3.put_object(Bucket=bucket, Key="a/b", Body=b"bytes")
    assert eventually(lambda: '{\\"n\\": 1}' in saved(own_aws, "sqs") and device.name in saved(own_aws, "iot"))
    restart(own_aws, how)
    assert own_aws.body(bucket, "a/b") == b"bytes"
    assert s3.get_object(Bucket=bucket, Key="a/b", VersionId=old)["Body"].read() == b"old bytes"
    assert own_aws.messages(url) == [{"n": 1}]
    assert stream in own_aws.client("kinesis").list_streams()["StreamNames"]
    session = own_aws.connect_device(device)
    assert session.of("connack") == ["Success"]
    session.close()


def test_a_queue_keeps_what_was_sent_and_forgets_what_was_deleted(own_aws: LocalAws) -> None:
    bucket, (url, arn) = own_aws.bucket(), own_aws.queue()
    sqs, s3 = own_aws.client("sqs"), own_aws.client("s3")
    assert eventually(lambda: url.rsplit("/", 1)[-1] in saved(own_aws, "sqs")), "the empty queue is saved first"
    sqs.send_message(QueueUrl=url, MessageBody=json.dumps({"n": "deleted"}))
    assert eventually(lambda: "deleted" in saved(own_aws, "sqs"))
    assert own_aws.messages(url) == [{"n": "deleted"}]
    # S3 puts its notifications into the queue without a request to SQS.
    statement = {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sqs:*", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    configuration = {"QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]}
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=configuration)
    s3.put_object(Bucket=bucket, Key="notified", Body=b"bytes")
    assert eventually(lambda: "notified" in saved(own_aws, "sqs") and "deleted" not in saved(own_aws, "sqs"))
    restart(own_aws, signal.SIGKILL)
    keys = [record["s3"]["object"]["key"] for m in own_aws.messages(url, 2) for record in m.get("Records", [])]
    assert keys == ["notified"]


def saved(aws: LocalAws, service: str) -> str:
    path = aws.emulator.state_dir / "services" / f"{service}.json"
    return path.read_text() if path.exists() else ""
