"""Opening the warehouse: a connection, the loaders, and the lock of those who build models."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import boto3
import redshift_connector
from redshift_connector.core import Connection
from redshift_connector.error import Error as DriverError

from iot_pipeline import settings
from iot_pipeline.connections.credentials import Credentials, credentials, signed_in
from iot_pipeline.connections.lake import open_catalog
from iot_pipeline.settings import deployment, policy
from iot_pipeline.warehouse.alerts_load import EpisodesLoader
from iot_pipeline.warehouse.landing import migrate
from iot_pipeline.warehouse.load import Loader
from iot_pipeline.warehouse.snapshot import SnapshotLoader
from iot_pipeline.warehouse.tables import BUILD_LOCK
from iot_pipeline.warehouse.transaction import alone


@contextmanager
def open_warehouse() -> Iterator[Connection]:
    """A connection of its own: autocommit off, time zone UTC; what is not committed at the end is rolled back.

    Raises pydantic.ValidationError naming each variable that is missing or wrong, redshift_connector.Error if the
    warehouse does not answer or refuses the credentials.
    """
    where = settings.warehouse()
    connection = signed_in(where, lambda found: _connect(where, found), DriverError)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET timezone TO 'UTC'")
        connection.commit()
        yield connection
    finally:
        connection.close()


@contextmanager
def open_loader(progress: Callable[[str], None] = lambda _: None) -> Iterator[Loader]:
    """The loader of this deployment, its tables made or extended as the contract asks.

    `progress` is told of each change and each hour.
    """
    with _migrated(progress) as connection:
        yield Loader(connection, open_catalog(), policy().contract, settings.warehouse().copy_role_arn, progress)


@contextmanager
def open_episodes_loader(progress: Callable[[str], None] = lambda _: None) -> Iterator[EpisodesLoader]:
    """The loader of the alerts' history of this deployment, its tables made. `progress` is told of each day."""
    with _migrated(progress) as connection:
        role_arn = settings.warehouse().copy_role_arn
        yield EpisodesLoader(connection, open_catalog(), policy().contract, role_arn, progress)


@contextmanager
def open_snapshot_loader(progress: Callable[[str], None] = lambda _: None) -> Iterator[SnapshotLoader]:
    """The loader of registry snapshots of this deployment, its tables made. `progress` is told of each table."""
    with _migrated(progress) as connection:
        bucket, role_arn = deployment().lake_bucket, settings.warehouse().copy_role_arn
        yield SnapshotLoader(connection, boto3.client("s3"), bucket, role_arn, progress)


@contextmanager
def building_models(progress: Callable[[str], None] = lambda _: None) -> Iterator[None]:
    """A lock on the building of models: whoever comes while another session holds it waits until that session ends.

    `progress` is told of each change of a table, and of what is waited for.
    """
    with _migrated(progress) as connection:
        progress(f"locking {BUILD_LOCK.full_name}; this waits while another session builds models")
        with alone(connection, BUILD_LOCK):
            yield


@contextmanager
def dbt_environment() -> Iterator[None]:
    """Inside, the environment of this process holds the credentials of this moment as the dbt profile reads them.

    For starting one run of dbt, which copies the environment; afterwards it is as it was.
    """
    prefix = "IOT_WAREHOUSE_"
    found = credentials(settings.warehouse())
    given = {f"{prefix}USER": found.user, f"{prefix}PASSWORD": found.password}
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _connect(where: settings.Warehouse, found: Credentials) -> Connection:
    return redshift_connector.connect(
        host=where.host,
        port=where.port,
        database=where.database,
        user=found.user,
        password=found.password,
        ssl=where.sslmode != "disable",
        sslmode=where.sslmode,
    )


@contextmanager
def _migrated(progress: Callable[[str], None]) -> Iterator[Connection]:
    with open_warehouse() as connection:
        for change in migrate(connection, policy().contract, open_catalog()):
            progress(change)
        yield connection
