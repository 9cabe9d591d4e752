"""What Dagster loads."""

import dagster as dg

from iot_pipeline.defs.curated import assets as curated
from iot_pipeline.defs.curated import schedules as curated_schedules
from iot_pipeline.defs.curated import sensors as curated_sensors
from iot_pipeline.defs.judged import assets as judged
from iot_pipeline.defs.models import assets as models
from iot_pipeline.defs.models import docs, reports
from iot_pipeline.defs.models import sensors as model_sensors
from iot_pipeline.defs.ops import alerts, automation_sensor, schedules
from iot_pipeline.defs.raw import assets as raw
from iot_pipeline.defs.raw import sensors as raw_sensors
from iot_pipeline.defs.registry import assets as registry
from iot_pipeline.defs.warehouse import assets as warehouse
from iot_pipeline.defs.warehouse import schedules as warehouse_schedules
from iot_pipeline.defs.warehouse import sensors as warehouse_sensors
from iot_pipeline.resources import RESOURCES

defs = dg.Definitions(
    assets=[
        raw.raw_telemetry,
        judged.ledger,
        judged.quarantined_telemetry,
        curated.curated_telemetry,
        warehouse.warehouse_readings,
        registry.registry_snapshot,
        models.warehouse_models,
        docs.dbt_docs,
        *reports.reports,
    ],
    asset_checks=[alerts.every_site_sends, warehouse.no_orphaned_readings],
    sensors=[
        raw_sensors.raw_objects,
        curated_sensors.stale_event_hours,
        warehouse_sensors.unloaded_event_hours,
        model_sensors.stale_models,
        automation_sensor.automation,
        alerts.run_failures,
        alerts.health_changes,
        alerts.site_arrival,
    ],
    jobs=[
        curated.rebuild_event_hours,
        warehouse.load_event_hours,
        model_sensors.build_models,
        schedules.closing_build,
        schedules.crawl,
        schedules.clean_up_job,
    ],
    schedules=[
        schedules.close_hour,
        schedules.daily_crawl,
        schedules.daily_clean_up,
        curated_schedules.sweep_stale_hours,
        warehouse_schedules.sweep_unloaded_hours,
    ],
    resources=RESOURCES,
)
