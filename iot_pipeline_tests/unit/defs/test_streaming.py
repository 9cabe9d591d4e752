"""The Dagster objects of the streaming job: loaded where there is one, and telling what differs."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime

import dagster as dg
import pytest

from iot_pipeline.definitions import defs
from iot_pipeline.defs.streaming.assets import streamed_telemetry
from iot_pipeline.lake.athena import Athena
from iot_pipeline.lake.hours import Hour
from iot_pipeline.resources import StreamingResource
from iot_pipeline.streaming.reconciling import HourCompared, Reconciled

HOUR = Hour(datetime(2026, 11, 5, 12, tzinfo=UTC))
_LISTING = """
import json
from iot_pipeline.definitions import defs
repository = defs.get_repository_def()
print(json.dumps([
    [job for job in repository.job_names if "stream" in job],
    [schedule.name for schedule in repository.schedule_defs if schedule.name == "hourly_reconciliation"],
    [str(key) for key in repository.asset_graph.asset_check_keys if "streamed" in str(key.asset_key)],
]))
"""


def test_by_default_nothing_of_it_is_loaded() -> None:
    assert streamed_telemetry.key not in {spec.key for spec in defs.resolve_all_asset_specs()}


def test_where_there_is_a_job_all_of_it_is_loaded() -> None:
    command = [sys.executable, "-W", "ignore", "-c", _LISTING]
    done = subprocess.run(command, env={**os.environ, "IOT_STREAMING": "true"}, capture_output=True, check=True)
    jobs, schedules, checks = json.loads(done.stdout.splitlines()[-1])
    assert (jobs, schedules, len(checks)) == (["reconcile_stream"], ["hourly_reconciliation"], 2)


class _Reconciliation:
    """Has found this."""

    def __init__(self, done: Reconciled) -> None:
        self._done = done
        self.lake = self
        self.athena = Athena("w", "d")

    def run(self, _now: datetime) -> Reconciled:
        return self._done


@pytest.mark.parametrize(
    ("hour", "unjudged", "passed"),
    [
        (HourCompared(HOUR, False, 5, 1, 0, 0, 2, 0), 0, {True}),
        (HourCompared(HOUR, False, 5, 0, 0, 0, 0, 1), 3, {False}),
    ],
)
def test_differences_fail_the_checks(
    monkeypatch: pytest.MonkeyPatch, hour: HourCompared, unjudged: int, passed: set[bool]
) -> None:
    found = _Reconciliation(Reconciled((hour,), ("a", "b"), {}, 4, unjudged))
    monkeypatch.setattr(StreamingResource, "reconciliation", lambda *_: found)
    done = dg.materialize(
        [streamed_telemetry], resources={"streaming": StreamingResource()}, instance=dg.DagsterInstance.ephemeral()
    )
    assert {each.passed for each in done.get_asset_check_evaluations()} == passed
    (made,) = done.asset_materializations_for_node("streamed_telemetry")
    assert made.metadata["micro-batches replaced"].value == 2
