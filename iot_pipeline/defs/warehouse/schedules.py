"""The safety net under the warehouse's sensor."""

from collections.abc import Sequence
from datetime import UTC

import dagster as dg

from iot_pipeline.defs.curated.assets import build_event_hours, rebuild_event_hours
from iot_pipeline.defs.scattered_hours import hourly_sweep, hours_of_failed_runs, in_turn, request_swept
from iot_pipeline.defs.warehouse.assets import load_event_hours, load_hours
from iot_pipeline.lake.hours import Hour
from iot_pipeline.resources import WarehouseResource
from iot_pipeline.settings import policy


@hourly_sweep(
    load_event_hours,
    minute=50,
    description=(
        "Requests event hours whose curated version is still not the one that is loaded: at once those of builds and "
        "loads that failed, since the sensor asks once for each; in their turn all others."
    ),
)
def sweep_unloaded_hours(
    context: dg.ScheduleEvaluationContext, warehouse: WarehouseResource
) -> dg.RunRequest | dg.SkipReason:
    """Look at what failed runs left, and in turn at all event hours since the first partition."""
    at = context.scheduled_execution_time.astimezone(UTC)
    # A build that failed may have published hours without reporting them, so that no sensor heard of them.
    failed = hours_of_failed_runs(context, {load_event_hours: load_hours, rebuild_event_hours: build_event_hours})

    def unloaded() -> Sequence[Hour]:
        with warehouse.loader(context.log.info) as loader:
            return loader.unloaded([*failed, *in_turn(Hour.of(policy().partitions_start), Hour.of(at))])

    return request_swept(context, load_event_hours, load_hours, unloaded)
