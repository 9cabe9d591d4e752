"""The guard's two databases, once a session."""

import pytest

from iot_pipeline_tests.support import guarded
from iot_pipeline_tests.support.athena import LocalAthena


@pytest.fixture(scope="session")
def two_tenants(local_athena: LocalAthena) -> LocalAthena:
    """The local Athena with the databases `telemetry` (two tenants) and `alone` (one of them)."""
    guarded.fill(local_athena)
    return local_athena
