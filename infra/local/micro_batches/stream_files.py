"""Records of a Kinesis stream as files that Spark's file source reads, each record once and in its shard's order."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient


class StreamFiles:
    """Takes a stream from its beginning, and writes what is new into a folder, a file for each answer of Kinesis.

    `limit` is how many records a file has at most. A file appears in the folder whole, and no file is written twice:
    Spark takes each as it first sees it.
    """

    def __init__(self, kinesis: "KinesisClient", stream: str, folder: Path, limit: int = 2000) -> None:
        self._kinesis, self._stream, self._folder, self._limit = kinesis, stream, folder, limit
        self._iterators: dict[str, str] = {}
        self._seen: set[str] = set()
        folder.mkdir(parents=True, exist_ok=True)

    def take(self) -> int:
        """Write what has come since the last call, of new shards too; how many records. Raises botocore's errors."""
        for shard in self._shards():
            if shard not in self._seen:
                self._seen.add(shard)
                self._iterators[shard] = self._kinesis.get_shard_iterator(
                    StreamName=self._stream, ShardId=shard, ShardIteratorType="TRIM_HORIZON"
                )["ShardIterator"]
        return sum(self._take(shard) for shard in list(self._iterators))

    def _take(self, shard: str) -> int:
        taken = 0
        while True:
            answer = self._kinesis.get_records(ShardIterator=self._iterators[shard], Limit=self._limit)
            records: list[Any] = answer["Records"]
            if records:
                self._write(shard, records)
                taken += len(records)
            if not (following := answer.get("NextShardIterator")):
                del self._iterators[shard]
                return taken
            self._iterators[shard] = following
            if not records and not answer.get("MillisBehindLatest"):
                return taken

    def _write(self, shard: str, records: list[Any]) -> None:
        lines = (
            json.dumps({"sequenceNumber": record["SequenceNumber"], "data": base64.b64encode(record["Data"]).decode()})
            for record in records
        )
        name = f"{shard}-{int(records[0]['SequenceNumber']):056d}.json"
        # Spark's file source leaves out names that begin with a dot.
        unfinished = self._folder / f".{name}"
        unfinished.write_text("".join(f"{line}\n" for line in lines))
        unfinished.rename(self._folder / name)

    def _shards(self) -> Iterator[str]:
        for page in self._kinesis.get_paginator("list_shards").paginate(StreamName=self._stream):
            for shard in page["Shards"]:
                yield shard["ShardId"]
