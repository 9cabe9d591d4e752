"""Schema drift, looked for daily: what firmwares send that the contract does not know, and what they send no more."""

from datetime import UTC, datetime

import dagster as dg

from iot_pipeline.defs.dagster_internals import last_evaluation
from iot_pipeline.defs.judged.assets import judged_telemetry
from iot_pipeline.defs.metadata import markdown_table, query_cost
from iot_pipeline.lake import statements
from iot_pipeline.lake.drift import Drift, Known, drift_of
from iot_pipeline.lake.hours import Hour
from iot_pipeline.resources import LakeResource

LOOKED_AT_HOURS = 24
_REMEMBERED = "remembered"
_SHOWN, _TOLD = 100, 5


def _looked(context: dg.AssetCheckExecutionContext, lake: LakeResource, now: datetime) -> dg.AssetCheckResult:
    opened, last = lake.open(), Hour.of(now)
    first = last + (1 - LOOKED_AT_HOURS)
    fields = opened.athena.run(statements.unknown_fields(first, last)).rows
    firmwares = opened.athena.run(statements.readings_by_firmware(opened.contract, first, last)).rows
    found, known = drift_of(opened.contract, fields, firmwares, _known(context.instance), now)
    rows = [
        (each.kind.value, each.firmware, each.field, each.readings, each.devices, f"{each.first_seen:%Y-%m-%d %H:%M}")
        for each in found[:_SHOWN]
    ]
    return dg.AssetCheckResult(
        passed=not found,
        severity=dg.AssetCheckSeverity.WARN,
        description=_told(found),
        metadata={
            "changes": len(found),
            "drift": markdown_table(("what", "firmware", "field", "readings", "devices", "first seen (UTC)"), rows),
            "arrival hours": f"{first} to {last}",
            _REMEMBERED: known.encode(),
            **query_cost(opened.athena),
        },
    )


def _now() -> datetime:
    return datetime.now(UTC)


def _told(found: list[Drift]) -> str | None:
    if not found:
        return None
    more = f"; and {len(found) - _TOLD} more, see the table" if len(found) > _TOLD else ""
    return "; ".join(f"{d.kind.value} {d.field} of firmware {d.firmware}" for d in found[:_TOLD]) + more


def _known(instance: dg.DagsterInstance) -> Known:
    """What the last look has remembered: since when each change is there, and what each firmware used to send."""
    last = last_evaluation(instance, firmwares_keep_to_the_contract.check_key)
    held = last.metadata.get(_REMEMBERED) if last is not None else None
    return Known.decode(str(held.value) if held is not None else None)


@dg.asset_check(
    asset=judged_telemetry.key,
    description=(
        f"In the last {LOOKED_AT_HOURS} hours no firmware has sent fields or units that the contract does not know, "
        "nor values that are no numbers, and none has ceased to send a metric."
    ),
)
def firmwares_keep_to_the_contract(context: dg.AssetCheckExecutionContext, lake: LakeResource) -> dg.AssetCheckResult:
    """Look now."""
    return _looked(context, lake, _now())


look_for_drift = dg.define_asset_job(
    "look_for_drift",
    selection=dg.AssetSelection.checks(firmwares_keep_to_the_contract),
    description="Looks for what firmwares send that the contract does not know, and for what they send no more.",
)
daily_drift = dg.ScheduleDefinition(
    name="daily_drift",
    job=look_for_drift,
    cron_schedule="45 2 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="At 02:45 UTC: schema drift of the last day, by firmware.",
)
