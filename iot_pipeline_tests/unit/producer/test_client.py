"""The producer against a Kinesis that fails as it likes: nothing lost, each device in order, all of it bounded."""

import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from iot_pipeline.contract.aggregation import user_records
from iot_pipeline.producer import put
from iot_pipeline.producer.client import Producer, ProducerError, SpoolFullError
from iot_pipeline.producer.spool import Message, Spool, SpoolInUseError
from iot_pipeline_tests.support.emulator import eventually


class Stream:
    """Takes records as Kinesis does, but for those that `fails` names an error for."""

    def __init__(self, share: float = 0.0) -> None:
        self.share, self.random, self.lock = share, random.Random(3), threading.Lock()
        self.taken: dict[str, list[bytes]] = defaultdict(list)
        self.calls: list[int] = []
        self.error: Exception | None = None
        self.closed = False

    def put_records(self, *, StreamName: str, Records: Sequence[Any]) -> dict[str, Any]:  # noqa: N803  boto3's names
        with self.lock:
            if self.error is not None:
                raise self.error
            assert 1 <= len(Records) <= put.RECORDS_PER_CALL
            assert sum(len(each["Data"]) + len(each["PartitionKey"]) for each in Records) <= put.BYTES_PER_CALL
            self.calls.append(len(Records))
            results = [self._put(each) for each in Records]
            return {"FailedRecordCount": sum("ErrorCode" in each for each in results), "Records": results}

    def _put(self, record: Any) -> dict[str, str]:
        if self.closed or self.random.random() < self.share:
            return {"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "Rate exceeded"}
        for each in user_records(record["PartitionKey"], record["Data"]):
            self.taken[each.partition_key].append(each.data)
        return {"SequenceNumber": "1", "ShardId": "shardId-000000000000"}


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(put, "FIRST_WAIT_SECONDS", 0.001)


def test_each_device_keeps_its_order_though_every_third_record_fails(tmp_path: Path) -> None:
    stream = Stream(share=0.33)
    sent = [(f"d{number % 7}", b"%d" % number) for number in range(5000)]
    with Producer("s", tmp_path / "spool.db", kinesis=stream) as producer:
        for begin in range(0, len(sent), 100):
            producer.send_many(sent[begin : begin + 100])
    assert producer.acknowledged == len(sent)
    assert producer.repeated > 0
    for device in {device for device, _ in sent}:
        assert stream.taken[device] == [payload for of, payload in sent if of == device]
    assert len(stream.calls) < len(sent) / 10, "messages go together"


def test_what_a_killed_producer_had_taken_is_sent_by_the_next(tmp_path: Path) -> None:
    code = f"""
import sys, threading
from pathlib import Path
from iot_pipeline.producer.client import Producer
class Never:
    def put_records(self, **_):
        threading.Event().wait()
producer = Producer("s", Path({str(tmp_path / "spool.db")!r}), kinesis=Never())
for number in range(100000):
    producer.send("d", b"%d" % number)
    print(number, flush=True)
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=Path.cwd())
    assert process.stdout is not None
    for _ in range(200):
        process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    told = 200 + len(process.stdout.read().splitlines())
    process.wait()
    stream = Stream()
    with Producer("s", tmp_path / "spool.db", kinesis=stream) as producer:
        assert producer.spooled >= told
    taken = stream.taken["d"]
    assert taken == [b"%d" % number for number in range(len(taken))]
    assert told <= len(taken) <= told + 1


def test_a_full_spool_makes_the_sender_wait_and_then_refuses(tmp_path: Path) -> None:
    stream = Stream()
    stream.closed = True
    with Producer("s", tmp_path / "a.db", kinesis=stream, spool_bytes=1000, patience_seconds=0.2) as producer:
        producer.send("d", b"x" * 900)
        began = time.monotonic()
        with pytest.raises(SpoolFullError, match=r"900 bytes for 0.2 s"):
            producer.send("d", b"y" * 200)
        assert time.monotonic() - began >= 0.2
        with pytest.raises(ValueError, match="a spool of 1000 can never take"):
            producer.send("d", b"z" * 1001)
        stream.closed = False
        producer.flush(10)
        producer.send("d", b"y" * 200)
    assert stream.taken["d"] == [b"x" * 900, b"y" * 200]


def test_a_refused_producer_fails_by_name_and_keeps_its_spool(tmp_path: Path) -> None:
    stream = Stream()
    stream.error = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "not yours"}}, "PutRecords")
    producer = Producer("s", tmp_path / "a.db", kinesis=stream)
    producer.send("d", b"1")
    with pytest.raises(ProducerError, match=r"s: .*not yours; the spool keeps what is left"):
        producer.flush(10)
    with pytest.raises(ProducerError, match="not yours"):
        producer.send("d", b"2")
    producer.close(flush=False)
    stream.error = None
    with Producer("s", tmp_path / "a.db", kinesis=stream):
        pass
    assert stream.taken["d"] == [b"1"]


def test_a_lost_connection_is_tried_again(tmp_path: Path) -> None:
    stream = Stream()
    stream.error = EndpointConnectionError(endpoint_url="https://kinesis.example.com")
    with Producer("s", tmp_path / "a.db", kinesis=stream) as producer:
        producer.send("d", b"1")
        assert eventually(lambda: producer.repeated > 2)
        stream.error = None
    assert stream.taken["d"] == [b"1"]


def test_what_is_never_taken_is_set_aside_by_name(tmp_path: Path) -> None:
    stream, told = Stream(), list[tuple[Message, str]]()
    stream.closed = True
    with Producer(
        "s",
        tmp_path / "a.db",
        kinesis=stream,
        give_up_ms=50,
        on_given_up=lambda message, code: told.append((message, code)),
    ) as producer:
        producer.send("d", b"1")
    assert [(message.payload, code) for message, code in told] == [(b"1", "ProvisionedThroughputExceededException")]
    assert producer.given_up == 1
    spool = Spool(tmp_path / "a.db")
    assert (spool.messages, spool.given_up()) == (0, 1)
    spool.close()


def test_whatever_ends_a_thread_ends_the_waiting(tmp_path: Path) -> None:
    """What the program does with a lost message, or the spool's disk, can fail too."""
    stream = Stream()
    stream.closed = True

    def full(message: Message, code: str) -> None:
        raise OSError(f"no room for {message.device}, {code}")

    producer = Producer("s", tmp_path / "a.db", kinesis=stream, give_up_ms=50, on_given_up=full)
    with pytest.raises(ProducerError, match="no room for d, Provisioned"):
        _send_again_and_again(producer)
    producer.close(flush=False)


def test_a_spool_that_cannot_be_read_ends_the_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> Any:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(Spool, "after", broken)
    producer = Producer("s", tmp_path / "a.db", kinesis=Stream())
    with pytest.raises(ProducerError, match="disk I/O error"):
        _send_again_and_again(producer)
    producer.close(flush=False)


def _send_again_and_again(producer: Producer) -> None:
    for _ in range(100):
        producer.send("d", b"1")
        producer.flush(10)


def test_memory_holds_a_part_of_the_spool(tmp_path: Path) -> None:
    stream = Stream()
    stream.closed = True
    producer = Producer("s", tmp_path / "a.db", kinesis=stream, give_up_ms=10**9)
    for _ in range(120):
        producer.send_many([("d", b"x" * 500)] * 500)
    assert producer.spooled == 60_000
    assert producer._lanes.messages <= 20_000
    producer.close(flush=False)


def test_one_process_sends_from_a_spool(tmp_path: Path) -> None:
    with (
        Producer("s", tmp_path / "a.db", kinesis=Stream()),
        pytest.raises(SpoolInUseError, match="give each producer one of its own"),
    ):
        Producer("s", tmp_path / "a.db", kinesis=Stream())


@pytest.mark.parametrize(
    ("device", "payload", "error"),
    [
        ("", b"{}", "expected the device's id"),
        ("no name", b"{}", "expected the device's id"),
        ("d" * 129, b"{}", "expected the device's id"),
        ("\ud800", b"{}", "expected the device's id"),
        ("d", b"x" * 131_073, "131073 bytes, expected at most 131072"),
        ("d", {"x": float("nan")}, "no JSON"),
        ("d", {"x": object()}, "no JSON"),
    ],
)
def test_what_the_intake_would_refuse_is_refused_here(tmp_path: Path, device: str, payload: Any, error: str) -> None:
    stream = Stream()
    with Producer("s", tmp_path / "a.db", kinesis=stream) as producer:
        with pytest.raises(ValueError, match=error):
            producer.send_many([("good", b"{}"), (device, payload)])
        assert producer.spooled == 0, "all or none"
