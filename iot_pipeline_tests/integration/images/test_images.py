"""What the Dockerfile's steps leave: two small file systems with the product and nothing else, for an ordinary user."""

import subprocess

import pytest

from infra.local.servers.checkout import CHECKOUT
from infra.stacks.services.processes import PROCESSES, RUN, Process
from iot_pipeline_tests.support.image.building import Builder

pytestmark = pytest.mark.timeout(1500)
TARGETS = ("dagster", "console")


def output(builder: Builder, target: str, *command: str) -> subprocess.CompletedProcess[str]:
    process = builder.target(target).process(command)
    return subprocess.run(process, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("target", TARGETS)
def test_it_is_an_ordinary_users_who_can_write_to_tmp_alone(builder: Builder, target: str) -> None:
    assert output(builder, target, "id", "-u").stdout == "10001\n"
    refused = output(builder, target, "sh", "-c", "touch /opt/x /opt/venv/x /etc/x /x; echo end")
    assert refused.stderr.count("Read-only file system") == 4
    looked = "find / -xdev -user 10001 -not -path '/proc/*'; touch /tmp/x && echo ok"
    written = output(builder, target, "sh", "-c", looked)
    assert written.stdout == "ok\n", "no file of the image is the user's"


@pytest.mark.parametrize("target", TARGETS)
def test_it_holds_the_product_without_infra_tests_and_tools(builder: Builder, target: str) -> None:
    for module in ("infra", "simulator", "iot_pipeline_tests", "aws_cdk", "ministack", "pytest", "pip", "uv", "duckdb"):
        found = output(builder, target, "python", "-c", f"import {module}")
        assert f"No module named '{module}'" in found.stderr, module
    console = output(builder, target, "python", "-c", "import iot_pipeline.console.app")
    assert (console.returncode == 0) == (target == "console")


@pytest.mark.parametrize("process", PROCESSES, ids=lambda process: process.name)
def test_each_process_begins_with_a_command_that_is_there(builder: Builder, process: Process) -> None:
    name, target = process.command[0], process.image
    found = output(builder, target, "sh", "-c", f"command -v {name}")
    assert found.stdout == f"/opt/venv/bin/{name}\n"
    if process is RUN:
        assert "1.13" in output(builder, target, *RUN.command).stdout


@pytest.mark.parametrize("target", TARGETS)
def test_its_packages_are_those_of_the_lock(builder: Builder, target: str) -> None:
    lines = (CHECKOUT / "requirements.txt").read_text().splitlines()
    pinned = dict(line.partition(" ;")[0].split("==") for line in lines if "==" in line)
    code = "from importlib.metadata import distributions as all; print(*(f'{x.name}=={x.version}' for x in all()))"
    found = dict(line.split("==") for line in output(builder, target, "python", "-c", code).stdout.split())
    normal = {name.lower().replace("_", "-").replace(".", "-"): version for name, version in found.items()}
    strange = {name: version for name, version in normal.items() if pinned.get(name, "") != version}
    assert set(strange) == {"iot-pipeline"}
    assert len(normal) > 40


def test_what_is_left_undone_is_said(builder: Builder) -> None:
    builder.target("dagster")
    (line,) = builder.skipped
    assert "ADD https://truststore.pki.rds.amazonaws.com" in line
