"""The lake as a Dagster resource."""

from collections.abc import Callable

import dagster as dg

from iot_pipeline.connections.lake import open_compaction, open_lake, open_objects
from iot_pipeline.lake.compaction import Compaction
from iot_pipeline.lake.integrity import Audit
from iot_pipeline.lake.lake import Lake


class LakeResource(dg.ConfigurableResource["LakeResource"]):
    """Opens the lake anew for each use."""

    def open(self, progress: Callable[[str], None] = lambda _: None) -> Lake:
        """As `open_lake`."""
        return open_lake(progress)

    def compaction(self, progress: Callable[[str], None] = lambda _: None) -> Compaction:
        """As `open_compaction`."""
        return open_compaction(progress)

    def audit(self) -> Audit:
        """An audit of the lake against what lies in S3. Raises as `open_lake`."""
        return Audit(self.open(), open_objects())
