"""When models and reports are built by themselves. None has partitions: the warehouse's data says what is stale."""

import dagster as dg

from iot_pipeline.defs.alerts.assets import warehouse_alerts
from iot_pipeline.defs.models.assets import warehouse_models
from iot_pipeline.defs.models.reports import reports
from iot_pipeline.defs.registry.assets import registry_snapshot
from iot_pipeline.defs.scattered_hours import is_unfinished
from iot_pipeline.defs.warehouse.assets import warehouse_readings
from iot_pipeline.settings import policy

# A job and not automation conditions: these would leave the models' tests out of the runs they ask for.
build_models = dg.define_asset_job(
    "build_models",
    selection=dg.AssetSelection.assets(warehouse_models, *reports),
    description="Dimensions, facts and views with all their tests, in one run of dbt, and the reports on them.",
)


@dg.sensor(
    job=build_models,
    minimum_interval_seconds=60 * policy().build_interval_minutes,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Asks for the models when hours, alerts or the registry were loaded since it last asked.",
)
def stale_models(context: dg.SensorEvaluationContext) -> dg.SkipReason | dg.SensorResult:
    """One run for all that is new. It waits for the run before it, so that none pile up."""
    seen = int(context.cursor or 0)
    loads = (warehouse_readings, warehouse_alerts, registry_snapshot)
    newest = max(_newest(context.instance, asset.key) for asset in loads)
    if newest <= seen:
        return dg.SkipReason("nothing was loaded since the models were last asked for")
    if is_unfinished(context.instance, build_models.name):
        return dg.SkipReason("the models are being built; what is new waits for the next tick")
    return dg.SensorResult(run_requests=[dg.RunRequest()], cursor=str(newest))


def _newest(instance: dg.DagsterInstance, key: dg.AssetKey) -> int:
    """The storage id of an asset's last materialization; 0 if it has none."""
    found = instance.fetch_materializations(key, limit=1).records
    return found[0].storage_id if found else 0
