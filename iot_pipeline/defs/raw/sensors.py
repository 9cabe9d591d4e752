"""New raw objects become materializations of their arrival hour."""

import time
from collections import defaultdict

import dagster as dg

from iot_pipeline.defs.raw.assets import raw_telemetry
from iot_pipeline.lake.hours import Hour
from iot_pipeline.partitions import hours, partition_key
from iot_pipeline.resources.raw_events import Notification, RawEvents, RawObject

# A tick is stopped after 60 s by default (Dagster: DAGSTER_SENSOR_GRPC_TIMEOUT_SECONDS); this leaves a wide margin.
TIME_BUDGET_SECONDS = 20.0


@dg.sensor(
    asset_selection=[raw_telemetry.key],
    minimum_interval_seconds=10,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Drains the queue of S3 notifications and reports one materialization per arrival hour.",
)
def raw_objects(context: dg.SensorEvaluationContext, raw_events: RawEvents) -> dg.SkipReason | dg.SensorResult:
    """Report first, then delete: after a crash in between, the notifications come again and are reported again."""
    found: dict[Hour, list[RawObject]] = defaultdict(list)
    readable: list[Notification] = []
    unreadable = 0
    deadline = time.monotonic() + TIME_BUDGET_SECONDS
    while time.monotonic() < deadline and (batch := raw_events.receive()):
        for notification in batch:
            problem = notification.problem or _outside_partitions(notification)
            if problem:
                unreadable += 1
                context.log.error("left for the dead-letter queue: %s: %s", notification.message_id, problem)
                continue
            readable.append(notification)
            for item in notification.objects:
                found[item.hour].append(item)
    for hour, objects in sorted(found.items()):
        context.instance.report_runless_asset_event(_materialization(hour, objects))
    raw_events.delete(readable)
    total = sum(len(objects) for objects in found.values())
    summary = f"{total} objects in {len(found)} hours, {unreadable} unreadable notifications"
    context.log.info(summary)
    return dg.SkipReason(summary)


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
