"""The images' file systems, made once a session by the Dockerfile's own steps."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.servers.checkout import CHECKOUT
from iot_pipeline_tests.support.image.building import Builder
from iot_pipeline_tests.support.image.dockerfile import parse
from iot_pipeline_tests.support.image.root import unavailable

DOCKERFILE = CHECKOUT / "infra/images/Dockerfile"


@pytest.fixture(scope="session")
def builder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Builder]:
    """Builds the stages that are asked for. Skips, with the reason, where this machine cannot."""
    if reason := unavailable():
        pytest.skip(reason)
    _, stages = parse(DOCKERFILE.read_text())
    made = Builder(stages, CHECKOUT, tmp_path_factory.mktemp("image"))
    try:
        made.target("build")
    except subprocess.CalledProcessError as error:
        # The first step that fetches anything.
        if "uv==" in " ".join(error.cmd):
            pytest.skip(f"no package can be fetched here: {error.stderr[-300:]}")
        raise
    yield made
    print(*made.skipped, sep="\n")


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For logs of the processes in an image."""
    return tmp_path_factory.mktemp("processes")
