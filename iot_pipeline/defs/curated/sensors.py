"""Which event hours to build: those that a new ledger touched and whose content the ledger says has changed."""

import json
from collections.abc import Iterator

import dagster as dg

from iot_pipeline.defs.curated.assets import build_event_hours, rebuild_event_hours
from iot_pipeline.defs.judged.assets import TOUCHED, ledger
from iot_pipeline.defs.scattered_hours import request_news
from iot_pipeline.lake.hours import Hour
from iot_pipeline.partitions import hour_of
from iot_pipeline.resources import LakeResource


@dg.sensor(
    job=rebuild_event_hours,
    minimum_interval_seconds=15,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Late data re-opens exactly the event hours it belongs to, however old they are.",
)
def stale_event_hours(context: dg.SensorEvaluationContext, lake: LakeResource) -> dg.SkipReason | dg.SensorResult:
    """Request one run for all touched event hours that are not built from what the ledger holds now."""
    return request_news(
        context,
        ledger.key,
        build_event_hours,
        stale=lambda touched: lake.open(context.log.info).stale(touched),
        hours_in=_touched,
    )


def _touched(record: dg.EventLogRecord) -> Iterator[Hour]:
    """The event hours that a materialization of the ledger touched; none if it does not tell."""
    materialization = record.asset_materialization
    value = materialization.metadata.get(TOUCHED) if materialization else None
    if value is None:
        return
    ranges = value.value
    pairs = json.loads(ranges) if isinstance(ranges, str) else ranges
    if not isinstance(pairs, list):
        raise TypeError(f"{TOUCHED!r} of a ledger should be a list of [first, last], got {pairs!r}")
    for first, last in pairs:
        hour = hour_of(first)
        while hour <= hour_of(last):
            yield hour
            hour += 1
