"""Which notifications are reported and perhaps still in the queue, so that each object is counted once.

A batch is noted with the instance, reported, and deleted from the queue, in this order. A tick that is killed on the
way leaves its batch noted; the notifications come again, and the event log says which hours of the batch were reported.
Without a kill the note goes with the deletion, and costs two small writes a batch.
"""

import json
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import dagster as dg

from iot_pipeline.defs.dagster_internals import noted, take_note
from iot_pipeline.defs.raw.assets import raw_telemetry

# Metadata of a materialization: the batch that it reports.
BATCH_ID = "batch"
_NOTE = "iot_pipeline/raw_in_flight"
# A note of a killed tick is kept for so long, and until the queue is found empty: then what could come again has come,
# and the rest of the batch had been deleted before the kill. A poll may find an empty queue that is not (SQS developer
# guide, "Short polling"), which an hour of polls outlasts.
KEPT = timedelta(hours=1)
# Materializations of an hour that are searched for a batch, from the newest: more than the ticks of an hour.
_SEARCHED = 1000


@dataclass
class _Noted:
    """One batch: when it was noted, and the notifications of each hour's partition by their message ids.

    `is_left`: it is of a tick that is gone, and its hours are those that were reported.
    """

    at: datetime
    hours: dict[str, set[str]]
    is_left: bool


@dataclass
class InFlight:
    """The batches of killed ticks, and the one that is being reported."""

    instance: dg.DagsterInstance
    _batches: dict[str, _Noted] = field(default_factory=dict)

    @classmethod
    def left(cls, instance: dg.DagsterInstance) -> "InFlight":
        """What ticks before this one left: of each batch the hours that were reported, and may come again."""
        found, is_news = cls(instance), False
        for name, value in json.loads(noted(instance, _NOTE) or "{}").items():
            batch = _Noted(datetime.fromtimestamp(value["at"], UTC), value["hours"], value["left"])
            if not batch.is_left:
                batch.hours = {key: ids for key, ids in batch.hours.items() if found._is_reported(key, name, batch.at)}
                batch.is_left = is_news = True
            batch.hours = {key: set(ids) for key, ids in batch.hours.items()}
            if batch.hours:
                found._batches[name] = batch
        if is_news:
            found._save()  # so that the event log is searched once
        return found

    def is_counted(self, message_id: str, partition: str) -> bool:
        """Whether what a notification tells of an hour was reported by a tick that could not delete it."""
        return any(message_id in batch.hours.get(partition, ()) for batch in self._batches.values())

    def begin(self, hours: Mapping[str, Collection[str]]) -> str:
        """Note a batch, by partition the message ids; the batch's id, for the metadata of what reports it."""
        batch = uuid.uuid4().hex[:12]
        self._batches[batch] = _Noted(datetime.now(UTC), {key: set(ids) for key, ids in hours.items()}, is_left=False)
        self._save()
        return batch

    def deleted(self, message_ids: Collection[str]) -> None:
        """These notifications are gone from the queue for good."""
        for batch in self._batches.values():
            batch.hours = {key: left for key, ids in batch.hours.items() if (left := ids.difference(message_ids))}
        self._batches = {name: batch for name, batch in self._batches.items() if batch.hours}
        self._save()

    def found_empty(self) -> None:
        """The queue had nothing more: what ticks left long ago does not come again."""
        kept = {name: batch for name, batch in self._batches.items() if datetime.now(UTC) - batch.at < KEPT}
        if kept != self._batches:
            self._batches = kept
            self._save()

    def _is_reported(self, partition: str, batch: str, at: datetime) -> bool:
        wanted = dg.AssetRecordsFilter(
            raw_telemetry.key,
            asset_partitions=[partition],
            after_timestamp=(at - timedelta(minutes=1)).timestamp(),
        )
        records = self.instance.fetch_materializations(wanted, limit=_SEARCHED).records
        found = (record.asset_materialization for record in records)
        return any(event.metadata[BATCH_ID].value == batch for event in found if event and BATCH_ID in event.metadata)

    def _save(self) -> None:
        value = {
            name: {
                "at": batch.at.timestamp(),
                "hours": {key: sorted(ids) for key, ids in batch.hours.items()},
                "left": batch.is_left,
            }
            for name, batch in self._batches.items()
        }
        take_note(self.instance, _NOTE, json.dumps(value, separators=(",", ":")))
