"""Which event hours to load: those that were curated since and are not what the warehouse holds."""

from collections.abc import Sequence

import dagster as dg

from iot_pipeline.defs.curated.assets import curated_telemetry
from iot_pipeline.defs.scattered_hours import request_news
from iot_pipeline.defs.warehouse.assets import load_event_hours, load_hours
from iot_pipeline.lake.hours import Hour
from iot_pipeline.resources import WarehouseResource


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

    def unloaded(curated: Sequence[Hour]) -> Sequence[Hour]:
        with warehouse.loader(context.log.info) as loader:
            return loader.unloaded(curated)

    return request_news(context, curated_telemetry.key, load_hours, unloaded)
