"""Expected against received, told from the deployed registry and the curated hour."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import dagster as dg
import pytest

from iot_pipeline.definitions import defs
from iot_pipeline.defs import evaluations
from iot_pipeline.defs.judged.assets import ledger
from iot_pipeline.defs.ops import expected_arrival, site_arrival
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.lake import Lake
from iot_pipeline.registry import sites
from iot_pipeline.registry.devices import retire_device
from iot_pipeline.registry.registration import Request, add_device
from iot_pipeline.resources import RegistryResource
from iot_pipeline_tests.support.messages import RawZone, Sender, build, line, message, reading
from iot_pipeline_tests.support.registry import catalog


@pytest.fixture
def devices(lake: Lake, dagster_hour: Hour) -> Iterator[list[str]]:
    """Three devices of the tenant `flow`, since before the hour: two at the site b, one at c."""
    names = [f"flow-{n}" for n in range(3)]
    with RegistryResource().connect() as connection:
        sites.apply(connection, catalog("flow"))
        for name, site in zip(names, "bbc", strict=True):
            add_device(connection, Request(name, "flow", site, "flow-model"))
        connection.execute(
            "UPDATE registry.device_versions SET valid_from = %s WHERE tenant_id = 'flow'", (dagster_hour.start,)
        )
    yield names
    with RegistryResource().connect() as connection:
        for name in names:
            retire_device(connection, name)


def _check(instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, now: datetime) -> dg.AssetCheckEvaluation:
    monkeypatch.setattr(expected_arrival, "_now", lambda: now)
    job = defs.resolve_job_def(expected_arrival.look_for_missing_readings.name)
    (check,) = job.execute_in_process(instance=instance, raise_on_error=False).get_asset_check_evaluations()
    return check


def test_a_silent_model_and_site_are_told_and_old_data_freshens_nothing(
    lake: Lake, raw: RawZone, dagster_hour: Hour, devices: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    hours = [dagster_hour, dagster_hour + 1]
    sent = [reading(hours[0].start + timedelta(minutes=n), n) for n in range(60)]
    raw.put(hours[0], [line(message(*sent), hours[0].start, Sender(name, "flow", "b")) for name in devices[:2]])
    # An hour later one of them uploads more of the hour before.
    late = [reading(hours[0].start + timedelta(minutes=n, seconds=1), 1000 + n) for n in range(50)]
    raw.put(hours[1], [line(message(*late), hours[1].start, Sender(devices[0], "flow", "b"))])
    build(lake, hours)
    after = [hour.start + timedelta(minutes=85) for hour in hours]
    with dg.DagsterInstance.ephemeral() as instance:
        first, second = (_check(instance, monkeypatch, now) for now in after)
        silent = {site_arrival.SILENT: dg.MetadataValue.json(["flow/b", "flow/c"])}
        told = dg.AssetCheckResult(
            asset_key=ledger.key, check_name=site_arrival.every_site_sends.check_key.name, passed=False, metadata=silent
        )
        evaluations.record(instance, told)
        third = _check(instance, monkeypatch, after[1])
        monkeypatch.setattr(site_arrival, "_TRUSTED", timedelta())
        fourth = _check(instance, monkeypatch, after[1])
    groups = str(first.metadata["groups"].value)
    assert "| site | flow/b | as expected | 2 | 2 |" in groups
    assert "| site | flow/c | 1 |" in str(first.metadata["never heard of"].value)
    assert "site flow/b" not in str(first.description)
    assert not second.passed
    assert second.severity is dg.AssetCheckSeverity.WARN
    assert "| site | flow/b | silent | 2 | 0 |" in str(second.metadata["groups"].value)
    assert "| model | flow-model | silent | 3 | 0 |" in str(second.metadata["groups"].value)
    assert "flow-model" in str(second.metadata["received of expected by model (%)"].value)
    assert int(str(second.metadata["bytes scanned"].value)) < 100_000
    assert "| site | flow/b | silent, as every_site_sends says | 2 | 0 |" in str(third.metadata["groups"].value)
    assert "flow" not in str(third.description), "of silent sites the other check tells"
    assert fourth.description == second.description, "what it found long ago may be over"
