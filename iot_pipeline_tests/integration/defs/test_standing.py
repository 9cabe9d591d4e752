"""What stands in the lake and Dagster has no event of is reported once, with the counts and checks of any build."""

from collections.abc import Iterator, Sequence

import dagster as dg
import pytest

from iot_pipeline.contract import tables
from iot_pipeline.defs.spark_backfill.standing import standing
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.lake import Lake
from iot_pipeline.partitions import partition_key
from iot_pipeline_tests.support.hours import fill
from iot_pipeline_tests.support.messages import RawZone, build

Z = tables()
ZONES = (Z.judged_telemetry.name, Z.ledger.name, Z.quarantined_telemetry.name, Z.curated_telemetry.name)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test() as opened:
        yield opened


def test_what_nobody_reported_is_found_and_then_not_again(
    instance: dg.DagsterInstance, lake: Lake, raw: RawZone, dagster_hour: Hour
) -> None:
    arrivals = [dagster_hour, dagster_hour + 1]
    for hour in arrivals:
        fill(raw, hour)
    event_hours = build(lake, arrivals)
    found = standing(instance, lake, arrivals, event_hours)
    of_arrivals = {partition_key(hour) for hour in arrivals}
    of_events = {partition_key(hour) for hour in event_hours}
    assert partitions(found.materializations) == dict(
        zip(ZONES, (of_arrivals, of_arrivals, of_arrivals, of_events), strict=True)
    )
    received = sum(it.received for it in lake.arrival_balances(arrivals))
    (books,) = (it for it in found.checks if it.check_name == "received_equals_valid_plus_quarantined")
    assert books.metadata["received"].value == received > 0
    assert all(check.passed for check in found.checks)
    rows = (it.metadata.get("dagster/partition_row_count") for it in found.materializations)
    assert sum(int(str(it.value)) for it in rows if it) == sum(it.built.rows for it in lake.event_balances(event_hours))

    for materialization in found.materializations:
        instance.report_runless_asset_event(materialization)
    nothing = standing(instance, lake, arrivals, event_hours)
    assert (nothing.materializations, nothing.checks) == ([], [])

    fill(raw, arrivals[1], messages=3)
    lake.judge(arrivals[1:])
    again = partitions(standing(instance, lake, arrivals, event_hours).materializations)
    assert again == {name: {partition_key(arrivals[1])} for name in ZONES[:2]}, "quarantine and curated are as before"


def partitions(events: Sequence[dg.AssetMaterialization]) -> dict[str, set[str]]:
    """The partitions of each asset."""
    found: dict[str, set[str]] = {}
    for event in events:
        found.setdefault(event.asset_key.to_user_string(), set()).add(str(event.partition))
    return found
