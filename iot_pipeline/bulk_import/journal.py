"""The journal of an import, in the lake's bucket below imports/<id>/: its files, its lock, what is written.

import.json      the mapping's digest, the files with their ETags, when it began: an import that goes on must agree
lock.json        whose process is at work on it
registry.json    where the registry had each device, if the mapping asks for that
rejects/         the rows that could not be mapped, one file a run
written/         the windows of hours whose objects are written
finished.json    the books
"""

import csv
import gzip
import hashlib
import io
import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, astuple, dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from iot_pipeline.bulk_import.mapped_rows import Placed, Registry, Rejected
from iot_pipeline.bulk_import.mapping import ImportMapping
from iot_pipeline.bulk_import.source_files import SourceFile
from iot_pipeline.contract.layout import IMPORTS
from iot_pipeline.processes import is_alive

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# The lock is written again so often, and is nobody's once it was not for so long.
HEARTBEAT_SECONDS = 30.0
ABANDONED = timedelta(minutes=5)
# Raised by one when the same files and mapping give other objects: an import must not go on under another.
FORMAT = 1
# Amazon S3 API, PutObject: a condition that does not hold, and another request on the key at the same time.
_REFUSED = ("PreconditionFailed", "ConditionalRequestConflict", "412", "409")


class ImportStateError(RuntimeError):
    """An import that is another, is being run elsewhere, or was taken over; the text says what to do."""


@dataclass(frozen=True)
class Beginning:
    """What an import is of. `began_at` is UTC: nothing later can have been measured."""

    mapping: str
    source: str
    files: Sequence[SourceFile]
    began_at: datetime
    format: int = FORMAT

    @property
    def fingerprint(self) -> str:
        """A digest of all of it."""
        return hashlib.sha256(json.dumps(asdict(self), default=str).encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Journal:
    """The journal of one import."""

    s3: "S3Client"
    bucket: str
    import_id: str

    def begin(self, mapping: ImportMapping, source: str, files: Sequence[SourceFile]) -> Beginning:
        """Note what the import is of, or check that it is what was noted. Raises ImportStateError with what differs."""
        wanted = Beginning(mapping.digest, source, files, datetime.now(UTC).replace(microsecond=0))
        noted = self.beginning()
        if noted is None:
            self._put("import.json", json.dumps(asdict(wanted), default=str).encode())
            return wanted
        other = "give the mapping another `import` id"
        if noted.format != FORMAT:
            raise ImportStateError(f"import {self.import_id} was begun by another release of this program; {other}")
        if noted.mapping != wanted.mapping:
            raise ImportStateError(f"import {self.import_id} was begun with another mapping; take that one, or {other}")
        known = {file.uri: file for file in noted.files}
        now = {file.uri: file for file in files}
        for uri in sorted({*known, *now}):
            if known.get(uri) != now.get(uri):
                raise ImportStateError(
                    f"import {self.import_id}: {uri} {_difference(known.get(uri), now.get(uri))}; put back what was "
                    f"there, or {other}"
                )
        return noted

    def beginning(self) -> Beginning | None:
        """What was noted, if the import was ever begun."""
        held = self._get("import.json")
        if held is None:
            return None
        files = [SourceFile(**each) for each in held["files"]]
        return Beginning(
            held["mapping"], held["source"], files, datetime.fromisoformat(held["began_at"]), held["format"]
        )

    def places(self, now: Callable[[], Registry]) -> Registry:
        """Where the registry had each device when the import began. `now` asks the registry, once an import: whatever
        it says later, an import that goes on maps rows as before.
        """
        held = self._get("registry.json")
        if held is None:
            found = now()
            noted = {device: [astuple(place) for place in places] for device, places in found.items()}
            self._put("registry.json", json.dumps(noted).encode())
            return found
        return {device: [Placed(*place) for place in places] for device, places in held.items()}

    def reject(self, run: int, files: Sequence[SourceFile], rejected: Sequence[tuple[int, Rejected]]) -> None:
        """Keep the rejected rows of a run, each with the number of its file: a CSV file, gzip. Written again it is the
        same.
        """
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(["file", "row", "column", "reason", "value"])
        writer.writerows([files[file].uri, each.row, each.column, each.reason, each.value] for file, each in rejected)
        self._put(f"rejects/run-{run:06d}.csv.gz", gzip.compress(text.getvalue().encode(), mtime=0))

    def write(self, window: str, counts: Mapping[str, Any]) -> None:
        """Note that the objects of a window are written."""
        self._put(f"written/{window}.json", json.dumps(counts).encode())

    def written(self) -> dict[str, Any]:
        """The windows whose objects are written, by name, with their counts."""
        prefix = f"{self._prefix}written/"
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        names = [item["Key"].removeprefix(prefix) for page in pages for item in page.get("Contents", [])]
        return {name.removesuffix(".json"): self._get(f"written/{name}") for name in names}

    def finish(self, books: Mapping[str, Any]) -> None:
        """Keep the books."""
        self._put("finished.json", json.dumps(books, indent=1).encode())

    def finished(self) -> dict[str, Any] | None:
        """The books, if the import is finished."""
        return self._get("finished.json")

    @contextmanager
    def locked(self) -> Iterator["Lock"]:
        """Keep other runs of the import away. Raises ImportStateError if one is at work."""
        lock = Lock(self.s3, self.bucket, f"{self._prefix}lock.json")
        lock.take(self.import_id)
        try:
            yield lock
        finally:
            lock.release()

    @property
    def _prefix(self) -> str:
        return f"{IMPORTS}{self.import_id}/"

    def _put(self, name: str, body: bytes) -> None:
        self.s3.put_object(Bucket=self.bucket, Key=f"{self._prefix}{name}", Body=body)

    def _get(self, name: str) -> dict[str, Any] | None:
        try:
            answer = self.s3.get_object(Bucket=self.bucket, Key=f"{self._prefix}{name}")
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("NoSuchKey", "404"):
                raise
            return None
        found: dict[str, Any] = json.loads(answer["Body"].read())
        return found


class Lock:
    """An object that only one process can create or replace (Amazon S3 user guide, "Conditional writes")."""

    def __init__(self, s3: "S3Client", bucket: str, key: str) -> None:
        self._s3, self._bucket, self._key = s3, bucket, key
        self._etag = ""
        self._lost: str | None = None
        self._beaten = time.monotonic()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="import-lock", daemon=True)

    def take(self, import_id: str) -> None:
        """Raises ImportStateError if another process has it, unless that one is dead or was silent for long."""
        try:
            self._etag = self._put(IfNoneMatch="*")
        except ClientError as error:
            if error.response["Error"]["Code"] not in _REFUSED:
                raise
            self._take_over(import_id)
        self._thread.start()

    def check(self) -> None:
        """Raises ImportStateError if another process has taken it meanwhile, or may think that this one is dead."""
        if self._lost is not None:
            raise ImportStateError(self._lost)
        if time.monotonic() - self._beaten > ABANDONED.total_seconds() / 2:
            raise ImportStateError(f"{self._key} could not be written for {ABANDONED / 2}; run the import again")

    def release(self) -> None:
        """Give it up, if it is still held."""
        self._end.set()
        self._thread.join()
        if self._lost is None:
            self._s3.delete_object(Bucket=self._bucket, Key=self._key)

    def _take_over(self, import_id: str) -> None:
        answer = self._s3.get_object(Bucket=self._bucket, Key=self._key)
        held, silent = json.loads(answer["Body"].read()), datetime.now(UTC) - answer["LastModified"]
        is_dead = held["host"] == socket.gethostname() and not is_alive(held["pid"])
        if not is_dead and silent < ABANDONED:
            raise ImportStateError(
                f"import {import_id} is being run by process {held['pid']} on {held['host']}, last seen "
                f"{max(0, round(silent.total_seconds()))} s ago: wait for it, or end it; after "
                f"{ABANDONED.seconds // 60} minutes without a sign it is taken for dead"
            )
        try:
            self._etag = self._put(IfMatch=answer["ETag"])
        except ClientError as error:
            if error.response["Error"]["Code"] not in _REFUSED:
                raise
            raise ImportStateError(f"import {import_id} was taken up by another process just now") from error

    def _beat(self) -> None:
        while not self._end.wait(HEARTBEAT_SECONDS):
            try:
                self._etag = self._put(IfMatch=self._etag)
                self._beaten = time.monotonic()
            except ClientError as error:
                if error.response["Error"]["Code"] in (*_REFUSED, "NoSuchKey", "404"):
                    self._lost = f"{self._key} was taken by another process; this one has stopped"
                    return
            except BotoCoreError:
                continue  # S3 was not reached: `check` says so if that lasts

    def _put(self, **condition: str) -> str:
        body = json.dumps({"host": socket.gethostname(), "pid": os.getpid(), "at": datetime.now(UTC).isoformat()})
        answer = self._s3.put_object(Bucket=self._bucket, Key=self._key, Body=body.encode(), **condition)  # type: ignore[arg-type]  # one of two conditions
        return answer["ETag"]


def _difference(noted: SourceFile | None, now: SourceFile | None) -> str:
    if now is None:
        return "was there when it began, and is gone"
    if noted is None:
        return "was not there when it began"
    return f"has changed since it began (ETag {noted.etag}, now {now.etag})"
