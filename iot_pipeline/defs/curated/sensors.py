"""Which event hours to build: those that a new ledger touched and whose content the ledger says has changed."""

import json
from collections.abc import Iterator, Sequence

import dagster as dg

from iot_pipeline.defs.curated.assets import EventHours, build_event_hours, rebuild_event_hours
from iot_pipeline.defs.judged.assets import TOUCHED, ledger
from iot_pipeline.lake.hours import Hour
from iot_pipeline.partitions import hour_of, hours, partition_key
from iot_pipeline.resources import LakeResource

# Materializations of the ledger that one tick looks at; the rest waits for the next tick.
EVENTS_PER_TICK = 1000


@dg.sensor(
    job=rebuild_event_hours,
    minimum_interval_seconds=15,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Late data re-opens exactly the event hours it belongs to, however old they are.",
)
def stale_event_hours(context: dg.SensorEvaluationContext, lake: LakeResource) -> dg.SkipReason | dg.SensorResult:
    """Request one run for all touched event hours that are not built from what the ledger holds now."""
    records = context.instance.fetch_materializations(
        dg.AssetRecordsFilter(asset_key=ledger.key, after_storage_id=int(context.cursor) if context.cursor else None),
        limit=EVENTS_PER_TICK,
        ascending=True,
    ).records
    if not records:
        return dg.SkipReason("no new ledger")
    touched: set[Hour] = set()
    for record in records:
        materialization = record.asset_materialization
        value = materialization.metadata.get(TOUCHED) if materialization else None
        if value is not None:
            touched |= set(_hours_in(value.value))
    cursor = str(records[-1].storage_id)
    outside = {hour for hour in touched if not hours.has_partition_key(partition_key(hour))}
    if outside:
        context.log.error("%d event hours have no partition, see IOT_PARTITIONS_START: %s", len(outside), min(outside))
    stale = lake.open(context.log.info).stale(touched - outside) if touched - outside else []
    return dg.SensorResult(
        run_requests=[run_request(stale)] if stale else [],
        cursor=cursor,
        skip_reason=None if stale else dg.SkipReason(f"{len(touched)} event hours touched, all of them up to date"),
    )


def run_request(event_hours: Sequence[Hour]) -> dg.RunRequest:
    """One run that builds these event hours."""
    config = EventHours(hours=[partition_key(hour) for hour in event_hours])
    return dg.RunRequest(run_config=dg.RunConfig(ops={build_event_hours.name: config}))


def _hours_in(ranges: object) -> Iterator[Hour]:
    pairs = json.loads(ranges) if isinstance(ranges, str) else ranges
    if not isinstance(pairs, list):
        raise TypeError(f"{TOUCHED!r} of a ledger should be a list of [first, last], got {pairs!r}")
    for first, last in pairs:
        hour = hour_of(first)
        while hour <= hour_of(last):
            yield hour
            hour += 1
