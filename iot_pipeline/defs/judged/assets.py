"""Judging, by arrival hour: every reading with its outcome, the ledger that counts them, and the quarantine."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import dagster as dg

from iot_pipeline.contract import tables
from iot_pipeline.defs.automation_conditions import debounced, following
from iot_pipeline.defs.common import JUDGE_POOL, OWNERS
from iot_pipeline.defs.metadata import bar_chart, column_schema, query_cost
from iot_pipeline.defs.raw.assets import raw_telemetry
from iot_pipeline.defs.scattered_hours import Built
from iot_pipeline.lake import statements
from iot_pipeline.lake.balances import ArrivalHourBalance
from iot_pipeline.lake.hours import Hour, contiguous
from iot_pipeline.lake.lake import Lake
from iot_pipeline.partitions import hours, hours_of, partition_key
from iot_pipeline.resources import LakeResource

# The ledger's metadata by which the curated zone learns which event hours to look at: a list of [first, last].
TOUCHED = "touched event hours"

GROUP = "judged"

judged_telemetry = dg.AssetSpec(
    "judged_telemetry",
    deps=[raw_telemetry],
    group_name=GROUP,
    kinds={"athena", "parquet"},
    owners=OWNERS,
    tags={"zone": "judged"},
    automation_condition=debounced(),
    description=tables().judged_telemetry.description + " Each hour's raw lines are typed and judged once, here.",
    metadata=column_schema(tables().judged_telemetry.columns),
)
# It has no condition of its own: Dagster requests it with `judged_telemetry`, from which the same step counts it.
ledger = dg.AssetSpec(
    "ledger",
    deps=[judged_telemetry],
    group_name=GROUP,
    kinds={"athena", "parquet"},
    owners=OWNERS,
    tags={"zone": "ledger"},
    description=tables().ledger.description,
    metadata=column_schema(tables().ledger.columns),
)

RECEIVED_CHECK = dg.AssetCheckSpec(
    "received_equals_valid_plus_quarantined",
    asset="quarantined_telemetry",
    blocking=True,
    description="The ledger, by arrival hour: readings counted from the raw lines = valid + quarantined records.",
)


@dg.multi_asset(
    name="judge",
    specs=[judged_telemetry, ledger],
    partitions_def=hours,
    pool=JUDGE_POOL,
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def judge(context: dg.AssetExecutionContext, lake: LakeResource) -> Iterator[dg.MaterializeResult]:
    """Judge these arrival hours and count their ledger. Neither is published without the other's build."""
    opened = lake.open(context.log.info)
    judged = judge_arrivals(opened, hours_of(context.partition_keys))
    yield dg.MaterializeResult(asset_key=judged_telemetry.key, metadata=judged.all.of_rows())
    yield dg.MaterializeResult(
        asset_key=ledger.key,
        metadata={**judged.all.of_ledger(), TOUCHED: _ranges(judged.touched), **query_cost(opened.athena)},
    )


@dg.asset(
    partitions_def=hours,
    deps=[judged_telemetry, ledger],
    group_name=GROUP,
    kinds={"athena", "parquet"},
    owners=OWNERS,
    tags={"zone": "quarantine"},
    pool=JUDGE_POOL,
    backfill_policy=dg.BackfillPolicy.single_run(),
    automation_condition=following(),
    check_specs=[RECEIVED_CHECK],
    description=tables().quarantined_telemetry.description,
    metadata=column_schema(tables().quarantined_telemetry.columns),
)
def quarantined_telemetry(context: dg.AssetExecutionContext, lake: LakeResource) -> dg.MaterializeResult:
    """Quarantine what broke the contract in these arrival hours."""
    return quarantine_arrivals(lake.open(context.log.info), hours_of(context.partition_keys)).result()


class Counts:
    """Messages and readings, by outcome, of some arrival hours in the ledger."""

    def __init__(self) -> None:
        """Nothing is counted yet."""
        self.outcomes: Counter[str] = Counter()
        self.messages = self.extras = 0

    def add(self, outcome: str, messages: int, readings: int, extras: int) -> None:
        """Count one row of the ledger."""
        self.outcomes[outcome] += readings
        self.messages += messages
        self.extras += extras

    def of_rows(self) -> dict[str, dg.MetadataValue | int]:
        """Metadata of `judged_telemetry`, in which a row is a reading."""
        return {"rows": self.outcomes.total(), "outcomes": bar_chart(*_columns(self.outcomes))}

    def of_ledger(self) -> dict[str, dg.MetadataValue | int]:
        """Metadata of the ledger."""
        return {
            "messages": self.messages,
            "readings": self.outcomes.total(),
            "valid": self.outcomes["valid"],
            "quarantined": self.outcomes.total() - self.outcomes["valid"],
            "with unknown fields (drift)": self.extras,
            "outcomes": bar_chart(*_columns(self.outcomes)),
        }


@dataclass(frozen=True)
class Judged:
    """What the ledger says of hours that were judged: by hour, of all of them, and which event hours they touch."""

    by_hour: dict[Hour, Counts]
    all: Counts
    touched: list[Hour]

    def materializations(self) -> Iterator[dg.AssetMaterialization]:
        """An event of each hour and asset. The last hour's tells which event hours all of them touch."""
        last = max(self.by_hour, default=None)
        for hour, counts in sorted(self.by_hour.items()):
            key = partition_key(hour)
            touched = {TOUCHED: _ranges(self.touched)} if hour == last else {}
            yield dg.AssetMaterialization(judged_telemetry.key, partition=key, metadata=counts.of_rows())
            yield dg.AssetMaterialization(ledger.key, partition=key, metadata={**counts.of_ledger(), **touched})


def judge_arrivals(lake: Lake, wanted: Sequence[Hour]) -> Judged:
    """Judge these arrival hours. Touched are the event hours that they had valid readings of before or have now."""
    before = lake.touched(wanted)
    lake.judge(wanted)
    rows = lake.athena.run(statements.ledger_of_arrival_hours(wanted)).rows
    return judged_of(wanted, rows, {*before, *lake.touched(wanted)})


def judged_of(wanted: Sequence[Hour], rows: Iterable[Sequence[Any]], touched: Iterable[Hour]) -> Judged:
    """What was judged of these arrival hours, from rows of `statements.ledger_of_arrival_hours`."""
    by_hour, total = {hour: Counts() for hour in wanted}, Counts()
    for row in rows:
        for counts in (by_hour[Hour.from_values(row[:4])], total):
            counts.add(row[4], messages=int(row[5]), readings=int(row[6]), extras=int(row[7]))
    return Judged(by_hour, total, sorted(touched))


def quarantine_arrivals(lake: Lake, wanted: Sequence[Hour]) -> Built:
    """Quarantine what broke the contract in these arrival hours, and hold their books."""
    balances = lake.quarantine(wanted)
    rows = lake.athena.run(statements.quarantined_of_arrival_hours(wanted)).rows
    built = quarantined_of(wanted, rows, balances)
    return replace(built, metadata={**built.metadata, **query_cost(lake.athena)})


def quarantined_of(
    wanted: Sequence[Hour], rows: Iterable[Sequence[Any]], balances: Sequence[ArrivalHourBalance]
) -> Built:
    """What was quarantined of these arrival hours, from rows of `statements.quarantined_of_arrival_hours`."""
    reasons: dict[Hour, Counter[str]] = {hour: Counter() for hour in wanted}
    for row in rows:
        reasons[Hour.from_values(row[:4])][row[4]] += int(row[5])
    return Built(
        materializations=[
            dg.AssetMaterialization(
                quarantined_telemetry.key, partition=partition_key(hour), metadata=_of_quarantine(found)
            )
            for hour, found in reasons.items()
        ],
        checks=[_received_check(balances)],
        metadata=_of_quarantine(sum(reasons.values(), Counter())),
    )


def _received_check(balances: Sequence[ArrivalHourBalance]) -> dg.AssetCheckResult:
    wrong = [b for b in balances if not b.balances]
    return dg.AssetCheckResult(
        asset_key=RECEIVED_CHECK.asset_key,
        check_name=RECEIVED_CHECK.name,
        passed=not wrong,
        description="; ".join(f"{b.hour}: {b.received} received, {b.valid} + {b.quarantined}" for b in wrong[:5])
        or None,
        metadata={
            "received": sum(b.received for b in balances),
            "valid": sum(b.valid for b in balances),
            "quarantined": sum(b.quarantined for b in balances),
            "hours": len(balances),
        },
    )


def _of_quarantine(reasons: Counter[str]) -> dict[str, dg.MetadataValue | int]:
    return {"records": reasons.total(), "by reason": bar_chart(*_columns(reasons))}


def _ranges(touched: Sequence[Hour]) -> dg.MetadataValue:
    return dg.MetadataValue.json([[partition_key(a), partition_key(b)] for a, b in contiguous(touched)])


def _columns(counts: Counter[str]) -> tuple[list[str], list[int]]:
    ordered = counts.most_common()
    return [name for name, _ in ordered], [count for _, count in ordered]
