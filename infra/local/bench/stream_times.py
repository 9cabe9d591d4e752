"""When the broker took each reading and when the stream had it, by the stream's own records."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import boto3

# Of a device its reading's number.
Reading = tuple[str, int]


def times_of(stream: str, since: datetime) -> Iterator[tuple[Reading, float, float]]:
    """Each reading that a stream has from a time (aware) on: when the IoT rule took its message, and when the stream
    had it (`ApproximateArrivalTimestamp`); both epoch milliseconds. Raises botocore's errors.
    """
    kinesis = boto3.client("kinesis")
    for shard in kinesis.list_shards(StreamName=stream)["Shards"]:
        answer = kinesis.get_shard_iterator(
            StreamName=stream, ShardId=shard["ShardId"], ShardIteratorType="AT_TIMESTAMP", Timestamp=since
        )
        following: str | None = answer["ShardIterator"]
        while following is not None:
            read = kinesis.get_records(ShardIterator=following, Limit=10_000)
            for record in read["Records"]:
                yield from _readings(record)
            following = read.get("NextShardIterator") if read["MillisBehindLatest"] else None


def _readings(record: Any) -> Iterator[tuple[Reading, float, float]]:
    message = json.loads(record["Data"])
    arrived = record["ApproximateArrivalTimestamp"].timestamp() * 1000
    for each in message.get("readings", []):
        yield (message["iot_device"], each["seq"]), message["iot_received_at"], arrived
