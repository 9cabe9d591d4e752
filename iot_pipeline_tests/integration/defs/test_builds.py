"""The assets, sensors and alerts in Dagster, through the real Athena API, Glue, S3, SQS and SNS."""

import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import dagster as dg
import pytest

from infra.local.session.dagster_runs import (
    curate_hours,
    curate_stale_hours,
    judge_arrivals,
    record_arrivals,
)
from infra.local.session.platform import Platform
from iot_pipeline.definitions import defs
from iot_pipeline.defs.curated.assets import build_event_hours, curated_telemetry, rebuild_event_hours
from iot_pipeline.defs.curated.schedules import sweep_stale_hours
from iot_pipeline.defs.curated.sensors import stale_event_hours
from iot_pipeline.defs.judged.assets import ledger, quarantined_telemetry
from iot_pipeline.defs.raw.assets import raw_telemetry
from iot_pipeline.defs.scattered_hours import in_turn, requested_hours
from iot_pipeline.lake.curating import LedgerImbalanceError
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.lake import Lake
from iot_pipeline.lake.notes import Counts
from iot_pipeline.partitions import hours_of, partition_key
from iot_pipeline.resources import LakeResource
from iot_pipeline_tests.support.messages import RawZone, curated, line, message, reading

MINUTE = timedelta(minutes=1)


@pytest.fixture
def instance(platform: Platform) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


@pytest.fixture
def persistent(platform: Platform) -> Iterator[dg.DagsterInstance]:
    """An instance on disk, since the contexts of schedules refuse any other."""
    with dg.instance_for_test() as opened:
        yield opened


def metadata(instance: dg.DagsterInstance, asset: dg.AssetKey) -> dict[str, Any]:
    event = instance.get_latest_materialization_event(asset)
    assert event
    assert event.asset_materialization
    return {name: value.value for name, value in event.asset_materialization.metadata.items()}


def test_from_arrival_to_curated_and_late_data_after_it(
    instance: dg.DagsterInstance, lake: Lake, raw: RawZone, dagster_hour: Hour
) -> None:
    old = dagster_hour + -24 * 21
    for hour in (dagster_hour, old):
        readings = [reading(hour.start - n * 20 * MINUTE, n) for n in range(6)]
        raw.put(hour, [line(message(*readings, readings[0], 7), hour.start)])
    while not {dagster_hour, old} <= set(record_arrivals(instance)):
        time.sleep(0.05)
    judge_arrivals(instance, [dagster_hour, old])
    assert metadata(instance, ledger.key)["valid"] == 7
    assert metadata(instance, quarantined_telemetry.key)["records"] == 1
    built, cursor = curate_stale_hours(instance)
    assert built == [old + -2, old + -1, old, dagster_hour + -2, dagster_hour + -1, dagster_hour]
    assert hours_of(instance.get_materialized_partitions(curated_telemetry.key)) == built
    event = instance.get_latest_data_version_record(curated_telemetry.key, partition_key=partition_key(old))
    assert event
    assert event.asset_materialization
    assert {name: value.value for name, value in event.asset_materialization.metadata.items()} == {
        "dagster/partition_row_count": 1,
        "valid readings": 2,
        "duplicates": 1,
        "conflicts": 0,
    }

    served = lake.catalog.partitions("curated_telemetry", built)
    raw.put(dagster_hour + 1, [line(message(reading(old.start, 99)), (dagster_hour + 1).start)])
    judge_arrivals(instance, [dagster_hour + 1])
    result = stale_event_hours(dg.build_sensor_context(instance=instance, cursor=cursor), lake=LakeResource())
    assert isinstance(result, dg.SensorResult)
    (request,) = result.run_requests or []
    assert requested_hours(request) == [old]
    assert curate_stale_hours(instance, cursor)[0] == [old]
    after = lake.catalog.partitions("curated_telemetry", built)
    assert [hour for hour in built if after[hour] != served[hour]] == [old]
    assert [row["seq"] for row in curated(lake, [old])] == [0, 99]


def test_the_sweep_asks_for_hours_whose_rebuild_never_happened(
    persistent: dg.DagsterInstance, lake: Lake, raw: RawZone, dagster_hour: Hour
) -> None:
    raw.put(dagster_hour, [line(message(reading(dagster_hour.start, 1)), dagster_hour.start)])
    judge_arrivals(persistent, [dagster_hour])

    def swept() -> list[Hour]:
        at, resources = dagster_hour.start + 40 * MINUTE, {"lake": LakeResource()}
        with dg.build_schedule_context(persistent, scheduled_execution_time=at, resources=resources) as context:
            result = sweep_stale_hours(context)
        return requested_hours(result) if isinstance(result, dg.RunRequest) else []

    assert dagster_hour in swept()
    curate_hours(persistent, [dagster_hour])
    assert dagster_hour not in swept()


def test_a_late_reading_whose_news_were_lost_is_found_when_its_arrival_hour_has_its_turn(
    persistent: dg.DagsterInstance, lake: Lake, raw: RawZone, dagster_hour: Hour
) -> None:
    """Its ledger is published and nobody hears of it, as when the run is killed before it reports."""
    late, event = dagster_hour, dagster_hour + -24 * 25
    raw.put(late, [line(message(reading(event.start, 1)), late.start)])
    lake.judge([late])
    now = late + 24 * 4
    turns = [now + n for n in range(64) if late in in_turn(now + (n - 24 * 30), now + n)]
    assert turns, "within 64 sweeps each hour of 30 days has its turn"
    with dg.build_schedule_context(
        persistent, scheduled_execution_time=turns[0].start + 40 * MINUTE, resources={"lake": LakeResource()}
    ) as context:
        result = sweep_stale_hours(context)
    assert isinstance(result, dg.RunRequest)
    assert event in requested_hours(result)


def test_the_sweep_asks_at_once_for_what_a_failed_run_left(
    persistent: dg.DagsterInstance, lake: Lake, raw: RawZone, dagster_hour: Hour
) -> None:
    hour = dagster_hour
    raw.put(hour, [line(message(reading(hour.start, 1)), hour.start)])
    lake.judge([hour])

    def swept() -> list[Hour]:
        at, resources = datetime.now(UTC), {"lake": LakeResource()}
        with dg.build_schedule_context(persistent, scheduled_execution_time=at, resources=resources) as context:
            result = sweep_stale_hours(context)
        return requested_hours(result) if isinstance(result, dg.RunRequest) else []

    assert hour not in swept(), "months later it is not one of those that have their turn"
    config = {"ops": {build_event_hours.name: {"config": {"hours": [partition_key(hour)]}}}}
    run = persistent.create_run_for_job(rebuild_event_hours, run_config=config)
    persistent.report_run_failed(run)
    assert hour in swept()
    lake.curate([hour])
    assert hour not in swept(), "it was built by another run since"


def test_a_backfill_of_a_range_is_one_run(
    instance: dg.DagsterInstance, lake: Lake, raw: RawZone, dagster_hour: Hour
) -> None:
    hours = [dagster_hour + -n for n in range(12)]
    raw.put(dagster_hour, [line(message(*(reading(hour.start, 1) for hour in hours)), dagster_hour.start)])
    judge_arrivals(instance, [dagster_hour])
    before = instance.get_runs_count()
    curate_hours(instance, hours)
    assert instance.get_runs_count() == before + 1
    assert len(instance.get_materialized_partitions(curated_telemetry.key)) == 12
    found = metadata(instance, curated_telemetry.key)
    assert found["rows"] == 12
    assert found["query cost (USD)"] > 0
    assert found["bytes scanned"] > 0
    assert "<= 1 min" in found["lateness"]
    assert len(found["preview"].records) == 1


def test_a_failed_build_fails_its_run_and_leaves_the_last_partition(
    instance: dg.DagsterInstance, lake: Lake, raw: RawZone, dagster_hour: Hour
) -> None:
    raw.put(dagster_hour, [line(message(reading(dagster_hour.start, 1)), dagster_hour.start)])
    judge_arrivals(instance, [dagster_hour])
    curate_hours(instance, [dagster_hour])
    judged = lake.catalog.partitions("judged_telemetry", [dagster_hour])
    raw.put(dagster_hour, [line(message(reading(dagster_hour.start, 2)), dagster_hour.start)])
    judge_arrivals(instance, [dagster_hour])
    lake.catalog.publish("judged_telemetry", list(judged.values()))  # somebody's hand: a reading is lost
    with pytest.raises(LedgerImbalanceError, match="ledger 2 valid, built 1 rows"):
        curate_hours(instance, [dagster_hour])
    assert len(instance.get_runs(filters=dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE]))) == 1
    notes = lake.catalog.partitions("curated_telemetry", [dagster_hour])[dagster_hour].notes
    assert notes
    assert notes.counts == Counts(rows=1)


def test_the_open_hour_is_built_at_most_every_five_minutes(instance: dg.DagsterInstance) -> None:
    """Raw is updated each minute, for an hour and a half; evaluated each minute, the requested runs succeed at once."""
    start = datetime(2026, 11, 5, 12, tzinfo=UTC)
    requested: dict[dg.AssetKey, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    cursor = None
    for minute in range(75):
        now = start + minute * MINUTE + timedelta(seconds=5)
        instance.report_runless_asset_event(
            dg.AssetMaterialization(raw_telemetry.key, partition=partition_key(Hour.of(now)))
        )
        result = dg.evaluate_automation_conditions(defs, instance, evaluation_time=now, cursor=cursor)
        cursor = result.cursor
        for key in (ledger.key, quarantined_telemetry.key):
            for partition in result.get_requested_partitions(key):
                assert partition
                requested[key][partition].append(minute)
                instance.report_runless_asset_event(dg.AssetMaterialization(key, partition=partition))
    first, second = partition_key(Hour.of(start)), partition_key(Hour.of(start) + 1)
    profiles = requested[ledger.key]
    assert set(profiles) == {first, second}
    for minutes in profiles.values():
        assert all(later - earlier >= 5 for earlier, later in pairwise(minutes)), minutes
    assert profiles[first][-1] >= 60, "the last objects of the closed hour are built too"
    assert len(profiles[first]) >= 10
    assert requested[quarantined_telemetry.key] == profiles, "the quarantine follows in the same run"
