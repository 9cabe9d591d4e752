"""What each driver reads: names, texts, numbers, times and intervals as they were written; and errors."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import psycopg2  # type: ignore[import-untyped]  # it has no stubs
import pytest
from redshift_connector.error import Error as RedshiftError

from iot_pipeline_tests.support.warehouse import LocalWarehouse

DRIVERS = ("redshift_connector", "psycopg2", "psycopg")


@pytest.fixture(scope="module")
def warehouse(local_warehouse: LocalWarehouse) -> Iterator[LocalWarehouse]:
    with local_warehouse.psycopg(autocommit=True) as connection:
        connection.execute("CREATE SCHEMA read")
        connection.execute(
            'CREATE TABLE read."Weird Näme" ("Äpfel" int, "select" varchar(20), d decimal(38, 10), tz timestamptz, '
            "ts timestamp, dt date, t time, b boolean, f real, g float8, s super, c char(5), big bigint)"
        )
        connection.execute(
            "INSERT INTO read.\"weird näme\" VALUES (1, '日本 ✓''\"', 12345678901234567890.0123456789, "
            "'2026-03-29 02:30:00+02', '2026-03-29 02:30:00.123456', '0001-01-01', '23:59:59.999999', true, 1.5, "
            "1e308, json_parse('{\"b\": [1, 2.50, null, \"x y\"]}'), 'ab', -9223372036854775808), "
            "(2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)"
        )
        yield local_warehouse
        connection.execute("DROP SCHEMA read CASCADE")


@pytest.fixture(params=DRIVERS)
def cursor(request: pytest.FixtureRequest, warehouse: LocalWarehouse) -> Iterator[Any]:
    connect: dict[str, Callable[[], Any]] = {
        "redshift_connector": warehouse.connect,
        "psycopg2": lambda: psycopg2.connect(warehouse.redshift.dsn),
        "psycopg": warehouse.psycopg,
    }
    opened = connect[request.param]()
    yield opened.cursor()
    opened.close()


def test_a_row_and_its_nulls(cursor: Any) -> None:
    cursor.execute('SELECT * FROM read."WEIRD NÄME" ORDER BY "Äpfel"')
    names = [column[0] for column in cursor.description]
    assert names == ["äpfel", "select", "d", "tz", "ts", "dt", "t", "b", "f", "g", "s", "c", "big"]
    full, empty = [tuple(row) for row in cursor.fetchall()]
    assert full == (
        1,
        "日本 ✓'\"",
        Decimal("12345678901234567890.0123456789"),
        datetime(2026, 3, 29, 0, 30, tzinfo=UTC),
        datetime(2026, 3, 29, 2, 30, 0, 123456),  # noqa: DTZ001  TIMESTAMP has no zone
        date(1, 1, 1),
        time(23, 59, 59, 999999),
        True,
        1.5,
        1e308,
        '{"b":[1,2.50,null,"x y"]}',
        "ab   ",
        -9223372036854775808,
    )
    assert empty == (2, *[None] * 12)


def test_no_rows_have_columns(cursor: Any) -> None:
    cursor.execute('SELECT d, s FROM read."weird näme" WHERE false')
    assert [column[0] for column in cursor.description] == ["d", "s"]
    assert list(cursor.fetchall()) == []


def test_parameters(cursor: Any) -> None:
    given = ("x'y\"ü\\", 5, Decimal("1.250"), date(2026, 1, 1), True)
    cursor.execute("SELECT %s::varchar, %s::int, %s::decimal(10, 3), %s::date, %s::boolean, %s::int", (*given, None))
    assert tuple(cursor.fetchone()) == (*given, None)


def test_intervals(cursor: Any) -> None:
    """PostgreSQL 8.0 sends them in another binary form than 16, which redshift_connector reads."""
    cursor.execute(
        "SELECT interval '1 day 2 hours', interval '40 days 00:00:01.5', json_parse('[1, 2]'), interval '-3 days'"
    )
    found = (timedelta(days=1, hours=2), timedelta(days=40, seconds=1.5), "[1,2]", timedelta(days=-3))
    read = list(cursor.fetchone())
    read[2] = read[2] if isinstance(read[2], str) else "[" + ",".join(map(str, read[2])) + "]"
    assert tuple(read) == found


def test_an_error_loses_the_transaction_and_not_the_connection(cursor: Any) -> None:
    cursor.execute("CREATE TABLE read.lost (a int)")
    errors = (psycopg.Error, psycopg2.Error, RedshiftError)
    with pytest.raises(errors, match="division by zero"):
        cursor.execute("SELECT 1 / 0")
    with pytest.raises(errors, match="transaction is aborted"):
        cursor.execute("SELECT 1")
    cursor.connection.rollback()
    with pytest.raises(errors, match="does not exist"):
        cursor.execute("SELECT * FROM read.lost")
    cursor.connection.rollback()
    cursor.execute("SELECT 1")
    assert tuple(cursor.fetchone()) == (1,)


def test_a_long_result(cursor: Any) -> None:
    digits = " UNION ALL ".join(f"SELECT {n} AS d" for n in range(10))
    cursor.execute(f"CREATE TABLE read.digits AS {digits}")
    number = " + ".join(f"t{n}.d * {10**n}" for n in range(5))
    tables = ", ".join(f"read.digits t{n}" for n in range(5))
    cursor.execute(f"SELECT {number} AS n, 'x' AS x FROM {tables} ORDER BY 1")
    assert [row[0] for row in cursor.fetchall()] == list(range(100_000))
    cursor.connection.rollback()
