"""The local Redshift's wire, by the clients that the pipeline uses, unchanged."""

import os
import signal
import socket
import struct
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from dbt.adapters.redshift.connections import RedshiftCredentials, get_connection_method
from redshift_connector.error import InterfaceError, ProgrammingError

from infra.local.postgres.process import start_postgres
from infra.local.redshift.process import start_redshift
from infra.local.servers.local_server import LocalError
from infra.local.servers.loopback import free_port
from iot_pipeline_tests.support.warehouse import LocalWarehouse

AT = datetime(2026, 1, 2, 3, 4, 5, 6)  # noqa: DTZ001  Redshift's timestamp has no zone
ROW = (-3, 70_000, 2**40, 0.5, 0.1, Decimal("1.50"), "Zürich €", True, date(2026, 1, 2), AT)
TYPES = "smallint", "integer", "bigint", "real", "double precision", "decimal(10, 2)", "varchar(20)", "boolean", "date"
COLUMNS = ", ".join(f"c{i} {name}" for i, name in enumerate([*TYPES, "timestamp"]))


def test_redshift_connector_types(local_warehouse: LocalWarehouse) -> None:
    marks = ", ".join(["%s"] * len(ROW))
    with local_warehouse.cursor() as cursor:
        cursor.execute(f"create table types({COLUMNS}, s super) distkey(c0) compound sortkey(c1, c2)")
        cursor.execute(f"insert into types values ({marks}, null)", ROW)
        cursor.execute(f"insert into types values ({marks}, null)", [None] * len(ROW))
        cursor.execute("insert into types (c0, s) select 9, json_parse('{\"a\":[1,null]}')")
        cursor.execute("select * from types where c0 = %s or c0 is null or c0 = 9 order by c0", (-3,))
        assert [tuple(row) for row in cursor.fetchall()] == [
            (*ROW, None),
            (9, *[None] * (len(ROW) - 1), '{"a":[1,null]}'),
            (None,) * (len(ROW) + 1),
        ]
        assert cursor.description is not None
        assert cursor.description[-1][1] == 4000, "SUPER has Redshift's type number"


@pytest.mark.timeout(60)
@pytest.mark.parametrize("lead", [" " * 40, "\n" * 40 + "    ", "/* dbt */ " * 40, "-- why\n    " * 40], ids=repr)
def test_an_indented_statement_is_answered(local_warehouse: LocalWarehouse, lead: str) -> None:
    with local_warehouse.cursor() as cursor:
        cursor.execute(f"{lead}select 1")
        assert cursor.fetchone() == [1]


@pytest.mark.timeout(60)
def test_a_long_text_keeps_nobody_else_waiting(local_warehouse: LocalWarehouse) -> None:
    """It takes seconds to read: another client is answered before it is."""
    long = "select " + "1 + " * 100_000 + "1"
    with local_warehouse.psycopg() as first, local_warehouse.psycopg() as second, ThreadPoolExecutor(1) as pool:
        refused = pool.submit(first.execute, long)
        answers = 0
        while not refused.done():
            assert second.execute("select 1").fetchone() == (1,)
            answers += 1
        assert answers > 3
        with pytest.raises(psycopg.errors.StatementTooComplex):
            refused.result()


def test_redshift_connector_transactions(local_warehouse: LocalWarehouse) -> None:
    connection = local_warehouse.connect()
    cursor = connection.cursor()
    cursor.execute("create table transactions(n integer)")
    connection.commit()
    cursor.execute("insert into transactions values (1)")
    connection.rollback()
    cursor.execute("insert into transactions values (2)")
    with pytest.raises(ProgrammingError, match="does not exist"):
        cursor.execute("select nothing from transactions")
    with pytest.raises(ProgrammingError, match="25P02"):
        cursor.execute("select * from transactions")
    connection.rollback()
    cursor.execute("select count(*) from transactions")
    assert cursor.fetchone() == [0]
    connection.close()


def test_what_redshift_refuses_fails_the_transaction(local_warehouse: LocalWarehouse) -> None:
    """In the extended protocol (redshift_connector) and in the simple one (psycopg without parameters)."""
    refused = "insert into refusals values (2) on conflict do nothing"
    connection = local_warehouse.connect()
    cursor = connection.cursor()
    cursor.execute("create table refusals(n integer)")
    connection.commit()
    cursor.execute("insert into refusals values (1)")
    with pytest.raises(ProgrammingError, match=r"(?i)on conflict"):
        cursor.execute(refused)
    with pytest.raises(ProgrammingError, match="25P02"):
        cursor.execute("select 1")
    connection.rollback()
    connection.close()

    with local_warehouse.psycopg() as other:
        other.execute("insert into refusals values (1)")
        with pytest.raises(psycopg.Error, match=r"(?i)on conflict"):
            other.execute(refused)
        with pytest.raises(psycopg.errors.InFailedSqlTransaction):
            other.execute("select 1")
        other.rollback()
        assert other.execute("select count(*) from refusals").fetchone() == (0,)


def test_an_error_outside_a_transaction_leaves_the_session_usable(local_warehouse: LocalWarehouse) -> None:
    with local_warehouse.cursor() as cursor:
        for _ in range(3):
            with pytest.raises(ProgrammingError):
                cursor.execute("select array_agg(1)")
            cursor.execute("select 1")
            assert cursor.fetchone() == [1]


def test_psycopg_protocols(local_warehouse: LocalWarehouse) -> None:
    with local_warehouse.psycopg(autocommit=True) as connection:
        connection.execute("create table psy(n bigint, t timestamp, s varchar); insert into psy values (0, null, 'ü')")
        insert = "insert into psy values (%s, %s, %s)"
        with connection.pipeline(), connection.cursor() as cursor:
            cursor.executemany(insert, [(n, AT, "é") for n in range(1, 6)])
        for binary in (False, True):
            with connection.cursor(binary=binary) as cursor:
                for _ in range(7):  # psycopg prepares at the fifth time
                    assert cursor.execute("select t, s from psy where n = %s", (5,)).fetchone() == (AT, "é")
        with connection.pipeline():
            good = connection.execute("select count(*) from psy")
            bad = connection.execute("select count(*) filter (where true) from psy where n > %s", (0,))
            with pytest.raises(psycopg.Error, match=r"(?i)filter"):
                bad.fetchone()
            assert good.fetchone() == (6,)
        assert connection.execute("select 1").fetchone() == (1,)


def test_large_results(local_warehouse: LocalWarehouse) -> None:
    """Rows larger than what is read at once, and many small ones."""
    with local_warehouse.psycopg(autocommit=True) as connection:
        connection.execute("create table wide as select 1 as n, repeat('x', 60000) as s")
        for _ in range(7):
            connection.execute("insert into wide select n + 1, s from wide")
        rows = connection.execute("select s || s || s || s || s as s from wide").fetchall()
        assert [len(s) for (s,) in rows] == [300_000] * 128
        rows = connection.execute("select a.n, b.n from wide a cross join wide b").fetchall()
        assert len(rows) == 128**2


def test_eight_clients_at_once(local_warehouse: LocalWarehouse) -> None:
    with local_warehouse.cursor() as cursor:
        cursor.execute("create table many(client integer, n integer)")

    def work(client: int) -> int | None:
        with local_warehouse.cursor() as cursor:
            for n in range(20):
                cursor.execute("insert into many values (%s, %s)", (client, n))
            cursor.execute("select count(*) from many where client = %s", (client,))
            (found,) = cursor.fetchone() or (None,)
            return found

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(8))) == [20] * 8


def test_a_running_statement_is_cancelled(local_warehouse: LocalWarehouse) -> None:
    with local_warehouse.psycopg(autocommit=True) as connection:
        connection.execute("create table slow as select 1 as n")
        for _ in range(14):
            connection.execute("insert into slow select n from slow")
        canceller = threading.Timer(0.5, connection.cancel)
        canceller.start()
        with pytest.raises(psycopg.errors.QueryCanceled):
            connection.execute("select count(*) from slow a cross join slow b cross join slow c")
        canceller.join()
        assert connection.execute("select 1").fetchone() == (1,)


def test_a_client_that_dies_leaves_nothing(local_warehouse: LocalWarehouse) -> None:
    with local_warehouse.psycopg(autocommit=True) as watcher:
        watcher.execute("create table dying(n integer)")
        connection = local_warehouse.psycopg()
        pid = connection.execute("insert into dying values (1); select pg_backend_pid()")
        assert pid.nextset()
        (backend,) = pid.fetchone() or (None,)
        os.close(connection.fileno())
        deadline = time.monotonic() + 20
        with psycopg.connect(local_warehouse.postgres.dsn("telemetry"), autocommit=True) as superuser:
            alive = "select count(*) from pg_stat_activity where pid = %s"
            while superuser.execute(alive, (backend,)).fetchone() != (0,):
                assert time.monotonic() < deadline
                time.sleep(0.02)
        assert watcher.execute("select count(*) from dying").fetchone() == (0,)


def test_a_wrong_password_is_refused(local_warehouse: LocalWarehouse) -> None:
    with pytest.raises(ProgrammingError, match="password authentication failed"):
        local_warehouse.connect(password="guessed")
    with pytest.raises(InterfaceError, match="refuses SSL"):
        local_warehouse.connect(ssl=True)


def test_dbt_connects(local_warehouse: LocalWarehouse) -> None:
    """What `dbt debug` does: dbt-redshift's own way to redshift_connector, and its first statement."""
    found = local_warehouse.redshift
    profile = {"host": "127.0.0.1", "port": found.port, "user": found.user, "password": found.password}
    profile |= {"database": found.database, "schema": "marts", "sslmode": "disable", "autocommit": True}
    RedshiftCredentials.validate(profile)
    connection = get_connection_method(RedshiftCredentials.from_dict(profile))()
    cursor = connection.cursor()
    cursor.execute("select 1 as id")
    assert cursor.fetchall() == ([1],)
    connection.close()


def test_start_up_errors_say_why(local_warehouse: LocalWarehouse, tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="address already in use"):
        start_redshift(tmp_path, local_warehouse.postgres, port=local_warehouse.redshift.port)


def _run_until_it_fails(connection: "psycopg.Connection[Any]") -> None:
    for _ in range(1000):
        connection.execute("select 1")
        time.sleep(0.01)


def test_postgres_killed_behind_it(tmp_path: Path) -> None:
    """Sessions end with an error; after a restart of PostgreSQL on its port the same proxy serves again."""
    postgres = start_postgres(tmp_path / "postgres", databases=["telemetry"])
    try:
        redshift = start_redshift(tmp_path, postgres, port=free_port())
        try:
            options: dict[str, Any] = {"autocommit": True}
            connection = psycopg.connect(redshift.dsn, **options)
            connection.execute("create table kept as select current_date as d")
            os.kill(postgres.pid, signal.SIGKILL)
            with pytest.raises(psycopg.OperationalError):
                _run_until_it_fails(connection)
            with pytest.raises(psycopg.OperationalError, match="no PostgreSQL behind"):
                psycopg.connect(redshift.dsn)
            postgres = start_postgres(tmp_path / "postgres", port=postgres.port)
            with psycopg.connect(redshift.dsn) as again:
                row = again.execute("select d from kept").fetchone()
            assert row == (datetime.now(UTC).date(),)
        finally:
            redshift.stop()
    finally:
        postgres.stop()


def test_a_message_of_a_length_that_none_has_is_refused(local_warehouse: LocalWarehouse) -> None:
    with socket.create_connection(("127.0.0.1", local_warehouse.redshift.port), timeout=30) as client:
        client.sendall(struct.pack("!II", 2**31, 196608))
        answer = client.recv(4096)
    assert answer.startswith(b"E")
    assert b"08P01" in answer


def test_a_statement_larger_than_redshifts_is_refused(local_warehouse: LocalWarehouse) -> None:
    with local_warehouse.psycopg(autocommit=True) as connection:
        with pytest.raises(psycopg.errors.StatementTooComplex, match="Statement is too large"):
            connection.execute("select 1" + " " * 16 * 1024 * 1024)
        assert connection.execute("select 1").fetchone() == (1,)
