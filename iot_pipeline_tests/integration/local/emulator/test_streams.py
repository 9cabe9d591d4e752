"""Resharding, and the limits of Kinesis Data Streams.

API reference: SplitShard, MergeShards, UpdateShardCount, ListShards, GetRecords, SubscribeToShard, PutRecord,
PutRecords, UpdateMaxRecordSize; developer guide, "After resharding", "Handle large records"; Lambda developer guide,
"Process Amazon Kinesis Data Streams records with Lambda". The numbers: `infra/local/emulator/streams/limits.py`.
"""

import signal
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from iot_pipeline.console.live.shards import Batch, StreamReader
from iot_pipeline_tests.integration.local.emulator.test_event_source import map_function
from iot_pipeline_tests.support.emulator import LocalAws, eventually, restart, unique

pytestmark = pytest.mark.integration
MIDDLE = str(2**127)
LAST = 2**128 - 1
MIB = 1 << 20


def digits(shard_id: str) -> str:
    """A shard's number."""
    return str(int(shard_id.rpartition("-")[2]))


class Stream:
    """A stream under test."""

    def __init__(self, aws: LocalAws, shards: int = 1) -> None:
        self.kinesis = aws.client("kinesis")
        self.name, self.arn = aws.stream(shards)

    def put(self, *texts: str, hash_key: int | None = None) -> list[str]:
        """Put records one after the other; their shards."""
        more = {} if hash_key is None else {"ExplicitHashKey": str(hash_key)}
        put = self.kinesis.put_record
        answers = [put(StreamName=self.name, Data=text.encode(), PartitionKey=text, **more) for text in texts]
        return [digits(answer["ShardId"]) for answer in answers]

    def shards(self, **options: Any) -> dict[str, Any]:
        """The stream's shards by their numbers."""
        found = self.kinesis.list_shards(StreamName=self.name, **options)["Shards"]
        return {digits(shard["ShardId"]): shard for shard in found}

    def read(self, shard: str, **start: Any) -> tuple[list[str], dict[str, Any]]:
        """A shard's records from its beginning, or from a start, as far as it goes now; and the last answer."""
        start = start or {"ShardIteratorType": "TRIM_HORIZON"}
        shard_id = f"shardId-{shard:>012}"
        answer = self.kinesis.get_shard_iterator(StreamName=self.name, ShardId=shard_id, **start)
        iterator, found = answer["ShardIterator"], []
        while True:
            answer = self.kinesis.get_records(ShardIterator=iterator, Limit=2)
            found += [record["Data"].decode() for record in answer["Records"]]
            iterator = answer.get("NextShardIterator")
            if iterator is None or not answer["Records"]:
                return found, answer

    def split(self, shard: str = "0", at: str = MIDDLE) -> None:
        self.kinesis.split_shard(StreamName=self.name, ShardToSplit=f"shardId-{shard:>012}", NewStartingHashKey=at)

    def scale(self, count: int) -> Any:
        return self.kinesis.update_shard_count(
            StreamName=self.name, TargetShardCount=count, ScalingType="UNIFORM_SCALING"
        )


def code(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def test_a_split_shard_is_read_to_its_end_and_names_its_children(local_aws: LocalAws) -> None:
    stream = Stream(local_aws)
    stream.put("a", "b", "c")
    held = stream.kinesis.get_shard_iterator(
        StreamName=stream.name, ShardId="shardId-000000000000", ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    stream.split()
    assert stream.put("low", hash_key=0) + stream.put("high", hash_key=LAST) == ["1", "2"]
    assert [r["Data"] for r in stream.kinesis.get_records(ShardIterator=held)["Records"]] == [b"a", b"b", b"c"]
    found, last = stream.read("0")
    assert found == ["a", "b", "c"]
    assert "NextShardIterator" not in last
    assert last["MillisBehindLatest"] == 0
    assert [(c["ShardId"][-1], c["ParentShards"]) for c in last["ChildShards"]] == [
        ("1", ["shardId-000000000000"]),
        ("2", ["shardId-000000000000"]),
    ]
    assert [child["HashKeyRange"]["StartingHashKey"] for child in last["ChildShards"]] == ["0", MIDDLE]
    for shard, text in (("1", "low"), ("2", "high")):
        found, last = stream.read(shard)
        assert found == [text]
        assert last["NextShardIterator"]
    latest, last = stream.read("0", ShardIteratorType="LATEST")
    assert (latest, "NextShardIterator" in last) == ([], False)


def test_shards_tell_their_parents_and_their_ends(local_aws: LocalAws) -> None:
    stream = Stream(local_aws)
    last_put = stream.kinesis.put_record(StreamName=stream.name, Data=b"x", PartitionKey="k")["SequenceNumber"]
    stream.split()
    merge = {"ShardToMerge": "shardId-000000000001", "AdjacentShardToMerge": "shardId-000000000002"}
    stream.kinesis.merge_shards(StreamName=stream.name, **merge)
    shards = stream.shards()
    ranges = {shard: told["SequenceNumberRange"] for shard, told in shards.items()}
    assert {shard for shard, told in ranges.items() if "EndingSequenceNumber" in told} == {"0", "1", "2"}
    assert int(ranges["0"]["EndingSequenceNumber"]) >= int(last_put)
    assert int(ranges["1"]["StartingSequenceNumber"]) > int(ranges["0"]["EndingSequenceNumber"])
    assert shards["1"]["ParentShardId"] == "shardId-000000000000"
    assert shards["3"]["ParentShardId"] == merge["ShardToMerge"]
    assert shards["3"]["AdjacentParentShardId"] == merge["AdjacentShardToMerge"]
    assert shards["3"]["HashKeyRange"] == {"StartingHashKey": "0", "EndingHashKey": str(LAST)}
    summary = stream.kinesis.describe_stream_summary(StreamName=stream.name)["StreamDescriptionSummary"]
    assert summary["OpenShardCount"] == 1
    described = stream.kinesis.describe_stream(StreamName=stream.name)["StreamDescription"]["Shards"]
    assert described == list(shards.values())


@pytest.mark.parametrize(
    ("start", "target"), [(1, 2), (2, 4), (4, 2), (2, 1), (2, 3), (3, 2), (3, 4), (4, 3), (3, 6), (5, 7), (4, 4)]
)
def test_update_shard_count_leaves_equal_shards_and_every_record(local_aws: LocalAws, start: int, target: int) -> None:
    stream = Stream(local_aws, start)
    texts = [str(n) for n in range(20)]
    stream.put(*texts)
    answer = stream.scale(target)
    assert (answer["CurrentShardCount"], answer["TargetShardCount"]) == (start, target)
    still_open = stream.shards(ShardFilter={"Type": "AT_LATEST"}).values()
    size = 2**128 // target
    borders = sorted(int(shard["HashKeyRange"]["StartingHashKey"]) for shard in still_open)
    assert len(borders) == target
    assert all(abs(border - n * size) <= target for n, border in enumerate(borders))
    if start in (
        2 * target,
        target / 2,
    ):  # "the fewest number of splits or merges"
        assert len(stream.shards()) == start + target
    assert max(int(shard["HashKeyRange"]["EndingHashKey"]) for shard in still_open) == LAST
    found = [text for shard in stream.shards() for text in stream.read(shard)[0]]
    assert sorted(found) == sorted(texts)
    assert set(stream.put(*texts)) <= {digits(shard["ShardId"]) for shard in still_open}


SPLITS: dict[str, tuple[dict[str, str], str]] = {
    "below the range": ({"NewStartingHashKey": "0"}, "InvalidArgumentException"),
    "above the range": ({"NewStartingHashKey": str(2**128)}, "InvalidArgumentException"),
    "no number": ({"NewStartingHashKey": "1e3"}, "ValidationException"),
    "no shard": ({"ShardToSplit": "shardId-000000000009"}, "ResourceNotFoundException"),
    "no stream": ({"StreamName": "none"}, "ResourceNotFoundException"),
}


@pytest.mark.parametrize(("change", "expected"), SPLITS.values(), ids=SPLITS)
def test_splits_that_are_refused(local_aws: LocalAws, change: dict[str, str], expected: str) -> None:
    stream = Stream(local_aws)
    request = {"StreamName": stream.name, "ShardToSplit": "shardId-000000000000", "NewStartingHashKey": MIDDLE}
    with pytest.raises(ClientError) as error:
        stream.kinesis.split_shard(**request | change)
    assert code(error) == expected
    assert list(stream.shards()) == ["0"]


def test_a_closed_shard_is_neither_split_nor_merged_and_merged_shards_touch(local_aws: LocalAws) -> None:
    stream = Stream(local_aws, 3)
    first, third = "shardId-000000000000", "shardId-000000000002"
    with pytest.raises(ClientError, match="not adjacent") as error:
        stream.kinesis.merge_shards(StreamName=stream.name, ShardToMerge=first, AdjacentShardToMerge=third)
    assert code(error) == "InvalidArgumentException"
    stream.split("0", "5")
    with pytest.raises(ClientError, match="already been merged or split"):
        stream.split("0", "7")


def test_update_shard_counts_limits(local_aws: LocalAws) -> None:
    """Not more than double, not below half, and ten times a day."""
    stream = Stream(local_aws, 4)
    for target, said in ((9, "up over double"), (1, "below half"), (10_001, "10000 shards")):
        with pytest.raises(ClientError, match=said) as error:
            stream.scale(target)
        assert code(error) == "LimitExceededException"
    with pytest.raises(ClientError) as error:
        stream.kinesis.update_shard_count(StreamName=stream.name, TargetShardCount=4, ScalingType="UNEVEN")
    assert code(error) == "ValidationException"
    for _ in range(10):
        stream.scale(4)
    with pytest.raises(ClientError, match="10 times") as error:
        stream.scale(4)
    assert code(error) == "LimitExceededException"


def test_a_stream_on_demand_is_not_resharded(local_aws: LocalAws) -> None:
    kinesis, name = local_aws.client("kinesis"), unique("stream")
    kinesis.create_stream(StreamName=name, StreamModeDetails={"StreamMode": "ON_DEMAND"})
    with pytest.raises(ClientError, match="On-Demand") as error:
        kinesis.update_shard_count(StreamName=name, TargetShardCount=2, ScalingType="UNIFORM_SCALING")
    assert code(error) == "ValidationException"


def test_shards_are_listed_by_filter_and_in_pages(local_aws: LocalAws) -> None:
    """ShardFilter and NextToken; "Don't specify StreamName ... if you specify NextToken"."""
    stream = Stream(local_aws)
    before = datetime.now(UTC)
    stream.split()
    after = datetime.now(UTC)

    def listed(kind: str, **more: Any) -> str:
        return "".join(sorted(stream.shards(ShardFilter={"Type": kind, **more})))

    assert listed("AT_LATEST") == "12"
    assert listed("FROM_TRIM_HORIZON") == "012"
    assert listed("AT_TRIM_HORIZON") == "0"
    assert listed("AFTER_SHARD_ID", ShardId="shardId-000000000001") == "2"
    assert listed("AT_TIMESTAMP", Timestamp=before) == "0"
    assert listed("AT_TIMESTAMP", Timestamp=after) == "12"
    assert listed("FROM_TIMESTAMP", Timestamp=before) == "012"
    assert listed("FROM_TIMESTAMP", Timestamp=after) == "12"
    page = stream.kinesis.list_shards(StreamName=stream.name, MaxResults=2, ShardFilter={"Type": "FROM_TRIM_HORIZON"})
    rest = stream.kinesis.list_shards(NextToken=page["NextToken"])
    assert [shard["ShardId"][-1] for shard in page["Shards"] + rest["Shards"]] == ["0", "1", "2"]
    assert "NextToken" not in rest
    for request in ({"NextToken": "none"}, {"NextToken": page["NextToken"], "StreamName": stream.name}):
        with pytest.raises(ClientError) as error:
            stream.kinesis.list_shards(**request)
        assert code(error) == "InvalidArgumentException"


def test_closed_shards_survive_a_restart(own_aws: LocalAws) -> None:
    stream = Stream(own_aws)
    stream.put("a", "b")
    stream.split()
    restart(own_aws, signal.SIGTERM)
    found, last = stream.read("0")
    assert found == ["a", "b"]
    assert len(last["ChildShards"]) == 2
    assert stream.put("c", hash_key=LAST) == ["2"]


def test_a_mapping_reads_children_after_their_parents(local_aws: LocalAws) -> None:
    """All records of a key come in order, across a split and a merge."""
    mapped = map_function(local_aws, before=tuple({"n": n, "sleep": 0.3} for n in range(3)), BatchSize=2)
    kinesis = local_aws.client("kinesis")
    mapped.put(*({"n": n} for n in range(3, 10)))
    kinesis.split_shard(StreamName=mapped.stream, ShardToSplit="shardId-000000000000", NewStartingHashKey=MIDDLE)
    mapped.put(*({"n": n} for n in range(10, 15)))
    pair = {"ShardToMerge": "shardId-000000000001", "AdjacentShardToMerge": "shardId-000000000002"}
    kinesis.merge_shards(StreamName=mapped.stream, **pair)
    mapped.put(*({"n": n} for n in range(15, 20)))

    def numbers() -> list[int]:
        return [n for invocation in mapped.invocations() for n in invocation["numbers"]]

    assert eventually(lambda: len(numbers()) >= 20, 60)
    assert numbers() == list(range(20))
    mapped.delete()


def test_the_consoles_reader_follows_the_children_at_once(local_aws: LocalAws) -> None:
    stream, found, trouble = Stream(local_aws), [], []

    def take(batch: Batch) -> None:
        found.extend(line.decode() for line in batch.lines)

    def hear(_shard: str, said: str | None) -> None:
        trouble.extend([said] if said else [])

    reader = StreamReader(stream.kinesis, stream.name, take, hear, timedelta(minutes=1))
    stream.put("before")
    reader.start()
    try:
        assert eventually(lambda: found == ["before"])
        stream.put("last")
        stream.split()
        stream.put("low", hash_key=0)
        stream.put("high", hash_key=LAST)
        assert eventually(lambda: len(found) >= 4)
        assert found[:2] == ["before", "last"]
        assert set(found[2:]) == {"low", "high"}
        assert not trouble
    finally:
        reader.stop()


def test_a_subscription_ends_with_its_closed_shard(local_aws: LocalAws) -> None:
    stream = Stream(local_aws)
    stream.put("a", "b")
    consumer = stream.kinesis.register_stream_consumer(StreamARN=stream.arn, ConsumerName=unique("consumer"))
    arn = consumer["Consumer"]["ConsumerARN"]
    request = {"ConsumerARN": arn, "ShardId": "shardId-000000000000", "StartingPosition": {"Type": "TRIM_HORIZON"}}
    events = iter(stream.kinesis.subscribe_to_shard(**request)["EventStream"])
    first = next(events)["SubscribeToShardEvent"]
    assert [record["Data"] for record in first["Records"]] == [b"a", b"b"]
    with pytest.raises(ClientError) as error:
        stream.kinesis.subscribe_to_shard(**request)
    assert code(error) == "ResourceInUseException"
    stream.put("c")
    stream.split()
    rest = [event["SubscribeToShardEvent"] for event in events]
    assert [record["Data"] for event in rest for record in event["Records"]] == [b"c"]
    assert [child["ShardId"][-1] for child in rest[-1]["ChildShards"]] == ["1", "2"]


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
