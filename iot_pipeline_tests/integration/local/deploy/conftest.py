"""The plain ministack that the deployment is tested against."""

from collections.abc import Iterator

import pytest

from iot_pipeline_tests.support.aws_environment import pointing_to
from iot_pipeline_tests.support.ministack import Ministack, ministack


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ministack]:
    """One ministack for a module, in the environment of every test of it."""
    with ministack(tmp_path_factory.mktemp("ministack")) as running, pointing_to(running.environment):
        yield running
