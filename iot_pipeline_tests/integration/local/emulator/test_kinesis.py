"""Kinesis under the rules engine and beside it.

Kinesis Data Streams API reference: PutRecord, PutRecords, GetRecords, GetShardIterator ("GetRecords returns records
in the order they were put into a shard; sequence numbers increase").
"""

import signal
import time

import pytest

from iot_pipeline_tests.support.emulator import LocalAws, eventually, restart, unique

pytestmark = pytest.mark.integration
SHARD = "shardId-000000000000"


def iterator(aws: LocalAws, stream: str, kind: str) -> str:
    answer = aws.client("kinesis").get_shard_iterator(StreamName=stream, ShardId=SHARD, ShardIteratorType=kind)
    return str(answer["ShardIterator"])


def test_records_come_back_in_order_with_rising_sequence_numbers(local_aws: LocalAws) -> None:
    kinesis, (stream, _arn) = local_aws.client("kinesis"), local_aws.stream()
    put = [kinesis.put_record(StreamName=stream, Data=b"%d" % n, PartitionKey=f"{n}") for n in range(20)]
    records = kinesis.get_records(ShardIterator=iterator(local_aws, stream, "TRIM_HORIZON"))["Records"]
    assert [record["Data"] for record in records] == [b"%d" % n for n in range(20)]
    sequences = [record["SequenceNumber"] for record in records]
    assert sequences == [answer["SequenceNumber"] for answer in put] == sorted(sequences)


def test_putting_to_no_stream_is_an_error(local_aws: LocalAws) -> None:
    kinesis = local_aws.client("kinesis")
    with pytest.raises(kinesis.exceptions.ResourceNotFoundException):
        kinesis.put_record(StreamName="none", Data=b"x", PartitionKey="k")


def test_disk_is_bounded_and_an_iterator_keeps_its_place(local_aws: LocalAws) -> None:
    """Records beyond 256 MiB a shard that nobody waits for are dropped, and a live reader notices nothing."""
    kinesis, (stream, _arn) = local_aws.client("kinesis"), local_aws.stream()
    live, read = iterator(local_aws, stream, "TRIM_HORIZON"), 0
    body = {"Data": b"x" * 1_000_000, "PartitionKey": "k"}
    folder = local_aws.emulator.state_dir / "streams"

    def put_and_read(requests: int) -> None:
        nonlocal live, read
        for _ in range(requests):
            kinesis.put_records(StreamName=stream, Records=[body] * 4)
            answer = kinesis.get_records(ShardIterator=live)
            live, read = answer["NextShardIterator"], read + len(answer["Records"])

    put_and_read(75)
    oldest = kinesis.get_records(ShardIterator=iterator(local_aws, stream, "TRIM_HORIZON"), Limit=1)["Records"][0]
    time.sleep(5.1)  # the sweep is at most every five seconds
    put_and_read(1)
    assert read == 304
    kept = kinesis.get_records(ShardIterator=iterator(local_aws, stream, "TRIM_HORIZON"), Limit=1)["Records"][0]
    assert kept["SequenceNumber"] > oldest["SequenceNumber"]
    size = sum(path.stat().st_size for path in folder.glob(f"*/*/{stream}/*/*"))
    assert 256 << 20 <= size < 272 << 20
    kinesis.delete_stream(StreamName=stream)
    other, _arn = local_aws.stream()
    kinesis.put_record(StreamName=other, **body)
    assert not list(folder.glob(f"*/*/{stream}"))


def test_a_delivery_stream_keeps_up_with_a_stream_that_is_trimmed(local_aws: LocalAws) -> None:
    kinesis, bucket, (stream, arn) = local_aws.client("kinesis"), local_aws.bucket(), local_aws.stream()
    local_aws.delivery_stream(bucket, arn, Prefix=f"{unique('k')}/")
    for n in range(40):
        data = b"%02d" % n + b"x" * 999_998
        kinesis.put_record(StreamName=stream, Data=data, PartitionKey="k")
    assert eventually(lambda: sorted(line[:2] for line in local_aws.lines(bucket)) == [f"{n:02d}" for n in range(40)])


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_records_survive_a_restart(own_aws: LocalAws, how: signal.Signals) -> None:
    stream, _arn = own_aws.stream()
    device, root = own_aws.device(), unique("root")
    action = {"kinesis": {"streamName": stream, "partitionKey": "k", "roleArn": own_aws.role()}}
    payload = {"sql": f"SELECT * FROM '{root}/#'", "actions": [action]}
    own_aws.client("iot").create_topic_rule(ruleName="binary", topicRulePayload=payload)
    session = own_aws.connect_device(device)
    assert session.publish(f"{root}/{device.name}/telemetry", b"\xff\x00") == "Success"
    session.close()
    own_aws.client("kinesis").put_record(StreamName=stream, Data=b"by API", PartitionKey="k")
    waiting = iterator(own_aws, stream, "LATEST")
    if how == signal.SIGKILL:  # the stream is saved within a second, its records at once
        saved = own_aws.emulator.state_dir / "services" / "kinesis.json"
        assert eventually(lambda: saved.exists() and stream in saved.read_text())
    restart(own_aws, how)
    page = own_aws.client("kinesis").get_records(ShardIterator=iterator(own_aws, stream, "TRIM_HORIZON"))
    assert [record["Data"] for record in page["Records"]] == [b"\xff\x00", b"by API"]
    own_aws.client("kinesis").put_record(StreamName=stream, Data=b"later", PartitionKey="k")
    if how == signal.SIGTERM:  # iterators are part of the state, which a kill may find a second old
        assert own_aws.client("kinesis").get_records(ShardIterator=waiting)["Records"][0]["Data"] == b"later"
