"""Objects of a bucket with all their versions: listing, reading what is in them, removing them for good."""

import gzip
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# S3 API, DeleteObjects: at most 1,000 versions a call.
_BATCH = 1000
_GZIP = 16 + zlib.MAX_WBITS
_UNVERSIONED = "null"


class PurgeError(RuntimeError):
    """S3 did not remove some versions; the erasure can be run again."""


@dataclass(frozen=True)
class Version:
    """A version of an object: the current one if `is_latest`. A delete marker has no body."""

    key: str
    version_id: str
    is_latest: bool
    is_marker: bool
    size: int
    written_at: datetime


@dataclass(frozen=True)
class Bucket:
    """One bucket, versioned or not. `zone`: what all of its objects are, where their keys do not say it."""

    s3: "S3Client"
    name: str
    zone: str | None = None

    def versions(self, prefix: str = "", since: datetime | None = None) -> Iterator[Version]:
        """All versions below a prefix, or those written since a moment (aware); keys in order."""
        for page in self.s3.get_paginator("list_object_versions").paginate(Bucket=self.name, Prefix=prefix):
            found = [_version(item) for item in page.get("Versions", [])]
            found += [_version(item, is_marker=True) for item in page.get("DeleteMarkers", [])]
            yield from (it for it in found if since is None or it.written_at >= since.replace(microsecond=0))

    def read(self, version: Version) -> bytes | None:
        """The body of a version as it lies there; None if it is gone meanwhile, or is a delete marker."""
        if version.is_marker:
            return None
        which = {} if version.is_latest else {"VersionId": version.version_id}
        try:
            return self.s3.get_object(Bucket=self.name, Key=version.key, **which)["Body"].read()  # type: ignore[arg-type]  # options in a dict
        except ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchKey", "NoSuchVersion", "404"):
                return None
            raise

    def write(self, key: str, body: bytes) -> None:
        """Put an object in place of the one of that key, in one step."""
        self.s3.put_object(Bucket=self.name, Key=key, Body=body)

    def purge(self, versions: Iterable[Version]) -> int:
        """Remove versions for good; how many. Raises PurgeError if S3 keeps any."""
        wanted = [
            {"Key": it.key} if it.version_id == _UNVERSIONED and it.is_latest else _identity(it) for it in versions
        ]
        for start in range(0, len(wanted), _BATCH):
            batch = wanted[start : start + _BATCH]
            answer = self.s3.delete_objects(Bucket=self.name, Delete={"Objects": batch, "Quiet": True})  # type: ignore[typeddict-item]  # the stubs want their own TypedDict
            if answer.get("Errors"):
                raise PurgeError(f"S3 kept {len(answer['Errors'])} versions, first: {answer['Errors'][0]}")
        return len(wanted)


def _version(item: Any, *, is_marker: bool = False) -> Version:
    return Version(
        item["Key"],
        item.get("VersionId") or _UNVERSIONED,
        item["IsLatest"],
        is_marker,
        int(item.get("Size", 0)),
        item["LastModified"].astimezone(UTC),
    )


def _identity(version: Version) -> dict[str, str]:
    return {"Key": version.key, "VersionId": version.version_id}


def text_of(body: bytes) -> bytes:
    """What is in an object: a gzip's text, of one that is cut off as much as there is; else the body itself."""
    if not body.startswith(b"\x1f\x8b"):
        return body
    parts, rest = [], body
    while rest:
        stream = zlib.decompressobj(_GZIP)
        try:
            parts.append(stream.decompress(rest))
        except zlib.error:
            break
        rest = stream.unused_data
    return b"".join(parts)


def packed(key: str, text: bytes) -> bytes:
    """A text as an object of this key has it: engines and people know a gzip by its name."""
    return gzip.compress(text, mtime=0) if key.endswith(".gz") else text
