"""Runs of Glue's own workflow: loaded where there is one, each run shown once, and only what ended well as built."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import dagster as dg
import pytest
from botocore.stub import Stubber

from iot_pipeline.definitions import defs
from iot_pipeline.defs.glue_workflow import workflow_runs as runs
from iot_pipeline.resources import Workflows
from iot_pipeline.settings import policy

NAME = "telemetry-build"
BEGAN = datetime(2026, 11, 30, 2, tzinfo=UTC)
_LISTING = """
import json
from iot_pipeline.definitions import defs
print(json.dumps([
    [sensor.name for sensor in defs.get_repository_def().sensor_defs if "glue" in sensor.name],
    [str(spec.key) for spec in defs.resolve_all_asset_specs() if "glue" in str(spec.key)],
]))
"""


def run(number: int, status: str = "COMPLETED", **statistics: int) -> dict[str, Any]:
    """A run that began in an hour of its own and took half of it."""
    began = BEGAN + timedelta(hours=number)
    told = {"WorkflowRunId": f"wr_{number}", "Status": status, "StartedOn": began, "Statistics": statistics}
    return told if status == "RUNNING" else {**told, "CompletedOn": began + timedelta(minutes=30)}


@pytest.fixture
def glue(monkeypatch: pytest.MonkeyPatch) -> Stubber:
    """Glue's API, which answers what a test says, and a policy with a workflow."""
    client = boto3.client("glue", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
    monkeypatch.setattr(boto3, "client", lambda _service: client)
    where = policy().model_copy(update={"glue_workflow": NAME})
    monkeypatch.setattr(runs, "policy", lambda: where)
    stubber = Stubber(client)
    stubber.activate()
    return stubber


def look(glue: Stubber, cursor: str | None, *found: dict[str, Any]) -> dg.SkipReason | dg.SensorResult:
    glue.add_response("get_workflow_runs", {"Runs": list(found)}, {"Name": NAME, "MaxResults": 25})
    result = runs.glue_workflow_runs(dg.build_sensor_context(cursor=cursor), workflows=Workflows())
    assert isinstance(result, dg.SkipReason | dg.SensorResult)
    return result


def test_by_default_nothing_of_it_is_loaded() -> None:
    assert runs.built_by_glue.key not in {spec.key for spec in defs.resolve_all_asset_specs()}


def test_where_there_is_a_workflow_all_of_it_is_loaded() -> None:
    command = [sys.executable, "-W", "ignore", "-c", _LISTING]
    done = subprocess.run(command, env={**os.environ, "IOT_GLUE_WORKFLOW": NAME}, capture_output=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1]) == [["glue_workflow_runs"], [str(runs.built_by_glue.key)]]


def test_each_run_that_has_ended_is_shown_once_and_in_order(glue: Stubber) -> None:
    first = look(glue, None, run(2, "RUNNING"), run(1), run(0))
    assert isinstance(first, dg.SensorResult)
    assert [event.metadata["workflow run"].value for event in first.asset_events] == ["wr_0", "wr_1"]
    assert isinstance(look(glue, first.cursor, run(2, "RUNNING"), run(1), run(0)), dg.SkipReason)
    then = look(glue, first.cursor, run(2), run(1), run(0))
    assert isinstance(then, dg.SensorResult)
    assert [event.metadata["workflow run"].value for event in then.asset_events] == ["wr_2"]


def test_after_a_long_pause_older_pages_are_asked_for_until_one_has_nothing_new(glue: Stubber) -> None:
    asked = {"Name": NAME, "MaxResults": 25}
    pages = [[run(5), run(4)], [run(3), run(2)], [run(1)]]
    for number, page in enumerate(pages):
        more = {"NextToken": f"page {number}"} if number else {}
        glue.add_response("get_workflow_runs", {"Runs": page, "NextToken": f"page {number + 1}"}, {**asked, **more})
    cursor = repr(run(1)["CompletedOn"].timestamp())
    result = runs.glue_workflow_runs(dg.build_sensor_context(cursor=cursor), workflows=Workflows())
    assert isinstance(result, dg.SensorResult)
    assert [event.metadata["workflow run"].value for event in result.asset_events] == ["wr_2", "wr_3", "wr_4", "wr_5"]
    glue.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("told", "built"),
    [
        (run(0, TotalActions=3, SucceededActions=3), True),
        (run(0, TotalActions=2, FailedActions=1), False),
        (run(0, TotalActions=2, TimeoutActions=1), False),
        (run(0, "STOPPED", TotalActions=1), False),
        (run(0, "ERROR"), False),
    ],
)
def test_only_a_run_whose_actions_all_succeeded_has_built(told: dict[str, Any], *, built: bool) -> None:
    assert isinstance(runs.event(told), dg.AssetMaterialization) == built


def test_without_a_workflow_it_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    where = policy().model_copy(update={"glue_workflow": None})
    monkeypatch.setattr(runs, "policy", lambda: where)
    with pytest.raises(ValueError, match="IOT_GLUE_WORKFLOW is unset"):
        runs.glue_workflow_runs(dg.build_sensor_context(), workflows=Workflows())
