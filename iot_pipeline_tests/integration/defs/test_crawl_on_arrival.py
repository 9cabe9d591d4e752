"""The option by which what arrives triggers the crawlers: debounced, one at a time, off by default."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import boto3
import dagster as dg
import pytest

from infra.local.session.platform import Platform
from iot_pipeline import settings
from iot_pipeline.definitions import defs
from iot_pipeline.defs.ops import crawl_on_arrival
from iot_pipeline.defs.ops.crawl_on_arrival import arrived_objects
from iot_pipeline.defs.raw.assets import raw_telemetry
from iot_pipeline.lake.hours import Hour
from iot_pipeline.partitions import partition_key
from iot_pipeline_tests.support.messages import RawZone, line, message, reading


@pytest.fixture
def on(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("IOT_CRAWL_ON_ARRIVAL_MINUTES", "30")
    settings.forget()
    yield
    monkeypatch.undo()
    settings.forget()


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test() as opened:
        yield opened


class Ticks:
    """Ticks of the sensor, each with the cursor of the one before."""

    def __init__(self, instance: dg.DagsterInstance, patch: pytest.MonkeyPatch) -> None:
        self._instance, self._patch, self._cursor = instance, patch, ""

    def arrives(self, hour: Hour) -> None:
        """As `raw_objects` reports it."""
        event = dg.AssetMaterialization(raw_telemetry.key, partition=partition_key(hour))
        self._instance.report_runless_asset_event(event)

    def tick(self, now: datetime) -> str:
        """What it asks for: the job, or why nothing."""
        self._patch.setattr(crawl_on_arrival, "_now", lambda: now)
        result = arrived_objects(dg.build_sensor_context(self._instance, cursor=self._cursor))
        if isinstance(result, dg.SkipReason):
            return str(result.skip_message)
        assert isinstance(result, dg.SensorResult)
        self._cursor = result.cursor or ""
        return f"{len(result.run_requests or [])} run"


def test_arrivals_are_crawled_once_in_so_many_minutes_and_one_crawl_at_a_time(
    on: None,
    instance: dg.DagsterInstance,
    platform: Platform,
    raw: RawZone,
    dagster_hour: Hour,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ticks, now, minute = Ticks(instance, monkeypatch), datetime(2026, 11, 28, 12, tzinfo=UTC), timedelta(minutes=1)
    assert "nothing has arrived" in ticks.tick(now)
    raw.put(dagster_hour, [line(message(reading(dagster_hour.start, 1)), dagster_hour.start)])
    ticks.arrives(dagster_hour)
    assert ticks.tick(now) == "1 run"
    job = defs.resolve_job_def("crawl")
    assert job.execute_in_process(instance=instance).success
    crawler = boto3.client("glue").get_crawler(Name=settings.deployment().raw_crawler)["Crawler"]
    assert (crawler["State"], crawler["LastCrawl"]["Status"]) == ("READY", "SUCCEEDED")

    assert "nothing has arrived" in ticks.tick(now + 40 * minute)
    for _ in range(3):
        ticks.arrives(dagster_hour)
    assert "the next time 30 min later" in ticks.tick(now + 29 * minute)
    busy = instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
    assert "the crawlers are at work" in ticks.tick(now + 30 * minute)
    instance.delete_run(busy.run_id)
    assert ticks.tick(now + 31 * minute) == "1 run", "what came meanwhile was not lost"
    assert "nothing has arrived" in ticks.tick(now + 90 * minute)


def test_it_is_off_by_default(
    instance: dg.DagsterInstance, dagster_hour: Hour, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = Ticks(instance, monkeypatch)
    ticks.arrives(dagster_hour)
    assert (
        ticks.tick(datetime(2026, 11, 28, 12, tzinfo=UTC))
        == "IOT_CRAWL_ON_ARRIVAL_MINUTES is 0: the crawlers run daily alone"
    )
