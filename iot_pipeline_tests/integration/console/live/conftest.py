"""An edge of its own for each test: its stream and its tables are what is read."""

import pytest

from iot_pipeline_tests.support.edge import Edge, make_edge
from iot_pipeline_tests.support.emulator import LocalAws


@pytest.fixture
def edge(local_aws: LocalAws) -> Edge:
    """Tables and a stream under names of their own."""
    return make_edge(local_aws)
