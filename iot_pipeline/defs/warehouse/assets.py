"""The warehouse's readings: each curated event hour, loaded whole in one transaction."""

from collections.abc import Sequence
from typing import Any

import dagster as dg

from iot_pipeline.contract import Column, tables
from iot_pipeline.defs.common import LISTED_HOURS, LOAD_POOL, OWNERS
from iot_pipeline.defs.curated.assets import curated_telemetry
from iot_pipeline.defs.metadata import bar_chart, column_schema, markdown_table
from iot_pipeline.defs.scattered_hours import Built, ScatteredHours, report
from iot_pipeline.lake.hours import Hour
from iot_pipeline.partitions import hours, hours_of, partition_key
from iot_pipeline.resources import WarehouseResource
from iot_pipeline.settings import policy
from iot_pipeline.warehouse import statements
from iot_pipeline.warehouse.load import LoadedHour, Loader, LoadError
from iot_pipeline.warehouse.tables import readings
from iot_pipeline.warehouse.transaction import read

LOAD_CHECK = dg.AssetCheckSpec(
    "loaded_equals_curated",
    asset="warehouse_readings",
    blocking=True,
    description="Hour by hour: rows, duplicates and conflicts as counted = as noted with the load = as curated.",
)


def _columns() -> list[Column]:
    """The curated columns' comments beside the warehouse's types."""
    comments = {column.name: column.comment for column in tables(policy().contract).curated_telemetry.columns}
    return [Column(column.name, column.type, comments[column.name]) for column in readings(policy().contract).columns]


@dg.asset(
    partitions_def=hours,
    deps=[curated_telemetry],
    group_name="warehouse",
    kinds={"redshift"},
    owners=OWNERS,
    tags={"zone": "warehouse"},
    pool=LOAD_POOL,
    backfill_policy=dg.BackfillPolicy.single_run(),
    check_specs=[LOAD_CHECK],
    description=(
        "`lake.readings` in Redshift: the curated readings, loaded by COPY. Each event hour is deleted, loaded, "
        "counted against the ledger and noted in `lake.loads` in one transaction; an hour that is loaded already is "
        "left alone. The `unloaded_event_hours` sensor decides which hours to load."
    ),
    metadata=column_schema(_columns()),
)
def warehouse_readings(context: dg.AssetExecutionContext, warehouse: WarehouseResource) -> dg.MaterializeResult:
    """Load these event hours."""
    with warehouse.loader(context.log.info) as loader:
        return load_into_warehouse(context.instance, loader, hours_of(context.partition_keys)).result()


@dg.op(pool=LOAD_POOL)
def load_hours(context: dg.OpExecutionContext, config: ScatteredHours, warehouse: WarehouseResource) -> None:
    """Load any set of event hours in one run, and report each as a materialization of the asset."""
    with warehouse.loader(context.log.info) as loader:
        built = load_into_warehouse(context.instance, loader, hours_of(config.hours))
    report(context, built)


@dg.job(description="Loads the event hours whose curated partition is not the one in the warehouse.")
def load_event_hours() -> None:
    """The job has one step, which takes all the hours."""
    load_hours()


@dg.asset_check(
    asset=warehouse_readings,
    automation_condition=dg.AutomationCondition.cron_tick_passed("50 3 * * *"),  # type: ignore[arg-type]  # works on checks too
    description="Every reading in the warehouse belongs to an hour that a load accounts for. Looked at daily.",
)
def no_orphaned_readings(warehouse: WarehouseResource) -> dg.AssetCheckResult:
    """Look at the whole table; only somebody's own INSERT can make it fail."""
    with warehouse.loader() as loader:
        orphans = read(loader.connection, statements.orphaned_readings())
    return dg.AssetCheckResult(
        passed=not orphans,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "hours": len(orphans),
            "readings": sum(row[1] for row in orphans),
            "which": markdown_table(("event hour", "readings"), orphans[:LISTED_HOURS]),
        },
    )


def load_into_warehouse(instance: dg.DagsterInstance, loader: Loader, wanted: Sequence[Hour]) -> Built:
    """Load these event hours, with their check."""
    try:
        done = loader.load(wanted)
    except LoadError as error:
        # The step fails, and what a failed step has logged is lost; these hours are in the warehouse all the same.
        for loaded_hour in error.loaded:
            instance.report_runless_asset_event(_materialization(loaded_hour))
        raise
    loaded = [hour for hour in done if not hour.skipped]
    rows, seconds = sum(hour.rows for hour in loaded), sum(hour.seconds for hour in loaded)
    listed = done[:LISTED_HOURS]
    metadata: dict[str, Any] = {
        "rows": sum(hour.rows for hour in done),
        "rows loaded": rows,
        "hours loaded": len(loaded),
        "hours skipped": len(done) - len(loaded),
        "rows per second": round(rows / seconds) if seconds else 0,
        "hours": markdown_table(
            ("event hour", "rows", "seconds", "outcome"),
            [(h.hour, h.rows, f"{h.seconds:.2f}", "there already" if h.skipped else "loaded") for h in listed],
        ),
        "rows by hour": bar_chart([str(hour.hour) for hour in listed], [hour.rows for hour in listed]),
    }
    return Built([_materialization(hour) for hour in done], [_check(loader, wanted)], metadata)


def _materialization(loaded: LoadedHour) -> dg.AssetMaterialization:
    return dg.AssetMaterialization(
        warehouse_readings.key,
        partition=partition_key(loaded.hour),
        metadata={"dagster/partition_row_count": loaded.rows, "skipped": loaded.skipped},
    )


def _check(loader: Loader, wanted: Sequence[Hour]) -> dg.AssetCheckResult:
    balances = loader.balances(wanted)
    wrong = [balance for balance in balances if not balance.balances]
    return dg.AssetCheckResult(
        asset_key=LOAD_CHECK.asset_key,
        check_name=LOAD_CHECK.name,
        passed=not wrong,
        description="; ".join(str(balance) for balance in wrong[:5]) or None,
        metadata={
            "hours": len(balances),
            "hours curated anew meanwhile, to be loaded again": sum(not balance.is_current for balance in balances),
        },
    )
