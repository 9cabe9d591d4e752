"""When the models build themselves: once for what was loaded since, with tests and reports, and not without news."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from iot_pipeline.definitions import defs
from iot_pipeline.defs.models.assets import warehouse_models
from iot_pipeline.defs.models.docs import dbt_docs
from iot_pipeline.defs.models.reports import reports
from iot_pipeline.defs.models.sensors import build_models, stale_models
from iot_pipeline.resources import RESOURCES

HOUR = dg.AssetMaterialization("warehouse_readings", partition="2026-11-05-11:00")
SNAPSHOT = dg.AssetMaterialization("registry_snapshot")
ALERTS = dg.AssetMaterialization("warehouse_alerts")


class Sensor:
    """The sensor's ticks, on an instance of its own."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.instance = instance
        self._cursor: str | None = None

    def asks(self) -> bool:
        """Whether the next tick asks for a run."""
        result = stale_models(dg.build_sensor_context(instance=self.instance, cursor=self._cursor))
        if not isinstance(result, dg.SensorResult):
            return False
        self._cursor = result.cursor
        return bool(result.run_requests)


@pytest.fixture
def sensor() -> Iterator[Sensor]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield Sensor(instance)


def test_without_loads_nothing_is_asked_for(sensor: Sensor) -> None:
    assert not sensor.asks()


@pytest.mark.parametrize("news", [HOUR, SNAPSHOT, ALERTS], ids=["hour", "registry", "alerts"])
def test_news_is_asked_for_once(sensor: Sensor, news: dg.AssetMaterialization) -> None:
    sensor.instance.report_runless_asset_event(news)
    sensor.instance.report_runless_asset_event(news)
    assert [sensor.asks(), sensor.asks()] == [True, False]
    sensor.instance.report_runless_asset_event(news)
    assert [sensor.asks(), sensor.asks()] == [True, False]


def test_news_during_a_run_waits_for_its_end_and_is_not_forgotten(sensor: Sensor) -> None:
    sensor.instance.report_runless_asset_event(HOUR)
    assert sensor.asks()
    run = sensor.instance.create_run_for_job(defs.resolve_job_def(build_models.name))
    sensor.instance.report_runless_asset_event(HOUR)
    assert not sensor.asks()
    sensor.instance.report_run_canceled(run)
    assert sensor.asks()


def test_the_documentation_is_written_once_there_are_facts_and_then_daily() -> None:
    facts = dg.AssetSpec("fact_hours")
    definitions = dg.Definitions(assets=[dbt_docs, facts], resources=RESOURCES)
    start = datetime(2026, 11, 5, 4, 21, 5, tzinfo=UTC)
    asked: list[int] = []
    with dg.DagsterInstance.ephemeral() as instance:
        cursor = None
        for minute in range(20):
            now = start + timedelta(minutes=minute)
            if minute in {5, 12}:  # 04:26 and, after the tick of 04:30, 04:33
                instance.report_runless_asset_event(dg.AssetMaterialization(facts.key))
            result = dg.evaluate_automation_conditions(definitions, instance, evaluation_time=now, cursor=cursor)
            cursor = result.cursor
            if any(r.key == dbt_docs.key and r.true_subset.size for r in result.results):
                asked.append(now.minute)
                instance.report_runless_asset_event(dg.AssetMaterialization(dbt_docs.key))
    assert asked == [26, 33]


def test_the_run_has_all_models_all_their_tests_and_the_reports() -> None:
    layer = defs.resolve_job_def(build_models.name).asset_layer
    assert layer.executable_asset_keys == {*warehouse_models.keys, *(report.key for report in reports)}
    tests = {key for key in defs.resolve_asset_graph().asset_check_keys if key.asset_key in warehouse_models.keys}
    assert len(tests) == 62
    assert set(layer.asset_graph.asset_check_keys) >= tests
