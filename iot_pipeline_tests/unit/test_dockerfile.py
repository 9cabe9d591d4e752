"""The Dockerfile as text: linted, pinned by digest, for an ordinary user, from a context that holds what it needs."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from infra.local.servers.checkout import CHECKOUT
from infra.stacks.services.ports import CODE_PORT
from infra.stacks.services.processes import CODE, IMAGES, PROCESSES, WORKSPACE
from iot_pipeline_tests.support.image.building import Builder
from iot_pipeline_tests.support.image.dockerfile import DockerfileError, parse

DOCKERFILE = CHECKOUT / "infra/images/Dockerfile"
ARGUMENTS, STAGES = parse(DOCKERFILE.read_text())


def hadolint(path: Path) -> subprocess.CompletedProcess[str]:
    beside = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    program = shutil.which("hadolint", path=beside)
    if program is None:
        pytest.skip("hadolint is not installed: make installs it with requirements.txt")
    return subprocess.run([program, "--no-color", str(path)], capture_output=True, text=True, check=False)


def test_hadolint_finds_nothing() -> None:
    ran = hadolint(DOCKERFILE)
    assert (ran.returncode, ran.stdout) == (0, "")


def test_hadolint_finds_a_planted_mistake(tmp_path: Path) -> None:
    planted = tmp_path / "Dockerfile"
    planted.write_text(DOCKERFILE.read_text().replace("WORKDIR /src", "WORKDIR src"))
    assert "DL3000" in hadolint(planted).stdout


def test_the_base_is_pinned_by_its_digest_and_all_stages_begin_with_it() -> None:
    assert re.fullmatch(r"python:3\.11-slim-bookworm@sha256:[0-9a-f]{64}", ARGUMENTS["BASE"] or "")
    assert STAGES["base"].base == "${BASE}"
    assert {stage.base for name, stage in STAGES.items() if name != "base"} <= set(STAGES)


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_is_an_ordinary_users_and_its_tmp_is_a_volume(image: str) -> None:
    steps = STAGES[image].steps
    (user,) = (step.words for step in steps if step.keyword == "USER")
    assert user == ("10001:10001",)
    after = [step.keyword for step in steps][[step.keyword for step in steps].index("USER") :]
    assert not {"RUN", "COPY", "ADD"} & set(after)
    assert "VOLUME" in after


def test_the_authorities_of_rds_are_checked_by_a_checksum_that_must_be_given() -> None:
    steps = STAGES["certified"].steps
    (asked,) = (step.words for step in steps if step.keyword == "ARG")
    assert asked == ("RDS_CERTIFICATES",), "without a default"
    (added,) = (step for step in steps if step.keyword == "ADD")
    assert added.options["checksum"] == "${RDS_CERTIFICATES}"


def test_versions_of_what_is_installed_are_those_of_the_lock() -> None:
    for name in ("build-dagster", "build-console"):
        (install,) = (step for step in STAGES[name].steps if "install" in step.words)
        assert install.words[install.words.index("--constraint") + 1] == "requirements.txt"


def test_the_context_holds_what_is_copied_and_nothing_else(tmp_path: Path) -> None:
    builder = Builder(STAGES, CHECKOUT, tmp_path)
    copied = [
        word
        for stage in STAGES.values()
        for step in stage.steps
        if step.keyword == "COPY" and "from" not in step.options
        for word in step.words[:-1]
    ]
    assert not [path for path in copied if builder.is_left_out(path)]
    for path in (".env", ".local/up/env", "infra/stacks/config.py", "iot_pipeline_tests", "simulator", ".git/config"):
        assert builder.is_left_out(path), path
    assert builder.is_left_out("iot_pipeline/lake/__pycache__/x.pyc")
    assert not builder.is_left_out("iot_pipeline/warehouse/dbt/dbt_project.yml")


def test_no_secret_and_no_address_of_a_registry_is_in_it() -> None:
    text = DOCKERFILE.read_text()
    assert not re.search(
        r"password|token|secret|index[-_]url|https?://(?!truststore\.pki\.rds\.)(?!127\.0\.0\.1)", text, re.IGNORECASE
    )


def test_the_workspace_is_where_the_processes_look_and_names_the_code_locations_port() -> None:
    (location,) = yaml.safe_load((CHECKOUT / "infra/images/workspace.yaml").read_text())["load_from"]
    assert location["grpc_server"]["port"] == CODE_PORT == CODE.port
    assert [process.name for process in PROCESSES if WORKSPACE in process.command] == ["webserver", "daemon"]


def test_what_the_parser_does_not_know_it_refuses() -> None:
    with pytest.raises(DockerfileError, match="line 2: ONBUILD is not known here"):
        parse("FROM x AS y\nONBUILD RUN true\n")
    with pytest.raises(DockerfileError, match="line 1: a stage without a name"):
        parse("FROM x\n")
