"""The local AWS with the stacks deployed to it."""

import io
from collections.abc import Iterator

import pytest
from rich.console import Console

from infra.local.deploy.deployment import deploy_assembly
from infra.local.emulator.process import start_emulator
from iot_pipeline_tests.support.aws_environment import pointing_to
from iot_pipeline_tests.support.emulator import LocalAws
from iot_pipeline_tests.support.templates import assembly


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LocalAws, dict[str, str]]]:
    """The local AWS with the platform's stacks, and the stacks' outputs."""
    folder = tmp_path_factory.mktemp("platform")
    # A 60 s buffer lasts 0.6 s.
    emulator = start_emulator(folder / "state", firehose_interval_scale=0.01)
    try:
        with pointing_to(emulator.environment):
            result = deploy_assembly(assembly(), Console(file=io.StringIO()))
        yield LocalAws(emulator, folder), result.outputs
    finally:
        emulator.stop()
