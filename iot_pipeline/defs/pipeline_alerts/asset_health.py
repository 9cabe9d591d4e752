"""Asset checks and freshness, from Dagster's event log."""

from collections.abc import Sequence

import dagster as dg

from iot_pipeline.alerting.episodes import About
from iot_pipeline.alerting.lifecycle import AlertKey, Observation, Severity
from iot_pipeline.defs.dagster_internals import AssetGraph, FreshnessState
from iot_pipeline.defs.pipeline_alerts.kinds import FAILED_CHECK, STALE_ASSET
from iot_pipeline.defs.pipeline_alerts.links import asset_link
from iot_pipeline.defs.pipeline_alerts.seen import Seen

# Freshness first: what one look finds of both is told by it.
WATCHED = (dg.DagsterEventType.FRESHNESS_STATE_CHANGE, dg.DagsterEventType.ASSET_CHECK_EVALUATION)
# Checks of what arrives fail, too, when nothing arrives at all, and the raw zone is stale before they do. Every other
# check says what no freshness can.
OF_ARRIVAL = frozenset({"every_site_sends", "devices_send_as_expected"})
_FRESHNESS = {
    FreshnessState.PASS: Severity.CLEAR,
    FreshnessState.WARN: Severity.WARNING,
    FreshnessState.FAIL: Severity.CRITICAL,
}
_LISTED = 12


def seen_of(record: dg.EventLogRecord, graph: AssetGraph | None) -> Seen | None:
    """What an event says; None if it says nothing, as that the freshness is unknown."""
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
            causes=_stale_before(check.asset_key, graph) if check.check_name in OF_ARRIVAL else (),
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
        # What lies before it is stale already: then that is the alert.
        causes=_stale_before(change.key, graph),
    )


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
