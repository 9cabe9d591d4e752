"""Runs as tasks of ECS: started in the given network, each by its role, within what ECS takes."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import dagster as dg
import pytest
import yaml
from botocore.stub import Stubber
from dagster._core.code_pointer import ModuleCodePointer
from dagster._core.instance.ref import InstanceRef
from dagster._core.origin import JobPythonOrigin, RepositoryPythonOrigin
from dagster._grpc.types import ExecuteRunArgs

from infra.local.servers.checkout import CHECKOUT
from iot_pipeline.run_tasks import RunTasks

DEFINITION = "arn:aws:ecs:eu-west-1:000000000000:task-definition/telemetry-dagster-run:7"
TASK = "arn:aws:ecs:eu-west-1:000000000000:task/telemetry-dagster/1"
CLUSTER = "arn:aws:ecs:eu-west-1:000000000000:cluster/telemetry-dagster"
# ECS API, RunTask: the overrides may have 8,192 characters.
LIMIT = 8192
SETTINGS = {
    "AWS_REGION": "eu-west-1",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "nobody",
    "AWS_SECRET_ACCESS_KEY": "nothing",
    "DAGSTER_LOGS_BUCKET": "telemetry-dagster-000000000000-eu-west-1",
    "DAGSTER_RUN_CLUSTER": "telemetry-dagster",
    "DAGSTER_RUN_TASK_DEFINITION": DEFINITION,
    "DAGSTER_RUN_SUBNETS": "subnet-1,subnet-2",
    "DAGSTER_RUN_SECURITY_GROUP": "sg-1",
    "DAGSTER_RUN_CAPACITY": "FARGATE_SPOT",
    "DAGSTER_REMOVAL_ROLE": "arn:aws:iam::000000000000:role/removal",
    "DAGSTER_REMOVAL_REGISTRY_SECRET": "telemetry/registry",
    "DAGSTER_REPLAY_ROLE": "arn:aws:iam::000000000000:role/replay",
    "IOT_REGISTRY_SECRET_ARN": "telemetry/registry_reader",
}


@dg.op
def works() -> None:
    pass


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The image's instance, on SQLite; ECS is asked for the definition once, when the launcher is first used."""
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    written = yaml.safe_load((CHECKOUT / "infra/images/dagster.yaml").read_text())
    del written["storage"]
    (tmp_path / "dagster.yaml").write_text(yaml.safe_dump(written))
    with dg.DagsterInstance.from_config(str(tmp_path)) as opened:
        yield opened


@dataclass(frozen=True)
class Launched:
    """What a launcher is handed of a run."""

    dagster_run: dg.DagsterRun
    job_code_origin: JobPythonOrigin


def origin(name: str) -> JobPythonOrigin:
    """A job of the image's code location."""
    code = ModuleCodePointer("iot_pipeline.definitions", "defs", None)
    location = RepositoryPythonOrigin("/opt/venv/bin/python", code, None, ["dagster"], None)
    return JobPythonOrigin(name, location)


def started(instance: dg.DagsterInstance, name: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What ECS is asked for one run of a job, by the launcher that the image's file names."""
    client: Any = boto3.client("ecs")
    clients = {"ecs": client}
    monkeypatch.setattr(boto3, "client", lambda service, **_: clients.get(service))
    monkeypatch.setattr(boto3, "resource", lambda _: None)
    asked: dict[str, Any] = {}

    def run_task(**request: Any) -> dict[str, Any]:
        asked.update(request)
        return {"tasks": [{"taskArn": TASK, "clusterArn": CLUSTER}], "failures": []}

    with Stubber(client) as stub:
        described = {"taskDefinition": {"taskDefinitionArn": DEFINITION, "containerDefinitions": [{"name": "run"}]}}
        stub.add_response("describe_task_definition", described, {"taskDefinition": DEFINITION})
        launcher = instance.run_launcher
        assert isinstance(launcher, RunTasks)
        monkeypatch.setattr(client, "run_task", run_task)
        job = dg.GraphDefinition(name=name, node_defs=[works]).to_job()
        launcher.launch_run(Launched(instance.create_run_for_job(job), origin(name)))  # type: ignore[arg-type]  # as far as a launcher reads it
        stub.assert_no_pending_responses()
    return asked


def test_a_run_is_a_task_of_the_given_definition_in_the_given_network(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = started(instance, "closing_build", monkeypatch)
    assert asked["taskDefinition"] == DEFINITION
    assert asked["cluster"] == "telemetry-dagster"
    assert asked["capacityProviderStrategy"] == [{"capacityProvider": "FARGATE_SPOT"}]
    assert "launchType" not in asked
    assert asked["networkConfiguration"]["awsvpcConfiguration"] == {
        "subnets": ["subnet-1", "subnet-2"],
        "securityGroups": ["sg-1"],
        "assignPublicIp": "DISABLED",
    }
    (run,) = asked["overrides"]["containerOverrides"]
    assert run["name"] == "run"
    assert run["command"][:3] == ["dagster", "api", "execute_run"]
    assert "taskRoleArn" not in asked["overrides"]


def test_what_a_run_is_started_with_is_within_the_limit_of_ecs() -> None:
    """The command names the whole instance, its storage three times."""
    whole = InstanceRef.from_dir(str(CHECKOUT / "infra/images"))
    arguments = ExecuteRunArgs(origin("carry_out_a_plan_of_a_backfill"), "0" * 36, whole)
    secret = {"name": "IOT_REGISTRY_SECRET_ARN", "value": "s" * 64}
    run = {"name": "run", "command": arguments.get_command_args(), "environment": [secret], "cpu": 1024, "memory": 4096}
    overrides = {"containerOverrides": [run], "cpu": "1024", "memory": "4096", "taskRoleArn": "r" * 128}
    length = len(json.dumps(overrides))
    print(f"overrides: {length} of {LIMIT} characters")
    assert LIMIT / 4 < length < LIMIT - 1000


@pytest.mark.parametrize(
    ("name", "role", "secret"),
    [
        ("erase", "removal", "telemetry/registry"),
        ("apply_retention", "removal", "telemetry/registry"),
        ("replay_dead_letters", "replay", "telemetry/registry_reader"),
    ],
)
def test_what_no_other_run_may_is_done_by_a_role_of_its_own(
    name: str, role: str, secret: str, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    overrides = started(instance, name, monkeypatch)["overrides"]
    assert overrides["taskRoleArn"] == f"arn:aws:iam::000000000000:role/{role}"
    (run,) = overrides["containerOverrides"]
    assert run["environment"] == [{"name": "IOT_REGISTRY_SECRET_ARN", "value": secret}]
