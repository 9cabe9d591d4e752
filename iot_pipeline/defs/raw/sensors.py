"""New raw objects become materializations of their arrival hour."""

import time
from collections import Counter, defaultdict
from collections.abc import Sequence

import dagster as dg

from iot_pipeline.defs.raw.assets import raw_telemetry
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.s3_events import RawObject
from iot_pipeline.partitions import hours, partition_key
from iot_pipeline.resources.raw_events import BATCH, IN_FLIGHT, Notification, RawEvents

# A tick is stopped after 60 s by default (Dagster: DAGSTER_SENSOR_GRPC_TIMEOUT_SECONDS); this leaves a wide margin.
# What is received has to be reported and deleted within it too, and deleting takes about as long as receiving.
TIME_BUDGET_SECONDS = 20.0
RECEIVING_SECONDS = 8.0


@dg.sensor(
    asset_selection=[raw_telemetry.key],
    minimum_interval_seconds=10,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Drains the queue of S3 notifications and reports one materialization per arrival hour.",
)
def raw_objects(context: dg.SensorEvaluationContext, raw_events: RawEvents) -> dg.SkipReason | dg.SensorResult:
    """Report first, then delete: after a crash in between, the notifications come again and are reported again."""
    started = time.monotonic()
    found: dict[Hour, list[RawObject]] = defaultdict(list)
    aside: Counter[str] = Counter()
    readable: list[Notification] = []
    unreadable = 0
    while time.monotonic() < started + RECEIVING_SECONDS and (batch := raw_events.receive()):
        for notification in batch:
            problem = notification.problem or _outside_partitions(notification)
            if problem:
                unreadable += 1
                context.log.error("left for the dead-letter queue: %s: %s", notification.message_id, problem)
                continue
            readable.append(notification)
            aside.update(_set_aside(context, raw_events, notification))
            for item in notification.objects:
                found[item.hour].append(item)
    for hour, objects in sorted(found.items()):
        context.instance.report_runless_asset_event(_materialization(hour, objects))
    left = _delete(raw_events, readable, started + TIME_BUDGET_SECONDS)
    total = sum(len(objects) for objects in found.values())
    summary = f"{total} objects in {len(found)} hours, {unreadable} unreadable notifications"
    summary += "".join(f", {count} {what}" for what, count in sorted(aside.items()))
    if left:
        summary += f", {left} notifications not deleted in time: they come again"
    context.log.info(summary)
    return dg.SkipReason(summary)


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


def _delete(raw_events: RawEvents, notifications: Sequence[Notification], until: float) -> int:
    """Forget what was reported, as long as there is time; how many were left."""
    step = BATCH * IN_FLIGHT
    for start in range(0, len(notifications), step):
        if time.monotonic() >= until:
            return len(notifications) - start
        raw_events.delete(notifications[start : start + step])
    return 0


def _outside_partitions(notification: Notification) -> str | None:
    for item in notification.objects:
        if not hours.has_partition_key(partition_key(item.hour)):
            return f"{item.key} is of {item.hour}, for which no partition exists; see IOT_PARTITIONS_START"
    return None


def _materialization(hour: Hour, objects: list[RawObject]) -> dg.AssetMaterialization:
    return dg.AssetMaterialization(
        raw_telemetry.key,
        partition=partition_key(hour),
        metadata={
            "objects": len(objects),
            "bytes": sum(item.size for item in objects),
            "first object": min(item.key for item in objects),
            "last object": max(item.key for item in objects),
        },
    )
