"""What the streaming job has put into the lake, and its replacement by the batch result."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from iot_pipeline.contract.tables import streamed_telemetry as table
from iot_pipeline.defs.common import LISTED_HOURS, OWNERS
from iot_pipeline.defs.curated.assets import curated_telemetry
from iot_pipeline.defs.metadata import column_schema, markdown_table, query_cost
from iot_pipeline.resources import StreamingResource
from iot_pipeline.streaming.reconciling import HourCompared, Reconciled

AGREES_CHECK = dg.AssetCheckSpec(
    "stream_agrees_with_batch",
    asset="streamed_telemetry",
    description=(
        "Of each event hour that has closed, the readings of stream and batch are the same: none was streamed and is "
        "not curated, none was curated and not streamed though the stream had begun, and none has other values."
    ),
)
JUDGED_CHECK = dg.AssetCheckSpec(
    "all_records_were_judged",
    asset="streamed_telemetry",
    description="No record of the micro-batches is in the failure bucket because it could not be judged.",
)


@dg.asset(
    deps=[curated_telemetry],
    group_name="streaming",
    kinds={"spark", "parquet"},
    owners=OWNERS,
    tags={"zone": "streamed"},
    check_specs=[AGREES_CHECK, JUDGED_CHECK],
    description=(
        table().description + " The streaming job writes it; a run here compares the hours that have closed with the "
        "batch result, and removes the micro-batches that it replaces."
    ),
    metadata=column_schema(table().columns),
)
def streamed_telemetry(context: dg.AssetExecutionContext, streaming: StreamingResource) -> dg.MaterializeResult:
    """Compare and replace what can be."""
    reconciliation = streaming.reconciliation(context.log.info)
    done = reconciliation.run(datetime.now(UTC))
    metadata: dict[str, Any] = {
        "hours": len(done.hours),
        "micro-batches replaced": len(done.removed),
        "micro-batches that wait for the batch": len(done.waiting),
        "objects deleted": done.objects_deleted,
        "what became of the keys": _table(done.hours),
        **query_cost(reconciliation.lake.athena),
    }
    return dg.MaterializeResult(metadata=metadata, check_results=_checks(done))


def _checks(done: Reconciled) -> list[dg.AssetCheckResult]:
    wrong = [hour for hour in done.hours if not hour.agrees]
    return [
        dg.AssetCheckResult(
            asset_key=AGREES_CHECK.asset_key,
            check_name=AGREES_CHECK.name,
            passed=not wrong,
            severity=dg.AssetCheckSeverity.WARN,
            description="; ".join(str(hour) for hour in wrong[:5]) or None,
            metadata={"hours": len(done.hours), "hours that differ": len(wrong)},
        ),
        dg.AssetCheckResult(
            asset_key=JUDGED_CHECK.asset_key,
            check_name=JUDGED_CHECK.name,
            passed=not done.unjudged,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"records": done.unjudged},
        ),
    ]


def _table(hours: Sequence[HourCompared]) -> dg.MarkdownMetadataValue:
    columns = ("equal", "other_receptions", "other_values", "waiting", "before_stream", "missed")
    return markdown_table(
        ("event hour", "late", *(name.replace("_", " ") for name in columns)),
        [(it.hour, it.late, *(getattr(it, name) for name in columns)) for it in hours[-LISTED_HOURS:]],
    )
