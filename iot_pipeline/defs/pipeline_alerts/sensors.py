"""The sensor that looks at Dagster itself, and keeps its alerts where those of the devices are."""

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime

import dagster as dg

from iot_pipeline.alerting.episodes import About
from iot_pipeline.alerting.lifecycle import Severity, What
from iot_pipeline.alerting.notifications import remind
from iot_pipeline.alerting.table import PIPELINE, AlertsTable
from iot_pipeline.alerting.trackers import LOOKED, SENSOR, WATCHER, TrackerStore, Watching
from iot_pipeline.defs.dagster_internals import AssetGraph, events_after, newest_event
from iot_pipeline.defs.pipeline_alerts import asset_health, budget, failed_runs, ticks, waiting_runs
from iot_pipeline.defs.pipeline_alerts.kinds import DEAD_WATCHER, FAILED_RUN
from iot_pipeline.defs.pipeline_alerts.seen import Seen, bad, clear
from iot_pipeline.defs.pipeline_alerts.ticks import LastTick
from iot_pipeline.resources import EdgeResource

# Of each type of event; what is left waits for the next tick, which is stopped after 60 s.
EVENTS_PER_TICK = 500
WATCHER_QUIET_MS = 5 * 60_000
_FAILURES = "failures"


@dg.sensor(
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Opens and resolves alerts of the pipeline: failed checks, stale assets, failed, long and waiting "
    "runs, failed and missing ticks, cost. docs/operations.md says what each means.",
)
def pipeline_alerts(context: dg.SensorEvaluationContext, edge: EdgeResource) -> dg.SkipReason:
    """Look once. Where it has looked is kept with the alerts, not in the cursor: so nothing is told twice, or lost."""
    definition = context.repository_def
    alerts, graph = edge.alerts(), definition.asset_graph if definition else None
    look = Look(context.instance, edge.trackers(), alerts, graph, _intervals(context), _asked_for(context))
    opened, resolved = look.run(datetime.now(UTC))
    reminded = remind(alerts, [PIPELINE], round(time.time() * 1000))
    return dg.SkipReason(f"{opened} alerts opened, {resolved} resolved, {reminded} reminders")


class Look:
    """One look at a Dagster instance."""

    def __init__(
        self,
        instance: dg.DagsterInstance,
        store: TrackerStore,
        alerts: AlertsTable,
        graph: AssetGraph | None,
        intervals: Mapping[str, int],
        asked_for: Mapping[str, Collection[str]],
    ) -> None:
        """`intervals`: of each sensor and schedule, see `ticks.last_ticks`; `asked_for`: of sensors their assets."""
        self._instance, self._store, self._alerts = instance, store, alerts
        self._graph, self._intervals, self._asked_for = graph, intervals, asked_for

    def run(self, now: datetime) -> tuple[int, int]:
        """Look once; how many alerts were opened and resolved. What happened before the first look raises none.

        Raises TrackersConflictError if another look was first, and botocore's errors: the next one starts from there.
        """
        now_ms = round(now.timestamp() * 1000)
        watching = Watching(self._store, self._store.load(SENSOR), now_ms)
        watched = watching.watched
        if watched.version == 0:
            newest = newest_event(self._instance)
            watched.seen = {each.value: newest for each in (*asset_health.WATCHED, dg.DagsterEventType.RUN_FAILURE)}
        # Failed runs and ticks first: they speak for what is stale because of them.
        self._failures(watching)
        last = ticks.last_ticks(self._instance, self._intervals)
        for seen in self._now(watching, last, now):
            seen.take(watching)
            if watching.is_full():
                watching.save()
        self._events(watching, last)
        for episode in watching.alone():
            # Before it is forgotten that people are still to be told.
            self._alerts.note(episode, What.OPENED, now_ms)
        watching.save()
        return watching.opened, watching.resolved

    def _events(self, watching: Watching, last: Sequence[LastTick]) -> None:
        """What the event log says since the last look, in portions of one write."""
        at = watching.watched.seen
        failed = failed_runs.of_assets(watching.watched.notes[_FAILURES])
        for name, alerts in ticks.failing_of_assets(last, self._asked_for).items():
            failed.setdefault(name, []).extend(alerts)
        for event_type in asset_health.WATCHED:
            for record in events_after(self._instance, event_type, at[event_type.value], EVENTS_PER_TICK):
                seen = asset_health.seen_of(record, self._graph, failed)
                if seen is not None:
                    seen.take(watching)
                at[event_type.value] = record.storage_id
                if watching.is_full():
                    watching.save()

    def _failures(self, watching: Watching) -> None:
        """The runs that failed since the last look, gathered by cause."""
        at, notes = watching.watched.seen, watching.watched.notes.setdefault(_FAILURES, {})
        failures = self._instance.fetch_run_status_changes(
            dg.RunStatusChangeRecordsFilter(
                dg.DagsterEventType.RUN_FAILURE, after_storage_id=at[dg.DagsterEventType.RUN_FAILURE.value]
            ),
            limit=EVENTS_PER_TICK,
            ascending=True,
        ).records
        for record in failures:
            entry = record.event_log_entry
            run = self._instance.get_run_by_id(entry.run_id)
            if run is not None:
                message = entry.dagster_event.message if entry.dagster_event else None
                failed_runs.note(notes, self._instance, run, message, round(entry.timestamp * 1000))
            at[dg.DagsterEventType.RUN_FAILURE.value] = record.storage_id

    def _now(self, watching: Watching, last: Sequence[LastTick], now: datetime) -> Iterator[Seen]:
        """What is so now, whatever has happened."""
        now_ms = watching.now_ms
        failures = watching.watched.notes[_FAILURES]
        still_open = watching.open_subjects(FAILED_RUN.name)
        by_cause = ticks.failing(last)
        yield from failed_runs.seen_now(failures, still_open, self._instance, self._graph, now_ms, by_cause)
        yield from waiting_runs.seen_now(self._instance, now)
        looked_ms = watching.watched.seen.get(LOOKED)
        yield from ticks.seen_now(self._instance, last, self._intervals, now_ms, looked_ms)
        yield from budget.seen_now(self._instance, now)
        watcher = self._store.load(WATCHER)
        if watcher.version:
            yield _of_watcher(watcher.seen[LOOKED], now_ms)


def _of_watcher(looked_ms: int, now_ms: int) -> Seen:
    subject = "dagster/watcher"
    if now_ms - looked_ms < WATCHER_QUIET_MS:
        return clear(DEAD_WATCHER, subject, now_ms)
    about = About("the watcher outside of Dagster", f"it last looked {(now_ms - looked_ms) / 60_000:.0f} min ago")
    return bad(DEAD_WATCHER, subject, now_ms, Severity.WARNING, about, since_ms=looked_ms)


def _intervals(context: dg.SensorEvaluationContext) -> dict[str, int]:
    """Each sensor of this code with its interval in seconds, each schedule with 0."""
    definition = context.repository_def
    if definition is None:
        return {}
    sensors = {each.name: each.minimum_interval_seconds or 30 for each in definition.sensor_defs}
    return sensors | {each.name: 0 for each in definition.schedule_defs}


def _asked_for(context: dg.SensorEvaluationContext) -> dict[str, list[str]]:
    """By name the sensors that report or ask for assets themselves, not by a job, each with those assets."""
    definition = context.repository_def
    if definition is None:
        return {}
    chosen = {each.name: each.asset_selection for each in definition.sensor_defs if each.asset_selection is not None}
    graph = definition.asset_graph
    return {name: sorted(key.to_user_string() for key in it.resolve(graph)) for name, it in chosen.items()}
