"""Unit tests see no deployment, whatever the tests before them in the same process work with."""

import os
from collections.abc import Iterator

import pytest

from iot_pipeline import settings

_OF_A_DEPLOYMENT = ("IOT_", "AWS_")
_OF_THE_RUN = "IOT_TEST_"


@pytest.fixture(autouse=True)
def no_deployment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Take what points to a deployment out of the environment."""
    names = [name for name in os.environ if name.startswith(_OF_A_DEPLOYMENT) and not name.startswith(_OF_THE_RUN)]
    for name in names:
        monkeypatch.delenv(name)
    if names:
        settings.forget()
    yield
    if names:
        settings.forget()
