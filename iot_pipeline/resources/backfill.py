"""The planner of backfills as a Dagster resource."""

import dagster as dg

from iot_pipeline.backfill.planner import Planner
from iot_pipeline.connections.backfill import open_planner


class BackfillResource(dg.ConfigurableResource["BackfillResource"]):
    """Opens the planner anew for each use."""

    def planner(self) -> Planner:
        """As `open_planner`."""
        return open_planner()
