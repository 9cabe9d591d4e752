"""Which closed hours are missing or behind, zone by zone: freshness that looks at partitions and not at clocks."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import dagster as dg

from iot_pipeline.backfill.planner import Planner
from iot_pipeline.backfill.zone_states import BEHIND, MISSING, ZONES, Row, zone_states
from iot_pipeline.defs.curated.assets import curated_telemetry
from iot_pipeline.defs.evaluations import record
from iot_pipeline.defs.metadata import markdown_table
from iot_pipeline.lake.hours import Hour
from iot_pipeline.partitions import partition_key
from iot_pipeline.resources import BackfillResource
from iot_pipeline.settings import policy

LOOKED_AT = 24
# `close_hour` builds an hour ten minutes after it has closed; loads and models follow within minutes.
GRACE = timedelta(minutes=45)


def closed_hours(now: datetime) -> list[Hour]:
    """The hours that have to be there: the last LOOKED_AT that closed GRACE ago, of this deployment's time."""
    last = Hour.of(now - GRACE) + -1
    first = Hour.of(policy().partitions_start)
    return [hour for hour in (last + -n for n in range(LOOKED_AT)) if hour >= first]


def states(planner: Planner, hours: Sequence[Hour]) -> dict[Hour, Row]:
    """How each hour stands in each zone. Raises as `zone_states`."""
    return zone_states(planner.lake, planner.objects, planner.loading, hours)


def result_of(found: Mapping[Hour, Row]) -> dg.AssetCheckResult:
    """The check's result, with a table of the hours."""
    wrong = {zone: [hour for hour, row in found.items() if row[zone] in (MISSING, BEHIND)] for zone in ZONES}
    problems = [
        f"{zone}: {', '.join(f'{partition_key(hour)} {found[hour][zone]}' for hour in sorted(hours)[:3])}"
        + (f" and {len(hours) - 3} more" if len(hours) > 3 else "")
        for zone, hours in wrong.items()
        if hours
    ]
    rows = [(partition_key(hour), *(row[zone] for zone in ZONES)) for hour, row in sorted(found.items(), reverse=True)]
    return dg.AssetCheckResult(
        asset_key=curated_telemetry.key,
        check_name="closed_hours_are_built",
        passed=not problems,
        severity=dg.AssetCheckSeverity.WARN,
        description="; ".join(problems) or None,
        metadata={
            **{f"{zone}: missing or behind": len(hours) for zone, hours in wrong.items()},
            "hours": markdown_table(("hour (UTC)", *ZONES), rows),
        },
    )


@dg.asset_check(
    asset=curated_telemetry,
    description=f"Of the last {LOOKED_AT} hours that closed each is judged, curated, loaded and in the facts, as the "
    "zone before it has it.",
)
def closed_hours_are_built(backfill: BackfillResource) -> dg.AssetCheckResult:
    """Look now."""
    return result_of(states(backfill.planner(), closed_hours(datetime.now(UTC))))


@dg.sensor(
    minimum_interval_seconds=600,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Reports the check `closed_hours_are_built` every ten minutes, without the cost of a run.",
)
def closed_hours_watch(context: dg.SensorEvaluationContext, backfill: BackfillResource) -> dg.SkipReason:
    """Evaluate the check here and record it. Before the first curated hour there is nothing to be behind of."""
    if context.instance.get_latest_materialization_event(curated_telemetry.key) is None:
        return dg.SkipReason("nothing has been curated yet")
    result = result_of(states(backfill.planner(), closed_hours(datetime.now(UTC))))
    record(context.instance, result)
    return dg.SkipReason(result.description or "all closed hours are built")
