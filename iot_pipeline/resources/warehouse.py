"""The warehouse as a Dagster resource."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import dagster as dg
from redshift_connector.core import Connection

from iot_pipeline.connections import warehouse
from iot_pipeline.warehouse.alerts_load import EpisodesLoader
from iot_pipeline.warehouse.load import Loader
from iot_pipeline.warehouse.snapshot import SnapshotLoader


class WarehouseResource(dg.ConfigurableResource["WarehouseResource"]):
    """Opens a connection for each use, and closes it. Each method is the function of that name in `connections`."""

    def connect(self) -> AbstractContextManager[Connection]:
        """As `open_warehouse`."""
        return warehouse.open_warehouse()

    def loader(self, progress: Callable[[str], None] = lambda _: None) -> AbstractContextManager[Loader]:
        """As `open_loader`."""
        return warehouse.open_loader(progress)

    def episodes_loader(
        self, progress: Callable[[str], None] = lambda _: None
    ) -> AbstractContextManager[EpisodesLoader]:
        """As `open_episodes_loader`."""
        return warehouse.open_episodes_loader(progress)

    def snapshot_loader(
        self, progress: Callable[[str], None] = lambda _: None
    ) -> AbstractContextManager[SnapshotLoader]:
        """As `open_snapshot_loader`."""
        return warehouse.open_snapshot_loader(progress)

    def building_models(self, progress: Callable[[str], None] = lambda _: None) -> AbstractContextManager[None]:
        """As `building_models`."""
        return warehouse.building_models(progress)
