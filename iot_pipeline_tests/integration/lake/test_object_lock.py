"""A lock in S3: one at a time, taken over from the dead and from the silent, and never given up for another."""

import json
import socket
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from iot_pipeline.lake import object_lock
from iot_pipeline.lake.object_lock import LockHeldError, LockLostError, ObjectLock
from iot_pipeline_tests.support.messages import RawZone

# Above every id that Linux gives (`/proc/sys/kernel/pid_max` is 4,194,304 at most, proc(5)).
NOBODY = 4_194_305


@pytest.fixture
def key() -> str:
    return f"tmp/lock-{uuid.uuid4()}.json"


def held_by(raw: RawZone, key: str, host: str, pid: int) -> bytes:
    """Another process has it."""
    body = json.dumps({"host": host, "pid": pid, "at": "2026-11-30T00:00:00+00:00"}).encode()
    raw.s3.put_object(Bucket=raw.bucket, Key=key, Body=body)
    return body


def test_of_many_one_at_a_time_has_it(raw: RawZone, key: str) -> None:
    inside, told, most = 0, list[str](), 0
    counting = threading.Lock()

    def work(_: int) -> None:
        nonlocal inside, most
        with ObjectLock(raw.s3, raw.bucket, key).held(told.append):
            with counting:
                inside += 1
                most = max(most, inside)
            threading.Event().wait(0.05)
            with counting:
                inside -= 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(16)))
    assert (most, inside) == (1, 0)
    assert any(f"waiting for {key}, held by process" in text for text in told)
    assert raw.s3.get_object(Bucket=raw.bucket, Key=key)["Body"].read() == b"{}", "nobody has it"


def test_who_does_not_wait_is_told_who_has_it(raw: RawZone, key: str) -> None:
    held_by(raw, key, "elsewhere", 7)
    with pytest.raises(LockHeldError, match="process 7 on elsewhere, last seen"):
        ObjectLock(raw.s3, raw.bucket, key).take()


def test_the_dead_and_the_silent_lose_it(raw: RawZone, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    held_by(raw, key, socket.gethostname(), NOBODY)
    with ObjectLock(raw.s3, raw.bucket, key).held():
        pass
    held_by(raw, key, "elsewhere", 7)
    monkeypatch.setattr(object_lock, "ABANDONED", timedelta(0))
    with ObjectLock(raw.s3, raw.bucket, key).held():
        pass


def test_who_has_lost_it_learns_so_and_leaves_it(raw: RawZone, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(object_lock, "HEARTBEAT_SECONDS", 0.02)
    lock = ObjectLock(raw.s3, raw.bucket, key)
    with lock.held():
        lock.check()
        theirs = held_by(raw, key, "elsewhere", 7)
        lock._thread.join(30)  # its next beat finds it gone
        with pytest.raises(LockLostError, match="was taken by another process"):
            lock.check()
    assert raw.s3.get_object(Bucket=raw.bucket, Key=key)["Body"].read() == theirs
