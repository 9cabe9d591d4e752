"""The sending process of the producer's benchmark: a backend, and nothing else imported.

`python -m infra.local.bench.producing WAY STREAM SPOOL RATE SECONDS` prints what it measured as JSON. WAY is `library`,
the producer library; `producer`, the same with the credentials of the stream's role; or `bare`, the loop around boto3's
PutRecords that one would write without the library, which has no spool.
"""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import boto3
import psutil

from iot_pipeline.producer.client import Producer
from iot_pipeline.producer.put import RECORDS_PER_CALL

DEVICES, TOGETHER = 1000, 500
BACKEND = "bench-backend"
# Between two attempts of the bare loop, which waits for the shard as a person would have it wait.
_BARE_WAIT_SECONDS = 0.05


@dataclass
class Sent:
    """What a sending process did: counts, seconds, CPU seconds of the process, its resident memory in MiB."""

    messages: int
    acknowledged: int = 0
    repeated: int = 0
    # Until the last message was handed over, and until it was acknowledged.
    seconds: float = 0.0
    flushed: float = 0.0
    cpu_seconds: float = 0.0
    start_mib: float = 0.0
    peak_mib: float = 0.0


def by_library(stream: str, spool: Path, rate: int, seconds: int, kinesis: Any) -> Sent:
    """Send so many messages a second by the library."""
    with _measured(rate * seconds) as sent, Producer(stream, spool, kinesis=kinesis) as producer:
        began = time.monotonic()
        for number in _paced(rate, seconds, sent):
            producer.send_many(map(_message, range(number, number + TOGETHER)))
        sent.seconds = time.monotonic() - began
        producer.flush()
        sent.flushed = time.monotonic() - began
        _look(sent)
        sent.acknowledged, sent.repeated = producer.acknowledged, producer.repeated
    return sent


def bare(stream: str, rate: int, seconds: int, kinesis: Any) -> Sent:
    """Send so many messages a second, a record each: one call after another, what was refused of a call again.

    Nothing is on disk, and the next messages wait while a record is refused.
    """
    with _measured(rate * seconds) as sent:
        began = time.monotonic()
        for number in _paced(rate, seconds, sent):
            entries = [_record(each) for each in range(number, number + TOGETHER)]
            while entries:
                answer = kinesis.put_records(StreamName=stream, Records=entries[:RECORDS_PER_CALL])
                if not answer["FailedRecordCount"]:
                    break
                entries = [
                    entry for entry, each in zip(entries, answer["Records"], strict=True) if each.get("ErrorCode")
                ]
                sent.repeated += len(entries)
                time.sleep(_BARE_WAIT_SECONDS)
            sent.acknowledged += TOGETHER
        sent.seconds = sent.flushed = time.monotonic() - began
    return sent


def credentials(role: str) -> dict[str, Any]:
    """Those of the producer's role, which is called as its stream, taken on by the backend's."""
    account = boto3.client("sts").get_caller_identity()["Account"]
    given: dict[str, Any] = {}
    for name in (BACKEND, role):
        sts = boto3.client("sts", **given)
        arn = f"arn:aws:iam::{account}:role/{name}"
        found = sts.assume_role(RoleArn=arn, RoleSessionName="bench")["Credentials"]
        given = {
            "aws_access_key_id": found["AccessKeyId"],
            "aws_secret_access_key": found["SecretAccessKey"],
            "aws_session_token": found["SessionToken"],
        }
    return given


def _paced(rate: int, seconds: int, sent: Sent) -> Iterator[int]:
    """The first number of each part that is to be sent, when it is due; after each the memory is looked at."""
    began = time.monotonic()
    for number in range(0, rate * seconds, TOGETHER):
        yield number
        _look(sent)
        time.sleep(max(0.0, began + (number + TOGETHER) / rate - time.monotonic()))


@contextmanager
def _measured(messages: int) -> Iterator[Sent]:
    sent = Sent(messages)
    _look(sent)
    sent.start_mib, cpu_before = sent.peak_mib, _cpu_seconds()
    yield sent
    sent.cpu_seconds = _cpu_seconds() - cpu_before


def _look(sent: Sent) -> None:
    sent.peak_mib = max(sent.peak_mib, psutil.Process().memory_info().rss / 2**20)


def _cpu_seconds() -> float:
    times = psutil.Process().cpu_times()
    return times.user + times.system


def _message(number: int) -> tuple[str, dict[str, Any]]:
    device, now_ms = f"bench-{number % DEVICES}", int(time.time() * 1000)
    reading = {"ts": now_ms, "seq": number, "temperature": 20 + number % 100 / 10, "humidity": 40.5}
    return device, {"v": 1, "device_id": device, "readings": [reading]}


def _record(number: int) -> dict[str, Any]:
    device, message = _message(number)
    return {"PartitionKey": device, "Data": json.dumps(message, separators=(",", ":")).encode()}


def main(way: str, stream: str, spool: str, rate: str, seconds: str) -> Sent:
    """Send as the arguments say; see the module."""
    kinesis = boto3.client("kinesis", **(credentials(stream) if way == "producer" else {}))
    if way == "bare":
        return bare(stream, int(rate), int(seconds), kinesis)
    return by_library(stream, Path(spool), int(rate), int(seconds), kinesis)


if __name__ == "__main__":
    print(json.dumps(asdict(main(*sys.argv[1:]))))
