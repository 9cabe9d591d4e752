"""Alerts of the pipeline: each is provoked, reaches a subscriber once, and resolves."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import dagster as dg
import pytest
import typer
from typer.testing import CliRunner

from infra.local.session.platform import Platform
from iot_pipeline import settings, watcher
from iot_pipeline.alerting.episodes import About, Place
from iot_pipeline.alerting.lifecycle import AlertKey, Observation, Severity
from iot_pipeline.alerting.trackers import SENSOR, WATCHER, TrackersConflictError, TrackerStore, Watching
from iot_pipeline.connections.edge import open_alerts, open_trackers
from iot_pipeline.definitions import defs
from iot_pipeline.defs.curated.assets import curated_telemetry
from iot_pipeline.defs.dagster_internals import (
    FreshnessState,
    FreshnessStateChange,
    TickStatus,
    partition_range_tags,
)
from iot_pipeline.defs.judged.assets import judged_telemetry, ledger
from iot_pipeline.defs.pipeline_alerts.asset_health import OF_ARRIVAL, OF_BUILDS
from iot_pipeline.defs.pipeline_alerts.budget import spending_watch, spent_so_far
from iot_pipeline.defs.pipeline_alerts.sensors import Look, pipeline_alerts
from iot_pipeline.defs.raw.assets import raw_telemetry
from iot_pipeline.lake.hours import Hour, partition_predicate
from iot_pipeline.lake.lake import Lake
from iot_pipeline.lake.spending import Spent
from iot_pipeline.resources import EdgeResource, Spending
from iot_pipeline.watcher import look
from iot_pipeline_tests.support.dagster_daemon import TickingSensor, beat
from iot_pipeline_tests.support.inbox import Inbox
from iot_pipeline_tests.support.messages import RawZone, line, message, reading

HOUR = timedelta(hours=1)


class Dagster:
    """A Dagster instance, the look at it, and a subscriber to the topics of alerts."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.instance = instance
        topics = (settings.edge().topic_warning, settings.edge().topic_critical)
        name = f"pipeline-{uuid.uuid4().hex[:8]}"
        self._inbox, self._graph = (
            Inbox.on(boto3.client("sqs"), boto3.client("sns"), name, topics),
            defs.resolve_asset_graph(),
        )
        self.look()
        self.told()

    def look(self, now: datetime | None = None) -> None:
        """As the sensor does."""
        intervals = {"raw_objects": 10, "site_arrival": 60}
        asked_for = {"raw_objects": [raw_telemetry.key.to_user_string()]}
        look_at = Look(self.instance, open_trackers(), open_alerts(), self._graph, intervals, asked_for)
        look_at.run(now or datetime.now(UTC))

    def told(self) -> list[tuple[str, str, str]]:
        """Kind, what became of it and severity of what people were told since they were last asked, each once."""
        boto3.client("lambda").invoke(FunctionName=settings.edge().notify_function, Payload=b"{}")
        found = []
        for data in self._inbox.read():
            if data["tenant"] == "#pipeline":
                found += [(data["rule"], data["what"], data["severity"])] * len(data["episodes"])
        return sorted(found)

    def open(self) -> dict[str, str]:
        """The open alerts of the pipeline: kind, and what is told of it."""
        return {each["rule"]: f"{each['about']}\n{each['text']}" for each in open_alerts().open("#pipeline")}


@pytest.fixture
def dagster(platform: Platform) -> Iterator[Dagster]:
    table = boto3.resource("dynamodb").Table(settings.edge().alerts_table)
    for name in (SENSOR, WATCHER):
        table.delete_item(Key={"id": f"trackers/{name}"})
    for each in list(open_alerts().open("#pipeline")):
        table.delete_item(Key={"id": each["id"]})
    with dg.instance_for_test() as instance:
        yield Dagster(instance)


def _check(*, passed: bool, name: str = "keys_are_unique") -> dg.AssetCheckEvaluation:
    return dg.AssetCheckEvaluation(
        asset_key=curated_telemetry.key,
        check_name=name,
        passed=passed,
        metadata={},
        description="3 keys stand twice",
        severity=dg.AssetCheckSeverity.ERROR,
    )


def _freshness(
    before: FreshnessState, after: FreshnessState, key: dg.AssetKey = raw_telemetry.key
) -> FreshnessStateChange:
    at = datetime.now(UTC).timestamp()
    return FreshnessStateChange(key=key, previous_state=before, new_state=after, state_change_timestamp=at)


def test_a_failed_check_is_told_of_once_and_resolves_when_it_passes(dagster: Dagster) -> None:
    for _ in range(3):
        dagster.instance.report_runless_asset_event(_check(passed=False))
        dagster.look()
    assert dagster.told() == [("failed_check", "opened", "critical")]
    assert "3 keys stand twice" in dagster.open()["failed_check"]
    dagster.instance.report_runless_asset_event(_check(passed=True))
    dagster.look()
    assert dagster.told() == [("failed_check", "resolved", "critical")]


def test_an_asset_that_goes_stale_worsens_and_is_fresh_again(dagster: Dagster) -> None:
    states = (FreshnessState.PASS, FreshnessState.WARN, FreshnessState.FAIL, FreshnessState.UNKNOWN)
    for before, after in ((states[0], states[1]), (states[1], states[2]), (states[2], states[3])):
        dagster.instance.report_runless_asset_event(_freshness(before, after))
        dagster.look()
    told = dagster.told()
    assert told == [("stale_asset", "escalated", "critical"), ("stale_asset", "opened", "warning")]
    dagster.instance.report_runless_asset_event(_freshness(FreshnessState.UNKNOWN, FreshnessState.PASS))
    dagster.look()
    assert dagster.told() == [("stale_asset", "resolved", "critical")]


def test_what_goes_stale_because_of_another_is_told_of_only_if_it_outlasts_that(dagster: Dagster) -> None:
    good, stale = FreshnessState.PASS, FreshnessState.FAIL
    after = [dg.AssetKey(name) for name in ("curated_telemetry", "warehouse_readings", "fact_hours")]
    for key in (raw_telemetry.key, *after):
        dagster.instance.report_runless_asset_event(_freshness(good, stale, key))
        dagster.look()
    assert dagster.told() == [("stale_asset", "opened", "critical")], "a silent fleet is one alert"
    assert len(list(open_alerts().open("#pipeline"))) == 4
    begin = datetime.now(UTC)
    for key in (raw_telemetry.key, *after[:2]):
        dagster.instance.report_runless_asset_event(_freshness(stale, good, key))
        dagster.look(begin)
    assert dagster.told() == [("stale_asset", "resolved", "critical")]
    dagster.look(begin + 0.5 * HOUR)
    assert dagster.told() == []
    dagster.look(begin + 1.1 * HOUR)
    assert dagster.told() == [("stale_asset", "opened", "critical")], "the facts are stale for a reason of their own"
    dagster.instance.report_runless_asset_event(_freshness(stale, good, after[2]))
    dagster.look(begin + 1.2 * HOUR)
    assert dagster.told() == [("stale_asset", "resolved", "critical")]


@pytest.mark.parametrize("in_one_look", [False, True])
def test_checks_of_what_arrives_add_no_alert_where_nothing_arrives_at_all(dagster: Dagster, in_one_look: bool) -> None:
    good, stale, begin = FreshnessState.PASS, FreshnessState.FAIL, datetime.now(UTC)

    def report(silent: bool) -> None:
        for name in sorted(OF_ARRIVAL):
            dagster.instance.report_runless_asset_event(
                dg.AssetCheckEvaluation(
                    asset_key=ledger.key,
                    check_name=name,
                    passed=not silent,
                    metadata={},
                    severity=dg.AssetCheckSeverity.WARN,
                )
            )

    if in_one_look:
        report(silent=True)
    dagster.instance.report_runless_asset_event(_freshness(good, stale))
    dagster.look(begin)
    report(silent=True)
    dagster.look(begin)
    assert dagster.told() == [("stale_asset", "opened", "critical")]
    dagster.instance.report_runless_asset_event(_freshness(stale, good))
    dagster.look(begin)
    assert dagster.told() == [("stale_asset", "resolved", "critical")]
    dagster.look(begin + 1.1 * HOUR)
    assert dagster.told() == [("failed_check", "opened", "warning")] * len(OF_ARRIVAL), "these sites stay silent"
    report(silent=False)
    dagster.look(begin + 1.2 * HOUR)
    assert dagster.told() == [("failed_check", "resolved", "warning")] * len(OF_ARRIVAL)


def test_a_check_of_what_is_built_is_told_of_whatever_is_stale(dagster: Dagster) -> None:
    dagster.instance.report_runless_asset_event(_freshness(FreshnessState.PASS, FreshnessState.FAIL))
    dagster.instance.report_runless_asset_event(_check(passed=False))
    dagster.look()
    assert dagster.told() == [("failed_check", "opened", "critical"), ("stale_asset", "opened", "critical")]


@dg.asset(key=judged_telemetry.key)
def judged_elsewhere() -> None:
    if _SERVICE["is_down"]:
        raise ConnectionError("athena does not answer")


def test_what_is_stale_or_missing_because_its_runs_fail_adds_no_alert(dagster: Dagster) -> None:
    instance, begin = dagster.instance, datetime.now(UTC)
    good, stale = FreshnessState.PASS, FreshnessState.FAIL
    late = (judged_telemetry.key, curated_telemetry.key)
    (of_builds,) = OF_BUILDS
    _SERVICE["is_down"] = True
    dg.materialize([judged_elsewhere], instance=instance, raise_on_error=False)
    for key in (*late, dg.AssetKey("registry_snapshot")):
        instance.report_runless_asset_event(_freshness(good, stale, key))
    instance.report_runless_asset_event(_check(passed=False, name=of_builds))
    dagster.look(begin)
    told = [("failed_run", "opened", "warning"), ("stale_asset", "opened", "critical")]
    assert dagster.told() == told, "the registry's snapshot is stale for a reason of its own"
    assert len(list(open_alerts().open("#pipeline"))) == 5
    _SERVICE["is_down"] = False
    dg.materialize([judged_elsewhere], instance=instance)
    instance.report_runless_asset_event(_freshness(stale, good, judged_telemetry.key))
    instance.report_runless_asset_event(_check(passed=True, name=of_builds))
    dagster.look(begin)
    assert dagster.told() == [("failed_run", "resolved", "warning")]
    dagster.look(begin + 1.1 * HOUR)
    assert dagster.told() == [("stale_asset", "opened", "critical")], "curated is stale still"


def test_what_is_stale_because_its_sensor_fails_adds_no_alert(dagster: Dagster) -> None:
    begin, sensor = datetime.now(UTC), TickingSensor(dagster.instance, "raw_objects")
    sensor.tick(TickStatus.FAILURE, begin, "ClientError: access to the queue is denied")
    for key in (raw_telemetry.key, judged_telemetry.key):
        dagster.instance.report_runless_asset_event(_freshness(FreshnessState.PASS, FreshnessState.FAIL, key))
    dagster.look(begin)
    assert dagster.told() == [("failed_tick", "opened", "warning")]
    assert len(list(open_alerts().open("#pipeline"))) == 3


def test_the_checks_that_others_speak_for_are_those_of_the_definitions() -> None:
    assert {key.name for key in defs.resolve_asset_graph().asset_check_keys} >= OF_ARRIVAL | OF_BUILDS


def test_what_failed_and_passed_between_two_looks_tells_nobody(dagster: Dagster) -> None:
    dagster.instance.report_runless_asset_event(_check(passed=False))
    dagster.instance.report_runless_asset_event(_check(passed=True))
    dagster.look()
    assert dagster.told() == []
    record = next(iter(open_alerts().history("asset/curated_telemetry")))
    assert record["status"] == "resolved"


def test_what_happened_before_the_first_look_raises_nothing_nor_does_a_restart(platform: Platform) -> None:
    with dg.instance_for_test() as instance:
        table = boto3.resource("dynamodb").Table(settings.edge().alerts_table)
        table.delete_item(Key={"id": f"trackers/{SENSOR}"})
        instance.report_runless_asset_event(_check(passed=False))
        dagster = Dagster(instance)
        assert dagster.open() == {}
        dagster.instance.report_runless_asset_event(_check(passed=False))
        dagster.look()
        dagster.look()
        assert dagster.told() == [("failed_check", "opened", "critical")]


_SERVICE = {"is_down": True}


@dg.asset(partitions_def=dg.StaticPartitionsDefinition(["a", "b", "c"]))
def first_asset() -> None:
    if _SERVICE["is_down"]:
        raise ConnectionError(f"athena does not answer, request {uuid.uuid4()}")


@dg.asset
def second_asset() -> None:
    if _SERVICE["is_down"]:
        raise RuntimeError("the build failed") from ConnectionError(f"athena does not answer, request {uuid.uuid4()}")


@dg.op
def breaks() -> None:
    raise ValueError("the disk is full")


@dg.job
def nightly() -> None:
    breaks()


def test_an_outage_is_one_alert_until_all_it_kept_from_being_built_is_built(dagster: Dagster) -> None:
    _SERVICE["is_down"] = True
    instance = dagster.instance
    for partition in ("a", "b"):
        dg.materialize([first_asset], instance=instance, partition_key=partition, raise_on_error=False)
    dg.materialize([second_asset], instance=instance, raise_on_error=False)
    dagster.look()
    nightly.execute_in_process(instance=instance, raise_on_error=False)
    dagster.look()
    assert dagster.told() == [("failed_run", "opened", "warning")] * 2, "of two causes"
    causes = {each["about"]: each["text"] for each in open_alerts().open("#pipeline")}
    (outage,) = (text for about, text in causes.items() if about.startswith("ConnectionError: athena"))
    assert "3 runs failed" in outage
    assert "- asset first_asset a\n- asset first_asset b\n- asset second_asset" in outage
    assert [about for about in causes if "the disk is full" in about] == ["ValueError: the disk is full"]

    _SERVICE["is_down"] = False
    dg.materialize([first_asset], instance=instance, partition_key="a")
    dg.materialize([second_asset], instance=instance)
    dagster.look()
    assert dagster.told() == [], "one partition is not built yet"
    dg.materialize([first_asset], instance=instance, partition_key="b")
    dagster.look()
    assert dagster.told() == [("failed_run", "resolved", "warning")]
    dagster.look(datetime.now(UTC) + 2 * HOUR)
    assert dagster.told() == [("failed_run", "escalated", "critical")], "the job has not succeeded for two hours"


def test_a_run_that_dagster_will_retry_is_no_failure_yet(dagster: Dagster) -> None:
    tags = {"dagster/will_retry": "true"}
    nightly.execute_in_process(instance=dagster.instance, raise_on_error=False, tags=tags)
    dagster.look()
    assert dagster.told() == []
    assert dagster.open() == {}


def test_a_range_of_partitions_is_built_when_its_ends_are(dagster: Dagster) -> None:
    _SERVICE["is_down"] = True
    instance, tags = dagster.instance, partition_range_tags("a", "c")

    @dg.asset(partitions_def=first_asset.partitions_def, backfill_policy=dg.BackfillPolicy.single_run())
    def ranged() -> None:
        if _SERVICE["is_down"]:
            raise ConnectionError("athena does not answer")

    dg.materialize([ranged], instance=instance, tags=tags, raise_on_error=False)
    dagster.look()
    assert "not built yet: 2\n- asset ranged a\n- asset ranged c" in dagster.open()["failed_run"]
    _SERVICE["is_down"] = False
    dg.materialize([ranged], instance=instance, tags=tags)
    dagster.look()
    assert dagster.open() == {}


def test_runs_that_hang_or_wait_are_one_alert_each(dagster: Dagster) -> None:
    instance = dagster.instance
    hangs = instance.create_run_for_job(nightly, status=dg.DagsterRunStatus.STARTED)
    waits = [instance.create_run_for_job(nightly, status=dg.DagsterRunStatus.NOT_STARTED) for _ in range(2)]
    dagster.look()
    assert dagster.open() == {}
    dagster.look(datetime.now(UTC) + 3 * HOUR)
    assert dagster.told() == [("long_run", "opened", "warning"), ("queued_run", "opened", "warning")]
    assert hangs.run_id in dagster.open()["long_run"]
    assert all(run.run_id in dagster.open()["queued_run"] for run in waits)
    for run in (hangs, *waits):
        instance.delete_run(run.run_id)
    dagster.look(datetime.now(UTC) + 3 * HOUR)
    assert dagster.told() == [("long_run", "resolved", "warning"), ("queued_run", "resolved", "warning")]


def test_failed_and_missing_ticks(dagster: Dagster) -> None:
    begin = datetime.now(UTC)
    sensor, unknown = (TickingSensor(dagster.instance, name) for name in ("raw_objects", "of_a_former_release"))
    sensor.tick(TickStatus.SUCCESS, begin)
    unknown.tick(TickStatus.FAILURE, begin, "RuntimeError: nobody cares")
    dagster.look(begin)
    assert dagster.open() == {}
    sensor.tick(TickStatus.FAILURE, begin + timedelta(seconds=10), "RuntimeError: the queue is gone")
    dagster.look(begin + timedelta(seconds=20))
    assert dagster.told() == [("failed_tick", "opened", "warning")]
    assert "raw_objects: RuntimeError: the queue is gone" in dagster.open()["failed_tick"]
    sensor.tick(TickStatus.SKIPPED, begin + timedelta(seconds=30))
    dagster.look(begin + timedelta(seconds=40))
    assert dagster.told() == [("failed_tick", "resolved", "warning")]
    for minutes in (4, 8):
        dagster.look(begin + timedelta(minutes=minutes))
    assert dagster.told() == [("no_tick", "opened", "warning")]
    sensor.tick(TickStatus.SUCCESS, begin + timedelta(minutes=9))
    dagster.look(begin + timedelta(minutes=9))
    assert dagster.told() == [("no_tick", "resolved", "warning")]


@dg.asset
def third_asset() -> None:
    if _SERVICE["is_down"]:
        raise RuntimeError(f"athena does not answer, request {uuid.uuid4()}")


@pytest.mark.parametrize("first", ["failed_tick", "failed_run"])
def test_sensors_and_runs_that_fail_for_one_cause_are_one_alert(dagster: Dagster, first: str) -> None:
    begin = datetime.now(UTC)
    sensors = [TickingSensor(dagster.instance, name) for name in ("raw_objects", "site_arrival")]

    def tick(status: TickStatus, second: int, message: str | None = None) -> None:
        for sensor in sensors:
            sensor.tick(status, begin + timedelta(seconds=second), message)

    def fail_ticks() -> None:
        tick(TickStatus.FAILURE, 10, "RuntimeError: athena does not answer, request 1")

    def run() -> None:
        dg.materialize([third_asset], instance=dagster.instance, raise_on_error=False)

    tick(TickStatus.SUCCESS, 0)
    _SERVICE["is_down"] = True
    for fail in (fail_ticks, run) if first == "failed_tick" else (run, fail_ticks):
        fail()
        dagster.look(begin + timedelta(seconds=20))
    assert dagster.told() == [(first, "opened", "warning")]
    assert len(list(open_alerts().open("#pipeline"))) == 3
    _SERVICE["is_down"] = False
    run()
    tick(TickStatus.SUCCESS, 25)
    dagster.look(begin + timedelta(seconds=30))
    assert dagster.told() == [(first, "resolved", "warning")]
    assert dagster.open() == {}


def test_after_a_dead_daemon_no_sensor_counts_as_late_before_it_can_have_ticked(dagster: Dagster) -> None:
    """The first look after hours is itself one of the ticks that are due; the watcher has told of the daemon."""
    begin, sensor = datetime.now(UTC), TickingSensor(dagster.instance, "raw_objects")
    sensor.tick(TickStatus.SUCCESS, begin)
    dagster.look(begin)
    again = begin + 5 * HOUR
    dagster.look(again)
    assert dagster.told() == []
    dagster.look(again + timedelta(seconds=30))
    assert dagster.told() == [("no_tick", "opened", "warning")], "the others tick again, and this one does not"


def test_a_dead_daemon_is_found_from_outside_and_a_dead_watcher_from_inside(dagster: Dagster) -> None:
    begin, instance, store = datetime.now(UTC), dagster.instance, open_trackers()
    assert look(instance, store, begin) == (0, 0), "a daemon that never ran is not dead"
    beat(instance, begin)
    assert look(instance, store, begin + timedelta(minutes=2)) == (0, 0)
    assert look(instance, store, begin + timedelta(minutes=4)) == (1, 0)
    assert look(instance, store, begin + timedelta(minutes=5)) == (0, 0)
    assert dagster.told() == [("dead_daemon", "opened", "critical")]

    later = begin + timedelta(minutes=20)
    beat(instance, later)
    dagster.look(later)
    assert dagster.told() == [("dead_watcher", "opened", "warning")]
    assert look(instance, store, later) == (0, 1)
    dagster.look(later)
    assert dagster.told() == [("dead_daemon", "resolved", "critical"), ("dead_watcher", "resolved", "warning")]


def test_parts_that_stop_seconds_apart_are_one_dead_daemon(dagster: Dagster) -> None:
    begin, instance, store = datetime.now(UTC), dagster.instance, open_trackers()
    for seconds, part in enumerate(instance.get_required_daemon_types()):
        beat(instance, begin + timedelta(seconds=3 * seconds), part)
    for seconds in range(0, 360, 5):
        look(instance, store, begin + timedelta(seconds=seconds))
    assert dagster.told() == [("dead_daemon", "opened", "critical")]
    assert "Dagster's daemon" in dagster.open()["dead_daemon"]


def test_one_part_of_the_daemon_and_a_sensor_that_does_not_look(dagster: Dagster) -> None:
    begin, instance, store = datetime.now(UTC), dagster.instance, open_trackers()
    beat(instance, begin)
    parts = instance.get_required_daemon_types()
    later = begin + timedelta(minutes=10)
    beat(instance, later, *(part for part in parts if part != "SENSOR"))
    assert look(instance, store, later) == (2, 0)
    assert set(dagster.open()) == {"dead_daemon", "blind_sensor"}
    assert "sensor of Dagster's daemon" in dagster.open()["dead_daemon"]
    beat(instance, later, "SENSOR")
    dagster.look(later)
    assert look(instance, store, later + timedelta(seconds=30)) == (0, 2)


def test_a_table_that_lost_an_episode_or_holds_it_already_stops_nothing(dagster: Dagster) -> None:
    table = boto3.resource("dynamodb").Table(settings.edge().alerts_table)
    dagster.instance.report_runless_asset_event(_check(passed=False))
    dagster.look()
    (episode,) = open_alerts().open("#pipeline")
    table.delete_item(Key={"id": episode["id"]})
    dagster.instance.report_runless_asset_event(_check(passed=True))
    dagster.look()
    assert open_alerts().get(episode["id"])["status"] == "resolved"
    # As if the watcher's item had been restored from before the alert.
    store, key = open_trackers(), AlertKey(f"asset/{uuid.uuid4().hex}", "failed_check")
    for name in ("before", "restored"):
        watching = Watching(store, store.load(f"{name}-{key.subject}"), 10_000)
        watching.observe(key, Observation(9_000, Severity.WARNING), Place("#pipeline", "asset"), About(name))
        watching.save()
    (found,) = open_alerts().history(key.subject)
    assert (found["about"], found["status"]) == ("restored", "open")


def test_two_looks_at_once_count_once(dagster: Dagster) -> None:
    dagster.instance.report_runless_asset_event(_check(passed=False))

    class Slow(TrackerStore):
        def save(self, *given: Any) -> None:
            dagster.look()
            super().save(*given)

    table = settings.edge().alerts_table
    with pytest.raises(TrackersConflictError):
        Look(dagster.instance, Slow(boto3.client("dynamodb"), table), open_alerts(), None, {}, {}).run(
            datetime.now(UTC)
        )
    dagster.look()
    assert dagster.told() == [("failed_check", "opened", "critical")]


def test_more_alerts_than_one_write_takes(dagster: Dagster) -> None:
    def evaluation(number: int, *, passed: bool) -> dg.AssetCheckEvaluation:
        return dg.AssetCheckEvaluation(
            asset_key=dg.AssetKey(f"asset_{number}"), check_name="c", passed=passed, metadata={}
        )

    for number in range(230):
        dagster.instance.report_runless_asset_event(evaluation(number, passed=False))
    dagster.look()
    assert dagster.told() == [("failed_check", "opened", "critical")] * 50, "50 are listed in one notification"
    assert len(list(open_alerts().open("#pipeline"))) == 230
    for number in range(230):
        dagster.instance.report_runless_asset_event(evaluation(number, passed=True))
    dagster.look()
    assert dagster.open() == {}


def test_more_failing_ticks_than_one_write_takes(dagster: Dagster) -> None:
    now, intervals = datetime.now(UTC), {f"sensor_{number}": 60 for number in range(130)}
    for name in intervals:
        TickingSensor(dagster.instance, name).tick(TickStatus.FAILURE, now, f"RuntimeError: {name}")
    Look(dagster.instance, open_trackers(), open_alerts(), None, intervals, {}).run(now)
    assert len(list(open_alerts().open("#pipeline"))) == 130


def test_the_sensor_ticks(dagster: Dagster) -> None:
    dagster.instance.report_runless_asset_event(_check(passed=False))
    context = dg.build_sensor_context(instance=dagster.instance)
    result = pipeline_alerts(context, edge=EdgeResource())
    assert isinstance(result, dg.SkipReason)
    assert result.skip_message == "1 alerts opened, 0 resolved, 0 reminders"


def test_an_instance_in_memory_is_looked_at_too(dagster: Dagster) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        assert Look(instance, open_trackers(), open_alerts(), None, {"raw_objects": 10}, {}).run(datetime.now(UTC)) == (
            0,
            0,
        )


def test_a_watched_item_is_as_it_was(platform: Platform) -> None:
    store = open_trackers()
    name = f"test-{uuid.uuid4().hex[:8]}"
    watching = Watching(store, store.load(name), 5)
    watching.watched.notes["cause"] = {"words": "ü", "targets": {"job a": 1.5}}
    watching.save()
    assert store.load(name) == watching.watched


def test_the_watcher_looks_once_and_says_what_it_misses(
    dagster: Dagster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = typer.Typer()
    app.command()(watcher.main)
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    refused = CliRunner().invoke(app, ["--once"])
    assert (refused.exit_code, "DAGSTER_HOME is not set" in refused.output) == (2, True)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    (tmp_path / "dagster.yaml").touch()
    before = open_trackers().load(WATCHER).version
    assert CliRunner().invoke(app, ["--once"]).exit_code == 0
    assert open_trackers().load(WATCHER).version == before + 1


@pytest.fixture
def budget(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A budget that any query is beyond."""
    monkeypatch.setenv("IOT_DAILY_BUDGET_USD", "0.00001")
    settings.forget()
    yield
    monkeypatch.undo()
    settings.forget()


@pytest.mark.usefixtures("budget")
def test_a_day_that_costs_more_than_its_budget_is_told_of_until_the_next(
    dagster: Dagster, lake: Lake, raw: RawZone, arrival: Hour
) -> None:
    """Each query is counted once, with what Athena says that it scanned."""

    def tick() -> Spent:
        spending_watch(dg.build_sensor_context(dagster.instance), spending=Spending())
        spent = spent_so_far(dagster.instance)
        assert spent is not None
        return spent

    before, group = tick(), lake.athena.workgroup
    again = tick()
    assert (again.queries, again.dollars) == (before.queries, before.dollars)
    raw.put(arrival, [line(message(reading(arrival.start, 1)), arrival.start)])
    ran = lake.athena.run(f"SELECT line FROM raw_lines WHERE {partition_predicate([arrival])}")
    after = tick()
    assert after.queries[group] == before.queries.get(group, 0) + 1
    assert after.scanned[group] == before.scanned.get(group, 0) + ran.scanned_bytes
    assert after.total == pytest.approx(before.total + ran.dollars)
    assert ran.dollars > 0.00001
    now = datetime.now(UTC)
    for _ in range(2):
        dagster.look(now)
    assert dagster.told() == [("over_budget", "opened", "critical")]
    assert f"Athena has cost {after.total:.2f} USD today, the budget is 0.00" in dagster.open()["over_budget"]
    told = f"workgroup {group}: {after.dollars[group]:.4f} USD, {after.queries[group]:,} queries"
    assert told in dagster.open()["over_budget"]
    dagster.look(now + 24 * HOUR)
    assert dagster.told() == [("over_budget", "resolved", "critical")]
