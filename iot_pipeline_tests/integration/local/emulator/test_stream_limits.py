"""The limits of Kinesis Data Streams' puts and gets.

API reference: PutRecord, PutRecords, GetRecords, UpdateMaxRecordSize; developer guide, "Handle large records". The
numbers and their sources: `infra/local/emulator/streams/limits.py`.
"""

import pytest
from botocore.exceptions import ClientError

from iot_pipeline_tests.support.emulator import LocalAws, unique
from iot_pipeline_tests.support.stream import Stream, code

pytestmark = pytest.mark.integration
MIB = 1 << 20


PUTS: dict[str, tuple[list[tuple[int, str]], str | None]] = {
    "500 records": ([(1, "k")] * 500, None),
    "501 records": ([(1, "k")] * 501, "ValidationException"),
    "a record of 1 MiB with its key": ([(MIB - 1, "k")], None),
    "a record of 1 MiB and its key": ([(MIB, "k")], "ValidationException"),
    "a record above 1 MiB": ([(MIB + 1, "k")], "ValidationException"),
    "10 MiB": ([(MIB - 1, "k")] * 10, None),
    "above 10 MiB": ([(MIB - 1, "k")] * 10 + [(0, "k")], "InvalidArgumentException"),
    "a key of 256 characters": ([(1, "k" * 256)], None),
    "a key of 257 characters": ([(1, "k" * 257)], "ValidationException"),
}


@pytest.mark.parametrize(("records", "expected"), PUTS.values(), ids=PUTS)
def test_put_records_limits(local_aws: LocalAws, records: list[tuple[int, str]], expected: str | None) -> None:
    stream = Stream(local_aws)
    request = [{"Data": bytes(size), "PartitionKey": key} for size, key in records]
    if expected is None:
        answer = stream.kinesis.put_records(StreamName=stream.name, Records=request)
        assert (answer["FailedRecordCount"], len(answer["Records"])) == (0, len(records))
        return
    with pytest.raises(ClientError) as error:
        stream.kinesis.put_records(StreamName=stream.name, Records=request)
    assert code(error) == expected
    assert stream.read("0")[0] == []


@pytest.mark.parametrize("hash_key", ["-1", str(2**128), "x"])
def test_a_hash_key_beyond_the_range_is_refused(local_aws: LocalAws, hash_key: str) -> None:
    stream = Stream(local_aws)
    with pytest.raises(ClientError) as error:
        stream.kinesis.put_record(StreamName=stream.name, Data=b"x", PartitionKey="k", ExplicitHashKey=hash_key)
    assert code(error) == "InvalidArgumentException"


def test_a_stream_of_large_records(local_aws: LocalAws) -> None:
    """Guide, "Handle large records": up to 10 MiB once the stream is told to."""
    stream = Stream(local_aws)
    record = {"StreamName": stream.name, "Data": bytes(3 * MIB), "PartitionKey": "k"}
    with pytest.raises(ClientError, match="1048576") as error:
        stream.kinesis.put_record(**record)
    assert code(error) == "ValidationException"
    with pytest.raises(ClientError, match="1024 to 10240"):
        stream.kinesis.update_max_record_size(StreamARN=stream.arn, MaxRecordSizeInKiB=10_241)
    stream.kinesis.update_max_record_size(StreamARN=stream.arn, MaxRecordSizeInKiB=3073)
    stream.kinesis.put_record(**record)
    summary = stream.kinesis.describe_stream_summary(StreamName=stream.name)["StreamDescriptionSummary"]
    assert summary["MaxRecordSizeInKiB"] == 3073
    name = unique("stream")
    stream.kinesis.create_stream(StreamName=name, ShardCount=1, MaxRecordSizeInKiB=10_240)
    stream.kinesis.put_record(StreamName=name, Data=bytes(10 * MIB - 1), PartitionKey="k")


def test_get_records_answers_10_mib_and_10000_records_at_the_most(local_aws: LocalAws) -> None:
    stream = Stream(local_aws)
    for _ in range(12):
        stream.kinesis.put_record(StreamName=stream.name, Data=bytes(MIB - 1), PartitionKey="k")
    start = {"ShardId": "shardId-000000000000", "ShardIteratorType": "TRIM_HORIZON"}
    iterator = stream.kinesis.get_shard_iterator(StreamName=stream.name, **start)["ShardIterator"]
    with pytest.raises(ClientError) as error:
        stream.kinesis.get_records(ShardIterator=iterator, Limit=10_001)
    assert code(error) == "InvalidArgumentException"
    page = stream.kinesis.get_records(ShardIterator=iterator)
    assert len(page["Records"]) == 10
    rest = stream.kinesis.get_records(ShardIterator=page["NextShardIterator"])
    assert len(rest["Records"]) == 2
