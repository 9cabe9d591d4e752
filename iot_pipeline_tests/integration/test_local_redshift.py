"""The local Redshift, by the clients that the pipeline uses."""

from datetime import date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from iot_pipeline_tests.integration.warehouse_fixture import ROLE, LocalWarehouse, local_warehouse

__all__ = ["local_warehouse"]


def test_redshift_connector_round_trip(local_warehouse: LocalWarehouse) -> None:
    row = (1, 2, 3, 0.5, 0.25, Decimal("1.50"), "Zürich €", True, date(2026, 1, 2), datetime(2026, 1, 2, 3, 4, 5, 6))
    with local_warehouse.cursor() as cursor:
        cursor.execute(
            "create table types(a smallint, b integer, c bigint, d real, e double precision, f decimal(10, 2), "
            "g varchar(20), h boolean, i date, j timestamp) distkey(a) sortkey(b)"
        )
        marks = ", ".join(["%s"] * 10)
        cursor.execute(f"insert into types values ({marks})", row)
        cursor.execute(f"insert into types values ({marks})", [None] * 10)
        cursor.execute("select * from types where a = %s or a is null order by a", (1,))
        assert [tuple(found) for found in cursor.fetchall()] == [row, (None,) * 10]


def test_copy(local_warehouse: LocalWarehouse) -> None:
    extras = pa.array([[("x", 1.0)], None, []], pa.map_(pa.string(), pa.float64()))
    times = pa.array([datetime(2026, 1, 1, 0, 0, 0, 7)] * 3, pa.timestamp("us"))
    table = pa.table({"z": ["a", "b€", None], "y": [1, 2, 3], "t": times, "m": extras})
    url = local_warehouse.put("copy/a/1.parquet", table)
    local_warehouse.put("copy/a/2.parquet", table)
    with local_warehouse.cursor() as cursor:
        cursor.execute("create schema c1")
        cursor.execute("create table c1.t(device varchar(10), n bigint, at timestamp, extras super)")
        cursor.execute(f"copy c1.t from '{url[:-9]}' iam_role '{ROLE}' format as parquet serializetojson")
        cursor.execute("select pg_last_copy_count()")
        assert cursor.fetchone() == [6]
        cursor.execute("select * from c1.t order by n limit 3")
        print(cursor.fetchall())
