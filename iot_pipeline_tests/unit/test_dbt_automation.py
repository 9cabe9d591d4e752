"""When the models build themselves: once for what was loaded since, with the reports, and not again without news."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from graphlib import TopologicalSorter
from typing import Any

import dagster as dg
import pytest
import time_machine

from iot_pipeline.defs.models.assets import warehouse_models
from iot_pipeline.defs.models.reports import reports
from iot_pipeline.partitions import hours

# The true specs with nothing to do: what is tested is what they ask for.
_SPECS = [*warehouse_models.specs, *(spec for report in reports for spec in report.specs)]
_MODELS = {spec.key for spec in warehouse_models.specs}
_REPORTS = {report.key for report in reports}
_ORDER = [
    key
    for key in TopologicalSorter({spec.key: [dep.asset_key for dep in spec.deps] for spec in _SPECS}).static_order()
    if key in _MODELS | _REPORTS
]
_READINGS = dg.AssetKey("warehouse_readings")


@dg.multi_asset(specs=[spec.replace_attributes(skippable=False) for spec in _SPECS])
def built() -> Iterator[dg.MaterializeResult[None]]:
    for key in _ORDER:
        yield dg.MaterializeResult(asset_key=key)


DEFINITIONS = dg.Definitions(
    assets=[built, dg.AssetSpec(_READINGS, partitions_def=hours), dg.AssetSpec("registry_snapshot")]
)


class Sensor:
    """The automation sensor's ticks, on an instance of its own."""

    def __init__(self) -> None:
        self.instance = dg.DagsterInstance.ephemeral()
        self.now = datetime(2026, 11, 5, 12, 1, tzinfo=UTC)
        self._cursor: Any = None

    def tick(self, minutes: float) -> set[dg.AssetKey]:
        """The assets asked for at the next tick."""
        self.now += timedelta(minutes=minutes)
        with time_machine.travel(self.now, tick=False):
            result = dg.evaluate_automation_conditions(DEFINITIONS, self.instance, cursor=self._cursor)
        self._cursor = result.cursor
        return {key for key in _MODELS | _REPORTS if result.get_num_requested(key)}

    def load(self, *, registry: bool = False) -> None:
        """An hour is loaded, or a snapshot of the registry."""
        event = dg.AssetMaterialization(_READINGS, partition="2026-11-05-11:00")
        if registry:
            event = dg.AssetMaterialization("registry_snapshot")
        with time_machine.travel(self.now, tick=False):
            self.instance.report_runless_asset_event(event)

    def build(self) -> None:
        """The run that was asked for."""
        with time_machine.travel(self.now, tick=False):
            assert dg.materialize([built], instance=self.instance).success


@pytest.fixture
def sensor() -> Sensor:
    started = Sensor()
    started.tick(1)
    return started


def test_all_models_and_reports_are_one_request_after_loads_and_at_the_next_five_minutes(sensor: Sensor) -> None:
    sensor.load()
    assert sensor.tick(0.5) == set(), "not before the clock's next five minutes"
    sensor.load()
    assert sensor.tick(5) == _MODELS | _REPORTS


def test_what_was_built_asks_for_nothing_more(sensor: Sensor) -> None:
    sensor.load()
    assert sensor.tick(5)
    sensor.build()
    assert [sensor.tick(5) for _ in range(3)] == [set(), set(), set()]
    sensor.load()
    assert sensor.tick(5) == _MODELS | _REPORTS


def test_a_snapshot_of_the_registry_asks_for_all_too(sensor: Sensor) -> None:
    sensor.load(registry=True)
    assert sensor.tick(5) == _MODELS | _REPORTS


def test_without_loads_nothing_is_asked_for(sensor: Sensor) -> None:
    assert [sensor.tick(5) for _ in range(3)] == [set(), set(), set()]
