"""The history of the alerts in Dagster, from the deployed edge's table to the warehouse; and how the edge is."""

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import dagster as dg
import pytest

from infra.local.session.dagster_runs import export_alerts
from infra.local.session.platform import Platform
from iot_pipeline import settings
from iot_pipeline.alerting.episodes import Change, Place, write_of
from iot_pipeline.alerting.lifecycle import AlertKey, Severity, Transition, What
from iot_pipeline.alerting.table import AlertsTable, silence
from iot_pipeline.defs.alerts.assets import SHOWN_DAYS, alert_history, warehouse_alerts
from iot_pipeline.defs.alerts.checks import LOOKS, Look
from iot_pipeline.defs.alerts.sensors import edge_health
from iot_pipeline.lake.lake import Lake
from iot_pipeline.resources import EdgeResource, WarehouseResource
from iot_pipeline.warehouse import statements
from iot_pipeline.warehouse.alerts_load import EpisodesMismatchError
from iot_pipeline.warehouse.transaction import read, run

MINUTE = timedelta(minutes=1)
BY_NAME = {look.name: look for look in LOOKS}


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


@pytest.fixture
def alerts(platform: Platform) -> AlertsTable:
    return AlertsTable(boto3.client("dynamodb"), settings.edge().alerts_table)


def milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def write(device: str, since: datetime, *, over: bool = False) -> str:
    """An episode that opens, or is over, and of which nobody is told; its id."""
    key, since_ms = AlertKey(f"device/{device}", "range", "temperature"), milliseconds(since)
    what = What.RESOLVED if over else What.OPENED
    at_ms = since_ms + 60_000 * over
    transition = Transition(
        what, key, key.episode(since_ms), Severity.CRITICAL, since_ms, at_ms, at_ms, 70.0, 60.0, 71.0
    )
    change = Change(Place("acme", "berlin", device), (transition,), "trace", notes=False)
    item = write_of(change, settings.edge().alerts_table, milliseconds(datetime.now(UTC)))
    boto3.client("dynamodb").transact_write_items(TransactItems=[item])
    return change.episode


def metadata(instance: dg.DagsterInstance, key: dg.AssetKey) -> dict[str, Any]:
    event = instance.get_latest_materialization_event(key)
    assert event
    assert event.asset_materialization
    return {name: value.value for name, value in event.asset_materialization.metadata.items()}


def in_the_warehouse(episode: str) -> list[tuple[Any, ...]]:
    with WarehouseResource().connect() as connection:
        sql = f"SELECT status, severity, limit_value, flapping FROM lake.alert_episodes WHERE episode_id = '{episode}'"
        return read(connection, sql)


def test_alerts_flow_into_the_lake_and_the_warehouse_and_their_ends_after_them(
    instance: dg.DagsterInstance, lake: Lake
) -> None:
    device, since = f"device-{uuid.uuid4().hex[:8]}", datetime.now(UTC) - timedelta(days=2)
    episode = write(device, since)
    export_alerts(instance, everything=True)
    found = metadata(instance, alert_history.key)
    assert found["changed since"] == "ever"
    assert found[f"open, of {SHOWN_DAYS} days"] >= 1
    assert "| range | critical |" in found[f"by rule and severity, {SHOWN_DAYS} days"]
    assert metadata(instance, warehouse_alerts.key)["alerts loaded"] >= 1
    day = f"year = '{since:%Y}' AND month = '{since:%m}' AND day = '{since:%d}'"
    columns = "status, device_id, opened_at, flapping, last_value"
    sql = f"SELECT {columns} FROM alert_history WHERE {day} AND episode_id = '{episode}'"
    ((status, who, opened_at, flapping, value),) = lake.athena.run(sql).rows
    assert (status, who, flapping, value) == ("open", device, False, 70.0)
    assert milliseconds(opened_at.replace(tzinfo=UTC)) == milliseconds(since)
    assert in_the_warehouse(episode) == [("open", "critical", 60.0, False)]

    write(device, since, over=True)
    export_alerts(instance)
    found = metadata(instance, alert_history.key)
    assert found["changed since"] != "ever"
    assert found["days written"] == 1
    assert metadata(instance, warehouse_alerts.key)["days loaded"] == 1
    assert in_the_warehouse(episode) == [("resolved", "critical", 60.0, False)]
    export_alerts(instance)
    assert metadata(instance, alert_history.key)["days written"] == 0
    assert metadata(instance, warehouse_alerts.key)["days loaded"] == 0


def test_a_load_that_did_not_arrive_whole_is_rolled_back_and_a_lost_one_is_made_again(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    episode = write(f"device-{uuid.uuid4().hex[:8]}", datetime.now(UTC) - timedelta(days=9))
    export_alerts(instance)
    with WarehouseResource().episodes_loader() as loader:
        run(loader.connection, "DELETE FROM lake.alert_loads")
        loader.connection.commit()
        (first, *rest) = loader.unloaded()
        monkeypatch.setattr(statements, "count_episodes", lambda _day: "SELECT 0, 0")
        with pytest.raises(EpisodesMismatchError, match=f"{first}: the lake noted"):
            loader.load([first])
        monkeypatch.undo()
        assert loader.unloaded() == [first, *rest]
        assert in_the_warehouse(episode), "what was loaded before stands"
        assert list(loader.load()) == [first, *rest]
        assert loader.load() == {}


@pytest.fixture
def edge(platform: Platform) -> EdgeResource:
    return EdgeResource()


def looked(name: str, edge: Any, now: datetime) -> dg.AssetCheckResult:
    look: Look = BY_NAME[name]
    return look.evaluate(edge, now)


def test_a_notification_that_nobody_sends_is_told_unless_planned_work_holds_it_back(
    edge: EdgeResource, alerts: AlertsTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    pending: list[dict[str, Any]] = []
    # The deployed function sends what waits: what it is about is what the index holds.
    monkeypatch.setattr(AlertsTable, "pending", lambda _: iter(pending))
    now = datetime.now(UTC)
    assert looked("people_are_told", edge, now).passed
    site = f"site-{uuid.uuid4().hex[:8]}"
    pending.append({"tenant": "acme", "site": site, "pending_at": (now - 6 * MINUTE).isoformat()})
    found = looked("people_are_told", edge, now)
    assert (found.passed, found.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "people were not told of 1 alerts" in str(found.description)
    assert found.metadata["oldest waits (s)"].value == 360.0
    assert "operations.md#the-edge-is-not-well" in str(found.metadata["runbook"].value)
    until = milliseconds(now + MINUTE)
    alerts.add_silence(silence({"site": site}, milliseconds(now - MINUTE), until, "ada", "new gateway"))
    held = looked("people_are_told", edge, now)
    assert held.passed
    assert held.metadata["held back by planned work"].value == 1


def test_dead_letters_are_counted_by_source(edge: EdgeResource) -> None:
    sqs, url = boto3.client("sqs"), settings.edge().alert_dead_letters_url
    before = looked("nothing_was_given_up", edge, datetime.now(UTC)).metadata["dead letters"].value
    sqs.send_message(QueueUrl=url, MessageBody="{}")
    found = looked("nothing_was_given_up", edge, datetime.now(UTC))
    assert not found.passed
    assert found.metadata["dead letters"].value == int(str(before)) + 1
    assert "of `notification`" in str(found.description)
    sqs.purge_queue(QueueUrl=url)


def test_a_handler_that_lags_is_told(edge: EdgeResource) -> None:
    class Lagging:
        def lag(self, _now: datetime) -> timedelta:
            return 2 * MINUTE

    assert looked("handler_keeps_up", edge, datetime.now(UTC)).metadata["lag (s)"].value is not None
    found = looked("handler_keeps_up", Lagging(), datetime.now(UTC))
    assert not found.passed
    assert "120 s behind the stream" in str(found.description)


def test_the_sweeps_last_run_is_read_from_lambdas_metrics(edge: EdgeResource) -> None:
    cloudwatch, now = boto3.client("cloudwatch"), datetime.now(UTC)
    ahead = now + timedelta(days=1)
    assert looked("sweep_runs", edge, ahead).description == "the sweep has not run for hours: no silence is found"

    def record(metric: str, at: datetime) -> None:
        dimensions: Any = [{"Name": "FunctionName", "Value": settings.edge().sweep_function}]
        data: Any = {"MetricName": metric, "Dimensions": dimensions, "Timestamp": at, "Value": 1.0, "Unit": "Count"}
        cloudwatch.put_metric_data(Namespace="AWS/Lambda", MetricData=[data])

    record("Invocations", ahead - 20 * MINUTE)
    for metric in ("Invocations", "Errors"):
        record(metric, ahead - MINUTE)
    found = looked("sweep_runs", edge, ahead)
    assert not found.passed, "a run that failed is none"
    assert "the sweep last ran at" in str(found.description)
    record("Invocations", ahead - 3 * MINUTE)
    assert looked("sweep_runs", edge, ahead).passed


def test_the_sensor_reports_what_has_changed(edge: EdgeResource, instance: dg.DagsterInstance) -> None:
    first = edge_health(dg.build_sensor_context(instance=instance), edge=edge)
    assert isinstance(first, dg.SensorResult)

    def reported() -> int:
        records = instance.get_event_records(
            dg.EventRecordsFilter(dg.DagsterEventType.ASSET_CHECK_EVALUATION), limit=50
        )
        return len(records)

    assert reported() == len(LOOKS)
    again = edge_health(dg.build_sensor_context(instance=instance, cursor=first.cursor), edge=edge)
    assert isinstance(again, dg.SensorResult)
    assert reported() == len(LOOKS)
    changed = {name: (not passed, at) for name, (passed, at) in json.loads(str(again.cursor)).items()}
    edge_health(dg.build_sensor_context(instance=instance, cursor=json.dumps(changed)), edge=edge)
    assert reported() == 2 * len(LOOKS)
