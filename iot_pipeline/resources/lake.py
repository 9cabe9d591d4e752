"""The lake as a Dagster resource."""

from collections.abc import Callable

import dagster as dg

from iot_pipeline.connections.lake import open_lake
from iot_pipeline.lake.lake import Lake


class LakeResource(dg.ConfigurableResource["LakeResource"]):
    """Opens the lake anew for each use."""

    def open(self, progress: Callable[[str], None] = lambda _: None) -> Lake:
        """As `open_lake`."""
        return open_lake(progress)
