"""Which event hours to load: those that were curated since and are not what the warehouse holds."""

from collections.abc import Sequence

import dagster as dg

from iot_pipeline.defs.curated.assets import curated_telemetry
from iot_pipeline.defs.warehouse.assets import LoadedHours, load_event_hours, load_hours
from iot_pipeline.lake.hours import Hour
from iot_pipeline.partitions import hours_of, partition_key
from iot_pipeline.resources import WarehouseResource

# Curated materializations that one tick looks at; the rest waits for the next tick.
EVENTS_PER_TICK = 1000


@dg.sensor(
    job=load_event_hours,
    minimum_interval_seconds=15,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Each curated event hour flows on into the warehouse, late ones too, and nothing else does.",
)
def unloaded_event_hours(
    context: dg.SensorEvaluationContext, warehouse: WarehouseResource
) -> dg.SkipReason | dg.SensorResult:
    """Request one run for all newly curated event hours whose curated version is not the one that is loaded."""
    records = context.instance.fetch_materializations(
        dg.AssetRecordsFilter(
            asset_key=curated_telemetry.key, after_storage_id=int(context.cursor) if context.cursor else None
        ),
        limit=EVENTS_PER_TICK,
        ascending=True,
    ).records
    if not records:
        return dg.SkipReason("nothing newly curated")
    curated = hours_of({record.partition_key for record in records if record.partition_key})
    with warehouse.loader(context.log.info) as loader:
        unloaded = loader.unloaded(curated)
    return dg.SensorResult(
        run_requests=[run_request(unloaded)] if unloaded else [],
        cursor=str(records[-1].storage_id),
        skip_reason=None if unloaded else dg.SkipReason(f"{len(curated)} event hours curated, all of them loaded"),
    )


def run_request(event_hours: Sequence[Hour]) -> dg.RunRequest:
    """One run that loads these event hours."""
    config = LoadedHours(hours=[partition_key(hour) for hour in event_hours])
    return dg.RunRequest(run_config=dg.RunConfig(ops={load_hours.name: config}))
