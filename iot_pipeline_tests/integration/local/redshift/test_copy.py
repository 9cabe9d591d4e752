"""COPY of Parquet: https://docs.aws.amazon.com/redshift/latest/dg/copy-usage_notes-copy-from-columnar.html."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import psycopg
import pyarrow as pa
import pytest
from redshift_connector.error import ProgrammingError

from iot_pipeline_tests.support.warehouse import BUCKET, ROLE, LocalWarehouse

AT = datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)
NAIVE = AT.replace(tzinfo=None)
PARQUET = f"iam_role '{ROLE}' format as parquet"
TWO = pa.table({"n": pa.array([1, 2], pa.int64()), "s": ["a", "b"]})


def test_every_type_by_position(local_warehouse: LocalWarehouse) -> None:
    columns = {
        "x": pa.array([1, None], pa.int16()),
        "y": pa.array([2, None], pa.int32()),
        "a": pa.array([2**40, None], pa.int64()),
        "b": pa.array([0.5, None], pa.float32()),
        "c": pa.array([0.1, None], pa.float64()),
        "d": pa.array([Decimal("-1.25"), None], pa.decimal128(8, 2)),
        "e": pa.array(["Zürich €", None]),
        "f": pa.array([True, None]),
        "g": pa.array([date(2026, 1, 2), None]),
        "h": pa.array([AT, None], pa.timestamp("us", "UTC")),
        "i": pa.array([NAIVE, None], pa.timestamp("us")),
    }
    url = local_warehouse.put("types/1.parquet", pa.table(columns))
    types = "smallint, integer, bigint, real, double precision, decimal(10, 2), varchar(12), boolean, date, timestamp"
    definition = ", ".join(f"c{i} {name}" for i, name in enumerate(types.replace("(10, 2)", "(10;2)").split(", ")))
    with local_warehouse.cursor() as cursor:
        cursor.execute(f"create table copy_types({definition.replace(';', ',')}, c10 timestamptz)")
        cursor.execute(f"copy copy_types from '{url}' {PARQUET}")
        cursor.execute("select * from copy_types order by c0")
        row = (1, 2, 2**40, 0.5, 0.1, Decimal("-1.25"), "Zürich €", True, date(2026, 1, 2), NAIVE, AT)
        assert [tuple(found) for found in cursor.fetchall()] == [row, (None,) * 11]


def test_int96_and_dictionaries(local_warehouse: LocalWarehouse) -> None:
    table = pa.table({"t": pa.array([NAIVE], pa.timestamp("us")), "s": pa.array(["a"]).dictionary_encode()})
    url = local_warehouse.put("int96/1.parquet", table, use_deprecated_int96_timestamps=True)
    with local_warehouse.cursor() as cursor:
        cursor.execute("create table copy_int96(t timestamp, s varchar(1))")
        cursor.execute(f"copy copy_int96 from '{url}' {PARQUET}")
        cursor.execute("select * from copy_int96")
        assert cursor.fetchall() == ([NAIVE, "a"],)


def test_super(local_warehouse: LocalWarehouse) -> None:
    struct = pa.struct({"x": pa.string(), "t": pa.map_(pa.string(), pa.string())})
    columns = {
        "m": pa.array([[("a", 1.5), ("b", None)], [], None], pa.map_(pa.string(), pa.float64())),
        "l": pa.array([[1, None], [], None], pa.list_(pa.int32())),
        "s": pa.array([{"x": "é", "t": [("k", "v")]}, None, None], struct),
        "t": pa.array(["plain", "", None]),
    }
    url = local_warehouse.put("super/1.parquet", pa.table(columns))
    with local_warehouse.cursor() as cursor:
        cursor.execute("create table copy_super(m super, l super, s super, t super)")
        with pytest.raises(ProgrammingError, match="SUPER column in COPY query requires SERIALIZETOJSON option"):
            cursor.execute(f"copy copy_super from '{url}' {PARQUET}")
        cursor.execute(f"copy copy_super from '{url}' {PARQUET} serializetojson")
        cursor.execute("select * from copy_super")
        assert [[v and v.replace(" ", "") for v in row] for row in cursor.fetchall()] == [
            ['{"a":1.5,"b":null}', "[1,null]", '{"t":{"k":"v"},"x":"é"}', '"plain"'],
            ["{}", "[]", None, '""'],
            [None] * 4,
        ]


def test_in_a_transaction_with_what_it_deletes(local_warehouse: LocalWarehouse) -> None:
    """delete + COPY: rolled back leaves what was, committed replaces it; the count is the session's."""
    url = local_warehouse.put("replace/1.parquet", TWO)
    local_warehouse.put("replace/2.parquet", TWO)
    connection, other = local_warehouse.connect(), local_warehouse.connect()
    cursor, watcher = connection.cursor(), other.cursor()
    other.autocommit = True
    watcher.execute("create table replaced(n bigint, s varchar(8))")
    watcher.execute("insert into replaced values (9, 'before')")
    for end in (connection.rollback, connection.commit):
        cursor.execute("delete from replaced where n = %s", (9,))
        cursor.execute(f"copy replaced from '{url.removesuffix('1.parquet')}' {PARQUET}")
        cursor.execute("select count(*), pg_last_copy_count() from replaced")
        assert cursor.fetchone() == [4, 4]
        watcher.execute("select s from replaced")
        assert watcher.fetchall() == (["before"],), "nothing is seen of it before the end"
        end()
    watcher.execute("select n, count(*) from replaced group by 1 order by 1")
    assert watcher.fetchall() == ([1, 2], [2, 2])
    watcher.execute("select pg_last_copy_count()")
    assert watcher.fetchone() == [0]
    connection.close()
    other.close()


def test_an_error_aborts_the_transaction_and_keeps_nothing(local_warehouse: LocalWarehouse) -> None:
    """The second object does not fit, when the rows of the first one have been sent already."""
    local_warehouse.put("half/1.parquet", TWO)
    local_warehouse.put("half/2.parquet", pa.table({"n": pa.array([3], pa.int64()), "s": ["far too long"]}))
    copy = f"copy halves from 's3://{BUCKET}/half/' {PARQUET}"
    connection = local_warehouse.connect()
    cursor = connection.cursor()
    cursor.execute("create table halves(n bigint, s varchar(8))")
    connection.commit()
    cursor.execute("insert into halves values (9, 'mine')")
    with pytest.raises(ProgrammingError, match="Spectrum Scan Error"):
        cursor.execute(copy)
    with pytest.raises(ProgrammingError, match="25P02"):
        cursor.execute("select 1")
    connection.rollback()
    connection.autocommit = True
    with pytest.raises(ProgrammingError, match="Spectrum Scan Error"):
        cursor.execute(copy)
    cursor.execute("select count(*) from halves")
    assert cursor.fetchone() == [0]
    connection.close()


@pytest.mark.parametrize("simple", [True, False])
def test_both_protocols_of_psycopg(local_warehouse: LocalWarehouse, simple: bool) -> None:
    url = local_warehouse.put("psycopg/1.parquet", TWO)
    with local_warehouse.psycopg(autocommit=True) as connection:
        notices: list[str | None] = []
        connection.add_notice_handler(lambda found: notices.append(found.message_primary))
        connection.execute("drop table if exists copy_psycopg")
        connection.execute("create table copy_psycopg(n bigint, s varchar(8))")
        for _ in range(2):
            connection.execute(f"copy copy_psycopg from '{url}' {PARQUET}", prepare=not simple)
        assert notices[-1] == "Load into table 'copy_psycopg' completed, 2 record(s) loaded successfully."
        assert connection.execute("select count(*) from copy_psycopg").fetchone() == (4,)


def test_column_list_and_fillrecord(local_warehouse: LocalWarehouse) -> None:
    url = local_warehouse.put("list/1.parquet", TWO)
    with local_warehouse.cursor() as cursor:
        cursor.execute("create table listed(a varchar(3) default 'x', s varchar(8), n bigint, z integer)")
        cursor.execute(f"copy listed (n, s) from '{url}' {PARQUET}")
        cursor.execute("select * from listed order by n")
        assert cursor.fetchall() == (["x", "a", 1, None], ["x", "b", 2, None])
        cursor.execute("create table filled(n bigint, s varchar(8), t timestamp, j super)")
        cursor.execute(f"copy filled from '{url}' {PARQUET} fillrecord serializetojson")
        cursor.execute("select * from filled order by n")
        assert cursor.fetchall() == ([1, "a", None, None], [2, "b", None, None])


NS = "n bigint, s varchar(8)"
NO_TEXTS = pa.table({"n": pa.array([1], pa.int64()), "s": pa.nulls(1, pa.string())})
ERRORS = {
    "few": ("n bigint", TWO, PARQUET, "Unmatched number of columns between table and file. Table columns: 1, Data"),
    "many": (f"{NS}, z date", TWO, PARQUET, "Table columns: 3, Data columns: 2"),
    "type": ("n integer, s varchar(8)", TWO, PARQUET, "has an incompatible Parquet schema for column"),
    "text as number": ("n bigint, s bigint", TWO, PARQUET, "Column type: BIGINT, Parquet schema"),
    "bytes": ("s varchar(2)", pa.table({"s": ["€"]}), PARQUET, "defined in the table. Table: 2, Data: 3"),
    "null": (f"{NS} not null", NO_TEXTS, PARQUET, "Cannot insert a NULL value into column s"),
    "long": ("s super", pa.table({"s": ["x" * 70_000]}), f"{PARQUET} serializetojson", "max size of 65535 bytes"),
    "no role": (NS, TWO, "format as parquet", "IAM_ROLE"),
    "bad role": (NS, TWO, "iam_role 'me' format as parquet", "Invalid IAM role ARN: 'me'"),
    "text": (NS, TWO, f"iam_role '{ROLE}'", "delimited text"),
    "csv": (NS, TWO, f"iam_role '{ROLE}' format csv", "the format CSV"),
    "json": (NS, TWO, f"iam_role '{ROLE}' json 'auto'", "the format JSON"),
    "option": (NS, TWO, f"{PARQUET} maxerror 3", "MAXERROR argument is not supported for PARQUET based COPY"),
}


@pytest.mark.parametrize("case", ERRORS)
def test_errors(local_warehouse: LocalWarehouse, case: str) -> None:
    columns, table, options, expected = ERRORS[case]
    url = local_warehouse.put(f"errors/{case}/1.parquet", table)
    with local_warehouse.cursor() as cursor:
        cursor.execute("drop table if exists copy_errors")
        cursor.execute(f"create table copy_errors({columns})")
        with pytest.raises(ProgrammingError) as raised:
            cursor.execute(f"copy copy_errors from '{url}' {options}")
        found = raised.value.args[0]
        assert expected in f"{found['M']} {found.get('D')}"
        cursor.execute("select count(*) from copy_errors")
        assert cursor.fetchone() == [0]


def test_places_that_are_not_there(local_warehouse: LocalWarehouse) -> None:
    local_warehouse.s3.put_object(Bucket=BUCKET, Key="junk/1.parquet", Body=b"no parquet at all")
    url = local_warehouse.put("there/1.parquet", TWO)
    with local_warehouse.cursor() as cursor:
        cursor.execute("create table copy_places(n bigint, s varchar(8))")
        missing = "The specified S3 prefix 'nowhere/' does not exist"
        statements = {
            f"copy copy_places from 's3://{BUCKET}/nowhere/' {PARQUET}": missing,
            f"copy copy_places from 's3://no-such-bucket/x' {PARQUET}": "NoSuchBucket",
            f"copy copy_places from 's3://{BUCKET}/junk/' {PARQUET}": "Spectrum Scan Error",
            f"copy copy_nothing from '{url}' {PARQUET}": "Cannot COPY into nonexistent table copy_nothing",
            f"copy copy_places (n, q) from '{url}' {PARQUET}": 'column "q" of relation "copy_places" does not exist',
            f"copy copy_places (n, n) from '{url}' {PARQUET}": "specified more than once",
        }
        for statement, expected in statements.items():
            with pytest.raises(ProgrammingError) as raised:
                cursor.execute(statement)
            assert expected in str(raised.value.args[0])
        cursor.execute(f"copy copy_places from '{url}' {PARQUET}")
        cursor.execute("select count(*) from copy_places")
        assert cursor.fetchone() == [2]


def test_a_damaged_file_keeps_nothing(local_warehouse: LocalWarehouse) -> None:
    """Its footer is whole, a page in the middle is not; that is seen when rows have been sent."""
    texts = pa.table({"n": pa.array(range(400_000), pa.int64())})
    url = local_warehouse.put("damaged/1.parquet", texts, use_dictionary=False, row_group_size=100_000)
    body = bytearray(local_warehouse.s3.get_object(Bucket=BUCKET, Key="damaged/1.parquet")["Body"].read())
    body[len(body) // 2 : len(body) // 2 + 200_000] = b"\xff" * 200_000
    local_warehouse.s3.put_object(Bucket=BUCKET, Key="damaged/1.parquet", Body=bytes(body))
    with local_warehouse.cursor() as cursor:
        cursor.execute("create table copy_damaged(n bigint)")
        with pytest.raises(ProgrammingError, match="cannot be read"):
            cursor.execute(f"copy copy_damaged from '{url}' {PARQUET}")
        cursor.execute("select count(*) from copy_damaged")
        assert cursor.fetchone() == [0]


def test_a_waiting_copy_is_cancelled(local_warehouse: LocalWarehouse) -> None:
    url = local_warehouse.put("cancel/1.parquet", TWO)
    with local_warehouse.psycopg(autocommit=True) as connection:
        connection.execute("create table copy_cancelled(n bigint, s varchar(8))")
        with psycopg.connect(local_warehouse.postgres.dsn("telemetry")) as holder:
            holder.execute("lock table copy_cancelled")
            canceller = threading.Timer(0.5, connection.cancel)
            canceller.start()
            with pytest.raises(psycopg.errors.QueryCanceled):
                connection.execute(f"copy copy_cancelled from '{url}' {PARQUET}")
            canceller.join()
        connection.execute(f"copy copy_cancelled from '{url}' {PARQUET}")
        assert connection.execute("select count(*) from copy_cancelled").fetchone() == (2,)


def _pipelined(connection: "psycopg.Connection[Any]", statements: list[str]) -> None:
    with connection.pipeline():
        for statement in statements:
            connection.execute(statement)


@pytest.mark.parametrize("first", [True, False])
def test_in_a_pipeline_with_a_statement_that_fails(local_warehouse: LocalWarehouse, first: bool) -> None:
    """All that is sent before one Sync is one transaction: https://www.postgresql.org/docs/16/protocol-flow.html."""
    url = local_warehouse.put("pipeline/1.parquet", TWO)
    statements = [f"copy copy_pipeline from '{url}' {PARQUET}", "select 1 / n from copy_pipeline_zero"]
    with local_warehouse.psycopg(autocommit=True) as connection:
        connection.execute("drop table if exists copy_pipeline; drop table if exists copy_pipeline_zero")
        connection.execute("create table copy_pipeline(n bigint, s varchar(8))")
        connection.execute("create table copy_pipeline_zero as select 0 as n")
        for _ in range(5):
            with pytest.raises(psycopg.errors.DivisionByZero):
                _pipelined(connection, statements if first else statements[::-1])
            assert connection.execute("select count(*) from copy_pipeline").fetchone() == (0,)
        with connection.pipeline():
            connection.execute(statements[0])
            found = connection.execute("select count(*), pg_last_copy_count() from copy_pipeline")
            assert found.fetchone() == (2, 2)


def test_an_object_without_rows(local_warehouse: LocalWarehouse) -> None:
    url = local_warehouse.put("empty/1.parquet", TWO.slice(0, 0))
    with local_warehouse.cursor() as cursor:
        cursor.execute("create table copy_empty(n bigint, s varchar(8) not null)")
        cursor.execute(f"copy copy_empty from '{url}' {PARQUET}")
        cursor.execute("select count(*), pg_last_copy_count() from copy_empty")
        assert cursor.fetchone() == [0, 0]


def test_one_of_several_statements(local_warehouse: LocalWarehouse) -> None:
    with local_warehouse.psycopg(autocommit=True) as connection, pytest.raises(psycopg.Error, match=r"(?i)copy"):
        connection.execute(f"select 1; copy anything from 's3://{BUCKET}/x' {PARQUET}")


def test_many_rows_by_eight_at_once(local_warehouse: LocalWarehouse) -> None:
    """More than one batch each, all into one table, each sees its own count."""
    rows = 150_000
    table = pa.table({"n": pa.array(range(rows), pa.int64()), "s": pa.array(["abcdefgh"] * rows)})
    url = local_warehouse.put("many/1.parquet", table)
    with local_warehouse.cursor() as cursor:
        cursor.execute("create table copy_many(n bigint, s varchar(8))")

    def load(_: int) -> list[int] | None:
        with local_warehouse.cursor() as cursor:
            cursor.execute(f"copy copy_many from '{url}' {PARQUET}")
            cursor.execute("select pg_last_copy_count()")
            return cursor.fetchone()

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(load, range(8))) == [[rows]] * 8
    with local_warehouse.cursor() as cursor:
        cursor.execute("select count(*), sum(n) from copy_many")
        assert cursor.fetchone() == [8 * rows, 8 * rows * (rows - 1) // 2]
