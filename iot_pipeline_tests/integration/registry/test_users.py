"""The registry's users: each may do its work, which the other modules do as them, and nothing beyond it."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import errors

from infra.local.postgres.process import Postgres
from infra.local.session.database_users import make_registry_users
from iot_pipeline.registry.users import READER, WRITER
from iot_pipeline.warehouse import registry_export
from iot_pipeline_tests.support.registry import Connection, World


@pytest.fixture
def reader(registry_server: Postgres) -> Iterator[Connection]:
    """A connection as the snapshot's user."""
    with psycopg.connect(registry_server.dsn("registry", READER)) as reader:
        yield reader


def refused(connection: Connection, statement: str) -> str:
    """The refusal of a statement."""
    with pytest.raises(errors.InsufficientPrivilege) as raised, connection.transaction():
        connection.execute(statement.encode())
    return str(raised.value)


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE registry.device_versions",
        "ALTER TABLE registry.tenants ADD COLUMN x integer",
        "ALTER TABLE registry.device_versions DISABLE TRIGGER lock_history",
        "TRUNCATE registry.onboardings",
        "DELETE FROM registry.tenants",
        "UPDATE registry.calibrations SET gain = 2",
        "INSERT INTO registry.metrics VALUES ('x', 99)",
        "UPDATE registry.alembic_version SET version_num = '0001'",
        "CREATE TABLE registry.own (x integer)",
        "CREATE SCHEMA own",
        "CREATE ROLE own",
        "COPY registry.tenants TO '/tmp/tenants'",
    ],
)
def test_the_writer_changes_rows_and_nothing_else(connection: Connection, statement: str) -> None:
    assert refused(connection, statement)


def test_the_reader_takes_a_snapshot(reader: Connection, world: World, connection: Connection) -> None:
    connection.commit()
    assert world.tenant in registry_export.snapshot(reader)["tenants"]["tenant_id"].to_pylist()


@pytest.mark.parametrize("table", ["erasures", "legal_holds", "alert_rules"])
def test_the_reader_reads_what_dagsters_checks_and_rules_need(reader: Connection, table: str) -> None:
    assert reader.execute(f"SELECT count(*) FROM registry.{table}".encode()).fetchone()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE registry.tenants SET name = 'x'",
        "UPDATE registry.erasures SET state = 'done'",
        "DELETE FROM registry.device_versions",
        "SELECT FROM registry.tenants FOR UPDATE",
        "SELECT certificate_arn FROM registry.onboardings",
        "DROP TABLE registry.tenants",
        "CREATE TABLE registry.own (x integer)",
    ],
)
def test_the_reader_reads_what_the_snapshot_needs(reader: Connection, statement: str) -> None:
    assert refused(reader, statement)


@pytest.mark.parametrize("user", [WRITER, READER])
def test_the_users_do_not_see_another_databases_schemas(registry_server: Postgres, user: str) -> None:
    with psycopg.connect(registry_server.dsn("postgres"), autocommit=True) as admin:
        admin.execute("CREATE SCHEMA IF NOT EXISTS private")
        admin.execute("CREATE TABLE IF NOT EXISTS private.things (x integer)")
    with psycopg.connect(registry_server.dsn("postgres", user)) as other:
        assert "schema private" in refused(other, "SELECT * FROM private.things")


def test_every_table_is_granted(registry_server: Postgres) -> None:
    """A later migration that makes a table and grants it to nobody is noticed here."""
    with psycopg.connect(registry_server.dsn("registry")) as admin:
        without = admin.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'registry'::regnamespace AND relkind IN ('r', 'v')"
            " AND NOT has_table_privilege(%s, oid, 'SELECT')",
            [WRITER],
        ).fetchall()
    assert without == []


def test_a_user_without_a_password_cannot_sign_in(registry_server: Postgres) -> None:
    with psycopg.connect(registry_server.dsn("registry"), autocommit=True) as admin:
        admin.execute("CREATE ROLE fresh LOGIN")
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(registry_server.dsn("registry", "fresh"))
        admin.execute("DROP ROLE fresh")


def test_making_the_users_again_changes_nothing(registry_server: Postgres) -> None:
    make_registry_users(registry_server, "registry")
    with psycopg.connect(registry_server.dsn("registry", WRITER)) as again:
        assert again.execute("SELECT count(*) FROM registry.metrics").fetchone()
