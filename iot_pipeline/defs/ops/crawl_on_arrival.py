"""An option: what arrives in the raw zone triggers the crawlers, beside their daily schedule."""

import json
from datetime import UTC, datetime, timedelta

import dagster as dg

from iot_pipeline.defs.ops.crawled_schemas import crawl
from iot_pipeline.defs.raw.assets import raw_telemetry
from iot_pipeline.defs.scattered_hours import is_unfinished
from iot_pipeline.settings import policy


def _now() -> datetime:
    return datetime.now(UTC)


@dg.sensor(
    job=crawl,
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        "Off unless IOT_CRAWL_ON_ARRIVAL_MINUTES says otherwise: asks for the crawlers when raw objects have arrived "
        "since they were last asked for, at most once in so many minutes, and never for two crawls at a time."
    ),
)
def arrived_objects(context: dg.SensorEvaluationContext) -> dg.SkipReason | dg.SensorResult:
    """Compare the newest arrival with the one that was crawled for; what comes meanwhile waits, and is not lost."""
    pause = policy().crawl_on_arrival_minutes
    if not pause:
        return dg.SkipReason("IOT_CRAWL_ON_ARRIVAL_MINUTES is 0: the crawlers run daily alone")
    arrived = context.instance.fetch_materializations(raw_telemetry.key, limit=1).records
    newest = arrived[0].storage_id if arrived else 0
    asked = json.loads(context.cursor) if context.cursor else {"seen": 0, "at": None}
    if newest <= asked["seen"]:
        return dg.SkipReason("nothing has arrived since the crawlers were last asked for")
    now = _now()
    if asked["at"] is not None and now < datetime.fromisoformat(asked["at"]) + timedelta(minutes=pause):
        return dg.SkipReason(f"the crawlers were asked for at {asked['at']}; the next time {pause:g} min later")
    if is_unfinished(context.instance, crawl.name):
        return dg.SkipReason("the crawlers are at work; what has arrived waits for the next tick")
    return dg.SensorResult(run_requests=[dg.RunRequest()], cursor=json.dumps({"seen": newest, "at": now.isoformat()}))
