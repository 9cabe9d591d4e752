"""What the automation conditions ask for when a run fails: it is asked for again, once an hour, until it is built."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from iot_pipeline.defs.automation_conditions import debounced, following
from iot_pipeline.lake.hours import Hour
from iot_pipeline.partitions import hours, partition_key

MINUTE = timedelta(minutes=1)
START = datetime(2026, 11, 5, 12, 0, 5, tzinfo=UTC)
CLOSED = partition_key(Hour.of(START) + -1)
_SERVICE = {"is_down": True}


@dg.asset(partitions_def=hours)
def arrived() -> None:
    """Never run here."""


def _build() -> None:
    if _SERVICE["is_down"]:
        raise ConnectionError("athena does not answer")


@dg.asset(partitions_def=hours, deps=[arrived], automation_condition=debounced())
def judged() -> None:
    _build()


@dg.asset(partitions_def=hours, deps=[arrived], automation_condition=following())
def quarantined() -> None:
    _build()


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


@pytest.mark.parametrize(("asset", "at_first"), [(judged, [5]), (quarantined, [2, 5])])
def test_an_hour_that_has_closed_is_asked_for_until_it_is_built(
    instance: dg.DagsterInstance, asset: dg.AssetsDefinition, at_first: list[int]
) -> None:
    """Its input changes once, and whatever builds it is down for two hours and a half."""
    _SERVICE["is_down"] = True
    definitions = dg.Definitions(assets=[arrived, asset])
    cursor, requested = None, []
    for minute in range(1, 250):
        now = START + minute * MINUTE
        if minute == 2:
            instance.report_runless_asset_event(dg.AssetMaterialization(arrived.key, partition=CLOSED))
        _SERVICE["is_down"] = minute < 150
        result = dg.evaluate_automation_conditions(definitions, instance, evaluation_time=now, cursor=cursor)
        cursor = result.cursor
        if result.get_requested_partitions(asset.key) == {CLOSED}:
            requested.append(minute)
            dg.materialize(
                [arrived, asset],
                selection=[asset],
                partition_key=CLOSED,
                instance=instance,
                raise_on_error=False,
            )
    assert requested == [*at_first, 65, 125, 185]
    assert CLOSED in instance.get_materialized_partitions(asset.key)
