"""Servers that several folders share: each starts once a session, when a test first asks for it."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from infra.local.emulator.process import Emulator, start_emulator
from infra.local.emulator.redshift_data.warehouse_login import RegisteredWarehouse, register_warehouse
from infra.local.postgres.process import SUPERUSER, Postgres, start_postgres
from infra.local.redshift.process import start_redshift
from infra.local.session.database_users import make_registry_users, make_warehouse_users
from infra.local.session.platform import Platform
from iot_pipeline import settings
from iot_pipeline.contract import CONTRACT
from iot_pipeline.registry.users import WRITER
from iot_pipeline.resources import RegistryResource, WarehouseResource
from iot_pipeline.warehouse import landing
from iot_pipeline.warehouse.load import Loader
from iot_pipeline.warehouse.users import PIPELINE
from iot_pipeline_tests.support import athena
from iot_pipeline_tests.support.athena import LocalAthena
from iot_pipeline_tests.support.emulator import INTERVAL_SCALE, POLL_SECONDS, RETRY_SECONDS, LocalAws
from iot_pipeline_tests.support.models import Models, fill_registry
from iot_pipeline_tests.support.warehouse import BUCKET, REGION, LocalWarehouse


@pytest.fixture(scope="session")
def local_athena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAthena]:
    """The emulator and the local Athena."""
    state = tmp_path_factory.mktemp("athena")
    emulator = athena.start_emulator(state)
    emulator_url = emulator.endpoint_url
    try:
        athena.client_of(emulator_url, "s3").create_bucket(
            Bucket=athena.BUCKET, CreateBucketConfiguration={"LocationConstraint": athena.REGION}
        )
        athena.client_of(emulator_url, "glue").create_database(DatabaseInput={"Name": "default"})
        with athena.engine_options(state, emulator_url) as options:
            process, athena_url = athena.start_athena(state, emulator_url, "athena", *options)
            try:
                yield LocalAthena(emulator_url, athena_url, process)
            finally:
                process.terminate()
                assert process.wait(30) == 0
    finally:
        emulator.stop()


@pytest.fixture(scope="session")
def plain_athena(local_athena: LocalAthena, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAthena]:
    """A second local Athena over the same emulator, with its shortcuts off."""
    state = tmp_path_factory.mktemp("plain-athena")
    process, url = athena.start_athena(state, local_athena.emulator_url, "athena", "--no-shortcuts")
    try:
        yield LocalAthena(local_athena.emulator_url, url, process)
    finally:
        process.terminate()
        assert process.wait(30) == 0


@pytest.fixture(scope="session")
def local_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """The local AWS that the tests of the emulator and the registry share."""
    folder = tmp_path_factory.mktemp("local-aws")
    aws = LocalAws(_start(folder), folder)
    try:
        yield aws
    finally:
        aws.stop()


@pytest.fixture
def own_aws(tmp_path: Path) -> Iterator[LocalAws]:
    """A local AWS that the test may stop, kill and start."""
    aws = LocalAws(_start(tmp_path), tmp_path)
    yield aws
    aws.stop()


def _start(folder: Path) -> Emulator:
    return start_emulator(
        folder / "state",
        firehose_interval_scale=INTERVAL_SCALE,
        kinesis_poll_seconds=POLL_SECONDS,
        async_retry_seconds=RETRY_SECONDS,
    )


@pytest.fixture
def warehouse(platform: Platform) -> WarehouseResource:
    """The warehouse that the session's environment points to."""
    return WarehouseResource()


@pytest.fixture
def loader(warehouse: WarehouseResource) -> Iterator[Loader]:
    """The loader of the session's lake and warehouse."""
    with warehouse.loader() as loader:
        yield loader


@pytest.fixture
def registry(platform: Platform) -> Iterator[psycopg.Connection[Any]]:
    """A connection to the session's registry."""
    with RegistryResource().connect() as connection:
        yield connection


@pytest.fixture(scope="module")
def empty_models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Models]:
    """Landing tables with a registry of one tenant and three sites; nothing is loaded or built."""
    state = tmp_path_factory.mktemp("models")
    postgres = start_postgres(state / "postgres", databases=["telemetry"])
    redshift = start_redshift(state, postgres, user=SUPERUSER)
    make_warehouse_users(redshift)
    environment = {
        "HOST": "127.0.0.1",
        "PORT": str(redshift.port),
        "DATABASE": redshift.database,
        "USER": PIPELINE,
        "PASSWORD": redshift.password,
        "SSLMODE": "disable",
        "COPY_ROLE_ARN": "arn:aws:iam::000000000000:role/warehouse-copy",
    }
    before = dict(os.environ)
    os.environ.update({f"IOT_WAREHOUSE_{name}": value for name, value in environment.items()})
    settings.warehouse.cache_clear()
    try:
        with (
            WarehouseResource().connect() as connection,
            psycopg.connect(postgres.dsn("telemetry"), autocommit=True) as pg,
        ):
            landing.migrate(connection, CONTRACT)
            models = Models(connection, pg, state / "target")
            fill_registry(models)
            yield models
    finally:
        os.environ.clear()
        os.environ.update(before)
        settings.warehouse.cache_clear()
        redshift.stop()
        postgres.stop()


@pytest.fixture(scope="session")
def local_warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWarehouse]:
    """PostgreSQL with databases `registry` and `telemetry`, Redshift in front of the latter, and S3 with a bucket."""
    state = tmp_path_factory.mktemp("warehouse")
    emulator = start_emulator(state / "aws")
    try:
        postgres = start_postgres(state / "postgres", databases=["registry", "telemetry"])
        try:
            redshift = start_redshift(state, postgres, environment=emulator.environment)
            try:
                warehouse = LocalWarehouse(postgres, redshift, emulator)
                register_warehouse(
                    emulator.state_dir,
                    RegisteredWarehouse(
                        name="telemetry",
                        port=redshift.port,
                        database=redshift.database,
                        superuser=SUPERUSER,
                        password=postgres.password,
                        administrator=redshift.user,
                    ),
                )
                warehouse.make_copy_role()
                warehouse.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
                yield warehouse
            finally:
                redshift.stop()
        finally:
            postgres.stop()
    finally:
        emulator.stop()


@pytest.fixture(scope="session")
def registry_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """PostgreSQL with the migrated database `registry`."""
    server = start_postgres(tmp_path_factory.mktemp("registry"), databases=["registry"])
    try:
        make_registry_users(server, "registry")
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def registry_dsn(registry_server: Postgres) -> str:
    """The registry all tests share, as the user whom the command line signs in as."""
    return registry_server.dsn("registry", WRITER)
