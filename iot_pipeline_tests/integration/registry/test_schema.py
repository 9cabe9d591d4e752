"""The registry's schema: migrations, and what the database itself refuses."""

import multiprocessing
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg import errors, sql

from infra.local.postgres.process import Postgres
from iot_pipeline.contract import CONTRACT
from iot_pipeline.registry import migrate
from iot_pipeline.registry.devices import change_device, history
from iot_pipeline.registry.registration import add_device
from iot_pipeline_tests.support.emulator import eventually, unique
from iot_pipeline_tests.support.registry import OPENED, Connection, World

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def empty_dsn(registry_server: Postgres) -> Iterator[str]:
    """A database of this test's own, with nothing in it."""
    name = unique("registry").replace("-", "_")
    with psycopg.connect(registry_server.dsn("postgres"), autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield registry_server.dsn(name)
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def objects(dsn: str) -> set[tuple[str, str, str]]:
    """Everything in schema registry but Alembic's own table: kind, name, definition."""
    with psycopg.connect(dsn) as connection:
        return set(
            connection.execute("""
                SELECT 'column', table_name || '.' || column_name,
                       concat_ws(' ', coalesce(domain_name, data_type), is_nullable, column_default)
                FROM information_schema.columns WHERE table_schema = 'registry' AND table_name <> 'alembic_version'
                UNION ALL
                SELECT 'constraint', conrelid::regclass || '.' || conname, pg_get_constraintdef(c.oid)
                FROM pg_constraint c JOIN pg_namespace n ON n.oid = connamespace
                WHERE nspname = 'registry' AND conname NOT LIKE 'alembic%'
                UNION ALL
                SELECT 'index', indexname, indexdef
                FROM pg_indexes WHERE schemaname = 'registry' AND tablename <> 'alembic_version'
                UNION ALL
                SELECT 'trigger', tgrelid::regclass || '.' || tgname, pg_get_triggerdef(oid)
                FROM pg_trigger WHERE NOT tgisinternal
                UNION ALL
                SELECT 'function', proname, prosrc
                FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace WHERE nspname = 'registry'
                UNION ALL
                SELECT 'type', typname, '' FROM pg_type t JOIN pg_namespace n ON n.oid = typnamespace
                WHERE nspname = 'registry' AND typtype = 'd'
            """)
        )


def test_the_schema_goes_up_twice_and_down_and_up_again(empty_dsn: str) -> None:
    assert migrate.current(empty_dsn) is None
    migrate.upgrade(empty_dsn)
    made = objects(empty_dsn)
    assert {kind for kind, _, _ in made} == {"column", "constraint", "index", "trigger", "function", "type"}
    migrate.upgrade(empty_dsn)
    assert objects(empty_dsn) == made
    assert migrate.current(empty_dsn) is not None
    migrate.downgrade(empty_dsn)
    assert objects(empty_dsn) == set()
    assert migrate.current(empty_dsn) is None
    migrate.upgrade(empty_dsn)
    assert objects(empty_dsn) == made


def test_two_processes_may_migrate_at_once(empty_dsn: str) -> None:
    with ProcessPoolExecutor(3, multiprocessing.get_context("spawn")) as pool:
        assert list(pool.map(migrate.upgrade, [empty_dsn] * 3)) == [None] * 3
    assert migrate.current(empty_dsn) is not None


def test_the_metrics_are_those_of_the_contract(connection: Connection) -> None:
    rows = connection.execute("SELECT metric FROM registry.metrics ORDER BY position").fetchall()
    assert [metric for (metric,) in rows] == [metric.name for metric in CONTRACT.metrics]


@pytest.fixture
def device(connection: Connection, world: World) -> str:
    """A device that stands at site a since the site was opened."""
    return add_device(connection, world.request(installed_at=OPENED)).device_id


def insert(connection: psycopg.Connection[Any], world: World, device_id: str, *period: datetime | None) -> None:
    connection.execute(
        "INSERT INTO registry.device_versions (device_id, tenant_id, site_id, model_id, name, status,"
        " expected_interval_s, valid_from, valid_to) VALUES (%s, %s, 'a', %s, 'x', 'active', 60, %s, %s)",
        (device_id, world.tenant, world.model, *period),
    )


def test_a_second_open_version_is_refused(connection: Connection, world: World, device: str) -> None:
    with pytest.raises(errors.UniqueViolation, match="one_open"):
        insert(connection, world, device, NOON, None)


@pytest.mark.parametrize("start", [-1, 1], ids=["a gap", "an overlap"])
def test_an_overlap_or_a_gap_is_refused_at_commit(
    connection: Connection, world: World, device: str, start: int
) -> None:
    connection.execute("UPDATE registry.device_versions SET valid_to = %s WHERE device_id = %s", (NOON, device))
    insert(connection, world, device, NOON - timedelta(hours=start), None)
    with pytest.raises(errors.ExclusionViolation, match=f"{device} in registry.device_versions overlap"):
        connection.commit()


def test_a_history_without_an_open_end_is_refused(connection: Connection, device: str) -> None:
    connection.execute("UPDATE registry.device_versions SET valid_to = %s WHERE device_id = %s", (NOON, device))
    with pytest.raises(errors.ExclusionViolation):
        connection.commit()


def test_a_site_may_not_overlap_either(connection: Connection, world: World) -> None:
    connection.execute(
        "INSERT INTO registry.site_versions SELECT tenant_id, site_id, customer_id, name, country, timezone, lat, lon,"
        " valid_from - interval '1 day', valid_from + interval '1 day' FROM registry.site_versions"
        " WHERE tenant_id = %s AND site_id = 'a'",
        (world.tenant,),
    )
    with pytest.raises(errors.ExclusionViolation, match=f"{world.tenant}/a in registry.site_versions"):
        connection.commit()


def test_two_writers_who_do_not_see_each_other_cannot_overlap(
    connection: Connection, world: World, registry_dsn: str
) -> None:
    """Both insert a closed first version of a new device: the second waits for the first, then is refused."""
    device = unique("device")
    connection.execute("INSERT INTO registry.device_keys VALUES (%s, %s)", (device, world.tenant))
    connection.commit()
    insert(connection, world, device, NOON, None)
    answers: list[str] = []

    def other() -> None:
        with psycopg.connect(registry_dsn) as second:
            try:
                insert(second, world, device, NOON - timedelta(hours=1), NOON + timedelta(hours=1))
                second.commit()
                answers.append("committed")
            except errors.ExclusionViolation:
                second.rollback()
                answers.append("refused")

    thread = threading.Thread(target=other)
    thread.start()
    waits = (
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'INSERT INTO registry%'"
    )
    with psycopg.connect(registry_dsn, autocommit=True) as watching:
        assert eventually(lambda: watching.execute(waits).fetchone() == (1,))
    assert answers == []
    connection.commit()
    thread.join()
    assert answers == ["refused"]


def test_changes_at_the_same_time_are_made_one_after_the_other(
    connection: Connection, device: str, registry_dsn: str
) -> None:
    def change(hour: int) -> None:
        with psycopg.connect(registry_dsn) as own:
            change_device(own, device, firmware=str(hour), at=NOON + timedelta(hours=hour))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(change, range(8)))
    told = [(version.valid_from, version.firmware) for version in history(connection, device)]
    assert told == [(OPENED, None), *((NOON + timedelta(hours=hour), str(hour)) for hour in range(8))]


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("UPDATE registry.device_versions SET status = 'lost' WHERE device_id = %s", errors.CheckViolation),
        ("UPDATE registry.device_versions SET site_id = 'z' WHERE device_id = %s", errors.ForeignKeyViolation),
        (
            "UPDATE registry.device_versions SET name = repeat('ø', 65) WHERE device_id = %s",
            errors.CheckViolation,
        ),
        ("UPDATE registry.device_versions SET device_id = 'other' WHERE device_id = %s", errors.RaiseException),
        (
            "INSERT INTO registry.calibrations VALUES (%s, 'taste', 0, 1, now(), 'me')",
            errors.ForeignKeyViolation,
        ),
        ("INSERT INTO registry.calibrations VALUES (%s, 'battery', 0, 0, now(), 'me')", errors.CheckViolation),
        ("INSERT INTO registry.device_keys VALUES (%s || '/x', 'acme')", errors.CheckViolation),
    ],
)
def test_what_no_row_may_say_is_refused(
    connection: Connection, device: str, statement: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        connection.execute(statement, (device,))
