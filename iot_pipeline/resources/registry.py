"""The device registry as a Dagster resource."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dagster as dg
import psycopg

from iot_pipeline.settings import registry


class RegistryResource(dg.ConfigurableResource["RegistryResource"]):
    """Opens a connection for each use, and closes it."""

    @contextmanager
    def connect(self) -> Iterator[psycopg.Connection[Any]]:
        """A connection of its own; committed at the end of a `with` block, rolled back by an error."""
        where = registry()
        with psycopg.connect(
            host=where.host,
            port=where.port,
            dbname=where.database,
            user=where.user,
            password=where.password.get_secret_value(),
            sslmode=where.sslmode,
            options="-c timezone=UTC",
        ) as connection:
            yield connection
