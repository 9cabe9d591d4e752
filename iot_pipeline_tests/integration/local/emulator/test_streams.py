"""Resharding: closed shards stay readable, and every kind of reader goes on with their children.

API reference: SplitShard, MergeShards, UpdateShardCount, ListShards, GetRecords, SubscribeToShard; developer guide,
"After resharding"; Lambda developer guide, "Process Amazon Kinesis Data Streams records with Lambda".
"""

import signal
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from iot_pipeline.console.live.shards import Batch, StreamReader
from iot_pipeline_tests.integration.local.emulator.test_event_source import map_function
from iot_pipeline_tests.support.emulator import LocalAws, eventually, restart, unique
from iot_pipeline_tests.support.stream import LAST, MIDDLE, Stream, code, digits

pytestmark = pytest.mark.integration


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
    stream = Stream(local_aws)
    found: list[str] = []
    trouble: list[str] = []

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
