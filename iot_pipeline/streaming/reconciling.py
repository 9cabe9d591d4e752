"""Hour by hour, what was streamed against the batch result, which is the truth and replaces it.

An event hour is compared once it has closed and its curated partition holds all that the ledger says; what came of it
is kept as an object an hour. A micro-batch goes once all its hours have been compared and each of its keys is curated,
and not before: a reading is always in the one or in the other, and the view `telemetry_now` shows it once.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from iot_pipeline.contract import tables
from iot_pipeline.contract.event_time import moment
from iot_pipeline.contract.layout import RECONCILED
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.lake import Lake
from iot_pipeline.lake.statements import MAX_PARTITIONS
from iot_pipeline.streaming import statements
from iot_pipeline.streaming.batches import Batch, Batches

# Firehose may hold what it took for 15 minutes (Firehose guide, "Buffering hints"), and then it is judged and built.
CLOSED_AFTER = timedelta(minutes=30)
# Readers that asked Glue before a micro-batch went may still be reading its objects.
KEPT_AFTER = timedelta(hours=2)
# Athena takes statements of 262,144 bytes (Athena guide, "Service Quotas"), and a name has 27.
_NAMES = 4000


@dataclass(frozen=True)
class HourCompared:
    """What became of the keys of an event hour.

    `equal`: the same in stream and batch. `other_receptions`: the same reading, counted or received otherwise, as when
    a delivery was repeated to one of the two. `other_values`: another version won. `waiting`: streamed, and not
    curated. `before_stream`: curated, and arrived before the first micro-batch. `missed`: curated, and not streamed
    though it arrived later. Of an hour that was compared before (`late`) the last two are not known, and 0.
    """

    hour: Hour
    late: bool
    equal: int
    other_receptions: int
    other_values: int
    waiting: int
    before_stream: int
    missed: int

    @property
    def agrees(self) -> bool:
        """Whether each reading that both could have is in both, with the same values."""
        return not (self.other_values or self.waiting or self.missed)

    def __str__(self) -> str:
        """As people read it in a report."""
        counted = {name: count for name, count in asdict(self).items() if name not in {"hour", "late"} and count}
        return f"{self.hour}{' (late)' if self.late else ''}: " + ", ".join(
            f"{count} {name.replace('_', ' ')}" for name, count in counted.items()
        )


@dataclass(frozen=True)
class Reconciled:
    """What a reconciliation did: hours compared, micro-batches removed, and how many keys others wait for by name."""

    hours: tuple[HourCompared, ...]
    removed: tuple[str, ...]
    waiting: Mapping[str, int]
    objects_deleted: int
    unjudged: int


@dataclass(frozen=True)
class Reconciliation:
    """Compares and replaces the micro-batches of one lake."""

    lake: Lake
    batches: Batches

    def make_views(self) -> None:
        """Make the views, or bring them up to date with the contract."""
        self.lake.athena.run(statements.recent_view(self.lake.contract))
        self.lake.athena.run(statements.now_view(self.lake.contract))

    def run(self, now: datetime) -> Reconciled:
        """Compare the hours that have closed and are built, and remove the micro-batches that are replaced.

        `now` is aware. Raises pyathena.error.OperationalError if Athena fails, and BatchError; whatever was not done
        is done by the next run.
        """
        held = self.batches.all()
        if not held:
            return Reconciled((), (), {}, self.batches.delete_unused(now - KEPT_AFTER), 0)
        self.make_views()
        ready = self._ready(held, now)
        compared = self._compare(held, ready)
        for each in compared:
            self._note(each, now)
        whole = [batch for batch in held if batch.notes.event_hours <= set(ready)]
        waiting = self._waiting(whole)
        # A micro-batch that its query has repeated meanwhile may hold more than was looked at.
        as_looked_at = {(batch.name, batch.location) for batch in self.batches.all()}
        replaced = [it for it in whole if it.name not in waiting and (it.name, it.location) in as_looked_at]
        self.batches.unregister(replaced)
        return Reconciled(
            tuple(compared),
            tuple(batch.name for batch in replaced),
            waiting,
            self.batches.delete_unused(now - KEPT_AFTER),
            sum(batch.notes.unjudged for batch in held),
        )

    def _ready(self, held: Iterable[Batch], now: datetime) -> list[Hour]:
        """The hours of the micro-batches that have closed, and are curated from all that the ledger knows."""
        closed = {hour for batch in held for hour in batch.notes.event_hours if (hour + 1).start + CLOSED_AFTER <= now}
        if not closed:
            return []
        built = self.lake.catalog.partitions(tables(self.lake.contract).curated_telemetry.name, closed)
        return sorted(set(built) - set(self.lake.stale(closed)))

    def _compare(self, held: Sequence[Batch], hours: Sequence[Hour]) -> list[HourCompared]:
        first = min((it.notes.first_received for it in held if it.notes.first_received is not None), default=None)
        found: list[HourCompared] = []
        if first is None:
            return found
        for start in range(0, len(hours), MAX_PARTITIONS):
            some = hours[start : start + MAX_PARTITIONS]
            rows = self.lake.athena.run(statements.compared_hours(self.lake.contract, some, moment(first))).rows
            for row in sorted(rows):
                hour, counts = Hour.from_values(row[:4]), [int(value) for value in row[4:]]
                late = self._is_noted(hour)
                found.append(HourCompared(hour, late, *counts[:4], *([0, 0] if late else counts[4:])))
        return found

    def _waiting(self, whole: Sequence[Batch]) -> dict[str, int]:
        found: dict[str, int] = {}
        with_rows = [batch for batch in whole if batch.notes.rows]
        for start in range(0, len(with_rows), _NAMES):
            some = with_rows[start : start + _NAMES]
            hours = {hour for batch in some for hour in batch.notes.event_hours}
            sql = statements.waiting_batches(hours, [batch.name for batch in some])
            found |= {row[0]: int(row[1]) for row in self.lake.athena.run(sql).rows}
        return found

    def _is_noted(self, hour: Hour) -> bool:
        listed = self.batches.s3.list_objects_v2(Bucket=self.batches.bucket, Prefix=_key(hour), MaxKeys=1)
        return bool(listed.get("Contents"))

    def _note(self, compared: HourCompared, now: datetime) -> None:
        """Keep what the first comparison of an hour has found; of late readings Dagster's event log tells."""
        if compared.late:
            return
        document = {**asdict(compared), "hour": str(compared.hour), "compared_at": now.astimezone(UTC).isoformat()}
        self.batches.s3.put_object(
            Bucket=self.batches.bucket, Key=_key(compared.hour), Body=json.dumps(document).encode()
        )


def _key(hour: Hour) -> str:
    return f"{RECONCILED}{hour.path}compared.json"
