"""Expected against received: of the hour that closed last, by site and by device model."""

from collections.abc import Sequence
from datetime import UTC, datetime

import dagster as dg

from iot_pipeline.defs.dagster_internals import last_evaluation
from iot_pipeline.defs.judged.assets import ledger
from iot_pipeline.defs.metadata import bar_chart, markdown_table, query_cost
from iot_pipeline.defs.ops.site_arrival import silent_sites
from iot_pipeline.lake import statements
from iot_pipeline.lake.expected_readings import ENOUGH, Flow, Group, Heard, grouped
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.lake import Lake
from iot_pipeline.resources import LakeResource, RegistryResource

_REMEMBERED = "remembered"
_SURPRISES = (Flow.SILENT, Flow.BEHIND)
_SHOWN, _TOLD = 200, 5


def _now() -> datetime:
    return datetime.now(UTC)


@dg.asset_check(
    asset=ledger.key,
    description=(
        f"Of the hour that closed last at least {ENOUGH:.0%} of the readings came that the registry's active devices "
        "were to send, of each site and each device model; one that never sent is listed and no surprise, nor is a "
        "site that `every_site_sends` has found silent."
    ),
)
def devices_send_as_expected(
    context: dg.AssetCheckExecutionContext, lake: LakeResource, registry: RegistryResource
) -> dg.AssetCheckResult:
    """Look at the hour that closed last, if it has been built."""
    opened, hour = lake.open(), Hour.of(_now()) + -1
    heard = _heard(context.instance)
    if opened.stale([hour]):
        return _result([], hour, heard, 0, opened, f"{hour} is not curated yet: see closed_hours_are_built")
    rows = opened.athena.run(statements.readings_by_device(hour)).rows
    received = [(str(device), int(readings)) for _, _, device, readings in rows]
    silent = silent_sites(context.instance)
    groups, strangers, remembered = grouped(registry.active_devices(), received, hour, heard, silent)
    return _result(groups, hour, remembered, strangers, opened)


def _result(
    groups: Sequence[Group], hour: Hour, heard: Heard, strangers: int, lake: Lake, unknown: str | None = None
) -> dg.AssetCheckResult:
    flows = [(group, group.flow(hour)) for group in groups]
    wrong = [(group, flow) for group, flow in flows if flow in _SURPRISES]
    apart = [group for group, flow in flows if flow is Flow.NEVER_HEARD_OF]
    rows = [_row(group, flow) for group, flow in sorted(flows, key=lambda pair: pair[1] not in _SURPRISES)]
    head = ("", "name", "state", "devices", "sending", "expected", "received", "%", "last heard of")
    return dg.AssetCheckResult(
        passed=not wrong,
        severity=dg.AssetCheckSeverity.WARN,
        description=unknown or _told(wrong),
        metadata={
            "hour": str(hour),
            "silent or behind": len(wrong),
            "never heard of": markdown_table(("", "name", "devices"), [(g.kind, g.name, g.devices) for g in apart]),
            "readings of devices that are not active": strangers,
            "groups": markdown_table(head, [row for row in rows if row[2] != Flow.NEVER_HEARD_OF][:_SHOWN]),
            **{f"received of expected by {kind} (%)": _plot(groups, kind) for kind in ("model", "site")},
            _REMEMBERED: heard.encode(),
            **query_cost(lake.athena),
        },
    )


def _row(group: Group, flow: Flow) -> tuple[object, ...]:
    expected, share = round(group.expected), f"{group.share:.0%}"
    return (
        group.kind,
        group.name,
        flow.value,
        group.devices,
        group.sending,
        expected,
        group.received,
        share,
        (group.last_heard or ""),
    )


def _plot(groups: Sequence[Group], kind: str) -> dg.MarkdownMetadataValue:
    shown = [group for group in groups if group.kind == kind][:_SHOWN]
    return bar_chart([group.name for group in shown], [round(100 * group.share) for group in shown])


def _told(wrong: Sequence[tuple[Group, Flow]]) -> str | None:
    texts = [
        f"{group.kind} {group.name} is {flow.value}: {group.received:,} of {group.expected:,.0f}"
        for group, flow in wrong[:_TOLD]
    ]
    more = f"; and {len(wrong) - _TOLD} more, see the table" if len(wrong) > _TOLD else ""
    return "; ".join(texts) + more or None


def _heard(instance: dg.DagsterInstance) -> Heard:
    last = last_evaluation(instance, devices_send_as_expected.check_key)
    held = last.metadata.get(_REMEMBERED) if last is not None else None
    return Heard.decode(str(held.value) if held is not None else None)


look_for_missing_readings = dg.define_asset_job(
    "look_for_missing_readings",
    selection=dg.AssetSelection.checks(devices_send_as_expected),
    description="Compares what came of the hour that closed last with what was to come, by site and device model.",
)
hourly_expected = dg.ScheduleDefinition(
    name="hourly_expected",
    job=look_for_missing_readings,
    cron_schedule="25 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="25 minutes past: expected against received of the hour that closed, by site and device model.",
)
