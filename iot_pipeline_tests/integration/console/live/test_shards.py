"""The stream's reader: everything once and in order, over failures, resharding, and streams that come later."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from iot_pipeline.console.live.shards import Batch, StreamReader
from iot_pipeline.contract.aggregation import UserRecord, aggregated
from iot_pipeline_tests.support.edge import Edge
from iot_pipeline_tests.support.emulator import eventually, unique


class Seen:
    """What a reader told."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.shards: set[str] = set()
        self.trouble: dict[str, str | None] = {}

    def deliver(self, batch: Batch) -> None:
        self.lines += batch.lines
        self.shards |= {batch.shard} if batch.lines else set()

    def note(self, source: str, what: str | None) -> None:
        self.trouble[source] = what


@contextmanager
def reading(kinesis: Any, stream: str, history: timedelta = timedelta(minutes=5)) -> Iterator[Seen]:
    seen = Seen()
    reader = StreamReader(kinesis, stream, seen.deliver, seen.note, history)
    reader.start()
    try:
        yield seen
    finally:
        reader.stop()


def put(kinesis: Any, stream: str, *numbers: int) -> None:
    for number in numbers:
        kinesis.put_record(StreamName=stream, Data=f"{number}".encode(), PartitionKey="d1")


def test_what_was_sent_just_before_it_began_and_everything_after_is_delivered_once_in_order(edge: Edge) -> None:
    kinesis, stream = edge.clients["kinesis"], edge.settings.stream
    put(kinesis, stream, *range(3))
    with reading(kinesis, stream) as seen:
        assert eventually(lambda: len(seen.lines) >= 3)
        put(kinesis, stream, *range(3, 10))
        assert eventually(lambda: len(seen.lines) >= 10)
        put(kinesis, stream, 10)
        assert eventually(lambda: len(seen.lines) >= 11)
    assert seen.lines == [f"{number}".encode() for number in range(11)]


def test_an_aggregate_is_delivered_as_its_messages(edge: Edge) -> None:
    kinesis, stream = edge.clients["kinesis"], edge.settings.stream
    inside = aggregated([UserRecord("d1", b"1"), UserRecord("d2", b"2"), UserRecord("d1", b"3")])
    with reading(kinesis, stream) as seen:
        put(kinesis, stream, 0)
        kinesis.put_record(StreamName=stream, Data=inside, PartitionKey="d1")
        put(kinesis, stream, 4)
        assert eventually(lambda: len(seen.lines) >= 5)
    assert seen.lines == [b"0", b"1", b"2", b"3", b"4"]


class Failing:
    """A Kinesis of which some reads fail as a network does; every other call reaches it."""

    def __init__(self, kinesis: Any) -> None:
        self._kinesis = kinesis
        self.fails = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._kinesis, name)

    def get_records(self, **given: Any) -> Any:
        if self.fails:
            given["ShardIterator"] = "expired"
        return self._kinesis.get_records(**given)


def test_a_shard_that_cannot_be_read_is_told_and_read_on_from_where_it_was(edge: Edge) -> None:
    kinesis, stream = Failing(edge.clients["kinesis"]), edge.settings.stream
    put(kinesis, stream, 0)
    with reading(kinesis, stream) as seen:
        assert eventually(lambda: seen.lines)
        (shard,) = seen.shards
        kinesis.fails = True
        assert eventually(lambda: shard in (seen.trouble.get(shard) or ""))
        put(kinesis, stream, 1, 2)
        kinesis.fails = False
        assert eventually(lambda: len(seen.lines) >= 3)
        assert seen.trouble[shard] is None
    assert seen.lines == [b"0", b"1", b"2"]


def test_a_stream_that_is_not_there_is_told_and_read_once_it_is(edge: Edge) -> None:
    kinesis, stream = edge.clients["kinesis"], unique("later")
    with reading(kinesis, stream) as seen:
        assert eventually(lambda: stream in (seen.trouble.get("stream") or ""))
        kinesis.create_stream(StreamName=stream, ShardCount=2)
        kinesis.get_waiter("stream_exists").wait(StreamName=stream)
        put(kinesis, stream, 1)
        assert eventually(lambda: seen.lines)
        assert seen.trouble["stream"] is None


def test_shards_of_a_resharding_are_found(edge: Edge, monkeypatch: Any) -> None:
    monkeypatch.setattr("iot_pipeline.console.live.shards.LOOK_SECONDS", 0.2)
    kinesis, stream = edge.clients["kinesis"], edge.settings.stream
    put(kinesis, stream, 0)
    with reading(kinesis, stream) as seen:
        assert eventually(lambda: seen.lines)
        (first,) = seen.shards
        kinesis.split_shard(StreamName=stream, ShardToSplit=first, NewStartingHashKey=str(1 << 127))
        kinesis.get_waiter("stream_exists").wait(StreamName=stream)
        for number in range(1, 21):
            kinesis.put_record(StreamName=stream, Data=f"{number}".encode(), PartitionKey=f"key-{number}")
        assert eventually(lambda: len(seen.lines) >= 21)
    assert sorted(map(int, seen.lines)) == list(range(21))
    assert len(seen.shards - {first}) == 2
