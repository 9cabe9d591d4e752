"""The stream's records as they arrive: one reader a shard for the whole service, however many browsers look."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from iot_pipeline.contract.aggregation import user_records

# A shard answers 5 reads a second to all that read it (Kinesis Data Streams guide, "Quotas and limits"): Lambda's and
# Firehose's readers take one each.
POLL_SECONDS = 0.4
MAX_RECORDS = 10_000
MAX_PAUSE_SECONDS = 5.0
# How often shards are looked for that a resharding has made.
LOOK_SECONDS = 30.0
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Batch:
    """Records of one read: each a line as the IoT rule made it. `behind_ms` is how far the shard's end is ahead."""

    shard: str
    lines: list[bytes]
    behind_ms: int


class StreamReader:
    """Reads a Kinesis stream from some time on, in threads of its own, until it is stopped.

    `deliver` is called with each batch, and `trouble` with a sentence when a shard cannot be read and with None when it
    can be again; both in the reader's threads. Nothing is lost between a failure and the next read of a shard, unless
    the stream's retention has gone over it.
    """

    def __init__(
        self,
        kinesis: Any,
        stream: str,
        deliver: Callable[[Batch], None],
        trouble: Callable[[str, str | None], None],
        history: timedelta,
    ) -> None:
        self._kinesis, self._stream = kinesis, stream
        self._deliver, self._trouble = deliver, trouble
        self._since = datetime.now(UTC) - history
        self._stopped = threading.Event()
        self._resharded = threading.Event()
        self._threads: dict[str, threading.Thread] = {}
        self._looking = threading.Thread(target=self._look, name="shards", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._looking.start()

    def stop(self) -> None:
        """End within moments; the threads are over when this returns."""
        self._stopped.set()
        self._resharded.set()
        for thread in (self._looking, *self._threads.values()):
            if thread.is_alive():
                thread.join(MAX_PAUSE_SECONDS)

    def _look(self) -> None:
        pause = LOOK_SECONDS
        while not self._stopped.is_set():
            try:
                for shard in self._shards():
                    if shard not in self._threads:
                        self._threads[shard] = threading.Thread(
                            target=self._read, args=(shard,), name=shard, daemon=True
                        )
                        self._threads[shard].start()
                self._trouble("stream", None)
                pause = LOOK_SECONDS
            except (BotoCoreError, ClientError) as error:
                self._trouble("stream", f"the stream {self._stream} cannot be listed: {error}")
                pause = MAX_PAUSE_SECONDS
            self._resharded.wait(pause)
            if not self._stopped.is_set():
                self._resharded.clear()

    def _shards(self) -> list[str]:
        found, more = [], {"StreamName": self._stream}
        while more:
            answer = self._kinesis.list_shards(**more)
            found += [shard["ShardId"] for shard in answer["Shards"]]
            more = {"NextToken": answer["NextToken"]} if answer.get("NextToken") else {}
        return found

    def _read(self, shard: str) -> None:
        last: str | None = None
        iterator: str | None = None
        pause = POLL_SECONDS
        while not self._stopped.is_set():
            try:
                iterator = iterator or self._iterator(shard, last)
                answer = self._kinesis.get_records(ShardIterator=iterator, Limit=MAX_RECORDS)
            except (BotoCoreError, ClientError) as error:
                # An iterator expires after five minutes, as over a laptop's sleep: the next one begins where it was.
                iterator, pause = None, min(pause * 2, MAX_PAUSE_SECONDS)
                self._trouble(shard, f"{shard} of the stream cannot be read: {error}")
                self._stopped.wait(pause)
                continue
            pause = POLL_SECONDS
            records = answer["Records"]
            if records:
                last = records[-1]["SequenceNumber"]
            behind_ms = int(answer.get("MillisBehindLatest", 0))
            self._trouble(shard, None)
            sent = [each.data for record in records for each in user_records(record["PartitionKey"], record["Data"])]
            self._deliver(Batch(shard, sent, behind_ms))
            iterator = answer.get("NextShardIterator")
            if iterator is None:
                log.info("%s was closed by a resharding and is read to its end", shard)
                self._resharded.set()
                return
            if not (records and behind_ms):
                self._stopped.wait(POLL_SECONDS)

    def _iterator(self, shard: str, last: str | None) -> str:
        start: dict[str, Any] = {"ShardIteratorType": "AT_TIMESTAMP", "Timestamp": self._since}
        if last is not None:
            start = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": last}
        answer = self._kinesis.get_shard_iterator(StreamName=self._stream, ShardId=shard, **start)
        return str(answer["ShardIterator"])
