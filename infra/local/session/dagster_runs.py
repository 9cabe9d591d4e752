"""Running the Dagster assets in this process, as the daemon would: for the demo, the benchmark and the tests."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import dagster as dg

from iot_pipeline.definitions import defs
from iot_pipeline.defs.alerts.assets import alert_history, warehouse_alerts
from iot_pipeline.defs.curated.assets import curated_telemetry, rebuild_event_hours
from iot_pipeline.defs.curated.sensors import stale_event_hours
from iot_pipeline.defs.dagster_internals import partition_range_tags
from iot_pipeline.defs.judged.assets import judge, quarantined_telemetry
from iot_pipeline.defs.models.assets import warehouse_models
from iot_pipeline.defs.models.reports import reports
from iot_pipeline.defs.raw.assets import raw_telemetry
from iot_pipeline.defs.raw.sensors import raw_objects
from iot_pipeline.defs.registry.assets import registry_snapshot
from iot_pipeline.defs.scattered_hours import requested_hours
from iot_pipeline.defs.warehouse.assets import load_event_hours
from iot_pipeline.defs.warehouse.sensors import unloaded_event_hours
from iot_pipeline.lake.hours import Hour, contiguous
from iot_pipeline.partitions import hours_of, partition_key
from iot_pipeline.resources import RESOURCES, LakeResource, RawEvents, WarehouseResource

# The demo has progress lines of its own; Dagster's event log is in its instance all the same.
_QUIET = {"loggers": {"console": {"config": {"log_level": "WARNING"}}}}


class BuildFailedError(RuntimeError):
    """A run or one of its blocking checks failed."""


def record_arrivals(instance: dg.DagsterInstance) -> list[Hour]:
    """Evaluate the raw sensor until its queue is empty; the arrival hours known after that."""
    while True:
        result = raw_objects(dg.build_sensor_context(instance=instance), raw_events=RawEvents())
        if not isinstance(result, dg.SkipReason) or (result.skip_message or "").startswith("0 objects"):
            break
    return hours_of(instance.get_materialized_partitions(raw_telemetry.key))


def judge_arrivals(instance: dg.DagsterInstance, arrival_hours: Iterable[Hour]) -> None:
    """Judge and quarantine these arrival hours, a run for each contiguous range."""
    for first, last in contiguous(arrival_hours):
        _materialize(instance, [judge, quarantined_telemetry], _range_tags(first, last))


def curate_stale_hours(instance: dg.DagsterInstance, cursor: str | None = None) -> tuple[list[Hour], str]:
    """Evaluate the curated zone's sensor and do the runs it asks for. Returns the hours and the sensor's cursor."""
    return _follow(instance, stale_event_hours, {"lake": LakeResource()}, rebuild_event_hours, cursor)


def load_unloaded_hours(instance: dg.DagsterInstance, cursor: str | None = None) -> tuple[list[Hour], str]:
    """Evaluate the warehouse's sensor and do the runs it asks for. Returns the hours and the sensor's cursor."""
    return _follow(instance, unloaded_event_hours, {"warehouse": WarehouseResource()}, load_event_hours, cursor)


def _follow(
    instance: dg.DagsterInstance,
    sensor: dg.SensorDefinition,
    resources: dict[str, Any],
    job: dg.JobDefinition,
    cursor: str | None,
) -> tuple[list[Hour], str]:
    """Evaluate a sensor and do the runs it asks for, until it asks for none."""
    done: list[Hour] = []
    while True:
        result = sensor(dg.build_sensor_context(instance=instance, cursor=cursor), **resources)
        if not isinstance(result, dg.SensorResult):
            return done, cursor or ""
        for request in result.run_requests or []:
            job.execute_in_process({**request.run_config, **_QUIET}, instance=instance, resources=RESOURCES)
            done += requested_hours(request)
        cursor = result.cursor


def snapshot_registry(instance: dg.DagsterInstance) -> None:
    """Copy the registry into the warehouse."""
    _materialize(instance, [registry_snapshot], {})


def export_alerts(instance: dg.DagsterInstance, *, everything: bool = False) -> None:
    """Export what changed of the alerts into the lake, or all of them, and load it into the warehouse."""
    config = {"ops": {alert_history.op.name: {"config": {"everything": everything}}}}
    _materialize(instance, [alert_history, warehouse_alerts], {}, config)


def build_models(instance: dg.DagsterInstance, log: Path) -> None:
    """Build dimensions and facts with dbt, and the reports on them; what dbt says goes to a log file."""
    with log.open("a") as out, redirect_stdout(out):
        _materialize(instance, [warehouse_models, *reports], {})


def curate_hours(instance: dg.DagsterInstance, event_hours: Iterable[Hour]) -> None:
    """Curate these event hours whether they are stale or not, a run for each contiguous range."""
    for first, last in contiguous(event_hours):
        _materialize(instance, [curated_telemetry], _range_tags(first, last))


def _range_tags(first: Hour, last: Hour) -> dict[str, str]:
    return partition_range_tags(partition_key(first), partition_key(last))


def _materialize(
    instance: dg.DagsterInstance,
    selection: Sequence[Any],
    tags: dict[str, str],
    config: Mapping[str, Any] | None = None,
) -> None:
    assets = [asset for asset in defs.assets or [] if isinstance(asset, dg.AssetsDefinition | dg.AssetSpec)]
    run_config = {**_QUIET, **(config or {})}
    result = dg.materialize(
        assets, selection=list(selection), instance=instance, resources=RESOURCES, tags=tags, run_config=run_config
    )
    failed = [e for e in result.get_asset_check_evaluations() if not e.passed]
    if failed:
        names = "; ".join(f"{e.check_name}: {e.description or 'failed'}" for e in failed)
        raise BuildFailedError(f"run {result.run_id}: {names}")
