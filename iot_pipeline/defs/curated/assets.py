"""The curated zone: valid readings, typed, deduplicated, by event hour."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg

from iot_pipeline.contract import tables
from iot_pipeline.defs.judged.assets import ledger
from iot_pipeline.defs.metadata import bar_chart, column_schema, markdown_table, preview, query_cost
from iot_pipeline.defs.raw.assets import OWNERS
from iot_pipeline.lake import statements
from iot_pipeline.lake.balances import EventHourBalance
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.lake import Lake
from iot_pipeline.partitions import hours, hours_of, partition_key
from iot_pipeline.resources import LakeResource

# More hours than these are summed up, not listed, in a run's metadata.
LISTED_HOURS = 48

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
    deps=[ledger],
    group_name="curated",
    kinds={"athena", "parquet"},
    owners=OWNERS,
    tags={"zone": "curated"},
    pool="curated",
    backfill_policy=dg.BackfillPolicy.single_run(),
    check_specs=[LEDGER_CHECK, KEYS_CHECK, CONTRACT_CHECK],
    description=(
        tables().curated_telemetry.description
        + " Each hour is built from exactly the arrival hours that the ledger says touch it, into a new version, and "
        "then moved to in one step. The `stale_event_hours` sensor decides which hours to build."
    ),
    metadata=column_schema(tables().curated_telemetry.columns),
)
def curated_telemetry(context: dg.AssetExecutionContext, lake: LakeResource) -> dg.MaterializeResult:
    """Build these event hours."""
    built = _build(lake.open(context.log.info), hours_of(context.partition_keys))
    return dg.MaterializeResult(metadata=built.metadata, check_results=built.checks)


class EventHours(dg.Config):
    """The partition keys of the event hours to build."""

    hours: list[str]


@dg.op(pool="curated")
def build_event_hours(context: dg.OpExecutionContext, config: EventHours, lake: LakeResource) -> None:
    """Build any set of event hours in one run, and report each as a materialization of the curated asset.

    A run over a range of partitions would have to cover, or wait for, all the hours between two late ones.
    """
    built = _build(lake.open(context.log.info), hours_of(config.hours))
    evaluations = [_evaluation(check) for check in built.checks]
    failed = [evaluation.check_name for evaluation in evaluations if not evaluation.passed]
    if failed:
        # What a failed step has logged is lost; this is recorded at once.
        for evaluation in evaluations:
            context.instance.report_runless_asset_event(evaluation)
        raise dg.Failure(f"checks failed: {failed}", metadata=built.metadata)
    for balance in built.balances:
        context.log_event(
            dg.AssetMaterialization(
                curated_telemetry.key,
                partition=partition_key(balance.hour),
                metadata={
                    "dagster/partition_row_count": balance.built.rows,
                    "valid readings": balance.valid,
                    "duplicates": balance.built.duplicates,
                    "conflicts": balance.built.conflicts,
                },
            )
        )
    # As events of this run they count for the materializations above, which are stored later than a runless event.
    for evaluation in evaluations:
        context.log_event(evaluation)  # type: ignore[arg-type]  # taken, though its annotation leaves it out
    context.add_output_metadata(built.metadata)


def _evaluation(check: dg.AssetCheckResult) -> dg.AssetCheckEvaluation:
    return dg.AssetCheckEvaluation(
        asset_key=curated_telemetry.key,
        check_name=check.check_name or "",
        passed=check.passed,
        metadata=check.metadata,
        description=check.description,
        blocking=True,
    )


@dg.job(description="Builds the event hours that late data has re-opened, however far apart they are.")
def rebuild_event_hours() -> None:
    """One step."""
    build_event_hours()


@dataclass(frozen=True)
class _Built:
    balances: list[EventHourBalance]
    checks: list[dg.AssetCheckResult]
    metadata: dict[str, Any]


def _build(lake: Lake, wanted: Sequence[Hour]) -> _Built:
    balances = lake.curate(wanted)
    lateness = lake.athena.run(statements.lateness_of_event_hours(wanted))
    checks = _checks(lake, wanted)
    metadata: dict[str, Any] = {
        "rows": sum(b.built.rows for b in balances),
        "valid readings": sum(b.valid for b in balances),
        "duplicates": sum(b.built.duplicates for b in balances),
        "conflicts": sum(b.built.conflicts for b in balances),
        "lateness": bar_chart([row[0][2:] for row in lateness.rows], [int(row[1]) for row in lateness.rows]),
        "hours": _hours_table(balances),
    }
    latest = max((b.hour for b in balances if b.built.rows), default=None)
    if latest:
        metadata["preview"] = preview(lake.athena.run(statements.preview(latest)))
    return _Built(balances, checks, {**metadata, **query_cost(lake.athena)})


def _hours_table(balances: list[EventHourBalance]) -> dg.MarkdownMetadataValue:
    shown = [b for b in balances if b.valid][:LISTED_HOURS]
    return markdown_table(
        ("event hour", "valid", "curated", "duplicates", "conflicts"),
        [(b.hour, b.valid, b.built.rows, b.built.duplicates, b.built.conflicts) for b in shown],
    )


def _checks(lake: Lake, wanted: Sequence[Hour]) -> list[dg.AssetCheckResult]:
    plan = lake.plan(wanted)
    stale = set(lake.stale(plan))
    wrong = [b for b in lake.event_balances(plan) if not b.balances and b.hour not in stale]
    repeated = lake.athena.run(statements.repeated_keys(wanted))
    outside = lake.athena.run(statements.rows_out_of_contract(lake.contract, wanted))
    return [
        dg.AssetCheckResult(
            check_name=LEDGER_CHECK.name,
            passed=not wrong,
            description="; ".join(str(b) for b in wrong[:5]) or None,
            metadata={"hours": len(wanted), "hours with newer arrivals, to be built again": len(stale)},
        ),
        dg.AssetCheckResult(
            check_name=KEYS_CHECK.name,
            passed=not repeated.rows,
            metadata={"repeated keys (at most 100)": len(repeated.rows), "examples": preview(repeated)},
        ),
        dg.AssetCheckResult(
            check_name=CONTRACT_CHECK.name,
            passed=not outside.rows,
            metadata={"rows outside (at most 100)": len(outside.rows), "examples": preview(outside)},
        ),
    ]
