"""Where alerts stand that no device's state holds, kept in an item beside the episodes and written together with them.

Each watcher has one item, by its name: the trackers of its alerts, and up to where it has looked. So an event that is
looked at again, after a crash or by a second process, changes nothing twice.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from botocore.exceptions import ClientError

from iot_pipeline.alerting.episodes import About, Change, Item, Place, changes, merged, plain, typed
from iot_pipeline.alerting.lifecycle import AlertKey, Observation, Tracker, Transition, What
from iot_pipeline.alerting.together import CHECK_FAILED, MAX_ITEMS, refusals, write_together

# The watcher's own item is one of a transaction's.
MAX_CHANGES = MAX_ITEMS - 1
# In `Watched.seen`: when it looked last, epoch milliseconds.
LOOKED = "looked_ms"
# What follows from a cause is given so long to mend itself after that is over.
ALONE_MS = 3_600_000
# The watchers of the pipeline: within Dagster's daemon, and outside of it.
SENSOR, WATCHER = "pipeline_alerts", "watcher"


class TrackersConflictError(Exception):
    """Another process has written this watcher's item meanwhile: look again."""


@dataclass
class Watched:
    """What one watcher knows. `seen`: up to where it has looked, by its own names. `notes`: what it has to remember.

    `version` counts the writes; 0: it has never looked.
    """

    name: str
    version: int = 0
    seen: dict[str, int] = field(default_factory=dict)
    trackers: dict[str, Tracker] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)


class TrackerStore:
    """The watchers' items in the table of alerts."""

    def __init__(self, dynamodb: Any, table: str) -> None:
        self._dynamodb, self._table = dynamodb, table

    def load(self, name: str) -> Watched:
        """What a watcher knows. Raises botocore's errors."""
        key = {"id": {"S": _id(name)}}
        item = plain(self._dynamodb.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item", {}))
        if not item:
            return Watched(name)
        held = json.loads(item["body"])
        trackers = {key: Tracker.decode(fields) for key, fields in held["trackers"].items()}
        return Watched(name, item["version"], held["seen"], trackers, held["notes"])

    def save(self, watched: Watched, changes: Sequence[Change], now_ms: int) -> None:
        """Write what a watcher knows as the next version, and with it, or not at all, at most MAX_CHANGES episodes.

        Raises TrackersConflictError if it is not made from the version that is there; botocore's errors otherwise.
        """
        put: Item = {
            "TableName": self._table,
            "Item": typed({"id": _id(watched.name), "version": watched.version + 1, "body": _body(watched)}),
            "ConditionExpression": "attribute_not_exists(id)" if watched.version == 0 else "version = :version",
        }
        if watched.version:
            put["ExpressionAttributeValues"] = {":version": {"N": str(watched.version)}}
        try:
            write_together(self._dynamodb, put, changes, self._table, now_ms)
        except ClientError as error:
            if refusals(error)[:1] != [CHECK_FAILED]:
                raise
            raise TrackersConflictError(f"{watched.name}: version {watched.version} was written meanwhile") from None
        watched.version += 1


def _id(name: str) -> str:
    return f"trackers/{name}"


def _body(watched: Watched) -> str:
    trackers = {key: tracker.encode() for key, tracker in watched.trackers.items() if not tracker.is_idle}
    held = {"seen": watched.seen, "trackers": trackers, "notes": watched.notes}
    return json.dumps(held, separators=(",", ":"), sort_keys=True)


class Watching:
    """One look of a watcher: takes observations in the order of time, and writes what they change.

    More than one write takes is written in portions, each together with the place up to which it has looked.
    """

    def __init__(self, store: TrackerStore, watched: Watched, now_ms: int) -> None:
        self.watched, self.now_ms = watched, now_ms
        self.opened = self.resolved = 0
        self._store, self._changes = store, list[Change]()

    def open_subjects(self, rule: str) -> list[str]:
        """The subjects of which an episode of a rule is open."""
        keys = [_key(name) for name, tracker in self.watched.trackers.items() if tracker.severity]
        return [key.subject for key in keys if key.rule == rule]

    def observe(
        self, key: AlertKey, seen: Observation, place: Place, about: About | None, causes: Sequence[AlertKey] = ()
    ) -> None:
        """Take one observation. `about` says what it is about, if it is bad. The first clear one ends an episode that
        does not flap.

        `causes` are alerts of which this one would be a consequence: while one of them is open, it speaks for an
        episode that opens, of which people are not told.
        """
        name = _name(key)
        tracker = self.watched.trackers.get(name)
        if tracker is None:
            if not seen.severity:
                return
            tracker = self.watched.trackers[name] = Tracker()
        found: list[Transition] = []
        tracker.observe(key, seen, 0, found.append)
        self.opened += sum(each.what is What.OPENED for each in found)
        self.resolved += sum(each.what is What.RESOLVED for each in found)
        parent = self._held.get(name, {}).get("parent")
        for transition in found:
            if transition.what is What.OPENED:
                cause = next((each for each in map(_name, causes) if self._is_open(each)), None)
                if cause is not None:
                    parent = self._episode(cause)
                    self._held[name] = {"cause": cause, "parent": parent, "alone_ms": 0}
            elif transition.what is What.RESOLVED:
                self._held.pop(name, None)
        made = changes(found, place, trace=None)
        self._changes += [replace(change, about=about, notes=parent is None, parent=parent) for change in made]

    def alone(self) -> list[str]:
        """The episodes whose cause has been over for ALONE_MS while they are still open: now they speak for themselves,
        and people are to be told of them.
        """
        found = []
        for name, held in list(self._held.items()):
            if self._is_open(held["cause"]):
                held["alone_ms"] = 0
            elif not held["alone_ms"]:
                held["alone_ms"] = self.now_ms
            elif self.now_ms - held["alone_ms"] >= ALONE_MS:
                del self._held[name]
                found.append(self._episode(name))
        return found

    @property
    def _held(self) -> dict[str, Any]:
        """The open alerts for which a wider one speaks: which that is, and since when it has been over."""
        held: dict[str, Any] = self.watched.notes.setdefault("held", {})
        return held

    def _is_open(self, name: str) -> bool:
        tracker = self.watched.trackers.get(name)
        return tracker is not None and bool(tracker.severity)

    def _episode(self, name: str) -> str:
        return _key(name).episode(self.watched.trackers[name].since_ms)

    def is_full(self) -> bool:
        """Whether it is time to save."""
        return len(merged(self._changes)) >= MAX_CHANGES - 1

    def save(self) -> None:
        """Write what was observed since the last save. Raises as `TrackerStore.save`."""
        self.watched.seen[LOOKED] = self.now_ms
        # What began and ended between two looks is on record, and was over before anybody could be told.
        made = [replace(change, notes=change.notes and not change.is_whole) for change in merged(self._changes)]
        self._store.save(self.watched, made, self.now_ms)
        self._changes.clear()


def _name(key: AlertKey) -> str:
    return f"{key.subject} {key.rule} {key.metric}"


def _key(name: str) -> AlertKey:
    """What `_name` gave a name to."""
    return AlertKey(*name.split(" ", 2))
