"""The databases' users, made as on AWS: by the product's own migrations, run by the administrator."""

import psycopg
import redshift_connector

from infra.local.postgres.process import Postgres
from infra.local.redshift.process import Redshift
from infra.local.servers.loopback import HOST
from iot_pipeline.registry import migrate as registry_migrations
from iot_pipeline.registry import users as registry_users
from iot_pipeline.warehouse import users as warehouse_users


def make_registry_users(postgres: Postgres, database: str) -> None:
    """Migrate the registry, and give its users the administrator's password."""
    registry_migrations.upgrade(postgres.dsn(database))
    with psycopg.connect(postgres.dsn(database)) as connection:
        for user in (registry_users.WRITER, registry_users.READER):
            registry_users.set_password(connection, user, postgres.password)


def make_warehouse_users(redshift: Redshift) -> None:
    """Make the warehouse's schemas and users, and give its users the administrator's password.

    `redshift` was started with the superuser as its administrator, as Redshift's is one.
    """
    connection = redshift_connector.connect(
        host=HOST,
        port=redshift.port,
        database=redshift.database,
        user=redshift.user,
        password=redshift.password,
        ssl=False,
    )
    try:
        warehouse_users.migrate(connection)
        for user in (warehouse_users.PIPELINE, warehouse_users.READER):
            warehouse_users.set_password(connection, user, redshift.password)
    finally:
        connection.close()
