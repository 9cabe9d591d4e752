"""The delivery pipeline: its order, what each build may do, and that its steps exist."""

import json
import re
import subprocess
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
import yaml

from infra.stacks.base import PlatformStack
from infra.stacks.checks import findings_of, read_assembly
from infra.stacks.delivery.builds import images_build
from infra.stacks.environments import FILE, environment
from infra.verdict.acknowledged import acknowledgements, without_accepted
from iot_pipeline_tests.support.layers import CHECKOUT
from iot_pipeline_tests.support.templates import assembly, of_type

STACK = "ProductionDelivery"
STEPS = CHECKOUT / ".ci" / "delivery"


@cache
def made() -> dict[str, Any]:
    read: dict[str, Any] = json.loads((assembly(name="production") / f"{STACK}.template.json").read_text())
    return read


def stages() -> list[Any]:
    (pipeline,) = of_type(made(), "AWS::CodePipeline::Pipeline").values()
    found: list[Any] = pipeline["Properties"]["Stages"]
    return found


def granted(role: str) -> dict[str, Any]:
    (policy,) = (p for name, p in of_type(made(), "AWS::IAM::Policy").items() if name.startswith(role))
    return {s["Sid"]: s for s in policy["Properties"]["PolicyDocument"]["Statement"]}


def project(name: str) -> Any:
    return made()["Resources"][name]["Properties"]


def test_a_release_goes_through_staging_and_a_person_to_production() -> None:
    assert [stage["Name"] for stage in stages()] == ["Source", "Check", "Images", "Staging", "Approve", "Production"]
    assert stages()[4]["Actions"][0]["ActionTypeId"]["Category"] == "Approval"


def test_data_come_before_migrations_and_those_before_services() -> None:
    for stage in (stages()[3], stages()[5]):
        name = stage["Name"]
        order = sorted(stage["Actions"], key=lambda action: action["RunOrder"])
        assert [a["Name"] for a in order] == [f"{name}{part}" for part in ("Data", "Migrate", "Services", "Smoke")]
        assert [a["RunOrder"] for a in order] == [1, 2, 3, 4]


def test_a_stage_that_fails_is_rolled_back_and_no_other_is() -> None:
    rolled = [stage["Name"] for stage in stages() if stage.get("OnFailure") == {"Result": "ROLLBACK"}]
    assert rolled == ["Staging", "Production"]
    (pipeline,) = of_type(made(), "AWS::CodePipeline::Pipeline").values()
    # The first type of pipelines has no rollback.
    assert pipeline["Properties"]["PipelineType"] == "V2"


def test_what_was_built_is_what_is_deployed() -> None:
    images, staging, production = stages()[2], stages()[3], stages()[5]
    assert images["Actions"][0]["Namespace"] == "images"
    for stage in (staging, production):
        services = next(a for a in stage["Actions"] if a["Name"].endswith("Services"))
        variables = {v["name"]: v["value"] for v in json.loads(services["Configuration"]["EnvironmentVariables"])}
        assert variables == {
            "DAGSTER_DIGEST": "#{images.DAGSTER_DIGEST}",
            "CONSOLE_DIGEST": "#{images.CONSOLE_DIGEST}",
        }


def test_deploying_is_done_by_the_roles_of_the_bootstrap_alone() -> None:
    statements = granted("StagingDataRole")
    assert statements["Deploy"]["Action"] == "sts:AssumeRole"
    assert [arn.partition(":role/")[2] for arn in statements["Deploy"]["Resource"]] == [
        f"cdk-hnb659fds-{role}-000000000000-eu-west-1"
        for role in ("deploy-role", "file-publishing-role", "lookup-role")
    ]
    assert set(statements) == {"Log", "Artifacts", "ArtifactKey", "Clone", "Deploy", "Outputs"}


def test_checks_may_do_nothing_but_read_and_say() -> None:
    always = {"Log", "Artifacts", "ArtifactKey", "Clone"}
    assert set(granted("TestRole")) == always
    assert set(granted("VerdictRole")) == always | {"Released"}
    assert granted("VerdictRole")["Released"]["Action"] == "ssm:GetParameters"


def test_only_the_images_build_is_privileged() -> None:
    privileged = {
        name
        for name, p in of_type(made(), "AWS::CodeBuild::Project").items()
        if p["Properties"]["Environment"]["PrivilegedMode"]
    }
    assert privileged == {"Images"}


def test_migrations_run_in_their_environment_s_network() -> None:
    parameters = {name: p["Default"] for name, p in made()["Parameters"].items()}
    for name in ("staging", "production"):
        config = project(f"{name.capitalize()}Migrate")["VpcConfig"]
        assert parameters[config["VpcId"]["Ref"]] == f"/{name}/vpc"
        assert [parameters[g["Ref"]] for g in config["SecurityGroupIds"]] == [f"/{name}/client-access"]
    assert "VpcConfig" not in project("StagingSmoke")


def test_every_finding_of_our_own_is_accepted_where_it_is() -> None:
    folder = assembly(name="production")
    found = findings_of(read_assembly(folder, environment("production")))
    assert without_accepted(found, acknowledgements(folder), folder) == ([], [])


def test_without_a_repository_there_is_no_pipeline() -> None:
    assert not (assembly() / "TelemetryDelivery.template.json").exists()


@pytest.mark.parametrize("step", sorted(STEPS.glob("*.yml")), ids=lambda path: path.name)
def test_a_step_calls_what_there_is(step: Path) -> None:
    """Targets of the Makefile, modules, and files of the checkout."""
    targets = set(re.findall(r"^([a-z-]+):", (CHECKOUT / "Makefile").read_text(), re.MULTILINE)) | {".venv/.ready"}
    commands = [
        command for phase in yaml.safe_load(step.read_text())["phases"].values() for command in phase["commands"]
    ]
    for command in commands:
        for target in re.findall(r"\bmake (\S+)", command):
            assert target in targets, command
        for module in re.findall(r"python -m ([\w.]+)", command):
            path = CHECKOUT / module.replace(".", "/")
            assert module == "pip" or path.with_suffix(".py").is_file() or (path / "__main__.py").is_file(), command
        for file in re.findall(r"(\.ci/[\w./-]+)", command):
            assert (CHECKOUT / file).is_file(), command


def test_each_build_has_a_step_and_each_step_a_build() -> None:
    specs = {p["Properties"]["Source"]["BuildSpec"] for p in of_type(made(), "AWS::CodeBuild::Project").values()}
    assert specs == {f".ci/delivery/{path.name}" for path in STEPS.glob("*.yml")}


def test_the_migrations_install_what_the_step_before_hands_on_and_ask_no_registry() -> None:
    data, migrate = (yaml.safe_load((STEPS / file).read_text()) for file in ("data.yml", "migrate.yml"))
    (wheel,) = (command for command in data["phases"]["build"]["commands"] if "pip wheel" in command)
    # Without `--no-deps` here: the wheels of all requirements are made too.
    assert "--wheel-dir wheels " in wheel
    assert "--no-deps" not in wheel
    assert "wheels/*" in data["artifacts"]["files"]
    assert migrate["phases"]["install"]["commands"] == ["python -m pip install --quiet --no-deps wheels/*.whl"]


def test_the_images_are_built_with_the_checksum_that_the_dockerfile_asks_for() -> None:
    production = replace(environment("production"), rds_certificates="sha256:1")
    stack = PlatformStack(cdk.App(), "Delivery", production, holds_data=False)
    assert images_build(stack, (production,), production.rds_certificates).environment == {
        "ENVIRONMENTS": "production",
        "RDS_CERTIFICATES": "sha256:1",
    }
    assert '--build-arg "RDS_CERTIFICATES=$RDS_CERTIFICATES"' in (STEPS / "images.sh").read_text()


def test_without_the_checksum_the_build_of_the_images_says_what_to_do() -> None:
    run = subprocess.run(["sh", STEPS / "images.sh"], env={}, capture_output=True, text=True, check=False)
    assert run.returncode != 0
    assert "give production rds_certificates in infra/environments.toml" in run.stderr


def test_what_a_step_exports_is_what_later_ones_read() -> None:
    for file, action in (("images.yml", "StagingServices"), ("data.yml", "StagingMigrate")):
        exported = set(yaml.safe_load((STEPS / file).read_text())["env"]["exported-variables"])
        reading = next(a for a in stages()[3]["Actions"] if a["Name"] == action)
        assert {v["name"] for v in json.loads(reading["Configuration"]["EnvironmentVariables"])} == exported


def test_the_file_names_the_environment_before_production() -> None:
    assert environment("production").promotes_from in FILE.read_text()
