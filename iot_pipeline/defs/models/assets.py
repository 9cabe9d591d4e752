"""Dimensions, facts and views: dbt's models."""

from collections.abc import Iterable, Iterator
from typing import Any

import dagster as dg
from dagster_dbt import DbtCliResource, DbtProject, dbt_assets
from redshift_connector.core import Connection

from iot_pipeline.defs.common import DBT_POOL
from iot_pipeline.defs.models.translator import ModelsTranslator
from iot_pipeline.resources import WarehouseResource
from iot_pipeline.resources.dbt import target_folder
from iot_pipeline.warehouse.dbt_project import PROJECT_DIR, manifest, parsed
from iot_pipeline.warehouse.transaction import read

_MANIFEST = manifest()
_TRANSLATOR = ModelsTranslator()
# Which runs can finish what is stale; one of a few models cannot.
_WHOLE = {dg.AssetKey("stale_hours"), dg.AssetKey("fact_hours")}
_TABLES = {
    node["name"]: f"{node['schema']}.{node['name']}"
    for node in _MANIFEST["nodes"].values()
    if node["resource_type"] == "model" and node["config"]["materialized"] != "view"
}


@dbt_assets(
    manifest=_MANIFEST,
    project=DbtProject(PROJECT_DIR, target_path=parsed()),
    dagster_dbt_translator=_TRANSLATOR,
    name="warehouse_models",
    # A run that is let in beside another all the same waits for the lock on the builds.
    pool=DBT_POOL,
)
def warehouse_models(
    context: dg.AssetExecutionContext, dbt: DbtCliResource, warehouse: WarehouseResource
) -> Iterator[Any]:
    """Build the models, each followed by its tests, until no hour is stale.

    Which hours are built is the warehouse's to say (`stale_hours`): there is nothing to configure, a run without news
    builds no facts, and a run after a crash builds what the crash left.
    """
    with target_folder() as folder, warehouse.building_models(context.log.info), warehouse.connect() as connection:
        build = dbt.cli(["build"], context=context, target_path=folder)
        yield from _counted(context, connection, build.stream())
        if not context.selected_asset_keys >= _WHOLE:
            return
        left = hours_left(connection)
        while left:
            context.log.info("%d event hours are still stale: dbt builds the next of them", left)
            dbt.cli(["build"], manifest=_MANIFEST, dagster_dbt_translator=_TRANSLATOR, target_path=folder).wait()
            before, left = left, hours_left(connection)
            if left >= before:
                raise dg.Failure(
                    f"{left} event hours are stale, as many as before dbt built some: see marts.stale_hours"
                )


def hours_left(connection: Connection) -> int:
    """Event hours that the last run of dbt found stale and left to the next."""
    return int(read(connection, "SELECT coalesce(max(hours_left), 0) FROM marts.stale_hours")[0][0])


def _counted(context: dg.AssetExecutionContext, connection: Connection, events: Iterable[Any]) -> Iterator[Any]:
    for event in events:
        if not isinstance(event, dg.Output):
            yield event
            continue
        name = context.asset_key_for_output(event.output_name).path[-1]
        metadata = {**event.metadata, **_counts(connection, name)}
        yield event.with_metadata(metadata)


def _counts(connection: Connection, name: str) -> dict[str, Any]:
    if name not in _TABLES:
        return {}
    counts: dict[str, Any] = {"dagster/row_count": int(read(connection, f"SELECT count(*) FROM {_TABLES[name]}")[0][0])}
    if name == "fact_hours":
        readings, sensors, locations = read(
            connection,
            "SELECT coalesce(sum(readings), 0), coalesce(sum(unknown_sensor_readings), 0), "
            "coalesce(sum(unknown_location_readings), 0) FROM marts.fact_hours",
        )[0]
        counts |= {
            "facts": int(readings),
            "of unknown sensors": int(sensors),
            "at unknown locations": int(locations),
        }
    return counts
