"""The micro-batches of the streaming job as a Dagster resource."""

from collections.abc import Callable

import dagster as dg

from iot_pipeline.connections.streaming import open_reconciliation
from iot_pipeline.streaming.reconciling import Reconciliation


class StreamingResource(dg.ConfigurableResource["StreamingResource"]):
    """Opens them anew for each use."""

    def reconciliation(self, progress: Callable[[str], None] = lambda _: None) -> Reconciliation:
        """As `open_reconciliation`."""
        return open_reconciliation(progress)
