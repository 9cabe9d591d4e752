"""The versions of an object that has many: the newest in its sidecar, the others in a file that only grows.

Stock ministack writes all versions of a key each time that the key is written, and does nothing else meanwhile. A lock
is written hundreds of times a day, and each time would cost more than the one before.
"""

import hashlib
import json
from collections.abc import Iterable
from itertools import takewhile
from pathlib import Path
from typing import Any

from ministack.core.responses import get_account_id
from ministack.services import s3

from infra.local.emulator.packed_record import PackedRecord

# So many versions are in a sidecar at most, and half as many at least, where a key has more.
IN_SIDECAR = 128
# In a sidecar: how many versions come before those that stand in it.
_BEFORE = "versions_before"
# Of ministack's own folder of a bucket's versions, which goes with the bucket.
_FOLDER = ".before"

_Name = tuple[str, str, str]
_stock_history = s3._key_history_meta
# By account, bucket and key, what the file holds: the records as they were when they were written.
_written: dict[_Name, list[Any]] = {}


def install() -> None:
    """Write histories so, and read what an earlier process has written."""
    s3._key_history_meta = _history
    _written.clear()
    for path in Path(s3.DATA_DIR).glob(f"{s3._VERSIONS_DIR}/*/*/{_FOLDER}/*.jsonl"):
        _read(path)


def _history(bucket: str, key: str) -> dict[str, Any]:
    """What the sidecar says of a key's versions."""
    name, versions = (get_account_id(), bucket, key), s3._object_versions.get((bucket, key)) or []
    if len(versions) <= IN_SIDECAR:
        _written.pop(name, None)
        return dict(_stock_history(bucket, key))
    before = _kept_before(name, versions)
    found: dict[str, Any] = {_BEFORE: before, "versions": list(map(_document, versions[before:]))}
    stores = {"tags": s3._object_tags, "acl": s3._object_acl, "annotations": s3._object_annotations}
    for field, store in stores.items():
        of_key = {vid or "null": value for (*of, vid), value in store.items() if of == [bucket, key]}
        if of_key:
            found[field] = of_key
    return found


def _kept_before(name: _Name, versions: list[Any]) -> int:
    """How many of the oldest versions the key's file holds, once those are added that the sidecar has no room for."""
    written = _written.setdefault(name, [])
    begins_so = len(written) <= len(versions) and all(
        isinstance(version, PackedRecord) and version.kept is kept
        for version, kept in zip(versions, written, strict=False)
    )
    if not begins_so:
        written.clear()  # a version was removed, or changed
    if len(versions) - len(written) > IN_SIDECAR:
        start, end = len(written), len(versions) - IN_SIDECAR // 2
        versions[start:end] = map(_packed, versions[start:end])
        # One that may be changed in place is never the same as it was written.
        steady = list(takewhile(lambda version: isinstance(version.kept, bytes), versions[start:end]))
        _write(name, steady, anew=not written)
        written += [version.kept for version in steady]
    return len(written)


def _packed(version: Any) -> PackedRecord:
    return version if isinstance(version, PackedRecord) else PackedRecord(version)


def _write(name: _Name, versions: Iterable[Any], *, anew: bool) -> None:
    path = _path(name)
    lines = [json.dumps(_document(version)) + "\n" for version in versions]
    if anew:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".tmp")
        temporary.write_text("".join([json.dumps(name) + "\n", *lines]))
        temporary.replace(path)
    else:
        with path.open("a") as file:
            file.writelines(lines)


def _document(version: Any) -> dict[str, Any]:
    return {member: value for member, value in version.items() if member != "data"}


def _path(name: _Name) -> Path:
    account, bucket, key = name
    digest = hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()
    return Path(s3.DATA_DIR, s3._VERSIONS_DIR, account, bucket, _FOLDER, f"{digest}.jsonl")


def _read(path: Path) -> None:
    """Load a key's history again, with the versions of its file; if the sidecar counts none of those, the file goes."""
    first, *lines = path.read_text().split("\n")[:-1]  # after a kill the last line may be half of one
    account, bucket, key = json.loads(first)
    sidecar = Path(f"{s3._object_disk_path(bucket, key, account)}.meta.json")
    meta = json.loads(sidecar.read_text()) if sidecar.exists() else {}
    if not meta.get(_BEFORE):
        path.unlink()
        return
    # A kill between the two may leave some in both.
    newest = {version["version_id"] for version in meta["versions"]}
    before = [version for version in map(json.loads, lines) if version["version_id"] not in newest]
    whole = meta | {"versions": before + meta["versions"]}
    s3._load_persisted_history(account, s3._buckets._data[account, bucket], bucket, key, whole)
