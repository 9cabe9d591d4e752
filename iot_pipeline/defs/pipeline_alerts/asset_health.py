"""Asset checks and freshness, from Dagster's event log."""

from collections.abc import Mapping, Sequence

import dagster as dg

from iot_pipeline.alerting.episodes import About
from iot_pipeline.alerting.lifecycle import AlertKey, Observation, Severity
from iot_pipeline.defs.dagster_internals import AssetGraph, FreshnessState
from iot_pipeline.defs.pipeline_alerts.kinds import FAILED_CHECK, STALE_ASSET
from iot_pipeline.defs.pipeline_alerts.links import asset_link
from iot_pipeline.defs.pipeline_alerts.seen import Seen

# Freshness first: what one look finds of both is told by it.
WATCHED = (dg.DagsterEventType.FRESHNESS_STATE_CHANGE, dg.DagsterEventType.ASSET_CHECK_EVALUATION)
# Two kinds of checks say nothing new where something wider is amiss; every other check says what nothing else can.
# Where nothing arrives at all, the raw zone is stale before the checks of what arrives fail, and where builds fail,
# their runs do before the hours count as missing.
OF_ARRIVAL = frozenset({"every_site_sends", "devices_send_as_expected"})
OF_BUILDS = frozenset({"closed_hours_are_built"})
_FRESHNESS = {
    FreshnessState.PASS: Severity.CLEAR,
    FreshnessState.WARN: Severity.WARNING,
    FreshnessState.FAIL: Severity.CRITICAL,
}
_LISTED = 12


def seen_of(
    record: dg.EventLogRecord, graph: AssetGraph | None, failed: Mapping[str, Sequence[AlertKey]]
) -> Seen | None:
    """What an event says; None if it says nothing, as that the freshness is unknown.

    `failed`: the alerts of failed runs and ticks, by the name of an asset that they should have built or asked for.
    """
    entry = record.event_log_entry
    event, at_ms = entry.dagster_event, round(entry.timestamp * 1000)
    if event is None:
        return None
    if event.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION:
        check = event.asset_check_evaluation_data
        name = check.asset_key.to_user_string()
        severity = Severity.CRITICAL if check.severity is dg.AssetCheckSeverity.ERROR else Severity.WARNING
        text = f"{check.description or 'it failed without a description'}\nrun {entry.run_id}\n"
        return Seen(
            FAILED_CHECK,
            f"asset/{name}",
            Observation(at_ms, Severity.CLEAR if check.passed else severity),
            About(f"{name}: {check.check_name}", text + delays(check.asset_key, graph) + asset_link(name)),
            part=check.check_name,
            causes=_causes_of_check(check.check_name, check.asset_key, graph, failed),
        )
    if event.event_type is not dg.DagsterEventType.FRESHNESS_STATE_CHANGE:
        return None
    change = event.asset_freshness_state_change_data
    if change.new_state not in _FRESHNESS:
        return None
    name = change.key.to_user_string()
    text = f"freshness {change.new_state.value}, was {change.previous_state.value}\n"
    return Seen(
        STALE_ASSET,
        f"asset/{name}",
        Observation(at_ms, _FRESHNESS[change.new_state]),
        About(name, text + delays(change.key, graph) + asset_link(name)),
        # Its runs fail, or what lies before it is stale already: then that is the alert.
        causes=[*_failed(_upstream(change.key, graph), failed), *_stale_before(change.key, graph)],
    )


def _causes_of_check(
    name: str, key: dg.AssetKey, graph: AssetGraph | None, failed: Mapping[str, Sequence[AlertKey]]
) -> list[AlertKey]:
    if name in OF_ARRIVAL:
        return _stale_before(key, graph)
    if name in OF_BUILDS:
        # It looks at the zones before its asset, and at those after it.
        return _failed([*_upstream(key, graph), *_related(key, graph, before=False)], failed)
    return []


def _upstream(key: dg.AssetKey, graph: AssetGraph | None) -> list[dg.AssetKey]:
    """An asset and what lies before it."""
    return [key, *_related(key, graph, before=True)]


def _failed(keys: Sequence[dg.AssetKey], failed: Mapping[str, Sequence[AlertKey]]) -> list[AlertKey]:
    return [alert for key in keys for alert in failed.get(key.to_user_string(), ())]


def _stale_before(key: dg.AssetKey, graph: AssetGraph | None) -> list[AlertKey]:
    """The alerts of what lies before an asset and is stale."""
    return [AlertKey(f"asset/{each.to_user_string()}", STALE_ASSET.name) for each in _related(key, graph, before=True)]


def delays(key: dg.AssetKey, graph: AssetGraph | None) -> str:
    """What waits for an asset, in words; nothing for one that the code does not know any more."""
    if graph is None or key not in graph.get_all_asset_keys():
        return ""
    found = [each.to_user_string() for each in _related(key, graph, before=False)]
    return f"delays {_some(found)}" if found else "delays nothing else"


def _related(key: dg.AssetKey, graph: AssetGraph | None, *, before: bool) -> list[dg.AssetKey]:
    """All assets before or after one, however far, in the order of their names."""
    if graph is None or key not in graph.get_all_asset_keys():
        return []
    found, waiting = set[dg.AssetKey](), [key]
    while waiting:
        node = graph.get(waiting.pop())
        for other in node.parent_keys if before else node.child_keys:
            if other not in found:
                found.add(other)
                waiting.append(other)
    return sorted(found, key=lambda each: each.to_user_string())


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more
