"""What erases and what retention removes, as a Dagster resource."""

from collections.abc import Callable
from datetime import datetime

import dagster as dg

from iot_pipeline.connections.registry import open_registry
from iot_pipeline.erasure.eraser import Eraser
from iot_pipeline.erasure.history import History
from iot_pipeline.lake.retention import Retention
from iot_pipeline.registry.erasures import Erasure, all_erasures
from iot_pipeline.upkeep import open_eraser, open_retention


class ErasureResource(dg.ConfigurableResource["ErasureResource"]):
    """Opens both anew for each use."""

    def eraser(self, history: History, since: datetime | None, at_step: Callable[[int, int, str], None]) -> Eraser:
        """As `open_eraser`. What it is told of single objects is not passed on: a log would name too much."""
        return open_eraser(history, since, at_step=at_step)

    def retention(self, progress: Callable[[str], None]) -> Retention:
        """As `open_retention`."""
        return open_retention(progress)

    def erasures(self) -> list[Erasure]:
        """Every erasure on record. Raises as `open_registry`."""
        with open_registry() as connection:
            return all_erasures(connection)
