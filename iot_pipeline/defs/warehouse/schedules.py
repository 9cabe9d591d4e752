"""The safety net under the warehouse's sensor."""

import dagster as dg

from iot_pipeline.defs.warehouse.assets import load_event_hours
from iot_pipeline.defs.warehouse.sensors import run_request
from iot_pipeline.partitions import hours, partition_key
from iot_pipeline.resources import WarehouseResource


@dg.schedule(
    job=load_event_hours,
    cron_schedule="50 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description=(
        "Requests all event hours whose curated version is still not the one that is loaded: the sensor asks once for "
        "each, and a run of it may have failed."
    ),
)
def sweep_unloaded_hours(
    context: dg.ScheduleEvaluationContext, warehouse: WarehouseResource
) -> dg.RunRequest | dg.SkipReason:
    """One run for all of them."""
    with warehouse.loader(context.log.info) as loader:
        unloaded = [hour for hour in loader.unloaded() if hours.has_partition_key(partition_key(hour))]
    return run_request(unloaded) if unloaded else dg.SkipReason("every curated event hour is loaded")
