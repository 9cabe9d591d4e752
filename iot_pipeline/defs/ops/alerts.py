"""Alerts to SNS: failed runs, failed checks, assets gone stale."""

import json
from collections.abc import Iterator

import dagster as dg

from iot_pipeline.defs.dagster_internals import ASSET_PARTITION_RANGE_START_TAG, FreshnessState, events_after
from iot_pipeline.resources import Alerts

# Fewer than other sensors look at: each may be published, and a tick is stopped after 60 s.
EVENTS_PER_TICK = 500
_WATCHED = (dg.DagsterEventType.ASSET_CHECK_EVALUATION, dg.DagsterEventType.FRESHNESS_STATE_CHANGE)


@dg.run_failure_sensor(
    default_status=dg.DefaultSensorStatus.RUNNING, description="Publishes each failed run to the alerts topic."
)
def run_failures(context: dg.RunFailureSensorContext, alerts: Alerts) -> None:
    """One alert a failed run, with its error and its partitions."""
    run = context.dagster_run
    partitions = run.tags.get("dagster/partition") or run.tags.get(ASSET_PARTITION_RANGE_START_TAG, "none")
    alerts.publish(
        f"Dagster run failed: {run.job_name}",
        f"run {run.run_id}\nassets {sorted(k.to_user_string() for k in run.asset_selection or ())}\n"
        f"partitions from {partitions}\n\n{context.failure_event.message}",
    )


@dg.sensor(
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Publishes failed asset checks and changes of freshness to the alerts topic.",
)
def health_changes(context: dg.SensorEvaluationContext, alerts: Alerts) -> dg.SensorResult:
    """Publish what has happened since the last tick, then move the cursor: a crash repeats alerts, it loses none."""
    cursors: dict[str, int] = json.loads(context.cursor) if context.cursor else {}
    published = 0
    for event_type in _WATCHED:
        records = events_after(context.instance, event_type, cursors.get(event_type.value), EVENTS_PER_TICK)
        for record in records:
            for subject, message in _alerts_of(record.event_log_entry):
                alerts.publish(subject, message)
                published += 1
        if records:
            cursors[event_type.value] = records[-1].storage_id
    return dg.SensorResult(cursor=json.dumps(cursors), skip_reason=dg.SkipReason(f"{published} alerts published"))


def _alerts_of(entry: dg.EventLogEntry) -> Iterator[tuple[str, str]]:
    event = entry.dagster_event
    if event is None:
        return
    if event.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION:
        check = event.asset_check_evaluation_data
        if not check.passed:
            name = f"{check.asset_key.to_user_string()}: {check.check_name}"
            yield f"Check {check.severity.value}: {name}", f"{check.description or 'failed'}\nrun {entry.run_id}"
    elif event.event_type is dg.DagsterEventType.FRESHNESS_STATE_CHANGE:
        change = event.asset_freshness_state_change_data
        if change.new_state in (FreshnessState.WARN, FreshnessState.FAIL) or (
            change.new_state is FreshnessState.PASS and change.previous_state is FreshnessState.FAIL
        ):
            name = change.key.to_user_string()
            yield f"Freshness {change.new_state.value}: {name}", f"{name} was {change.previous_state.value}"
