"""Alerts to SNS: failed runs, failed checks, assets gone stale, sites gone silent."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import dagster as dg
from dagster._core.definitions.freshness import FreshnessState
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage

from iot_pipeline.defs.judged.assets import ledger
from iot_pipeline.defs.metadata import markdown_table
from iot_pipeline.lake import statements
from iot_pipeline.lake.hours import Hour
from iot_pipeline.resources import Alerts, LakeResource
from iot_pipeline.settings import policy

EVENTS_PER_TICK = 500
_WATCHED = (dg.DagsterEventType.ASSET_CHECK_EVALUATION, dg.DagsterEventType.FRESHNESS_STATE_CHANGE)

# How far back a site is remembered: one that was silent for longer is no longer missed.
SITE_MEMORY_HOURS = 24 * 7


@dg.run_failure_sensor(
    default_status=dg.DefaultSensorStatus.RUNNING, description="Publishes each failed run to the alerts topic."
)
def run_failures(context: dg.RunFailureSensorContext, alerts: Alerts) -> None:
    """One alert a failed run, with its error and its partitions."""
    run = context.dagster_run
    partitions = run.tags.get("dagster/partition") or run.tags.get("dagster/asset_partition_range_start", "none")
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
        records = _records_after(context.instance, event_type, cursors.get(event_type.value))
        for record in records:
            for subject, message in _alerts_of(record.event_log_entry):
                alerts.publish(subject, message)
                published += 1
        if records:
            cursors[event_type.value] = records[-1].storage_id
    return dg.SensorResult(cursor=json.dumps(cursors), skip_reason=dg.SkipReason(f"{published} alerts published"))


def _records_after(
    instance: dg.DagsterInstance, event_type: dg.DagsterEventType, cursor: int | None
) -> Sequence[dg.EventLogRecord]:
    """The next events of a type, in the order they were stored.

    SQLite's own `get_event_records` takes no storage id as cursor for check evaluations, since it reads run by run;
    they stand in its index all the same, and the general SQL storage, PostgreSQL's too, reads them there.
    """
    storage = instance.event_log_storage
    if not isinstance(storage, SqlEventLogStorage):
        raise TypeError(f"the event log is a {type(storage).__name__}; alerts need one in SQL")
    return SqlEventLogStorage.get_event_records(
        storage,
        dg.EventRecordsFilter(event_type=event_type, after_cursor=cursor),
        limit=EVENTS_PER_TICK,
        ascending=True,
    )


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


def _arrival_by_site(lake: LakeResource) -> dg.AssetCheckResult:
    now = datetime.now(UTC)
    last = Hour.of(now)
    sites = lake.open().athena.run(statements.last_arrival_by_site(last + -SITE_MEMORY_HOURS, last)).rows
    limit = now - timedelta(minutes=policy().site_silence_minutes)
    silent = [f"{tenant}/{site}" for tenant, site, at, _ in sites if at.replace(tzinfo=UTC) < limit]
    return dg.AssetCheckResult(
        asset_key=ledger.key,
        check_name="every_site_sends",
        passed=bool(sites) and not silent,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"silent: {', '.join(silent)}" if silent else None if sites else "no site has sent anything",
        metadata={
            "silent": len(silent),
            "sites": markdown_table(("tenant", "site", "last received (UTC)", "readings"), sites),
        },
    )


@dg.asset_check(
    asset=ledger,
    description=f"Every site of the last week was heard of in the last {policy().site_silence_minutes:g} minutes.",
)
def every_site_sends(lake: LakeResource) -> dg.AssetCheckResult:
    """Data arrival by site. Freshness policies cannot tell: a backfill of an old hour reads as fresh."""
    return _arrival_by_site(lake)


@dg.sensor(
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Reports the check `every_site_sends` every minute, without the cost of a run.",
)
def site_arrival(context: dg.SensorEvaluationContext, lake: LakeResource) -> dg.SkipReason:
    """Evaluate the check here and record it. Before the first ledger nobody can tell which sites there are."""
    if context.instance.get_latest_materialization_event(ledger.key) is None:
        return dg.SkipReason("nothing has been judged yet")
    result = _arrival_by_site(lake)
    context.instance.report_runless_asset_event(
        dg.AssetCheckEvaluation(
            asset_key=ledger.key,
            check_name=every_site_sends.check_key.name,
            passed=result.passed,
            severity=result.severity,
            description=result.description,
            metadata=result.metadata,
        )
    )
    return dg.SkipReason(result.description or "every site sends")
