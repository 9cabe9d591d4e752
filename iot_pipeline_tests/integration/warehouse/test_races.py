"""Loads and dbt runs at the same time: each waits for its turn, whatever Dagster lets in, and the facts are right."""

import multiprocessing
from datetime import timedelta
from typing import Any

import dagster as dg
import psycopg

from infra.local.session.platform import Platform
from iot_pipeline.defs.dagster_internals import partition_range_tags
from iot_pipeline.defs.models.assets import warehouse_models
from iot_pipeline.defs.registry.assets import registry_snapshot
from iot_pipeline.defs.warehouse.assets import warehouse_readings
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.lake import Lake
from iot_pipeline.partitions import partition_key
from iot_pipeline.resources import RESOURCES, WarehouseResource
from iot_pipeline.warehouse.transaction import read
from iot_pipeline_tests.support.messages import RawZone, line, message, reading

HOURS, DBT_RUNS = 6, 2


def materialize(asset: Any, tags: dict[str, str]) -> None:
    """One run of an asset in no pool: Dagster's are no locks, and may let in several that ask at the same moment."""
    assert dg.materialize([asset], resources=RESOURCES, tags=tags).success


def materialize_named(name: str, tags: dict[str, str]) -> None:
    """As `materialize`, in a process that is given no asset but its name."""
    materialize({"warehouse_readings": warehouse_readings, "warehouse_models": warehouse_models}[name], tags)


def test_eight_loads_and_dbt_runs_at_once(
    platform: Platform,
    warehouse: WarehouseResource,
    registry: "psycopg.Connection[Any]",
    lake: Lake,
    raw: RawZone,
    dagster_hour: Hour,
) -> None:
    hours = [dagster_hour + -n for n in reversed(range(HOURS))]
    readings = [reading(hour.start + n * timedelta(minutes=1), n) for hour in hours for n in range(10)]
    raw.put(dagster_hour, [line(message(*readings), dagster_hour.start)])
    lake.judge([dagster_hour])
    lake.curate(hours)
    materialize(registry_snapshot, {})

    # Every load asks for the first hour and one more than the one before it.
    ranges = [partition_range_tags(partition_key(hours[0]), partition_key(hour)) for hour in hours]
    wanted: list[tuple[str, dict[str, str]]] = [("warehouse_readings", tags) for tags in ranges]
    wanted[1:1] = [("warehouse_models", {})] * DBT_RUNS
    # Processes, as Dagster's daemon would start; forked, since each would import Dagster for seconds otherwise.
    with multiprocessing.get_context("fork").Pool(len(wanted)) as pool:
        pool.starmap_async(materialize_named, wanted).get(timeout=200)

    materialize(warehouse_models, {})
    span = f"event_hour >= {hours[0].sql} AND event_hour < {(hours[-1] + 1).sql}"
    with warehouse.connect() as connection:
        loads = read(connection, f"SELECT event_hour, readings FROM lake.loads WHERE {span} ORDER BY 1")
        facts = read(
            connection,
            f"""\
SELECT event_hour, count(*), count(DISTINCT seq) FROM marts.fact_sensor_readings WHERE {span} GROUP BY 1 ORDER BY 1""",
        )
    assert [tuple(row) for row in loads] == [(hour, count) for hour, count, _ in facts]
    assert [(count, keys) for _, count, keys in facts] == [(10, 10)] * HOURS
