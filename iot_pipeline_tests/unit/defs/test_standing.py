"""What of a backfill Dagster has no event of, whoever was killed when."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from iot_pipeline.defs.judged.assets import ledger
from iot_pipeline.defs.spark_backfill import standing
from iot_pipeline.lake.catalog import Partition
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.notes import BuildNotes
from iot_pipeline.partitions import partition_key

HOUR = Hour(datetime(2026, 3, 1, 12, tzinfo=UTC))


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test() as opened:
        yield opened


def report(instance: dg.DagsterInstance, *hours: Hour) -> None:
    for hour in hours:
        instance.report_runless_asset_event(dg.AssetMaterialization(ledger.key, partition=partition_key(hour)))


def built(*hours: Hour, seconds_ago: float) -> dict[Hour, Partition]:
    notes = BuildNotes(datetime.now(UTC) - timedelta(seconds=seconds_ago))
    return {hour: Partition(hour, f"s3://lake/{hour}", notes) for hour in hours}


def test_what_was_built_since_its_last_event_is_named(instance: dg.DagsterInstance) -> None:
    report(instance, HOUR, HOUR + 1)
    partitions = built(HOUR, HOUR + 3, seconds_ago=20) | built(HOUR + 1, HOUR + 2, seconds_ago=-20)
    assert standing.unreported(instance, ledger.key, partitions) == [HOUR + 1, HOUR + 2, HOUR + 3]


def test_what_no_build_noted_is_not_named(instance: dg.DagsterInstance) -> None:
    assert standing.unreported(instance, ledger.key, {HOUR: Partition(HOUR, "s3://lake/old/")}) == []


def test_events_of_more_than_one_page_are_read(instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standing, "EVENTS_PER_TICK", 2)
    hours = [HOUR + n for n in range(5)]
    report(instance, *hours, *hours)
    assert standing.unreported(instance, ledger.key, built(*hours, seconds_ago=20)) == []
    assert standing.unreported(instance, ledger.key, built(*hours, seconds_ago=-20)) == hours


def test_an_event_of_another_asset_is_none_of_this(instance: dg.DagsterInstance) -> None:
    other = dg.AssetMaterialization("another", partition=partition_key(HOUR))
    instance.report_runless_asset_event(other)
    assert standing.unreported(instance, ledger.key, built(HOUR, seconds_ago=20)) == [HOUR]
