"""The device registry as a Dagster resource."""

from contextlib import AbstractContextManager
from typing import Any

import dagster as dg
import psycopg

from iot_pipeline.connections.registry import open_registry


class RegistryResource(dg.ConfigurableResource["RegistryResource"]):
    """Opens a connection for each use, and closes it."""

    def connect(self) -> AbstractContextManager[psycopg.Connection[Any]]:
        """As `open_registry`."""
        return open_registry()
