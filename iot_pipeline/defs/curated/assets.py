"""The curated zone: valid readings, typed, deduplicated, by event hour."""

from typing import Any

import dagster as dg

from iot_pipeline.contract import tables
from iot_pipeline.defs.ledger.assets import raw_profile
from iot_pipeline.defs.metadata import bar_chart, column_schema, markdown_table, preview, query_cost
from iot_pipeline.defs.raw.assets import OWNERS
from iot_pipeline.lake import statements
from iot_pipeline.lake.builds import EventHourBalance, Lake
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.ledger import event_balances
from iot_pipeline.partitions import hours, hours_of
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
    deps=[raw_profile],
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
    wanted = hours_of(context.partition_keys)
    opened = lake.open(context.log.info)
    balances = opened.curate(wanted)
    lateness = opened.athena.run(statements.lateness_of_event_hours(wanted))
    checks = list(_checks(opened, wanted))
    rows = sum(b.rows for b in balances)
    metadata: dict[str, Any] = {
        "dagster/partition_row_count" if len(wanted) == 1 else "rows": rows,
        "valid readings": sum(b.valid for b in balances),
        "duplicates": sum(b.duplicates for b in balances),
        "conflicts": sum(b.conflicts for b in balances),
        "lateness": bar_chart([row[0][2:] for row in lateness.rows], [int(row[1]) for row in lateness.rows]),
        "hours": _hours_table(balances),
    }
    latest = max((b.hour for b in balances if b.rows), default=None)
    if latest:
        metadata["preview"] = preview(opened.athena.run(statements.preview(latest)))
    return dg.MaterializeResult(metadata={**metadata, **query_cost(opened.athena)}, check_results=checks)


def _hours_table(balances: list[EventHourBalance]) -> dg.MarkdownMetadataValue:
    shown = [b for b in balances if b.valid][:LISTED_HOURS]
    return markdown_table(
        ("event hour", "valid", "curated", "duplicates", "conflicts"),
        [(b.hour, b.valid, b.rows, b.duplicates, b.conflicts) for b in shown],
    )


def _checks(lake: Lake, wanted: list[Hour]) -> list[dg.AssetCheckResult]:
    contract = lake.contract
    stale = set(lake.stale(wanted))
    wrong = [b for b in event_balances(lake, wanted) if not b.balances and b.hour not in stale]
    repeated = lake.athena.run(statements.repeated_keys(wanted))
    outside = lake.athena.run(statements.rows_out_of_contract(contract, wanted))
    return [
        dg.AssetCheckResult(
            check_name=LEDGER_CHECK.name,
            passed=not wrong,
            description="; ".join(f"{b.hour}: {b}" for b in wrong[:5]) or None,
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
