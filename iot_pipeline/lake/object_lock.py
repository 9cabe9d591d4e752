"""A lock that is an object in S3, which only one process can create or replace at a time.

Amazon S3 user guide, "Prevent object overwrites with conditional writes": a PutObject with `If-None-Match: *` succeeds
for one of several writers, and one with `If-Match` for who names the ETag that stands. A lock is given up by writing
that nobody has it: a deletion could take it from another.
"""

import json
import os
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from iot_pipeline.processes import is_alive

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# A lock is written again so often, and is nobody's once it was not for so long.
HEARTBEAT_SECONDS = 30.0
ABANDONED = timedelta(minutes=5)
# Who waits for a lock asks so often, and no longer than one that was abandoned could stand.
_ASK_SECONDS = 0.5
PATIENCE_SECONDS = ABANDONED.total_seconds() + 60
# Amazon S3 API, PutObject: a condition that does not hold, and another request on the key at the same time.
_REFUSED = ("PreconditionFailed", "ConditionalRequestConflict", "412", "409")
_MISSING = ("NoSuchKey", "404")


class LockHeldError(RuntimeError):
    """Another process has the lock; the text is its name, and when it was last seen."""


class LockLostError(RuntimeError):
    """The lock was taken by another process, or may have been: what it guards must not go on."""


class ObjectLock:
    """One lock, held by this process between `take` and `release`."""

    def __init__(self, s3: "S3Client", bucket: str, key: str) -> None:
        self._s3, self._bucket, self._key = s3, bucket, key
        self._etag = ""
        self._lost: str | None = None
        self._beaten = time.monotonic()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="object-lock", daemon=True)

    @contextmanager
    def held(self, waiting: Callable[[str], None] | None = None) -> Iterator["ObjectLock"]:
        """Hold it. With `waiting` another's end is waited for, and told to it once; else LockHeldError is raised.

        It is raised too if the wait is longer than any that is abandoned could stand.
        """
        if waiting is None:
            self.take()
        else:
            self._wait(waiting)
        try:
            yield self
        finally:
            self.release()

    def take(self) -> None:
        """Raises LockHeldError if another process has it, unless that one is dead or was silent for long."""
        # Not by a look at first: who may not list a bucket is not told that an object is missing.
        if not self._took({"IfNoneMatch": "*"}):
            answer = self._s3.get_object(Bucket=self._bucket, Key=self._key)
            _require_free(json.loads(answer["Body"].read()), datetime.now(UTC) - answer["LastModified"])
            if not self._took({"IfMatch": answer["ETag"]}):
                raise LockHeldError("another process, which has taken it just now")
        self._thread.start()

    def check(self) -> None:
        """Raises LockLostError if another process has taken it meanwhile, or may think that this one is dead."""
        if self._lost is not None:
            raise LockLostError(self._lost)
        if time.monotonic() - self._beaten > ABANDONED.total_seconds() / 2:
            raise LockLostError(f"{self._key} could not be written for {ABANDONED / 2}")

    def release(self) -> None:
        """Give it up, if it is still held. Where S3 does not take that, it stands until it counts as abandoned."""
        self._end.set()
        self._thread.join()
        if self._lost is None:
            self._replace({})

    def _took(self, condition: dict[str, str]) -> bool:
        try:
            self._etag, self._beaten = self._put(_holder(), condition), time.monotonic()
        except ClientError as error:
            if error.response["Error"]["Code"] not in _REFUSED:
                raise
            return False
        return True

    def _wait(self, waiting: Callable[[str], None]) -> None:
        deadline, told = time.monotonic() + PATIENCE_SECONDS, False
        while True:
            try:
                self.take()
            except LockHeldError as error:
                if time.monotonic() > deadline:
                    raise
                if not told:
                    waiting(f"waiting for {self._key}, held by {error}")
                    told = True
            else:
                return
            time.sleep(random.uniform(0.5, 1.5) * _ASK_SECONDS)  # noqa: S311  spreads load; nobody gains by guessing it

    def _beat(self) -> None:
        while not self._end.wait(HEARTBEAT_SECONDS):
            if not self._replace(_holder()):
                return

    def _replace(self, body: dict[str, Any]) -> bool:
        """Write it again; whether it is still held. Where S3 is not reached, `check` says so if that lasts."""
        try:
            self._etag, self._beaten = self._put(body, {"IfMatch": self._etag}), time.monotonic()
        except ClientError as error:
            if error.response["Error"]["Code"] in (*_REFUSED, *_MISSING):
                self._lost = f"{self._key} was taken by another process"
                return False
        except BotoCoreError:
            pass
        return True

    def _put(self, body: dict[str, Any], condition: dict[str, str]) -> str:
        text = json.dumps(body).encode()
        answer = self._s3.put_object(Bucket=self._bucket, Key=self._key, Body=text, **condition)  # type: ignore[arg-type]  # one of two conditions
        return answer["ETag"]


def _holder() -> dict[str, Any]:
    return {"host": socket.gethostname(), "pid": os.getpid(), "at": datetime.now(UTC).isoformat()}


def _require_free(held: dict[str, Any], silent: timedelta) -> None:
    """Raises LockHeldError for a lock that somebody has who may be at work."""
    if not held or silent >= ABANDONED:
        return
    if held["host"] == socket.gethostname() and not is_alive(held["pid"]):
        return
    seconds, minutes = max(0, round(silent.total_seconds())), ABANDONED.seconds // 60
    raise LockHeldError(
        f"process {held['pid']} on {held['host']}, last seen {seconds} s ago, which after {minutes} minutes without a "
        "sign is taken for dead"
    )
