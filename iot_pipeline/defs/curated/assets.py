"""The curated zone: valid readings, typed, deduplicated, by event hour."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import dagster as dg

from iot_pipeline.contract import tables
from iot_pipeline.defs.common import CURATE_POOL, LISTED_HOURS, OWNERS
from iot_pipeline.defs.judged.assets import judged_telemetry, ledger
from iot_pipeline.defs.metadata import bar_chart, column_schema, markdown_table, preview, query_cost
from iot_pipeline.defs.scattered_hours import Built, ScatteredHours, report
from iot_pipeline.lake import statements
from iot_pipeline.lake.athena import QueryResult
from iot_pipeline.lake.balances import EventHourBalance
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.increments import Written
from iot_pipeline.lake.lake import Lake
from iot_pipeline.partitions import hours, hours_of, partition_key
from iot_pipeline.resources import LakeResource

LEDGER_CHECK = dg.AssetCheckSpec(
    "valid_equals_curated_plus_duplicates",
    asset="curated_telemetry",
    blocking=True,
    description="The ledger, by event hour: valid readings = rows + duplicates + conflicts, as published.",
)
KEYS_CHECK = dg.AssetCheckSpec(
    "keys_are_unique",
    asset="curated_telemetry",
    blocking=True,
    description="Each (device_id, event_time, seq) stands once.",
)
CONTRACT_CHECK = dg.AssetCheckSpec(
    "rows_are_within_the_contract",
    asset="curated_telemetry",
    blocking=True,
    description="Every metric is within its plausible range and every row in the partition of its event time.",
)


@dg.asset(
    partitions_def=hours,
    deps=[judged_telemetry, ledger],
    group_name="curated",
    kinds={"athena", "parquet"},
    owners=OWNERS,
    tags={"zone": "curated"},
    pool=CURATE_POOL,
    backfill_policy=dg.BackfillPolicy.single_run(),
    check_specs=[LEDGER_CHECK, KEYS_CHECK, CONTRACT_CHECK],
    description=(
        tables().curated_telemetry.description
        + " Each hour holds exactly the arrival hours that the ledger says touch it. It is built into a new version, "
        "which takes over the rows of before where only new keys came, and then moved to in one step. The "
        "`stale_event_hours` sensor decides which hours to build."
    ),
    metadata=column_schema(tables().curated_telemetry.columns),
)
def curated_telemetry(context: dg.AssetExecutionContext, lake: LakeResource) -> dg.MaterializeResult:
    """Build these event hours."""
    return build_curated(lake.open(context.log.info), hours_of(context.partition_keys)).result()


@dg.op(pool=CURATE_POOL)
def build_event_hours(context: dg.OpExecutionContext, config: ScatteredHours, lake: LakeResource) -> None:
    """Build any set of event hours in one run, and report each as a materialization of the curated asset."""
    report(context, build_curated(lake.open(context.log.info), hours_of(config.hours)))


@dg.job(description="Builds the event hours that late data has re-opened, however far apart they are.")
def rebuild_event_hours() -> None:
    """The job has one step, which takes all the hours."""
    build_event_hours()


def build_curated(lake: Lake, wanted: Sequence[Hour]) -> Built:
    """Build these event hours, with their checks."""
    balances = lake.curate(wanted)
    written = lake.written(wanted)
    checks = curated_checks(lake, wanted, written)
    metadata: dict[str, Any] = {
        "rows": sum(b.built.rows for b in balances),
        "valid readings": sum(b.valid for b in balances),
        "duplicates": sum(b.built.duplicates for b in balances),
        "conflicts": sum(b.built.conflicts for b in balances),
        "lateness": _lateness(lake, written),
        "hours": _hours_table(balances),
    }
    latest = max((b.hour for b in balances if b.built.rows), default=None)
    for it in written:
        if latest in it.hours:
            metadata["preview"] = preview(lake.athena.run(statements.preview(latest, it.objects)))
    return Built(
        [curated_materialization(balance) for balance in balances], checks, {**metadata, **query_cost(lake.athena)}
    )


def curated_materialization(balance: EventHourBalance) -> dg.AssetMaterialization:
    """The event of an event hour that was built."""
    return dg.AssetMaterialization(
        curated_telemetry.key,
        partition=partition_key(balance.hour),
        metadata={
            "dagster/partition_row_count": balance.built.rows,
            "valid readings": balance.valid,
            "duplicates": balance.built.duplicates,
            "conflicts": balance.built.conflicts,
        },
    )


def _lateness(lake: Lake, written: Iterable[Written]) -> dg.MarkdownMetadataValue:
    readings: Counter[str] = Counter()
    for it in written:
        for row in lake.athena.run(statements.lateness_of_event_hours(it.hours, it.objects)).rows:
            readings[row[0]] += int(row[1])
    shown = sorted(readings.items())
    return bar_chart([name[2:] for name, _ in shown], [count for _, count in shown])


def _hours_table(balances: list[EventHourBalance]) -> dg.MarkdownMetadataValue:
    shown = [b for b in balances if b.valid][:LISTED_HOURS]
    return markdown_table(
        ("event hour", "valid", "curated", "duplicates", "conflicts"),
        [(b.hour, b.valid, b.built.rows, b.built.duplicates, b.built.conflicts) for b in shown],
    )


def curated_checks(lake: Lake, wanted: Sequence[Hour], written: Sequence[Written]) -> list[dg.AssetCheckResult]:
    """The checks of these event hours as they are published; of the rows in them, those that were `written`.

    What a build adds shares no key with what it took over, or the hour is built whole (`lake/curating.py`).
    """
    plan = lake.plan(wanted)
    stale = set(lake.stale(plan))
    wrong = [b for b in lake.event_balances(plan) if not b.balances and b.hour not in stale]
    repeated = [lake.athena.run(statements.repeated_keys(it.hours, it.objects)) for it in written]
    outside = [lake.athena.run(statements.rows_out_of_contract(lake.contract, it.hours, it.objects)) for it in written]
    return [
        dg.AssetCheckResult(
            asset_key=LEDGER_CHECK.asset_key,
            check_name=LEDGER_CHECK.name,
            passed=not wrong,
            description="; ".join(str(b) for b in wrong[:5]) or None,
            metadata={"hours": len(wanted), "hours with newer arrivals, to be built again": len(stale)},
        ),
        dg.AssetCheckResult(
            asset_key=KEYS_CHECK.asset_key,
            check_name=KEYS_CHECK.name,
            passed=not any(it.rows for it in repeated),
            metadata=_found("repeated keys", repeated),
        ),
        dg.AssetCheckResult(
            asset_key=CONTRACT_CHECK.asset_key,
            check_name=CONTRACT_CHECK.name,
            passed=not any(it.rows for it in outside),
            metadata=_found("rows outside", outside),
        ),
    ]


def _found(what: str, results: Sequence[QueryResult]) -> dict[str, Any]:
    most = max(results, key=lambda it: len(it.rows), default=None)
    examples = {"examples": preview(most)} if most else {}
    return {f"{what} (at most 100)": len(most.rows) if most else 0, **examples}
