"""The ledger and the quarantine: what each raw object holds, by arrival hour."""

from collections import Counter

import dagster as dg

from iot_pipeline.contract import tables
from iot_pipeline.defs.automation import debounced, following
from iot_pipeline.defs.metadata import bar_chart, column_schema, query_cost
from iot_pipeline.defs.raw.assets import OWNERS, raw_telemetry
from iot_pipeline.lake import statements
from iot_pipeline.lake.hours import contiguous
from iot_pipeline.partitions import hours, hours_of, partition_key
from iot_pipeline.resources import LakeResource

# The metadata by which the curated zone learns which event hours to look at.
TOUCHED = "touched event hours"


@dg.asset(
    partitions_def=hours,
    deps=[raw_telemetry],
    group_name="ledger",
    kinds={"athena", "parquet"},
    owners=OWNERS,
    tags={"zone": "ledger"},
    pool="ledger",
    backfill_policy=dg.BackfillPolicy.single_run(),
    automation_condition=debounced(),
    description=(
        tables().ledger.description
        + " With it `judged_telemetry` is written: each hour's raw lines are typed and judged once, here."
    ),
    metadata=column_schema(tables().ledger.columns),
)
def ledger(context: dg.AssetExecutionContext, lake: LakeResource) -> dg.MaterializeResult:
    """Profile these arrival hours."""
    wanted = hours_of(context.partition_keys)
    opened = lake.open(context.log.info)
    before = opened.touched(wanted)
    opened.judge(wanted)
    touched = sorted({*before, *opened.touched(wanted)})
    outcomes: Counter[str] = Counter()
    messages = extras = 0
    for row in opened.athena.run(statements.ledger_of_arrival_hours(wanted)).rows:
        outcomes[row[4]] += int(row[6])
        messages += int(row[5])
        extras += int(row[7])
    return dg.MaterializeResult(
        metadata={
            "messages": messages,
            "readings": outcomes.total(),
            "valid": outcomes["valid"],
            "quarantined": outcomes.total() - outcomes["valid"],
            "with unknown fields (drift)": extras,
            "outcomes": bar_chart(*_columns(outcomes)),
            TOUCHED: dg.MetadataValue.json([[partition_key(a), partition_key(b)] for a, b in contiguous(touched)]),
            **query_cost(opened.athena),
        }
    )


RECEIVED_CHECK = dg.AssetCheckSpec(
    "received_equals_valid_plus_quarantined",
    asset="quarantined_telemetry",
    blocking=True,
    description="The ledger, by arrival hour: readings counted from the raw lines = valid + quarantined records.",
)


@dg.asset(
    partitions_def=hours,
    deps=[ledger],
    group_name="ledger",
    kinds={"athena", "parquet"},
    owners=OWNERS,
    tags={"zone": "quarantine"},
    pool="ledger",
    backfill_policy=dg.BackfillPolicy.single_run(),
    automation_condition=following(),
    check_specs=[RECEIVED_CHECK],
    description=tables().quarantined_telemetry.description,
    metadata=column_schema(tables().quarantined_telemetry.columns),
)
def quarantined_telemetry(context: dg.AssetExecutionContext, lake: LakeResource) -> dg.MaterializeResult:
    """Quarantine what broke the contract in these arrival hours."""
    wanted = hours_of(context.partition_keys)
    opened = lake.open(context.log.info)
    opened.quarantine(wanted)
    balances = opened.arrival_balances(wanted)
    reasons: Counter[str] = Counter()
    for row in opened.athena.run(statements.quarantined_of_arrival_hours(wanted)).rows:
        reasons[row[4]] += int(row[5])
    wrong = [b for b in balances if not b.balances]
    return dg.MaterializeResult(
        metadata={"records": reasons.total(), "by reason": bar_chart(*_columns(reasons)), **query_cost(opened.athena)},
        check_results=[
            dg.AssetCheckResult(
                check_name=RECEIVED_CHECK.name,
                passed=not wrong,
                description="; ".join(
                    f"{b.hour}: {b.received} received, {b.valid} + {b.quarantined}" for b in wrong[:5]
                )
                or None,
                metadata={
                    "received": sum(b.received for b in balances),
                    "valid": sum(b.valid for b in balances),
                    "quarantined": sum(b.quarantined for b in balances),
                    "hours": len(balances),
                },
            )
        ],
    )


def _columns(counts: Counter[str]) -> tuple[list[str], list[int]]:
    ordered = counts.most_common()
    return [name for name, _ in ordered], [count for _, count in ordered]
