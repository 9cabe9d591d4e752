"""A Kinesis stream under test, its shards called by their numbers."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from iot_pipeline_tests.support.emulator import LocalAws

LAST = 2**128 - 1
MIDDLE = str(2**127)


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
        iterator = answer["ShardIterator"]
        found: list[str] = []
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
