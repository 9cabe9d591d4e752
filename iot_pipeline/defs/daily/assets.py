"""Days that are over, compacted, and the view over days and hours that people query."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from iot_pipeline.contract import tables
from iot_pipeline.defs.common import COMPACT_POOL, LISTED_HOURS, OWNERS
from iot_pipeline.defs.curated.assets import curated_telemetry
from iot_pipeline.defs.metadata import bar_chart, column_schema, markdown_table, query_cost
from iot_pipeline.lake.compaction import CompactedDay, Compaction
from iot_pipeline.partitions import day_of, days
from iot_pipeline.resources import LakeResource


@dg.asset(
    partitions_def=days,
    deps=[curated_telemetry],
    group_name="daily",
    kinds={"athena", "parquet"},
    owners=OWNERS,
    tags={"zone": "daily"},
    pool=COMPACT_POOL,
    backfill_policy=dg.BackfillPolicy.single_run(),
    description=(
        tables().daily_telemetry.description
        + " The schedule `compact_days` builds a day three hours after its end, and again when late data has changed "
        "one of its hours; the warehouse loads hours and has nothing to do with it."
    ),
    metadata=column_schema(tables().daily_telemetry.columns),
)
def daily_telemetry(context: dg.AssetExecutionContext, lake: LakeResource) -> dg.MaterializeResult:
    """Compact these days, which must be over."""
    compaction = lake.compaction(context.log.info)
    done = compaction.compact([day_of(key) for key in context.partition_keys], datetime.now(UTC))
    return dg.MaterializeResult(metadata=_metadata(compaction, done))


class ScatteredDays(dg.Config):
    """The partition keys of the days to compact."""

    days: list[str]


@dg.op(pool=COMPACT_POOL)
def compact(context: dg.OpExecutionContext, config: ScatteredDays, lake: LakeResource) -> None:
    """Compact any set of days in one run, and report each as a materialization."""
    compaction = lake.compaction(context.log.info)
    done = compaction.compact([day_of(key) for key in config.days], datetime.now(UTC))
    for it in done:
        context.log_event(
            dg.AssetMaterialization(
                daily_telemetry.key,
                partition=str(it.day),
                metadata={
                    "dagster/partition_row_count": it.counts.rows,
                    "duplicates": it.counts.duplicates,
                    "conflicts": it.counts.conflicts,
                },
            )
        )
    context.add_output_metadata(_metadata(compaction, done))


@dg.job(description="Compacts days that are over, however far apart, and has the view `telemetry` read them.")
def compact_days_that_changed() -> None:
    """The job has one step, which takes all the days."""
    compact()


def _metadata(compaction: Compaction, done: Sequence[CompactedDay]) -> dict[str, Any]:
    shown = [it for it in done if it.counts.rows][-LISTED_HOURS:]
    return {
        "days": len(done),
        "rows": sum(it.counts.rows for it in done),
        "rows by day": bar_chart([str(it.day) for it in shown], [it.counts.rows for it in shown]),
        "what they hold": markdown_table(
            ("day", "rows", "duplicates", "conflicts"),
            [(it.day, it.counts.rows, it.counts.duplicates, it.counts.conflicts) for it in shown],
        ),
        **query_cost(compaction.athena),
    }
