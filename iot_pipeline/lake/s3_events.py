"""What S3 tells of the raw zone: which events are new raw objects, and which are something else, by name."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from iot_pipeline.contract.layout import RAW
from iot_pipeline.lake.hours import Hour, arrival_hour_of_key

# S3 user guide, "Supported event types for SQS, SNS, and Lambda"; messages have them without `s3:`.
_CREATED = "ObjectCreated:"
_LOSSES = ("ObjectRemoved:", "LifecycleExpiration:", "ReducedRedundancyLostObject")
_OTHERS = (
    "ObjectRestore:",
    "Replication:",
    "LifecycleTransition",
    "IntelligentTiering",
    "ObjectTagging:",
    "ObjectAcl:",
    "ObjectAnnotation:",
    "ObjectRetention:",
    "ObjectLegalHold:",
)

REMOVED, FOLDER_MARKER, HIDDEN, EMPTY = "removed", "folder marker", "hidden", "empty"


@dataclass(frozen=True)
class RawObject:
    """A new object of the raw zone: its key, its size in bytes (0 where S3 told none), and its arrival hour."""

    key: str
    size: int
    hour: Hour


@dataclass(frozen=True)
class SetAside:
    """An event that is no new raw object: the key, and what it is by name. `is_loss`: a raw object is gone."""

    key: str
    what: str
    is_loss: bool = False


def events_of(body: Mapping[str, Any]) -> Iterator[RawObject | SetAside]:
    """What the records of a notification tell.

    Raises ValueError for a key that is none of the raw zone and for an event that S3 does not have; KeyError, TypeError
    or AttributeError for a body of another form.
    """
    # S3 sends a test event when the notification is configured (S3 user guide, "Event message structure").
    if body.get("Event") == "s3:TestEvent":
        return
    for record in body["Records"]:
        item = record["s3"]["object"]
        key = unquote_plus(item["key"], errors="strict")
        yield _event(str(record["eventName"]).removeprefix("s3:"), key, item.get("size"))


def _event(name: str, key: str, size: Any) -> RawObject | SetAside:
    unread = _unread(key)
    if unread:
        return SetAside(key, unread)
    hour = arrival_hour_of_key(key)
    if name.startswith(_LOSSES):
        return SetAside(key, REMOVED, is_loss=True)
    if name.startswith(_OTHERS):
        return SetAside(key, name)
    if not name.startswith(_CREATED):
        raise ValueError(f"{name!r} of {key!r} is no event of S3 that is known here")
    if size is None:
        return RawObject(key, 0, hour)
    return RawObject(key, int(size), hour) if int(size) else SetAside(key, EMPTY)


def _unread(key: str) -> str | None:
    """Why no query reads an object of the raw zone, whatever is in it; None if queries do.

    Athena ignores objects and folders whose names begin with `_` or `.`, and says nothing (Hive's hidden files; Trino,
    `HiveFileIterator`). Tools that show a bucket as folders put an empty object whose key ends with a slash.
    """
    if not key.startswith(RAW):
        return None
    if key.endswith("/"):
        return FOLDER_MARKER
    return HIDDEN if any(part.startswith(("_", ".")) for part in key.removeprefix(RAW).split("/")) else None
