"""`make deploy`: what it does before it calls the CDK's command line, and which stacks and images it names."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra import deploy_to_aws as command
from infra.stacks.checks import Finding, read_assembly
from infra.stacks.config import PlatformConfig
from infra.verdict.judging import Verdict
from iot_pipeline_tests.support.templates import assembly


@pytest.fixture
def verdict(monkeypatch: pytest.MonkeyPatch) -> list[Finding]:
    """The findings that the verdict has; none at first."""
    made, found = read_assembly(assembly(), PlatformConfig()), list[Finding]()
    monkeypatch.setattr(command, "synthesised", lambda _state: {"telemetry": made})
    monkeypatch.setattr(command, "judge", lambda environment, _state: Verdict(environment, found, []))
    return found


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The calls of the CDK's command line, which there is."""
    calls: list[list[str]] = []

    def run(arguments: list[str], **_options: Any) -> SimpleNamespace:
        calls.append(arguments)
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr("shutil.which", lambda name: f"/bin/{name}")
    monkeypatch.setattr("subprocess.run", run)
    return calls


def test_nothing_is_deployed_that_the_verdict_has_something_against(
    verdict: list[Finding], called: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    verdict.append(Finding("keys_rotate", "TelemetryLake", "Key", "does not rotate"))
    assert command.main(["telemetry"]) == 1
    assert called == []
    assert "keys_rotate: TelemetryLake Key: does not rotate" in capsys.readouterr().out


def test_without_the_command_line_one_sentence_says_what_is_needed(
    verdict: list[Finding], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("shutil.which", lambda _name: None)
    assert command.main(["telemetry"]) == 3
    said = capsys.readouterr()
    assert said.err == f"the CDK's command line is not installed: npm install --global {command.CDK}\n"
    assert "telemetry" in said.out


def test_data_are_deployed_apart_and_everything_otherwise(verdict: list[Finding], called: list[list[str]]) -> None:
    assert command.main(["telemetry", "--part", "data"]) == 0
    assert command.main(["telemetry"]) == 0
    parts = ("ConsoleData", "EdgeData", "Intake", "Lake", "OrchestrationData", "Pull", "Security", "Warehouse")
    data = [f"Telemetry{part}" for part in parts]
    assert called[0][1 : 2 + len(data)] == ["deploy", *data]
    assert called[1][1:3] == ["deploy", "--all"]


def test_an_environment_that_is_not_written_down_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["nowhere"]) == 2
    assert (
        "nowhere is no environment: expected one of telemetry, trial, columnar, staging, production"
        in capsys.readouterr().err
    )


def test_a_digest_goes_to_the_stack_that_asks_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    made = read_assembly(assembly(), PlatformConfig())
    template = {"Resources": {}, "Parameters": {"ImageDigest": {"Type": "String"}}}
    asking = SimpleNamespace(config=made.config, templates={"TelemetryOrchestration": template, "TelemetryLake": {}})
    monkeypatch.setenv("DAGSTER_DIGEST", "sha256:1")
    monkeypatch.setenv("CONSOLE_DIGEST", "sha256:2")
    assert command.digests(asking) == ["--parameters", "TelemetryOrchestration:ImageDigest=sha256:1"]  # type: ignore[arg-type]  # the two attributes that it reads
    monkeypatch.delenv("DAGSTER_DIGEST")
    assert command.digests(asking) == []  # type: ignore[arg-type]  # as above


def test_the_places_are_exports_for_a_shell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    names = ("RegistryHost", "RegistrySecretArn", "WarehouseHost", "WarehouseSecretArn", "RegistryPort")
    outputs = [{"OutputKey": name, "OutputValue": name.lower()} for name in names]
    stacks = {"StagingWarehouse": {"Stacks": [{"Outputs": outputs}]}}
    client = SimpleNamespace(describe_stacks=lambda **asked: stacks[asked["StackName"]])
    monkeypatch.setattr("boto3.client", lambda _service: client)
    assert command.places(PlatformConfig(name="staging")) == [
        "export REGISTRY_HOST=registryhost",
        "export REGISTRY_SECRET_ARN=registrysecretarn",
        "export WAREHOUSE_HOST=warehousehost",
        "export WAREHOUSE_SECRET_ARN=warehousesecretarn",
    ]


def test_places_that_are_not_there_are_one_sentence_and_no_export(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def describe(**asked: str) -> dict[str, Any]:
        if asked["StackName"] == "StagingWarehouse":
            return {"Stacks": [{"Outputs": [{"OutputKey": "RegistryHost", "OutputValue": "a"}]}]}
        text = f"Stack with id {asked['StackName']} does not exist"
        raise ClientError({"Error": {"Code": "ValidationError", "Message": text}}, "DescribeStacks")

    monkeypatch.setattr("boto3.client", lambda _service: SimpleNamespace(describe_stacks=describe))
    for environment, told in (("staging", "no output RegistrySecretArn, WarehouseHost"), ("trial", "does not exist")):
        assert command.main([environment, "--places"]) == 2
        said = capsys.readouterr()
        assert told in said.err
        assert not said.out
