"""The safety net under the warehouse's sensor."""

from collections.abc import Sequence

import dagster as dg

from iot_pipeline.defs.scattered_hours import hourly_sweep, request_swept
from iot_pipeline.defs.warehouse.assets import load_event_hours, load_hours
from iot_pipeline.lake.hours import Hour
from iot_pipeline.resources import WarehouseResource


@hourly_sweep(
    load_event_hours,
    minute=50,
    description=(
        "Requests all event hours whose curated version is still not the one that is loaded: the sensor asks once for "
        "each, and a run of it may have failed."
    ),
)
def sweep_unloaded_hours(
    context: dg.ScheduleEvaluationContext, warehouse: WarehouseResource
) -> dg.RunRequest | dg.SkipReason:
    """Look at all curated event hours."""

    def unloaded() -> Sequence[Hour]:
        with warehouse.loader(context.log.info) as loader:
            return loader.unloaded()

    return request_swept(context, load_event_hours, load_hours, unloaded)
