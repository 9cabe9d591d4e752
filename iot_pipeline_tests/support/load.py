"""The warehouse and the registry beside the session's lake, for the tests of the loads."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from infra.local.session.platform import Platform
from iot_pipeline.resources import RegistryResource, WarehouseResource
from iot_pipeline.warehouse.load import Loader


@pytest.fixture
def warehouse(platform: Platform) -> WarehouseResource:
    """The warehouse that the session's environment points to."""
    return WarehouseResource()


@pytest.fixture
def loader(warehouse: WarehouseResource) -> Iterator[Loader]:
    """The loader of the session's lake and warehouse."""
    with warehouse.loader() as loader:
        yield loader


@pytest.fixture
def registry(platform: Platform) -> Iterator[psycopg.Connection[Any]]:
    """A connection to the session's registry."""
    with RegistryResource().connect() as connection:
        yield connection
