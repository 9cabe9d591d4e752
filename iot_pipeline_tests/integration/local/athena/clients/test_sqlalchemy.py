"""PyAthena's SQLAlchemy dialect, at the releases of requirements.txt, reached by the environment alone.

What is expected is what PyAthena's own suite expects of AWS (tests/pyathena/sqlalchemy/test_base.py).
"""

from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote_plus

import numpy as np
import pandas as pd
import pytest
import sqlalchemy
from botocore.exceptions import ClientError
from pyathena.error import DatabaseError
from pyathena.sqlalchemy.types import AthenaArray, AthenaStruct
from sqlalchemy import Column, MetaData, Table, func, select, text, types
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import NoSuchTableError

from iot_pipeline_tests.support.athena_clients import BUCKET, ClientsAws
from iot_pipeline_tests.support.emulator import unique

pytestmark = pytest.mark.integration
STAGING = quote_plus(f"s3://{BUCKET}/staging/")
LOCATION = quote_plus(f"s3://{BUCKET}/sqlalchemy/")
TEXT_FORMAT = (
    "INPUTFORMAT 'org.apache.hadoop.mapred.TextInputFormat' "
    "OUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'"
)


def engine_of(driver: str = "rest", options: str = "") -> Engine:
    return sqlalchemy.create_engine(
        f"awsathena+{driver}://:@athena.eu-west-1.amazonaws.com:443/shelf?s3_staging_dir={STAGING}&location={LOCATION}"
        f"&poll_interval=0.02{options}"
    )


def name(prefix: str) -> str:
    return unique(prefix).replace("-", "_")


@pytest.fixture
def engine(clients_aws: ClientsAws) -> Iterator[Engine]:
    found = engine_of()
    yield found
    found.dispose()


@pytest.fixture
def conn(engine: Engine) -> Iterator[Connection]:
    with closing(engine.connect()) as found:
        yield found


def test_inspection(engine: Engine) -> None:
    found = sqlalchemy.inspect(engine)
    assert {"default", "shelf"} <= set(found.get_schema_names())
    assert {"one_row", "many_rows"} <= set(found.get_table_names(schema="shelf"))
    assert "view_one_row" not in found.get_table_names(schema="shelf")
    assert found.get_view_names(schema="shelf") == ["view_one_row"]
    assert found.has_table("one_row", schema="shelf")
    assert found.has_table("ONE_ROW", schema="shelf")
    assert not found.has_table("nowhere", schema="shelf")
    assert not found.has_table("nowhere", schema="nowhere")
    (column,) = found.get_columns("one_row", schema="shelf")
    assert (column["name"], column["comment"], column["nullable"]) == ("number_of_rows", "some comment", True)
    assert isinstance(column["type"], types.INTEGER)
    assert found.get_table_comment("one_row", schema="shelf") == {"text": "table comment"}
    assert found.get_pk_constraint("one_row", schema="shelf")["constrained_columns"] == []
    assert found.get_view_definition("view_one_row", schema="shelf").split() == (
        ["CREATE", "VIEW", "shelf.view_one_row", "AS", "SELECT", "*", "FROM", "one_row"]
    )
    with pytest.raises(NoSuchTableError):
        found.get_view_definition("nowhere", schema="shelf")


def test_reflection(conn: Connection) -> None:
    table = Table("one_row", MetaData(schema="shelf"), autoload_with=conn)
    assert [c.name for c in table.columns] == ["number_of_rows"]
    options = table.dialect_options["awsathena"]
    assert options["location"] == f"s3://{BUCKET}/tables/one_row"
    assert options["row_format"] == "SERDE 'org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe'"
    assert options["file_format"] == TEXT_FORMAT
    assert options["serdeproperties"] == {"field.delim": "\t", "line.delim": "\n", "serialization.format": "\t"}
    with pytest.raises(NoSuchTableError):
        Table("nowhere", MetaData(), autoload_with=conn)
    keyed = Table("partition_table", MetaData(schema="shelf"), autoload_with=conn)
    assert [(c.name, bool(c.dialect_options["awsathena"]["partition"])) for c in keyed.columns] == [
        ("a", False),
        ("b", True),
    ]
    everything = MetaData(schema="shelf")
    everything.reflect(bind=conn, views=True)
    assert {"shelf.one_row", "shelf.view_one_row"} <= set(everything.tables)


def test_reflected_types_and_values(conn: Connection) -> None:
    table: Any = Table("one_row_complex", MetaData(schema="shelf"), autoload_with=conn)
    assert isinstance(table.c.col_array.type, AthenaArray)
    assert isinstance(table.c.col_struct.type, AthenaStruct)
    assert (table.c.col_decimal.type.precision, table.c.col_decimal.type.scale) == (10, 1)
    assert table.c.col_varchar.type.length == 10
    (row,) = conn.execute(table.select()).fetchall()
    assert row.col_timestamp == datetime(2017, 1, 1)  # noqa: DTZ001  Athena's TIMESTAMP has no zone
    assert (row.col_date, row.col_decimal, row.col_array) == (date(2017, 1, 2), Decimal("0.1"), [1, 2])
    assert row.col_map == {"1": "2", "3": "4"}


def test_columns_of_a_throttled_catalog(conn: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where GetTableMetadata is throttled, the dialect asks information_schema for the columns."""
    asked = []
    raw: Any = conn.connection.driver_connection

    def throttled(**_: object) -> None:
        asked.append(True)
        raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "Rate exceeded"}}, "GetTableMetadata")

    monkeypatch.setattr(raw.client, "get_table_metadata", throttled)
    monkeypatch.setattr(raw, "_glue_metadata_fallback", False, raising=False)
    monkeypatch.setattr(raw, "glue_metadata_fallback", False, raising=False)
    found = sqlalchemy.inspect(conn)
    columns: dict[str, Any] = {c["name"]: c["type"] for c in found.get_columns("one_row_complex", schema="shelf")}
    assert asked
    assert isinstance(columns["col_array"], AthenaArray)
    assert isinstance(columns["col_int"], types.INTEGER)
    assert (columns["col_decimal"].precision, columns["col_decimal"].scale) == (10, 1)


def test_names_of_three_parts(conn: Connection) -> None:
    for sql in (
        "SELECT number_of_rows FROM awsdatacatalog.shelf.one_row",
        'SELECT "one_row"."number_of_rows" FROM "awsdatacatalog"."shelf"."one_row"',
        "SELECT awsdatacatalog.shelf.one_row.number_of_rows FROM awsdatacatalog.shelf.one_row",
    ):
        assert [tuple(row) for row in conn.execute(text(sql))] == [(1,)]
    with pytest.raises(sqlalchemy.exc.DBAPIError, match="NOT_SUPPORTED_LOCALLY: catalog other"):
        conn.execute(text("SELECT * FROM other.shelf.one_row"))


def test_queries(conn: Connection) -> None:
    many = Table("many_rows", MetaData(schema="shelf"), autoload_with=conn)
    rows = conn.execute(many.select().order_by(many.c.a).offset(10).limit(5))
    assert [tuple(row) for row in rows] == [(n,) for n in range(10, 15)]
    assert conn.execute(select(func.count()).select_from(many).where(many.c.a < 7)).scalar() == 7
    assert conn.execute(text("SELECT :word"), {"word": "o'r \u3042"}).scalar() == "o'r \u3042"
    complex_row = Table("one_row_complex", MetaData(schema="shelf"), autoload_with=conn)
    assert conn.execute(select(func.char_length(complex_row.c.col_string))).scalar() == len("a string")
    filtered = select(func.filter(complex_row.c.col_array, sqlalchemy.literal("x -> x > 1")))
    assert conn.execute(filtered).scalar() == [2]


@pytest.mark.parametrize("driver", ["rest", "pandas", "s3fs"])
def test_drivers(clients_aws: ClientsAws, driver: str) -> None:
    engine = engine_of(driver)
    with closing(engine.connect()) as conn:
        rows = conn.execute(text("SELECT a FROM many_rows WHERE a < 3 ORDER BY a")).fetchall()
        assert [tuple(map(int, row)) for row in rows] == [(0,), (1,), (2,)]
        assert sqlalchemy.inspect(conn).has_table("one_row", schema="shelf")
    engine.dispose()


FRAME = pd.DataFrame(
    {
        "col_int": np.array([1], np.int32),
        "col_bigint": np.array([12345], np.int64),
        "col_float": np.array([1.0], np.float32),
        "col_double": np.array([1.2345], np.float64),
        "col_string": ["a"],
        "col_boolean": np.array([True]),
        "col_timestamp": [datetime(2020, 1, 1)],  # noqa: DTZ001  Athena's TIMESTAMP has no zone
        "col_date": [date(2020, 12, 31)],
    }
)


@pytest.mark.parametrize(
    "options",
    [
        "&file_format=parquet&compression=snappy",
        "&row_format=" + quote_plus("SERDE 'org.openx.data.jsonserde.JsonSerDe'"),
        "",
    ],
    ids=["parquet", "json", "text"],
)
def test_to_sql(clients_aws: ClientsAws, options: str) -> None:
    engine, table = engine_of(options=options), name("to_sql")
    for _ in range(2):
        FRAME.to_sql(table, engine, schema="shelf", index=False, if_exists="append", method="multi")
    found = pd.read_sql(f"SELECT * FROM {table}", engine)
    expected = [FRAME.iloc[0].tolist()] * 2
    shown = [[*row[:-2], pd.Timestamp(row[-2]), row[-1]] for row in found.to_numpy().tolist()]
    assert shown == expected
    assert pd.read_sql_table(table, engine, schema="shelf").shape == (2, 8)
    engine.dispose()


def test_create_table(engine: Engine, conn: Connection) -> None:
    comment = "%%str%% %str% %(parameter)s \"s''t'r\""
    made = Table(
        name("made"),
        MetaData(schema="shelf"),
        Column("col", types.String(10), comment=comment),
        Column("year", types.String, awsathena_partition=True),
        awsathena_location=f"s3://{BUCKET}/made/",
        awsathena_row_format="SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde'",
        awsathena_serdeproperties={"separatorChar": ",", "escapeChar": "\\\\"},
        comment=comment,
    )
    made.create(bind=conn)
    found = Table(made.name, MetaData(schema="shelf"), autoload_with=conn)
    assert found.comment == comment
    assert found.c.col.comment == comment
    options = found.dialect_options["awsathena"]
    assert options["row_format"] == "SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde'"
    assert (options["serdeproperties"]["separatorChar"], options["serdeproperties"]["escapeChar"]) == (",", "\\")
    assert found.c.year.dialect_options["awsathena"]["partition"]
    made.drop(bind=conn)
    assert not sqlalchemy.inspect(engine).has_table(made.name, schema="shelf")


def test_bucketed_and_orc_tables_are_described(conn: Connection) -> None:
    """Their DDL is taken; that they cannot be read or written is said by name."""
    bucketed = Table(
        name("bucketed"),
        MetaData(schema="shelf"),
        Column("col_1", types.Integer, awsathena_cluster=True),
        awsathena_location=f"s3://{BUCKET}/bucketed/",
        awsathena_bucket_count=5,
    )
    bucketed.create(bind=conn)
    with pytest.raises(sqlalchemy.exc.DBAPIError, match="NOT_SUPPORTED: Inserting into bucketed table"):
        conn.execute(bucketed.insert().values(col_1=1))
    orc = Table(
        name("orc"),
        MetaData(schema="shelf"),
        Column("a", types.Integer),
        awsathena_location=f"s3://{BUCKET}/orc/",
        awsathena_file_format="ORC",
    )
    orc.create(bind=conn)
    options = Table(orc.name, MetaData(schema="shelf"), autoload_with=conn).dialect_options["awsathena"]
    assert options["row_format"] == "SERDE 'org.apache.hadoop.hive.ql.io.orc.OrcSerde'"
    with pytest.raises(sqlalchemy.exc.DBAPIError, match=r"NOT_SUPPORTED_LOCALLY: SerDe org\.apache.*OrcSerde"):
        conn.execute(orc.select())


def test_iceberg_is_refused(conn: Connection) -> None:
    iceberg = Table(
        name("ice"),
        MetaData(schema="shelf"),
        Column("a", types.Integer),
        awsathena_location=f"s3://{BUCKET}/ice/",
        awsathena_tblproperties={"table_type": "ICEBERG"},
    )
    with pytest.raises((sqlalchemy.exc.DBAPIError, DatabaseError), match="NOT_SUPPORTED_LOCALLY: table_type ICEBERG"):
        iceberg.create(bind=conn)
