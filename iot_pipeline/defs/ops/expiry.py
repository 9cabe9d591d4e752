"""Retention as an asset: what it removed and why that was safe, and what it kept and for what, stays on record."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime

import dagster as dg

from iot_pipeline.backfill.plan import ranges
from iot_pipeline.contract import tables
from iot_pipeline.defs.common import JUDGE_POOL, OWNERS
from iot_pipeline.defs.metadata import markdown_table
from iot_pipeline.lake.retention import Outcome
from iot_pipeline.partitions import hour_of
from iot_pipeline.resources import ErasureResource, WarehouseResource

# More rows than these are summed up in the last one.
LISTED = 200


class RetentionScope(dg.Config):
    """All that is past its retention, unless hours are given, as partition keys. `dry`: only say what would go."""

    first: str | None = None
    last: str | None = None
    dry: bool = False


@dg.asset(
    group_name="upkeep",
    kinds={"s3", "glue"},
    owners=OWNERS,
    pool=JUDGE_POOL,
    description=(
        "Retention: whole hours that are older than `IOT_RETENTION_...` keeps them leave the lake, where that is safe, "
        "and the warehouse with their curated rows. Each materialization is the record of what was removed and why "
        "that was safe, and of what was kept and for what."
    ),
)
def retention(
    context: dg.AssetExecutionContext, config: RetentionScope, erasure: ErasureResource, warehouse: WarehouseResource
) -> dg.MaterializeResult:
    """Remove what may go; then the warehouse's rows of the curated hours that went."""
    opened = erasure.retention(context.log.info)
    first, last = (hour_of(key) if key else None for key in (config.first, config.last))
    done = opened.run(datetime.now(UTC), first, last, dry=config.dry)
    removed, kept = done.of(removed=True), done.of(removed=False)
    curated = [it.hour for it in removed if it.table == tables().curated_telemetry.name]
    if curated and not config.dry:
        with warehouse.loader(context.log.info) as loader:
            loader.load(curated)
    for name in done.unknown:
        context.log.warning(f"left alone, since nothing here gives such a name: {name!r}")  # noqa: G004  # Dagster's log takes a text
    return dg.MaterializeResult(
        metadata={
            "removed nothing, by request": config.dry,
            "hours removed": len(removed),
            "objects removed": sum(it.objects for it in removed),
            "bytes removed": sum(it.bytes for it in removed),
            "hours kept past their retention": len(kept),
            "legal holds": len(opened.held),
            "removed": markdown_table(
                ("table", "hours", "which", "objects", "bytes", "why it was safe"), _rows(removed)
            ),
            "kept": markdown_table(("table", "hours", "which", "objects", "bytes", "for what"), _rows(kept)),
            "unknown names": len(done.unknown),
            "left alone": markdown_table(("name",), [(name,) for name in done.unknown[:LISTED]]),
        }
    )


def _rows(outcomes: Sequence[Outcome]) -> list[tuple[object, ...]]:
    groups: dict[tuple[str, str], list[Outcome]] = defaultdict(list)
    for each in outcomes:
        groups[each.table, each.why].append(each)
    rows = [_row(table, why, found) for (table, why), found in groups.items()]
    if len(rows) <= LISTED:
        return rows
    rest = [each for found in list(groups.values())[LISTED:] for each in found]
    return [*rows[:LISTED], _row("...", f"{len(rows) - LISTED} more reasons", rest)]


def _row(table: str, why: str, found: Sequence[Outcome]) -> tuple[object, ...]:
    objects, size = sum(each.objects for each in found), sum(each.bytes for each in found)
    return table, len(found), ranges(each.hour for each in found), objects, f"{size:,}", why


apply_retention = dg.define_asset_job(
    "apply_retention",
    selection=[retention],
    description="Removes from the lake what is past its retention, where that is safe.",
)
daily_retention = dg.ScheduleDefinition(
    name="daily_retention",
    job=apply_retention,
    cron_schedule="40 3 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="At 03:40 UTC: what is past its retention.",
)
