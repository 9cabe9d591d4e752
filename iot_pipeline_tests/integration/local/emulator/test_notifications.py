"""S3 events to SQS, and the queue's own promises.

Amazon S3 user guide: "Amazon S3 Event Notifications" (s3:TestEvent, prefix and suffix filters, event message
structure); Amazon SQS developer guide: "Using dead-letter queues", "Amazon SQS visibility timeout".
"""

import json
import threading
import time
from pathlib import Path
from urllib.parse import unquote_plus

import pytest

from iot_pipeline_tests.support.emulator import ACCOUNT, REGION, LocalAws, eventually, notify, unique

pytestmark = pytest.mark.integration


def test_the_first_message_is_the_test_event(local_aws: LocalAws) -> None:
    bucket = local_aws.bucket()
    (event,) = local_aws.messages(notify(local_aws, bucket))
    assert event["Event"] == "s3:TestEvent"
    assert event["Bucket"] == bucket
    assert "Records" not in event


def test_only_objects_that_pass_the_filter_are_told_of(local_aws: LocalAws) -> None:
    bucket = local_aws.bucket()
    url = notify(local_aws, bucket, "raw/", ".gz")
    for key in ("other/a.gz", "raw/a.json", "raw/year=2026/a b+ü.gz"):
        local_aws.client("s3").put_object(Bucket=bucket, Key=key, Body=b"12345")
    (record,) = [r for m in local_aws.messages(url, 2) for r in m.get("Records", [])]
    assert record["eventName"] == "ObjectCreated:Put"
    assert record["s3"]["bucket"]["name"] == bucket
    assert record["s3"]["object"]["size"] == 5
    assert unquote_plus(record["s3"]["object"]["key"]) == "raw/year=2026/a b+ü.gz"


def test_objects_are_on_disk_before_they_are_told_of_and_never_half(local_aws: LocalAws) -> None:
    """The local Athena reads the data folder itself."""
    bucket = local_aws.bucket()
    url = notify(local_aws, bucket)
    folder = local_aws.emulator.state_dir / "s3" / ACCOUNT / bucket
    missing, sizes, stop = [], set(), threading.Event()

    def poll() -> None:
        while not stop.is_set():
            for message in (
                local_aws.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
            ):
                for record in json.loads(message["Body"]).get("Records", []):
                    path = folder / record["s3"]["object"]["key"]
                    missing.extend([] if path.exists() else [path])

    def watch() -> None:
        while not stop.is_set():
            path: Path = folder / "same"
            if path.exists():
                sizes.add(path.stat().st_size)

    threads = [threading.Thread(target=poll), threading.Thread(target=watch)]
    for thread in threads:
        thread.start()
    for n in range(60):
        local_aws.client("s3").put_object(Bucket=bucket, Key=f"key{n}", Body=b"x" * 300_000)
        local_aws.client("s3").put_object(Bucket=bucket, Key="same", Body=b"y" * 3_000_000)
    stop.set()
    for thread in threads:
        thread.join()
    assert missing == []
    assert sizes == {3_000_000}


def test_events_of_one_key_keep_their_order(local_aws: LocalAws) -> None:
    bucket = local_aws.bucket()
    url = notify(local_aws, bucket)
    for n in range(1, 21):
        local_aws.client("s3").put_object(Bucket=bucket, Key="k", Body=b"x" * n)
    records = [r for m in local_aws.messages(url, 21) for r in m.get("Records", [])]
    records.sort(key=lambda record: record["s3"]["object"]["sequencer"])
    assert [record["s3"]["object"]["size"] for record in records] == list(range(1, 21))


def test_a_versioned_bucket_keeps_every_versions_bytes(local_aws: LocalAws) -> None:
    s3, bucket = local_aws.client("s3"), local_aws.bucket()
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    bodies = [b"one", b"two", b"three"]
    versions = [s3.put_object(Bucket=bucket, Key="k", Body=body)["VersionId"] for body in bodies]
    s3.delete_object(Bucket=bucket, Key="k")
    found = [s3.get_object(Bucket=bucket, Key="k", VersionId=version)["Body"].read() for version in versions]
    assert found == bodies
    assert local_aws.keys(bucket) == []


def test_an_undeleted_message_comes_back_and_then_goes_to_the_dead_letter_queue(local_aws: LocalAws) -> None:
    sqs = local_aws.client("sqs")
    dead_url, dead_arn = local_aws.queue()
    redrive = json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 2})
    url, _arn = local_aws.queue(VisibilityTimeout="1", RedrivePolicy=redrive)
    sqs.send_message(QueueUrl=url, MessageBody=json.dumps({"n": 1}))
    assert len(sqs.receive_message(QueueUrl=url)["Messages"]) == 1
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    time.sleep(1.1)
    attributes = ["ApproximateReceiveCount"]
    (again,) = sqs.receive_message(QueueUrl=url, AttributeNames=attributes)["Messages"]
    assert again["Attributes"]["ApproximateReceiveCount"] == "2"
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=again["ReceiptHandle"], VisibilityTimeout=0)
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    assert local_aws.messages(dead_url) == [{"n": 1}]


def test_a_stacks_workgroup_is_athenas(local_aws: LocalAws) -> None:
    """AWS CloudFormation template reference: AWS::Athena::WorkGroup."""
    name, stack = unique("workgroup"), unique("stack")
    configuration = {
        "BytesScannedCutoffPerQuery": 1_073_741_824,
        "EnforceWorkGroupConfiguration": True,
        "ResultConfiguration": {"OutputLocation": "s3://lake/results/"},
    }
    properties = {"Name": name, "WorkGroupConfiguration": configuration}
    template = {"Resources": {"W": {"Type": "AWS::Athena::WorkGroup", "Properties": properties}}}
    cloudformation = local_aws.client("cloudformation")
    cloudformation.create_stack(StackName=stack, TemplateBody=json.dumps(template))

    def done() -> bool:
        return bool(cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE")

    assert eventually(done)
    found = local_aws.client("athena").get_work_group(WorkGroup=name)["WorkGroup"]
    assert found["State"] == "ENABLED"
    assert {key: found["Configuration"][key] for key in configuration} == configuration


def test_wrong_credentials_are_refused(local_aws: LocalAws) -> None:
    """test/test is the account's root; a key that IAM does not know is nobody."""
    import boto3

    identity = local_aws.client("sts").get_caller_identity()
    assert (identity["Account"], identity["Arn"]) == (ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root")
    stranger = boto3.client(
        "s3",
        endpoint_url=local_aws.emulator.endpoint_url,
        region_name=REGION,
        aws_access_key_id="AKIAUNKNOWN000000000",
        aws_secret_access_key="x",
    )
    with pytest.raises(stranger.exceptions.ClientError, match="InvalidAccessKeyId"):
        stranger.list_buckets()
