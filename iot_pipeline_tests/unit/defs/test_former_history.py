"""After an upgrade from a release whose assets had other names, Dagster builds nothing again."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from iot_pipeline.defs.automation_conditions import following
from iot_pipeline.defs.judged.assets import TOUCHED, judge, judged_telemetry, ledger, quarantined_telemetry
from iot_pipeline.defs.ops.former_history import adopt_former_history
from iot_pipeline.defs.raw.assets import raw_telemetry
from iot_pipeline.lake.hours import Hour
from iot_pipeline.partitions import hours, partition_key
from iot_pipeline.resources import RESOURCES

FORMER = dg.AssetKey("raw_profile")
NOW = datetime(2026, 11, 5, 12, 1, 5, tzinfo=UTC)
HOURS = [Hour.of(NOW) + -n for n in range(48)]
KEYS = {partition_key(hour) for hour in HOURS}

DEFINITIONS = dg.Definitions(assets=[raw_telemetry, judge, quarantined_telemetry], resources=RESOURCES)


@dg.asset(
    key="quarantined_telemetry",
    partitions_def=hours,
    deps=[dg.AssetSpec("raw_profile", partitions_def=hours)],
    automation_condition=following(),
)
def former_quarantine() -> None:
    """The quarantine as it was, whose automation the daemon goes on from."""


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """An instance on which the release before has built two days."""
    with dg.DagsterInstance.ephemeral() as ephemeral:
        for key in sorted(KEYS):
            for asset in (raw_telemetry.key, FORMER, quarantined_telemetry.key):
                metadata = {TOUCHED: dg.MetadataValue.json([[key, key]])} if asset == FORMER else {}
                ephemeral.report_runless_asset_event(dg.AssetMaterialization(asset, partition=key, metadata=metadata))
        yield ephemeral


class Automation:
    """The automation sensor, a minute from tick to tick."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.instance = instance
        self.now = NOW
        self.cursor: Any = None

    def requested(self, definitions: dg.Definitions, ticks: int = 7) -> set[tuple[str, str]]:
        """Assets and partitions that some ticks ask for; more of them than a debounced build waits."""
        found: set[tuple[str, str]] = set()
        for _ in range(ticks):
            self.now += timedelta(minutes=1)
            result = dg.evaluate_automation_conditions(
                definitions, self.instance, evaluation_time=self.now, cursor=self.cursor
            )
            self.cursor = result.cursor
            for key in (judged_telemetry.key, ledger.key, quarantined_telemetry.key):
                found |= {(key.path[-1], str(partition)) for partition in result.get_requested_partitions(key)}
        return found


def adopt(instance: dg.DagsterInstance) -> int:
    """Run the job; how many materializations it reported."""
    result = adopt_former_history.execute_in_process(instance=instance)
    assert result.success
    return len([event for event in result.all_events if event.is_step_materialization])


def test_what_was_built_counts_as_built_and_a_second_run_changes_nothing(instance: dg.DagsterInstance) -> None:
    assert adopt(instance) == 2 * len(KEYS)
    assert instance.get_materialized_partitions(judged_telemetry.key) == KEYS
    assert instance.get_materialized_partitions(ledger.key) == KEYS
    event = instance.get_latest_materialization_event(ledger.key)
    assert event
    assert event.asset_materialization
    assert set(event.asset_materialization.metadata) == {"adopted from"}, "touched hours are not looked at again"
    assert adopt(instance) == 0


def test_what_the_new_release_has_built_already_is_not_reported_over(instance: dg.DagsterInstance) -> None:
    for key in (judged_telemetry.key, ledger.key):
        instance.report_runless_asset_event(dg.AssetMaterialization(key, partition=partition_key(HOURS[0])))
    assert adopt(instance) == 2 * (len(KEYS) - 1)


@pytest.mark.parametrize("goes_on", [True, False], ids=["the daemon goes on", "the daemon is new"])
def test_nothing_is_built_again_and_what_comes_then_is(instance: dg.DagsterInstance, goes_on: bool) -> None:
    automation = Automation(instance)
    if goes_on:
        automation.requested(dg.Definitions(assets=[former_quarantine]), ticks=2)
    adopt(instance)
    assert automation.requested(DEFINITIONS) == set()

    partition = partition_key(HOURS[3])
    instance.report_runless_asset_event(dg.AssetMaterialization(raw_telemetry.key, partition=partition))
    assert automation.requested(DEFINITIONS) == {
        (name, partition) for name in ("judged_telemetry", "ledger", "quarantined_telemetry")
    }
