"""New raw objects become materializations of their arrival hour."""

import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import dagster as dg

from iot_pipeline.defs.raw.assets import raw_telemetry
from iot_pipeline.defs.raw.in_flight import BATCH_ID, InFlight
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.s3_events import RawObject
from iot_pipeline.partitions import hours, partition_key
from iot_pipeline.resources.raw_events import BATCH, IN_FLIGHT, Notification, RawEvents

# A tick is stopped after 60 s by default (Dagster: DAGSTER_SENSOR_GRPC_TIMEOUT_SECONDS); this leaves a wide margin.
# No batch is begun after half of it, since reporting and deleting one takes about as long as receiving it.
TIME_BUDGET_SECONDS = 20.0
BEGIN_SECONDS = 10.0
# A batch is what is reported and then deleted at once, and what a kill delays by the visibility timeout. Each batch is
# an event for each of its hours, so that small ones would fill the event log.
BATCH_NOTIFICATIONS = 2000
RECEIVING_SECONDS = 5.0


@dg.sensor(
    asset_selection=[raw_telemetry.key],
    minimum_interval_seconds=10,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Drains the queue of S3 notifications and reports one materialization per arrival hour.",
)
def raw_objects(context: dg.SensorEvaluationContext, raw_events: RawEvents) -> dg.SkipReason | dg.SensorResult:
    """Note, report and delete batch by batch. What a killed tick has reported is not counted again."""
    tick = _Tick(context, raw_events, time.monotonic(), InFlight.left(context.instance))
    while not tick.is_empty and time.monotonic() < tick.started + BEGIN_SECONDS:
        tick.register(tick.receive())
    if tick.is_empty and not tick.left:
        tick.in_flight.found_empty()
    summary = tick.summary()
    context.log.info(summary)
    return dg.SkipReason(summary)


@dataclass
class _Tick:
    """One evaluation of the sensor, and what it has found so far."""

    context: dg.SensorEvaluationContext
    raw_events: RawEvents
    started: float
    in_flight: InFlight
    partitions: dict[Hour, bool] = field(default_factory=dict)
    is_empty: bool = False
    objects: int = 0
    hours: set[Hour] = field(default_factory=set)
    aside: Counter[str] = field(default_factory=Counter)
    unreadable: set[str] = field(default_factory=set)
    again: int = 0
    left: int = 0

    def receive(self) -> list[Notification]:
        """A batch of notifications, or what is left in the queue."""
        batch: list[Notification] = []
        until = time.monotonic() + RECEIVING_SECONDS
        while not self.is_empty and len(batch) < BATCH_NOTIFICATIONS and time.monotonic() < until:
            more = self.raw_events.receive()
            self.is_empty = not more
            batch += more
        return batch

    def register(self, batch: Sequence[Notification]) -> None:
        """Report what a batch tells, and forget it. What cannot be read is left, for the dead-letter queue."""
        readable = [notification for notification in batch if self._is_readable(notification)]
        found: dict[Hour, list[RawObject]] = defaultdict(list)
        messages: dict[str, set[str]] = defaultdict(set)
        for notification in readable:
            self.aside.update(_set_aside(self.context, self.raw_events, notification))
            for item in notification.objects:
                key = partition_key(item.hour)
                if self.in_flight.is_counted(notification.message_id, key):
                    self.again += 1
                    continue
                found[item.hour].append(item)
                messages[key].add(notification.message_id)
        if found:
            batch_id = self.in_flight.begin(messages)
            for hour, objects in sorted(found.items()):
                self.context.instance.report_runless_asset_event(_materialization(hour, objects, batch_id))
        self.objects += sum(len(objects) for objects in found.values())
        self.hours |= found.keys()
        self._delete(readable)

    def _is_readable(self, notification: Notification) -> bool:
        problem = notification.problem or self._outside_partitions(notification)
        if problem:
            self.unreadable.add(notification.message_id)
            self.context.log.error("left for the dead-letter queue: %s: %s", notification.message_id, problem)
        return not problem

    def _outside_partitions(self, notification: Notification) -> str | None:
        for item in notification.objects:
            if not self._has_partition(item.hour):
                return f"{item.key} is of {item.hour}, for which no partition exists; see IOT_PARTITIONS_START"
        return None

    def _has_partition(self, hour: Hour) -> bool:
        """Asked of Dagster once an hour and tick: it counts through the schedule, half a millisecond each time."""
        if hour not in self.partitions:
            self.partitions[hour] = hours.has_partition_key(partition_key(hour))
        return self.partitions[hour]

    def _delete(self, notifications: Sequence[Notification]) -> None:
        """Forget what was reported, as long as there is time."""
        step, done = BATCH * IN_FLIGHT, 0
        while done < len(notifications) and time.monotonic() < self.started + TIME_BUDGET_SECONDS:
            self.raw_events.delete(notifications[done : done + step])
            done += step
        if notifications:
            self.in_flight.deleted([notification.message_id for notification in notifications[:done]])
        self.left += len(notifications[done:])

    def summary(self) -> str:
        """What was found, by name."""
        text = f"{self.objects} objects in {len(self.hours)} hours, {len(self.unreadable)} unreadable notifications"
        text += "".join(f", {count} {what}" for what, count in sorted(self.aside.items()))
        if self.again:
            text += f", {self.again} objects that were counted before"
        if self.left:
            text += f", {self.left} notifications not deleted in time: they come again, and are not counted again"
        return text


def _set_aside(context: dg.SensorEvaluationContext, raw_events: RawEvents, notification: Notification) -> list[str]:
    """What a notification tells of that is no new raw object, by name; all of it is logged."""
    found = []
    for event in notification.set_aside:
        if event.is_loss and raw_events.is_meant(event.key):
            context.log.info("removed by retention or an erasure: %r", event.key)
            found.append("removed as the book says")
            continue
        if event.is_loss:
            context.log.error("a raw object is gone, and the book of removals does not say why: %r", event.key)
        else:
            context.log.info("not read, %s: %r", event.what, event.key)
        found.append(event.what)
    return found


def _materialization(hour: Hour, objects: list[RawObject], batch: str) -> dg.AssetMaterialization:
    return dg.AssetMaterialization(
        raw_telemetry.key,
        partition=partition_key(hour),
        metadata={
            "objects": len(objects),
            "bytes": sum(item.size for item in objects),
            "first object": min(item.key for item in objects),
            "last object": max(item.key for item in objects),
            BATCH_ID: batch,
        },
    )
