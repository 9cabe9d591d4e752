"""After a change of the contract: the hours that it concerns are judged again in one run, and what follows is built."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import dagster as dg
import pytest

from infra.local.session.dagster_runs import curate_stale_hours
from infra.local.session.platform import Platform
from iot_pipeline.contract import CONTRACT
from iot_pipeline.defs.judged.assets import RECEIVED_CHECK, judged_telemetry, ledger, quarantined_telemetry
from iot_pipeline.defs.judged.scattered import judge_arrival_hours, sweep_stale_arrivals
from iot_pipeline.defs.scattered_hours import requested_hours
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.judged_by import all_rules
from iot_pipeline.lake.lake import Lake
from iot_pipeline.partitions import hours_of, partition_key
from iot_pipeline.resources import RESOURCES, LakeResource
from iot_pipeline.settings import policy
from iot_pipeline_tests.support.messages import RawZone, build, curated, line, message, reading

NARROWER = replace(
    CONTRACT, metrics=tuple(replace(m, maximum=30.0) if m.name == "temperature" else m for m in CONTRACT.metrics)
)


@pytest.fixture
def instance(platform: Platform) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


def sweep(instance: dg.DagsterInstance, after: Hour) -> dg.RunRequest | None:
    """Evaluate the sweep when it has come down to some hours after this one; the run that it asks for."""
    cursor = json.dumps({"rules": all_rules(CONTRACT), "before": partition_key(after + 12)})
    result = sweep_stale_arrivals(dg.build_sensor_context(instance=instance, cursor=cursor), lake=LakeResource())
    assert isinstance(result, dg.SensorResult)
    requests = result.run_requests or []
    assert len(requests) <= 1
    return requests[0] if requests else None


def records_in_quarantine(instance: dg.DagsterInstance, hour: Hour) -> object:
    """What the newest materialization of an hour's quarantine counts."""
    wanted = dg.AssetRecordsFilter(quarantined_telemetry.key, asset_partitions=[partition_key(hour)])
    (found,) = instance.fetch_materializations(wanted, limit=1).records
    assert found.asset_materialization
    return found.asset_materialization.metadata["records"].value


def test_hours_that_a_new_contract_concerns_are_judged_in_one_run_and_their_event_hours_follow(
    instance: dg.DagsterInstance, lake: Lake, raw: RawZone, dagster_hour: Hour
) -> None:
    cold, warm, warm_too = dagster_hour, dagster_hour + 2, dagster_hour + 7
    for hour, degrees in ((cold, 10.0), (warm, 40.0), (warm_too, 41.0)):
        readings = (reading(hour.start, 1, temperature=degrees), reading(hour.start, 2, temperature=900.0))
        raw.put(hour, [line(message(*readings), hour.start)])
    build(replace(lake, contract=NARROWER), [cold, warm, warm_too])
    assert [row["seq"] for row in curated(lake, [cold, warm, warm_too])] == [1]

    request = sweep(instance, warm_too)
    assert request
    asked = [hour for hour in requested_hours(request) if cold <= hour <= warm_too]
    # 900 degrees are out of any range, and the hour that holds them may change with any.
    assert asked == [cold, warm, warm_too]
    result = judge_arrival_hours.execute_in_process(request.run_config, instance=instance, resources=RESOURCES)
    assert result.success
    assert instance.get_runs_count() == 1
    for asset in (judged_telemetry, ledger, quarantined_telemetry):
        assert set(asked) <= set(hours_of(instance.get_materialized_partitions(asset.key)))
    assert [records_in_quarantine(instance, hour) for hour in asked] == [1, 1, 1]
    checks = [(check.check_name, check.passed) for check in result.get_asset_check_evaluations()]
    assert checks == [(RECEIVED_CHECK.name, True)]

    again = sweep(instance, warm_too)
    assert again is None or not set(asked) & set(requested_hours(again))
    built, _ = curate_stale_hours(instance)
    assert [hour for hour in built if cold <= hour <= warm_too] == [warm, warm_too], "those whose rows did change"
    assert [row["seq"] for row in curated(lake, [cold, warm, warm_too])] == [1, 1, 1]


def test_the_sweep_goes_back_to_the_first_partition_and_then_begins_anew(
    instance: dg.DagsterInstance, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[Hour]] = []

    def nothing(_: Lake, hours: list[Hour]) -> list[Hour]:
        asked.append(hours)
        return []

    monkeypatch.setattr(Lake, "stale_arrivals", nothing)
    first, now = Hour.of(policy().partitions_start), Hour.of(datetime.now(UTC))

    def step(cursor: str | None) -> tuple[str, int]:
        result = sweep_stale_arrivals(dg.build_sensor_context(instance=instance, cursor=cursor), lake=LakeResource())
        assert isinstance(result, dg.SensorResult)
        return result.cursor or "", len(asked[-1])

    def at(hour: Hour, rules: str) -> str:
        return json.dumps({"rules": rules, "before": partition_key(hour)})

    rules = all_rules(CONTRACT)
    assert step(None) == (at(now + -23, rules), 24)
    assert step(at(now + -23, rules)) == (at(now + -47, rules), 24), "it goes on"
    assert step(at(first + 30, "of another contract")) == (at(now + -23, rules), 24), "a change begins at the newest"
    assert step(at(first + 30, rules)) == (at(first + 6, rules), 24)
    assert step(at(first + 6, rules)) == (at(first, rules), 6), "the oldest hours"
    assert step(at(first, rules)) == (at(now + -23, rules), 24), "and anew"


def test_hours_that_were_judged_by_these_very_rules_are_not_asked_about(
    lake: Lake, raw: RawZone, arrival: Hour
) -> None:
    raw.put(arrival, [line(message(reading(arrival.start, 1)), arrival.start)])
    lake.judge([arrival])
    before = len(lake.athena.results)
    assert lake.stale_arrivals([arrival, arrival + 1]) == []
    assert len(lake.athena.results) == before, "the catalog alone has told"
    assert replace(lake, contract=NARROWER).stale_arrivals([arrival, arrival + 1]) == []
    assert len(lake.athena.results) == before + 1
