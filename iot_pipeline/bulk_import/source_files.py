"""The files of an import, in S3 or on this machine: listed with what tells that they are still the same, and opened.

S3 is read in ranges, each of them only if the object is still the one that was listed (If-Match).
"""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SUFFIXES = (".csv", ".csv.gz", ".parquet")
# A range of S3; a request costs the same for a byte as for all of it.
_RANGE = 8 * 2**20


class SourceError(ValueError):
    """Files that cannot be imported: there are none, they are of another kind, or one has changed meanwhile."""


@dataclass(frozen=True)
class SourceFile:
    """A file: its URI (s3://bucket/key or a path), its bytes, and its ETag (of a path: size and time of change)."""

    uri: str
    size: int
    etag: str

    @property
    def is_parquet(self) -> bool:
        """Whether its name says that it is Parquet."""
        return self.uri.endswith(".parquet")


@dataclass(frozen=True)
class Sources:
    """Lists and opens the files of imports. `on_read` is told how many bytes were read."""

    s3: "S3Client"
    on_read: Callable[[int], None] = lambda _: None

    def list(self, source: str) -> Sequence[SourceFile]:
        """The files that `source` names, by name: an object, a file, or all CSV and Parquet files below a prefix
        (s3://bucket/prefix/) or folder, but for names with `_` or `.` in front, such as `_SUCCESS`.

        Raises SourceError if there are none, or one is empty or of another kind; botocore's errors.
        """
        found = self._in_s3(source) if source.startswith("s3://") else _on_disk(Path(source))
        if not found:
            raise SourceError(f"{source}: there is no file of {', '.join(SUFFIXES)}; a prefix of S3 ends with a slash")
        for file in found:
            if not file.uri.endswith(SUFFIXES):
                raise SourceError(f"{file.uri}: expected a name that ends with {', '.join(SUFFIXES)}; move it away")
            if not file.size:
                raise SourceError(f"{file.uri} is empty, without even a header; move it away")
        return sorted(found, key=lambda file: file.uri)

    def open(self, file: SourceFile) -> IO[bytes]:
        """The bytes of a file, to be sought in. A read raises SourceError once the file is not the listed one."""
        if not file.uri.startswith("s3://"):
            self.check(file)
            return io.BufferedReader(_OnDisk(Path(file.uri), self.on_read), _RANGE)
        return io.BufferedReader(_Ranges(self.s3, file, self.on_read), _RANGE)

    def check(self, file: SourceFile) -> None:
        """Raises SourceError unless a file is still the listed one."""
        if file.uri.startswith("s3://"):
            return  # each range was asked for by its ETag
        path = Path(file.uri)
        if not path.exists() or _etag(path) != file.etag:
            raise _changed(file)

    def _in_s3(self, source: str) -> Sequence[SourceFile]:
        bucket, _, key = source.removeprefix("s3://").partition("/")
        if key and not key.endswith("/"):
            try:
                head = self.s3.head_object(Bucket=bucket, Key=key)
            except ClientError as error:
                if error.response["Error"]["Code"] not in ("404", "NoSuchKey", "NotFound"):
                    raise
                return []
            files = [SourceFile(source, head["ContentLength"], head["ETag"])]
        else:
            pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key)
            found = [item for page in pages for item in page.get("Contents", [])]
            files = [SourceFile(f"s3://{bucket}/{item['Key']}", item["Size"], item["ETag"]) for item in found]
        return [file for file in files if not file.uri.endswith("/") and not _is_hidden(file.uri)]


class _Ranges(io.RawIOBase):
    """An object of S3 as a file. Each read is a request, so that it wants a buffer in front."""

    def __init__(self, s3: "S3Client", file: SourceFile, on_read: Callable[[int], None]) -> None:
        self._s3, self._file, self._at, self._on_read = s3, file, 0, on_read
        self._bucket, _, self._key = file.uri.removeprefix("s3://").partition("/")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._file.size}[whence]
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        wanted = min(len(buffer), self._file.size - self._at)
        if wanted <= 0:
            return 0
        span = f"bytes={self._at}-{self._at + wanted - 1}"
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=self._key, Range=span, IfMatch=self._file.etag)
        except ClientError as error:
            if error.response["Error"]["Code"] in ("PreconditionFailed", "412", "NoSuchKey"):
                raise _changed(self._file) from error
            raise
        body = answer["Body"].read()
        buffer[: len(body)] = body
        self._at += len(body)
        self._on_read(len(body))
        return len(body)


class _OnDisk(io.FileIO):
    """A file of this machine that tells what is read of it."""

    def __init__(self, path: Path, on_read: Callable[[int], None]) -> None:
        super().__init__(path)
        self._on_read = on_read

    def readinto(self, buffer: Any) -> int | None:
        count = super().readinto(buffer)
        self._on_read(count or 0)
        return count


def _changed(file: SourceFile) -> SourceError:
    return SourceError(
        f"{file.uri} is not the file with which the import began (ETag {file.etag}); put that one back, or import what "
        "is there now under another `import` id"
    )


def _on_disk(path: Path) -> list[SourceFile]:
    paths = [each for each in path.rglob("*") if each.is_file()] if path.is_dir() else [path] if path.exists() else []
    wanted = [each for each in paths if not _is_hidden(each.name)]
    return [SourceFile(str(each.resolve()), each.stat().st_size, _etag(each)) for each in wanted]


def _is_hidden(name: str) -> bool:
    return name.rpartition("/")[2].startswith(("_", "."))


def _etag(path: Path) -> str:
    found = path.stat()
    return f"{found.st_size}-{found.st_mtime_ns}"
