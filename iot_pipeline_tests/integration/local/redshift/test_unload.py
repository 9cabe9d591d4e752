"""UNLOAD to Parquet: https://docs.aws.amazon.com/redshift/latest/dg/r_UNLOAD.html."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from redshift_connector.error import ProgrammingError

from iot_pipeline_tests.support.warehouse import BUCKET, ROLE, LocalWarehouse

NAIVE = datetime(2026, 1, 2, 3, 4, 5, 678901, UTC).replace(tzinfo=None)
PARQUET = f"iam_role '{ROLE}' format as parquet"
COLUMNS = (
    "a smallint, b integer, c bigint, d real, e double precision, f decimal(10, 2), g varchar(20), h boolean, i date, "
    "j timestamp"
)
ROWS = [
    (1, 2, 2**40, 0.5, 0.1, Decimal("-1.25"), 'it\'s "é",\nand more', True, date(2026, 1, 2), NAIVE),
    (2, 2, 2**41, 0.5, 1e300, Decimal("0.00"), "", False, date(1999, 1, 2), NAIVE.replace(microsecond=0)),
    (None,) * 10,
]


def test_round_trip_in_one_transaction(local_warehouse: LocalWarehouse) -> None:
    """The transaction's own rows are unloaded, of every type, and COPY reads them back."""
    connection = local_warehouse.connect()
    cursor = connection.cursor()
    cursor.execute(f"create table unloaded({COLUMNS})")
    cursor.execute("create table reloaded (like unloaded)")
    for row in ROWS:
        cursor.execute(f"insert into unloaded values ({', '.join(['%s'] * 10)})", row)
    cursor.execute(
        f"unload ('select * from unloaded where b = 2 or g is null order by a') to 's3://{BUCKET}/u1/x_' {PARQUET}"
    )
    assert local_warehouse.keys("u1/") == ["u1/x_0000_part_00.parquet"]
    assert local_warehouse.get("u1/x_0000_part_00.parquet").num_rows == 3
    cursor.execute(f"copy reloaded from 's3://{BUCKET}/u1/' {PARQUET}")
    cursor.execute("select * from reloaded order by a")
    assert [tuple(row) for row in cursor.fetchall()] == ROWS
    connection.rollback()
    connection.close()


def test_overwriting_is_asked_for(local_warehouse: LocalWarehouse) -> None:
    to = f"to 's3://{BUCKET}/u2/' {PARQUET}"
    with local_warehouse.cursor() as cursor:
        cursor.execute("create table overwritten as select 1 as n")
        cursor.execute(f"unload ('select n from overwritten') {to} parallel off")
        with pytest.raises(ProgrammingError, match="Specified unload destination on S3 is not empty"):
            cursor.execute(f"unload ('select n from overwritten') {to}")
        cursor.execute(f"unload ('select n + 1 as n from overwritten') {to} allowoverwrite parallel off")
    assert local_warehouse.keys("u2/") == ["u2/000.parquet"]
    assert local_warehouse.get("u2/000.parquet").to_pylist() == [{"n": 2}]


def test_partitions(local_warehouse: LocalWarehouse) -> None:
    with local_warehouse.cursor() as cursor:
        cursor.execute(
            "create table partitioned as select 1 as n, 'a' as s union all select 2, 'b' union all select 3, null"
        )
        select = "unload ('select n, s from partitioned where s is null or s <> \\'z\\'')"
        cursor.execute(f"{select} to 's3://{BUCKET}/u3/' {PARQUET} partition by (s)")
        cursor.execute(f"{select} to 's3://{BUCKET}/u4/' {PARQUET} partition by (s) include")
        with pytest.raises(ProgrammingError, match="not among the columns"):
            cursor.execute(f"{select} to 's3://{BUCKET}/u5/' {PARQUET} partition by (q)")
    names = ["s=__HIVE_DEFAULT_PARTITION__", "s=a", "s=b"]
    assert local_warehouse.keys("u3/") == [f"u3/{name}/0000_part_00.parquet" for name in names]
    assert local_warehouse.get("u3/s=b/0000_part_00.parquet").to_pylist() == [{"n": 2}]
    assert local_warehouse.get("u4/s=b/0000_part_00.parquet").to_pylist() == [{"n": 2, "s": "b"}]


def test_no_rows_write_nothing(local_warehouse: LocalWarehouse) -> None:
    with local_warehouse.cursor() as cursor:
        cursor.execute(f"unload ('select 1 as n where false') to 's3://{BUCKET}/u6/' {PARQUET}")
    assert local_warehouse.keys("u6/") == []


def test_super_is_written_as_text(local_warehouse: LocalWarehouse) -> None:
    with local_warehouse.cursor() as cursor:
        cursor.execute(f"unload ('select json_parse(\\'[1]\\') as j') to 's3://{BUCKET}/u7/' {PARQUET}")
    assert local_warehouse.get("u7/0000_part_00.parquet").equals(pa.table({"j": ["[1]"]}))


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (f"unload ('select nothing from nowhere') to 's3://{BUCKET}/u8/' {PARQUET}", "nowhere"),
        (f"unload ('select array_agg(1)') to 's3://{BUCKET}/u8/' {PARQUET}", "functions of arrays"),
        (f"unload ('select 1 as n limit 1') to 's3://{BUCKET}/u8/' {PARQUET}", "Limit clause is not supported"),
        (f"unload ('select 1 as n') to 's3://{BUCKET}/u8/' format parquet", "IAM_ROLE"),
        (f"unload ('select 1 as n') to 's3://{BUCKET}/u8/' iam_role '{ROLE}'", "delimited text"),
        (f"unload ('select 1 as n') to 's3://{BUCKET}/u8/' {PARQUET} cleanpath", "CLEANPATH"),
        (f"unload ('drop table x') to 's3://{BUCKET}/u8/' {PARQUET}", "SELECT"),
    ],
)
def test_errors(local_warehouse: LocalWarehouse, statement: str, expected: str) -> None:
    with local_warehouse.cursor() as cursor:
        with pytest.raises(ProgrammingError) as raised:
            cursor.execute(statement)
        assert expected.lower() in str(raised.value.args[0]).lower()
        cursor.execute("select 1")
        assert cursor.fetchone() == [1]
    assert local_warehouse.keys("u8/") == []
