"""A client of the console on parts of a test's choice."""

from typing import Any

from fastapi.testclient import TestClient

from iot_pipeline.console.app import create_app
from iot_pipeline.console.parts import Identity
from iot_pipeline_tests.support.console_parts import unopened


def client_of(identity: Identity, **parts: Any) -> TestClient:
    """A client of a service with these parts and no other."""
    return TestClient(create_app(unopened(identity, **parts)))
