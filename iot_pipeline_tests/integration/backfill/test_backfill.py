"""Plans of backfills, and the job that carries them out, on the lake and the warehouse."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest
from typer.testing import CliRunner

from infra.local.servers.checkout import CHECKOUT
from infra.local.session.platform import Platform
from iot_pipeline.backfill.plan import Plan, PlanError, Why, Zone
from iot_pipeline.backfill.planner import Planner
from iot_pipeline.backfill_commands import app
from iot_pipeline.connections.backfill import open_planner
from iot_pipeline.definitions import defs
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.lake import Lake
from iot_pipeline_tests.support.messages import RawZone, build, line, message, reading


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test(temp_dir=str(tmp_path)) as opened:
        yield opened


@pytest.fixture
def planner(platform: Platform) -> Planner:
    return open_planner()


def _steps(plan: Plan) -> dict[tuple[str, Hour], str]:
    return {(step.zone.value, step.hour): step.why.value for step in plan.steps}


def _run(instance: dg.DagsterInstance, plan: Plan, budget: float = 5.0) -> dg.ExecuteInProcessResult:
    config = {"ops": {"read_plan": {"config": {"plan_id": plan.id, "budget_usd": budget}}}}
    job = defs.resolve_job_def("backfill")
    return job.execute_in_process(run_config=config, instance=instance, raise_on_error=False)


def _locations(lake: Lake, hours: list[Hour]) -> dict[Hour, str]:
    return {hour: it.location for hour, it in lake.catalog.partitions("curated_telemetry", hours).items()}


def test_what_is_missing_is_planned_built_and_then_no_more(
    planner: Planner, instance: dg.DagsterInstance, lake: Lake, raw: RawZone, dagster_hour: Hour
) -> None:
    hours = [dagster_hour + n for n in range(3)]
    # The second arrival hour brings a reading of the hour before all others too.
    for hour, of in ((hours[0], hours[0]), (hours[1], hours[1]), (hours[1], hours[0] + -1)):
        raw.put(hour, [line(message(reading(of.start + timedelta(minutes=2), 1)), hour.start)])
    plan = planner.make(hours[0], hours[2])
    assert _steps(plan) == {
        ("judged", hours[0]): "missing",
        ("judged", hours[1]): "missing",
        ("curated", hours[0]): "follows",
        ("curated", hours[1]): "follows",
        ("warehouse", hours[0]): "follows",
        ("warehouse", hours[1]): "follows",
    }
    assert all(step.size > 0 for step in plan.of(Zone.JUDGED))
    result = _run(instance, plan)
    assert result.success
    assert lake.stale([hours[0] + -1, *hours]) == []
    with planner.loading() as loader:
        assert loader.unloaded([hours[0] + -1, *hours]) == []
    built = _locations(lake, [hours[0] + -1, *hours])
    assert set(built) == {hours[0] + -1, hours[0], hours[1]}, "what was touched was not in the plan, and is built too"
    partitions = instance.get_materialized_partitions(dg.AssetKey("curated_telemetry"))
    assert len(partitions) == 3

    assert planner.make(hours[0], hours[2]).steps == []
    assert _run(instance, plan).success
    assert _locations(lake, list(built)) == built, "a plan that is done does nothing"


def test_an_interrupted_plan_goes_on_where_it_ended(
    planner: Planner, instance: dg.DagsterInstance, lake: Lake, raw: RawZone, dagster_hour: Hour
) -> None:
    hours = [dagster_hour + n for n in range(4)]
    for hour in hours:
        raw.put(hour, [line(message(reading(hour.start, 1)), hour.start)])
    build(lake, hours)
    plan = planner.make(hours[0], hours[3], [Zone.JUDGED, Zone.CURATED], force=True)
    assert set(_steps(plan).values()) == {"forced"}
    before = _locations(lake, hours)
    # As if it had been killed after two of the hours, before their quarantine.
    while planner.left(plan, [step for step in plan.of(Zone.JUDGED) if step.hour in hours[:2]]):
        lake.judge(hours[:2])
    lake.curate(hours[:2])
    halfway = _locations(lake, hours)
    assert planner.left(plan, plan.of(Zone.JUDGED)) == hours[2:]
    assert lake.unquarantined(hours) == hours[:2]
    assert _run(instance, plan).success
    assert lake.unquarantined(hours) == []
    after = _locations(lake, hours)
    assert [after[hour] == halfway[hour] for hour in hours] == [True, True, False, False], "built all the same"
    assert before.keys() == after.keys()


def test_a_changed_contract_and_a_late_reading_are_planned_for_what_they_are(
    planner: Planner, lake: Lake, raw: RawZone, dagster_hour: Hour
) -> None:
    hours = [dagster_hour + n for n in range(2)]
    for hour in hours:
        raw.put(hour, [line(message(reading(hour.start, 1)), hour.start)])
    build(lake, hours)
    with planner.loading() as loader:
        loader.load(hours)
    assert planner.make(hours[0], hours[1]).steps == []
    raw.put(hours[1], [line(message(reading(hours[0].start + timedelta(minutes=3), 9)), hours[1].start)])
    lake.judge([hours[1]])
    plan = planner.make(hours[0], hours[1])
    assert _steps(plan) == {("curated", hours[0]): "stale", ("warehouse", hours[0]): "follows"}, "what is new is judged"


def test_a_plan_beyond_its_budget_is_refused(
    planner: Planner, instance: dg.DagsterInstance, raw: RawZone, dagster_hour: Hour
) -> None:
    raw.put(dagster_hour, [line(message(reading(dagster_hour.start, 1)), dagster_hour.start)])
    plan = planner.make(dagster_hour, dagster_hour)
    result = _run(instance, plan, budget=0.0)
    assert not result.success
    assert "the budget is 0.00" in (result.failure_data_for_node("read_plan").user_failure_data.description or "")  # type: ignore[union-attr]  # it has failed
    assert planner.make(dagster_hour, dagster_hour).of(Zone.JUDGED)[0].why is Why.MISSING, "nothing was built"


def test_hours_the_wrong_way_round_and_unknown_plans_are_refused(planner: Planner, dagster_hour: Hour) -> None:
    with pytest.raises(PlanError, match="is before the first"):
        planner.make(dagster_hour, dagster_hour + -1)
    with pytest.raises(PlanError, match="there is no plan 'nothing'"):
        planner.read("nothing")


def test_the_command_line_plans_and_runs(
    platform: Platform,
    lake: Lake,
    raw: RawZone,
    dagster_hour: Hour,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cli = CliRunner()
    (tmp_path / "dagster.yaml").touch()
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    raw.put(dagster_hour, [line(message(reading(dagster_hour.start, 1)), dagster_hour.start)])
    text = f"{dagster_hour.start:%Y-%m-%dT%H}"
    planned = cli.invoke(app, ["plan", text, text])
    assert planned.exit_code == 0, planned.output
    assert "missing" in planned.output
    plan_id = planned.output.partition("iot_pipeline.backfill run ")[2].split("`")[0]
    done = cli.invoke(app, ["run", plan_id])
    assert done.exit_code == 0, done.output
    assert f"plan {plan_id} is carried out" in done.output
    assert lake.stale([dagster_hour]) == []
    again = cli.invoke(app, ["plan", text, text])
    assert "nothing is to be built" in again.output
    for arguments, told in (
        (["plan", "soon", text], "'soon' is no hour; expected 2026-11-01"),
        (["plan", "2026-11-01T05:30", text], "not the start of an hour"),
        (["run", "nothing"], "there is no plan 'nothing'"),
    ):
        refused = cli.invoke(app, arguments)
        assert refused.exit_code == 2
        assert told in " ".join(refused.output.split())


SLOW_RUN = """\
import os, sys, socket, time
import dagster as dg
from iot_pipeline.backfill_commands import _PLAN_TAG, _PROCESS_TAG
@dg.op(pool="judge")
def stay():
    print("holds the pool", flush=True)
    time.sleep(300)
@dg.job(name="backfill", executor_def=dg.in_process_executor)
def backfill():
    stay()
with dg.DagsterInstance.get() as instance:
    tags = {_PLAN_TAG: sys.argv[1], _PROCESS_TAG: f"{socket.gethostname()} {os.getpid()}"}
    backfill.execute_in_process(instance=instance, tags=tags)
"""


def test_a_killed_run_gives_its_place_in_the_pool_back_and_a_living_one_keeps_the_plan(
    planner: Planner, lake: Lake, raw: RawZone, dagster_hour: Hour, tmp_path: Path, environment: dict[str, str]
) -> None:
    raw.put(dagster_hour, [line(message(reading(dagster_hour.start, 1)), dagster_hour.start)])
    plan = planner.make(dagster_hour, dagster_hour, [Zone.JUDGED])
    shutil.copy(CHECKOUT / "dagster.yaml", tmp_path)
    there = {**environment, "DAGSTER_HOME": str(tmp_path), "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, "-c", SLOW_RUN, plan.id]
    run = [sys.executable, "-m", "iot_pipeline.backfill", "run", plan.id]
    with subprocess.Popen(command, cwd=CHECKOUT, env=there, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as other:
        assert other.stdout
        assert other.stdout.readline() == b"holds the pool\n"
        refused = subprocess.run(run, cwd=CHECKOUT, env=there, capture_output=True, text=True, check=False)
        assert refused.returncode == 2
        assert f"is being carried out by process {other.pid}" in " ".join(refused.stderr.split())
        other.kill()
    done = subprocess.run(run, cwd=CHECKOUT, env=there, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert lake.unquarantined([dagster_hour]) == []
