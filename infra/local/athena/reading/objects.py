"""S3 objects: listing, a local path for each (the emulator's own files, or a bounded cache), uploads."""

import gzip
import hashlib
import os
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlparse

from botocore.exceptions import ClientError

from infra.local.athena import caller_identity
from infra.local.athena.config import ACCOUNT_ID, Config
from infra.local.athena.errors import QueryError
from infra.local.servers.acting import claim

_Item = TypeVar("_Item")
_Done = TypeVar("_Done")

_IN_USE = 900
"""Seconds for which a cached object is not removed: a running query may read it."""
_LISTINGS = 32
"""Beyond so many listings, wider folders are listed instead."""
_TOGETHER = 6
"""So many partitions below one folder are listed by one listing of the folder."""


@dataclass(frozen=True)
class S3Object:
    """An object as the listing showed it."""

    bucket: str
    key: str
    size: int
    etag: str

    @property
    def uri(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    @property
    def visible(self) -> bool:
        """Hive hides names that start with _ or . ; empty objects hold no rows."""
        return self.size > 0 and self.key.rsplit("/", 1)[-1][:1] not in {"", "_", "."}


def split_uri(uri: str) -> tuple[str, str]:
    """(bucket, key) of an s3:// address."""
    parts = urlparse(uri.replace("s3a://", "s3://", 1))
    if parts.scheme != "s3" or not parts.netloc:
        raise QueryError(f"INVALID_TABLE_PROPERTY: not an S3 location: {uri}")
    return parts.netloc, uri.split("://", 1)[1].partition("/")[2]


class ObjectStore:
    """Reads and writes S3. Local paths end in <bucket>/<key>, so that Hive paths and "$path" can be read off them."""

    def __init__(self, config: Config) -> None:
        self.s3 = config.client("s3")
        claim(self.s3, caller_identity.claims)
        self.pool = ThreadPoolExecutor(8, thread_name_prefix="s3")
        self._data_root = config.s3_data_dir / ACCOUNT_ID if config.s3_data_dir else None
        self._cache = config.state_dir / "cache"
        self._clean = config.state_dir / "clean"
        self._limit = config.cache_bytes
        self._lock = threading.Lock()

    def listing(self, location: str) -> list[S3Object]:
        """Every object below `location`, hidden ones included."""
        bucket, prefix = split_uri(location)
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        try:
            return [
                S3Object(bucket, o["Key"], o["Size"], o["ETag"].strip('"'))
                for page in pages
                for o in page.get("Contents", [])
            ]
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchBucket":
                raise QueryError(f"HIVE_FILESYSTEM_ERROR: The specified bucket does not exist: {bucket}") from error
            raise

    def list_many(self, locations: Iterable[str]) -> dict[str, list[S3Object]]:
        """Visible objects of each location; neighbours are listed together."""
        locations = list(dict.fromkeys(locations))
        places = _places(locations)
        found: dict[str, list[S3Object]] = {location: [] for location in locations}
        for place, objects in zip(places, self._together(self.listing, places), strict=True):
            _distribute([o for o in objects if o.visible], places[place], found)
        return found

    def local_path(self, item: S3Object) -> Path:
        """Where the object's bytes are on this machine."""
        if self._data_root:
            path = self._data_root / item.bucket / item.key
            if path.is_file() and path.stat().st_size == item.size:
                return path
        path = self._cache / _digest(item) / item.bucket / item.key
        if not path.exists():
            self._make_room(item.size)
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_name(f"{path.name}.{threading.get_ident()}.part")
            self.s3.download_file(item.bucket, item.key, str(partial))
            partial.replace(path)
        else:
            os.utime(path)
        return path

    def clean_text(self, item: S3Object) -> Path | None:
        """A copy of a text object with invalid UTF-8 as U+FFFD and line ends as LF; None if it needs none."""
        path = self._clean / _digest(item) / item.bucket / item.key
        if path.exists():
            return path
        raw = self.local_path(item).read_bytes()
        if item.key.endswith(".gz"):
            raw = gzip.decompress(raw)
        text = raw.decode("utf-8", errors="replace")
        if "\r" not in text and len(text.encode()) == len(raw) and "\ufffd" not in text:
            return None
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"{path.name}.{threading.get_ident()}.part")
        clean = text.replace("\r\n", "\n").replace("\r", "\n").encode()
        partial.write_bytes(gzip.compress(clean, 1) if item.key.endswith(".gz") else clean)
        partial.replace(path)
        return path

    def check_readable(self, items: Iterable[S3Object]) -> None:
        """Raise ClientError unless the caller may read the objects, whose bytes are then read from this machine."""
        if caller_identity.current() is not None:
            list(self._together(self._first_byte, list(dict.fromkeys(items))))

    def _first_byte(self, item: S3Object) -> None:
        self.s3.get_object(Bucket=item.bucket, Key=item.key, Range="bytes=0-0")["Body"].read()

    def _together(self, function: Callable[[_Item], _Done], items: Iterable[_Item]) -> Iterator[_Done]:
        """The results, several at a time, each worked at for the caller of this thread."""
        asked = [(copy_context(), item) for item in items]
        return self.pool.map(lambda pair: pair[0].run(function, pair[1]), asked)

    def path_sql(self, column: str) -> str:
        """DuckDB expression: the S3 address of the local file named by `column`."""
        roots = [f"{self._cache}/[0-9a-f]{{12}}", f"{self._clean}/[0-9a-f]{{12}}"]
        if self._data_root:
            roots.append(str(self._data_root))
        return f"regexp_replace({column}, '^({'|'.join(roots)})/', 's3://')"

    def upload(self, files: list[tuple[Path, str]]) -> None:
        """Put local files at S3 addresses, several at a time; the first failure is raised."""
        list(self._together(lambda item: self.put(item[0].read_bytes(), item[1]), files))

    def put(self, data: bytes, uri: str) -> None:
        """Put bytes at an S3 address."""
        bucket, key = split_uri(uri)
        self.s3.put_object(Bucket=bucket, Key=key, Body=data)

    def delete(self, uris: Iterable[str]) -> None:
        """Remove objects of a statement that failed; those that are missing are no error.

        That is this server's own tidiness (Athena leaves them): the caller needs no permission for it.
        """
        with caller_identity.acting_for(None):
            for bucket, key in map(split_uri, uris):
                self.s3.delete_object(Bucket=bucket, Key=key)

    def _make_room(self, size: int) -> None:
        with self._lock:
            files = [(f.stat().st_atime, f.stat().st_size, f) for f in self._cache.rglob("*") if f.is_file()]
            used = sum(f[1] for f in files)
            for used_at, length, file in sorted(files):
                if used + size <= self._limit or time.time() - used_at < _IN_USE:
                    break
                file.unlink(missing_ok=True)
                used -= length

    def forget(self) -> None:
        """Drop everything kept on disk."""
        for folder in (self._cache, self._clean):
            shutil.rmtree(folder, ignore_errors=True)


def _places(locations: list[str]) -> dict[str, list[str]]:
    """Folders to list -> locations below them: as few listings as needed, as narrow as possible."""
    places = {location: [location] for location in locations}
    for up in (1, 2, 3, 4):
        if len(places) <= _TOGETHER:
            break
        members = Counter(_ancestor(location, up) for location in locations)
        places = {}
        for location in locations:
            folder = _ancestor(location, up)
            places.setdefault(folder if members[folder] >= _TOGETHER else location, []).append(location)
        if len(places) <= _LISTINGS:
            break
    return places


def _ancestor(location: str, up: int) -> str:
    parts = location.rstrip("/").split("/")
    return "/".join(parts[:-up]) + "/" if len(parts) - up > 3 else location


def _distribute(objects: list[S3Object], locations: list[str], found: dict[str, list[S3Object]]) -> None:
    known = set(locations)
    for item in objects:
        folder = item.uri.rsplit("/", 1)[0]
        while folder.count("/") > 2:
            if folder + "/" in known:
                found[folder + "/"].append(item)
                break
            folder = folder.rsplit("/", 1)[0]


def _digest(item: S3Object) -> str:
    return hashlib.sha256(f"{item.uri}\0{item.etag}".encode()).hexdigest()[:12]
