"""Dagster on ECS: each process by a role of its own, with nothing to write to; how a new release takes over."""

import json
from typing import Any

import pytest
import yaml

from infra.local.servers.checkout import CHECKOUT
from infra.stacks.orchestration.database import DATABASE, MAKE_USER, USER
from infra.stacks.orchestration.permissions import BACKFILLS
from infra.stacks.services.ports import CODE_PORT
from infra.stacks.services.processes import PROCESSES
from iot_pipeline.backfill import planner
from iot_pipeline.defs.alerts.jobs import replay_dead_letters
from iot_pipeline.defs.erasure.jobs import erase
from iot_pipeline.defs.ops.expiry import apply_retention
from iot_pipeline_tests.support.templates import of_type, template

STACK = "TelemetryOrchestration"
SERVING = (STACK, "TelemetryConsole")
IMAGES = CHECKOUT / "infra/images"


def definitions(stack: str = STACK) -> dict[str, dict[str, Any]]:
    found = of_type(template(stack), "AWS::ECS::TaskDefinition").values()
    return {made["Properties"]["ContainerDefinitions"][0]["Name"]: made["Properties"] for made in found}


def container(process: str, stack: str = STACK) -> dict[str, Any]:
    (only,) = definitions(stack)[process]["ContainerDefinitions"]
    return dict(only)


def variables(process: str, stack: str = STACK) -> set[str]:
    return {each["Name"] for each in container(process, stack)["Environment"]}


def granted(role: str, stack: str = STACK) -> dict[str, Any]:
    """Statements by id. What does not fit into 10,240 characters the CDK puts into managed policies."""
    made = template(stack)
    policies = {**of_type(made, "AWS::IAM::Policy"), **of_type(made, "AWS::IAM::ManagedPolicy")}
    own = [each for name, each in policies.items() if name.startswith(f"{role}Role")]
    assert own
    return {s["Sid"]: s for each in own for s in each["Properties"]["PolicyDocument"]["Statement"]}


def actions(role: str) -> set[str]:
    return {action for s in granted(role).values() for action in listed(s["Action"])}


def listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def services(stack: str = STACK) -> dict[str, dict[str, Any]]:
    return {
        name.partition("Service")[0]: made["Properties"]
        for name, made in of_type(template(stack), "AWS::ECS::Service").items()
    }


@pytest.mark.parametrize("stack", SERVING)
def test_each_task_has_a_root_that_cannot_be_written_to(stack: str) -> None:
    for name, made in definitions(stack).items():
        only = container(name, stack)
        assert only["ReadonlyRootFilesystem"] is True
        assert only["MountPoints"] == [{"ContainerPath": "/tmp", "ReadOnly": False, "SourceVolume": "tmp"}]
        assert made["RuntimePlatform"]["CpuArchitecture"] == "ARM64"
        assert not only.get("Privileged")
        assert "Secrets" not in only, "a secret's value in a variable would outlive its rotation"


@pytest.mark.parametrize("stack", SERVING)
def test_each_task_runs_the_digest_that_was_given(stack: str) -> None:
    parameter = template(stack)["Parameters"]["ImageDigest"]
    assert "Default" not in parameter
    assert parameter["AllowedPattern"] == "sha256:[0-9a-f]{64}"
    for name in definitions(stack):
        image = json.dumps(container(name, stack)["Image"])
        assert '"@", {"Ref": "ImageDigest"}' in image or '@", {"Ref": "ImageDigest"}' in image


@pytest.mark.parametrize("stack", SERVING)
def test_each_log_is_encrypted_and_ends(stack: str) -> None:
    logs = of_type(template(stack), "AWS::Logs::LogGroup")
    assert len(logs) == len(definitions(stack))
    for made in logs.values():
        assert made["Properties"]["RetentionInDays"] == 90
        assert made["Properties"]["KmsKeyId"]


def test_each_process_has_a_role_of_its_own() -> None:
    roles = [json.dumps(made["TaskRoleArn"]) for made in definitions().values()]
    assert len(set(roles)) == len(roles) == len(PROCESSES) - 1
    for made in of_type(template(STACK), "AWS::IAM::Role").values():
        (trust,) = made["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Condition"]["StringEquals"] == {"aws:SourceAccount": "000000000000"}


def test_only_removals_take_from_raw_and_from_what_was() -> None:
    removing = {"s3:DeleteObjectVersion", "glue:BatchDeletePartition", "iot:DeleteThing", "dynamodb:DeleteItem"}
    assert removing <= actions("Removal")
    for role in ("Code", "Run", "Replay", "Webserver", "Daemon", "Watcher"):
        # Streamed micro-batches are no zone of the books: a run that has reconciled them removes them.
        assert removing & actions(role) <= ({"glue:BatchDeletePartition"} if role == "Run" else set()), role
    streamed = granted("Run")["Streamed"]
    assert listed(streamed["Action"]) == ["glue:BatchDeletePartition"]
    assert [each for each in listed(streamed["Resource"]) if ":table/" in each] == [
        "arn:aws:glue:eu-west-1:000000000000:table/telemetry/streamed_telemetry"
    ]
    raw = "arn:aws:s3:::telemetry-lake-000000000000-eu-west-1/raw/telemetry/*"
    for sid, statement in granted("Run").items():
        if raw in listed(statement["Resource"]):
            assert listed(statement["Action"]) == ["s3:GetObject"], sid


def test_the_code_location_writes_nothing_to_the_lake_but_the_answers_to_its_questions() -> None:
    writing = {sid for sid, s in granted("Code").items() if "s3:PutObject" in listed(s["Action"])}
    assert writing == {"Answers", "Print"}
    assert not {a for a in actions("Code") if a.startswith("glue:") and not a.startswith(("glue:Get", "glue:BatchGet"))}


def test_webserver_and_daemon_reach_nothing_of_the_lake() -> None:
    prefixes = {action.partition(":")[0] for action in actions("Webserver") | actions("Daemon")}
    assert prefixes == {"rds-db", "s3", "kms", "ecs", "iam", "logs"}
    assert granted("Webserver")["Show"]["Resource"] == (
        "arn:aws:s3:::telemetry-dagster-000000000000-eu-west-1/dagster/compute-logs/*"
    )
    assert not {"ecs:RunTask", "iam:PassRole"} & actions("Webserver")


def test_the_daemon_starts_runs_in_its_cluster_and_hands_them_the_runs_roles_alone() -> None:
    made = granted("Daemon")
    assert made["Start"]["Condition"]["ArnEquals"]["ecs:cluster"].endswith(":cluster/telemetry-dagster")
    assert made["Start"]["Resource"].endswith(":task-definition/telemetry-dagster-run:*")
    assert made["PassRoles"]["Condition"]["StringEquals"] == {"iam:PassedToService": "ecs-tasks.amazonaws.com"}
    passed = {each["Fn::GetAtt"][0].rstrip("0123456789ABCDEF") for each in made["PassRoles"]["Resource"]}
    assert passed == {"RunRole", "RemovalRole", "ReplayRole", "RunExecutionRole"}


def test_there_is_never_a_second_daemon() -> None:
    daemon = services()["Daemon"]
    assert daemon["DesiredCount"] == 1
    assert daemon["DeploymentConfiguration"]["MinimumHealthyPercent"] == 0
    assert daemon["DeploymentConfiguration"]["MaximumPercent"] == 100
    scaled = of_type(template(STACK), "AWS::ApplicationAutoScaling::ScalableTarget").values()
    assert "Daemon" not in json.dumps([made["Properties"]["ResourceId"] for made in scaled])


@pytest.mark.parametrize(("stack", "service"), [(STACK, "Webserver"), (STACK, "Daemon"), ("TelemetryConsole", "")])
def test_a_release_that_does_not_start_is_set_back(stack: str, service: str) -> None:
    breaker = services(stack)[service]["DeploymentConfiguration"]["DeploymentCircuitBreaker"]
    assert breaker == {"Enable": True, "Rollback": True}


def test_the_code_location_goes_from_blue_to_green_and_back_where_the_code_cannot_be_loaded() -> None:
    code = services()["Code"]
    deployment = code["DeploymentConfiguration"]
    assert deployment["Strategy"] == "BLUE_GREEN"
    assert deployment["BakeTimeInMinutes"] == 5
    (alarm,) = deployment["Alarms"]["AlarmNames"]
    assert deployment["Alarms"]["Rollback"] is True
    (made,) = of_type(template(STACK), "AWS::CloudWatch::Alarm").values()
    assert made["Properties"]["AlarmName"] == "telemetry-dagster-cannot-load"
    assert json.dumps(alarm).find("CodeCannotLoad") > 0 or alarm == made["Properties"]["AlarmName"]
    (connect,) = code["ServiceConnectConfiguration"]["Services"]
    assert connect["ClientAliases"] == [{"DnsName": "code", "Port": CODE_PORT}]
    assert connect["Timeout"] == {"PerRequestTimeoutSeconds": 0}
    assert container("code")["Command"][-2:] == ["--fixed-server-id", {"Ref": "ImageDigest"}]


def test_what_the_images_files_read_is_set_where_it_is_read() -> None:
    instance = yaml.safe_load((IMAGES / "dagster.yaml").read_text())
    workspace = yaml.safe_load((IMAGES / "workspace.yaml").read_text())
    launching = set(read_by(instance["run_launcher"]))
    # Fargate sets the region itself (ECS guide, "Task metadata available for Amazon ECS tasks on Fargate").
    everywhere = set(read_by({**instance, "run_launcher": {}})) - {"AWS_REGION"}
    for process in ("code", "run", "watcher", "webserver", "daemon"):
        assert everywhere <= variables(process), process
    for process in ("webserver", "daemon"):
        assert launching | set(read_by(workspace)) <= variables(process), process


def read_by(node: Any) -> list[str]:
    """The environment variables that a file of Dagster's names."""
    if isinstance(node, dict):
        if set(node) == {"env"}:
            return [node["env"]]
        return [name for each in node.values() for name in read_by(each)]
    return [name for each in node for name in read_by(each)] if isinstance(node, list) else []


def test_the_jobs_with_roles_of_their_own_are_these() -> None:
    instance = yaml.safe_load((IMAGES / "dagster.yaml").read_text())
    own = instance["run_launcher"]["config"]["own_roles"]
    assert [each["jobs"] for each in own] == [[apply_retention.name, erase.name], [replay_dead_letters.name]]


def test_backfills_are_planned_where_runs_may_write() -> None:
    assert planner.PREFIX == BACKFILLS


def test_dagster_signs_in_to_its_database_by_iam() -> None:
    (cluster,) = of_type(template("TelemetryOrchestrationData"), "AWS::RDS::DBCluster").values()
    made = cluster["Properties"]
    assert made["EnableIAMDatabaseAuthentication"] is True
    assert made["EnableHttpEndpoint"] is True
    assert made["StorageEncrypted"] is True
    assert made["DatabaseName"] == DATABASE
    for role in ("Code", "Run", "Removal", "Replay", "Webserver", "Daemon", "Watcher"):
        resource = json.dumps(granted(role)["Storage"]["Resource"])
        assert f"/{USER}" in resource
        assert ":dbuser:" in resource
    (call,) = of_type(template("TelemetryOrchestrationData"), "Custom::DatabaseUser").values()
    assert MAKE_USER.split("\n")[0] in json.dumps(call["Properties"]["Create"]).replace("\\\\n", "\n").replace("\\", "")


def test_operators_have_a_pool_of_their_own_and_sign_in_before_anything_is_shown() -> None:
    (rule,) = of_type(template(STACK), "AWS::ElasticLoadBalancingV2::ListenerRule").values()
    first, second = sorted(rule["Properties"]["Actions"], key=lambda action: action["Order"])
    assert (first["Type"], second["Type"]) == ("authenticate-cognito", "forward")
    assert "operatorspool" in json.dumps(first["AuthenticateCognitoConfig"]["UserPoolArn"])
    (pool,) = of_type(template("TelemetryOrchestrationData"), "AWS::Cognito::UserPool").values()
    assert pool["Properties"]["MfaConfiguration"] == "ON"
    assert pool["Properties"]["AdminCreateUserConfig"] == {"AllowAdminCreateUserOnly": True}


def test_the_watcher_is_started_from_outside_before_it_is_missed() -> None:
    (rule,) = of_type(template(STACK), "AWS::Events::Rule").values()
    assert rule["Properties"]["ScheduleExpression"] == "rate(2 minutes)"
    assert container("watcher")["Command"] == ["python", "-m", "iot_pipeline.watcher", "--once"]
