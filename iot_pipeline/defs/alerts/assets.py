"""The history of the alerts: from the edge's table into the lake, and from the lake into the warehouse."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from iot_pipeline.alert_history.rows import Row
from iot_pipeline.contract import Column, tables
from iot_pipeline.defs.common import LISTED_HOURS, LOAD_POOL, OWNERS
from iot_pipeline.defs.metadata import bar_chart, column_schema, markdown_table
from iot_pipeline.lake.hours import Day
from iot_pipeline.resources import EdgeResource, WarehouseResource
from iot_pipeline.settings import policy
from iot_pipeline.warehouse.tables import episodes

# One export at a time saves work; what keeps two apart is their lease (alert_history/progress.py).
EXPORT_POOL = "export_alerts"
# The days whose alerts are counted by rule beside each export.
SHOWN_DAYS = 7

alert_episodes = dg.AssetSpec(
    "alert_episodes",
    group_name="alerts",
    kinds={"dynamodb"},
    owners=OWNERS,
    tags={"zone": "edge"},
    description=(
        "The edge's table of alerts: each episode as it is now. Its Lambda functions write it; resolved ones stay for "
        "90 days. Nothing is built here: the checks say how the edge is."
    ),
)


class Export(dg.Config):
    """What to export."""

    everything: bool = False
    """Go through the whole table, as the first export does: where the lake has lost something, or after a restore."""


@dg.asset(
    deps=[alert_episodes],
    group_name="alerts",
    kinds={"dynamodb", "parquet"},
    owners=OWNERS,
    tags={"zone": "alerts"},
    pool=EXPORT_POOL,
    description=(
        tables().alert_history.description
        + " Each export reads what was written since the last and replaces the days concerned, each in one step. The "
        "lake keeps what the edge forgets."
    ),
    metadata=column_schema(tables().alert_history.columns),
)
def alert_history(context: dg.AssetExecutionContext, config: Export, edge: EdgeResource) -> dg.MaterializeResult:
    """Export what has changed."""
    exporter = edge.exporter(context.log.info)
    done = exporter.export(everything=config.everything)
    today = Day.of(datetime.now(UTC))
    recent = [row for rows in exporter.rows(today + -n for n in range(SHOWN_DAYS)).values() for row in rows]
    days = sorted(done.days.items(), reverse=True)
    return dg.MaterializeResult(
        metadata={
            "changed since": done.since.isoformat() if done.since else "ever",
            "episodes read": done.read,
            "days written": len(done.days),
            "days without news": done.unchanged,
            "days": markdown_table(("opened on", "episodes"), days[:LISTED_HOURS]),
            **_of_recent(recent),
        }
    )


def _of_recent(rows: Sequence[Row]) -> dict[str, Any]:
    """The alerts of the last days by rule and severity."""
    kinds = Counter((row["rule"], row["severity"]) for row in rows)
    still = Counter((row["rule"], row["severity"]) for row in rows if row["status"] == "open")
    rules = Counter(row["rule"] for row in rows)
    span = f"{SHOWN_DAYS} days"
    return {
        f"alerts, {span}": len(rows),
        f"critical, {span}": sum(row["severity"] == "critical" for row in rows),
        f"open, of {span}": sum(still.values()),
        f"by rule and severity, {span}": markdown_table(
            ("rule", "severity", "alerts", "open"), [(*kind, kinds[kind], still[kind]) for kind in sorted(kinds)]
        ),
        f"by rule, {span}": bar_chart([rule for rule, _ in rules.most_common()], [n for _, n in rules.most_common()]),
    }


def _loaded_columns() -> list[Column]:
    """The history's comments beside the warehouse's types."""
    comments = {column.name: column.comment for column in tables(policy().contract).alert_history.columns}
    return [Column(column.name, column.type, comments[column.name]) for column in episodes(policy().contract).columns]


@dg.asset(
    deps=[alert_history],
    group_name="alerts",
    kinds={"redshift"},
    owners=OWNERS,
    tags={"zone": "warehouse"},
    pool=LOAD_POOL,
    description=(
        "`lake.alert_episodes` in Redshift: the history of the alerts, loaded by COPY. Each day that is not loaded as "
        "it is in the lake is deleted, loaded, counted and noted in `lake.alert_loads` in one transaction."
    ),
    metadata=column_schema(_loaded_columns()),
)
def warehouse_alerts(context: dg.AssetExecutionContext, warehouse: WarehouseResource) -> dg.MaterializeResult:
    """Load the days that changed, however old."""
    with warehouse.episodes_loader(context.log.info) as loader:
        loaded = loader.load()
    days = sorted(loaded.items(), reverse=True)
    return dg.MaterializeResult(
        metadata={
            "days loaded": len(loaded),
            "alerts loaded": sum(loaded.values()),
            "days": markdown_table(("opened on", "alerts"), days[:LISTED_HOURS]),
        }
    )
