"""The warehouse as a Dagster resource."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import boto3
import dagster as dg
import redshift_connector
from redshift_connector.core import Connection

from iot_pipeline.lake.catalog import Catalog
from iot_pipeline.settings import deployment, policy, warehouse
from iot_pipeline.warehouse.landing import migrate
from iot_pipeline.warehouse.load import Loader
from iot_pipeline.warehouse.snapshot import SnapshotLoader
from iot_pipeline.warehouse.tables import BUILD_LOCK
from iot_pipeline.warehouse.transaction import alone


class WarehouseResource(dg.ConfigurableResource["WarehouseResource"]):
    """Opens a connection for each use, and closes it."""

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """A connection of its own: autocommit off, time zone UTC; what is not committed at the end is rolled back."""
        where = warehouse()
        connection = redshift_connector.connect(
            host=where.host,
            port=where.port,
            database=where.database,
            user=where.user,
            password=where.password.get_secret_value(),
            ssl=where.sslmode != "disable",
            sslmode=where.sslmode,
        )
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET timezone TO 'UTC'")
            connection.commit()
            yield connection
        finally:
            connection.close()

    @contextmanager
    def loader(self, progress: Callable[[str], None] = lambda _: None) -> Iterator[Loader]:
        """The loader of this deployment, its tables made or extended as the contract asks.

        `progress` is told of each change and each hour.
        """
        catalog = Catalog(boto3.client("glue"), deployment().glue_database)
        with self._migrated(progress) as connection:
            yield Loader(connection, catalog, policy().contract, warehouse().copy_role_arn, progress)

    @contextmanager
    def snapshot_loader(self, progress: Callable[[str], None] = lambda _: None) -> Iterator[SnapshotLoader]:
        """The loader of registry snapshots of this deployment, its tables made. `progress` is told of each table."""
        with self._migrated(progress) as connection:
            yield SnapshotLoader(
                connection, boto3.client("s3"), deployment().lake_bucket, warehouse().copy_role_arn, progress
            )

    @contextmanager
    def building_models(self, progress: Callable[[str], None] = lambda _: None) -> Iterator[None]:
        """Nobody else is inside here meanwhile: who comes later waits.

        `progress` is told of each change of a table, and of what is waited for.
        """
        with self._migrated(progress) as connection:
            progress(f"locking {BUILD_LOCK.full_name}; this waits while another session builds models")
            with alone(connection, BUILD_LOCK):
                yield

    @contextmanager
    def _migrated(self, progress: Callable[[str], None]) -> Iterator[Connection]:
        with self.connect() as connection:
            for change in migrate(connection, policy().contract):
                progress(change)
            yield connection
