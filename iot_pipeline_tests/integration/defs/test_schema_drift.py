"""The check on schema drift, on the lake."""

from datetime import datetime, timedelta

import dagster as dg
import pytest

from iot_pipeline.definitions import defs
from iot_pipeline.defs.ops import schema_drift
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.lake import Lake
from iot_pipeline_tests.support.messages import RawZone, line, message, reading


def _check(instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, now: datetime) -> dg.AssetCheckEvaluation:
    monkeypatch.setattr(schema_drift, "_now", lambda: now)
    job = defs.resolve_job_def(schema_drift.look_for_drift.name)
    (check,) = job.execute_in_process(instance=instance, raise_on_error=False).get_asset_check_evaluations()
    return check


def test_a_new_field_and_one_that_vanishes_are_found(
    lake: Lake, raw: RawZone, dagster_hour: Hour, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema_drift, "LOOKED_AT_HOURS", 1)
    hours = [dagster_hour, dagster_hour + 1]
    whole = [reading(hours[0].start, n, temperature=20.5, humidity=40.0) for n in range(120)]
    raw.put(hours[0], [line(message(*whole, fw="7.0"), hours[0].start)])
    fewer = [reading(hours[1].start, n, temperature=20.5, moisture2=0.3) for n in range(120)]
    raw.put(hours[1], [line(message(*fewer, fw="7.0"), hours[1].start)])
    lake.judge(hours)
    with dg.DagsterInstance.ephemeral() as instance:
        first, second = (_check(instance, monkeypatch, hour.start + timedelta(minutes=50)) for hour in hours)
    assert "7.0" not in str(first.description)
    assert not second.passed
    assert second.severity is dg.AssetCheckSeverity.WARN
    table = str(second.metadata["drift"].value)
    assert "| new field | 7.0 | moisture2 | 120 | 1 |" in table
    assert "| vanished field | 7.0 | humidity | 120 | 1 |" in table
