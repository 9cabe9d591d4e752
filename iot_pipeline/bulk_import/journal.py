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
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, astuple, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from iot_pipeline.bulk_import.mapped_rows import Placed, Registry, Rejected
from iot_pipeline.bulk_import.mapping import ImportMapping
from iot_pipeline.bulk_import.source_files import SourceFile
from iot_pipeline.contract.layout import IMPORTS
from iot_pipeline.lake.object_lock import LockHeldError, LockLostError, ObjectLock

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Raised by one when the same files and mapping give other objects: an import must not go on under another.
FORMAT = 1


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
    def locked(self) -> Iterator[ObjectLock]:
        """Keep other runs of the import away. Raises ImportStateError if one is at work, or has taken it over."""
        try:
            with ObjectLock(self.s3, self.bucket, f"{self._prefix}lock.json").held() as lock:
                yield lock
        except LockHeldError as error:
            raise ImportStateError(
                f"import {self.import_id} is being run by {error}: wait for it, or end it"
            ) from error
        except LockLostError as error:
            raise ImportStateError(f"import {self.import_id} has stopped: {error}; run it again") from error

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


def _difference(noted: SourceFile | None, now: SourceFile | None) -> str:
    if now is None:
        return "was there when it began, and is gone"
    if noted is None:
        return "was not there when it began"
    return f"has changed since it began (ETag {noted.etag}, now {now.etag})"
