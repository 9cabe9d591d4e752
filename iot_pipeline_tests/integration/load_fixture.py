"""The warehouse beside the session's lake, for the tests of the loads."""

from collections.abc import Iterator

import pytest

from infra.local.platform import Platform
from iot_pipeline.resources import WarehouseResource
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
