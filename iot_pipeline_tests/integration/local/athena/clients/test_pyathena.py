"""PyAthena, the pinned release of requirements.txt: its cursors, unchanged, reached by the environment alone.

What is expected is what PyAthena's own suite expects of AWS (pyathena-dev/PyAthena, tests/pyathena/test_cursor.py and
its neighbours), and its README's examples.
"""

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from typing import Any

import pyarrow.fs
import pytest
from pyathena import BINARY, aio_connect, connect
from pyathena.arrow.async_cursor import AsyncArrowCursor
from pyathena.arrow.cursor import ArrowCursor
from pyathena.async_cursor import AsyncCursor, AsyncDictCursor
from pyathena.connection import Connection
from pyathena.cursor import Cursor, DictCursor
from pyathena.error import DatabaseError, OperationalError
from pyathena.pandas.async_cursor import AsyncPandasCursor
from pyathena.pandas.cursor import PandasCursor
from pyathena.s3fs.cursor import S3FSCursor
from pyathena.spark.cursor import SparkCursor

from iot_pipeline_tests.support.athena_clients import BUCKET, ClientsAws
from iot_pipeline_tests.support.emulator import eventually, unique

pytestmark = pytest.mark.integration
STAGING = f"s3://{BUCKET}/staging/"
ENDLESS = (
    "SELECT count(*) FROM UNNEST(sequence(1, 9000)) a(x), UNNEST(sequence(1, 9000)) b(y), many_rows WHERE x+y+a < 0"
)


@pytest.fixture
def cursor(connection: Connection[Any]) -> Iterator[Any]:
    with connection.cursor(Cursor) as found:
        yield found


def test_readme(clients_aws: ClientsAws) -> None:
    """README, "Usage": the example with a table of one row."""
    cursor = connect(s3_staging_dir=STAGING, region_name="eu-west-1", schema_name="shelf").cursor()
    cursor.execute("SELECT * FROM one_row")
    assert cursor.description == [("number_of_rows", "integer", None, None, 10, 0, "UNKNOWN")]
    assert cursor.fetchall() == [(1,)]


def test_readme_asyncio(clients_aws: ClientsAws) -> None:
    """README, "Native asyncio is also supported"."""

    async def main() -> Any:
        async with await aio_connect(s3_staging_dir=STAGING, region_name="eu-west-1") as conn:
            cursor = conn.cursor()
            await cursor.execute("SELECT 1")
            return await cursor.fetchone()

    assert asyncio.run(main()) == (1,)


def test_execution(cursor: Any) -> None:
    cursor.execute("SELECT * FROM one_row")
    assert (cursor.rowcount, cursor.rownumber) == (-1, 0)
    assert cursor.fetchone() == (1,)
    assert cursor.fetchone() is None
    assert (cursor.database, cursor.catalog) == ("shelf", "awsdatacatalog")
    assert (cursor.statement_type, cursor.substatement_type) == ("DML", "SELECT")
    assert (cursor.work_group, cursor.state, cursor.state_change_reason) == ("primary", "SUCCEEDED", None)
    assert isinstance(cursor.submission_date_time, datetime)
    assert isinstance(cursor.completion_date_time, datetime)
    assert cursor.data_scanned_in_bytes == 2
    assert cursor.output_location == f"{STAGING}{cursor.query_id}.csv"
    assert (cursor.data_manifest_location, cursor.encryption_option, cursor.kms_key) == (None, None, None)
    assert (cursor.selected_engine_version, cursor.effective_engine_version) == ("AUTO", "Athena engine version 3")


def test_fetching(cursor: Any) -> None:
    cursor.execute("SELECT * FROM many_rows LIMIT 15")
    assert cursor.fetchmany(10) == [(n,) for n in range(10)]
    assert cursor.fetchmany(10) == [(n,) for n in range(10, 15)]
    cursor.execute("SELECT a FROM many_rows ORDER BY a")
    assert cursor.fetchall() == [(n,) for n in range(10_000)]
    cursor.execute("SELECT a FROM many_rows WHERE a < 0")
    assert cursor.fetchall() == []


def test_a_page_is_crossed(cursor: Any) -> None:
    """API GetQueryResults: a page has 1,000 rows, of which the first page's first is the header."""
    for count in (999, 1000, 1001):
        cursor.execute(f"SELECT x FROM UNNEST(sequence(1, {count})) AS t(x) ORDER BY x")
        assert cursor.fetchall() == [(n,) for n in range(1, count + 1)]


def test_parameters(cursor: Any) -> None:
    rows = cursor.execute("SELECT * FROM many_rows WHERE a < %(n)d", {"n": 3}).fetchall()
    assert rows == [(0,), (1,), (2,)]
    rows = cursor.execute("SELECT * FROM many_rows WHERE a < ?", ["3"], paramstyle="qmark").fetchall()
    assert rows == [(0,), (1,), (2,)]
    rows = cursor.execute(
        "SELECT col_string FROM one_row_complex WHERE col_string = ?", ["'a string'"], paramstyle="qmark"
    ).fetchall()
    assert rows == [("a string",)]
    hard = "`~!@#$%^&*()_+-={}[]|\\;:'\",./<>?\n\r\t \u738b\u5162"
    assert cursor.execute("SELECT %(a)d, %(b)s", {"a": 1, "b": hard}).fetchall() == [(1, hard)]
    assert cursor.execute("SELECT %(a)s", {"a": None}).fetchall() == [(None,)]
    assert cursor.execute("SELECT %(a)s", {"a": Decimal("0.00000000001")}).fetchall() == [(Decimal("0.00000000001"),)]
    moment = datetime(2017, 1, 1, 12, 0, 0, 789012)  # noqa: DTZ001  Athena's TIMESTAMP has no zone
    assert cursor.execute("SELECT %(a)s", {"a": moment}).fetchall() == [(moment,)]
    rows = cursor.execute("SELECT '%%', %(a)s FROM one_row_complex WHERE col_string LIKE %(a)s", {"a": "a%"}).fetchall()
    assert rows == [("%", "a%")]


@pytest.mark.parametrize("value", [b"", b"\x00\xff'\\%", bytes(range(256))], ids=["empty", "special", "all"])
def test_binary_parameters(cursor: Any, value: bytes) -> None:
    cursor.execute("SELECT CAST(%(value)s AS VARBINARY)", {"value": value})
    assert cursor.fetchone() == (value,)
    assert cursor.description[0][1] == BINARY


def test_types(cursor: Any) -> None:
    cursor.execute("SELECT *, CAST(col_array AS json) AS array_json FROM one_row_complex")
    assert [d[:2] + d[4:6] for d in cursor.description] == [
        ("col_boolean", "boolean", 0, 0),
        ("col_tinyint", "tinyint", 3, 0),
        ("col_smallint", "smallint", 5, 0),
        ("col_int", "integer", 10, 0),
        ("col_bigint", "bigint", 19, 0),
        ("col_float", "float", 17, 0),
        ("col_double", "double", 17, 0),
        ("col_string", "varchar", 2147483647, 0),
        ("col_varchar", "varchar", 2147483647, 0),  # 10 on AWS: lengths are not kept
        ("col_timestamp", "timestamp", 3, 0),
        ("col_date", "date", 0, 0),
        ("col_array", "array", 0, 0),
        ("col_map", "map", 0, 0),
        ("col_struct", "row", 0, 0),
        ("col_decimal", "decimal", 10, 1),
        ("array_json", "json", 0, 0),
    ]
    assert cursor.fetchall() == [
        (
            True,
            127,
            32767,
            2147483647,
            9223372036854775807,
            0.5,
            0.25,
            "a string",
            "varchar",
            datetime(2017, 1, 1),  # noqa: DTZ001  Athena's TIMESTAMP has no zone
            date(2017, 1, 2),
            [1, 2],
            {"1": "2", "3": "4"},
            {"a": "1", "b": "2"},
            Decimal("0.1"),
            [1, 2],
        )
    ]


def test_type_hints(cursor: Any) -> None:
    cursor.execute(
        "SELECT CAST(ROW(ROW('2024-01-01', 123), 4.736) AS ROW(header ROW(stamp VARCHAR, seq INTEGER), x DOUBLE)) AS p",
        result_set_type_hints={"p": "row(header row(stamp varchar, seq integer), x double)"},
    )
    assert cursor.fetchone() == ({"header": {"stamp": "2024-01-01", "seq": 123}, "x": 4.736},)


def test_null_and_the_empty_text(connection: Connection[Any]) -> None:
    sql = "SELECT v FROM (VALUES (1, ''), (2, NULL), (3, 'NULL'), (4, 'N/A')) AS t(id, v) ORDER BY id"
    for kind in (Cursor, S3FSCursor):
        assert connection.cursor(kind).execute(sql).fetchall() == [("",), (None,), ("NULL",), ("N/A",)]
    found = connection.cursor(DictCursor).execute(sql).fetchall()
    assert found == [{"v": ""}, {"v": None}, {"v": "NULL"}, {"v": "N/A"}]


def test_writing_statements(cursor: Any) -> None:
    """A CTAS has the column `rows`, an INSERT none; both say how many rows they wrote."""
    name = unique("t").replace("-", "_")
    cursor.execute(f"CREATE TABLE {name} WITH (external_location = 's3://{BUCKET}/{name}/') AS SELECT 1 AS a, 'x' AS b")
    assert cursor.description == [("rows", "bigint", None, None, 19, 0, "UNKNOWN")]
    assert (cursor.rowcount, cursor.fetchone()) == (1, None)
    cursor.execute(f"INSERT INTO {name} VALUES (2, 'y'), (3, NULL)")
    assert (cursor.description, cursor.rowcount) == (None, 2)
    cursor.executemany(f"INSERT INTO {name} (a, b) VALUES (%(a)d, %(b)s)", [{"a": n, "b": "o'r"} for n in (4, 5)])
    assert cursor.rowcount == 2
    rows = [(1, "x"), (2, "y"), (3, None), (4, "o'r"), (5, "o'r")]
    assert cursor.execute(f"SELECT * FROM {name} ORDER BY a").fetchall() == rows


def test_errors(cursor: Any) -> None:
    with pytest.raises(OperationalError, match="TABLE_NOT_FOUND"):
        cursor.execute("SELECT does_not_exist FROM this_really_does_not_exist")
    assert cursor.description is None
    with pytest.raises(DatabaseError, match="SYNTAX_ERROR"):
        cursor.execute("SELEC 1")


@pytest.mark.parametrize("turn", range(3))
def test_cancel(connection: Connection[Any], turn: int) -> None:
    """At whatever moment of the execution it comes: while it is queued, planned or run."""
    started: list[str] = []
    with connection.cursor(Cursor) as cursor, ThreadPoolExecutor(1) as executor:
        running = executor.submit(cursor.execute, ENDLESS, on_start_query_execution=started.append)
        assert eventually(lambda: started)
        cursor.cancel()
        with pytest.raises(DatabaseError):
            running.result()
    client: Any = connection.client
    found = client.get_query_execution(QueryExecutionId=started[0])["QueryExecution"]
    assert found["Status"]["State"] == "CANCELLED"


def test_earlier_results(connection: Connection[Any]) -> None:
    """PyAthena's own cache looks through ListQueryExecutions; Athena's result reuse is refused by name."""
    sql = f"SELECT 1 -- {time.time()}"
    first, second, third = (connection.cursor(Cursor) for _ in range(3))
    first.execute(sql)
    second.execute(sql)
    third.execute(sql, cache_size=100)
    assert first.query_id != second.query_id
    assert third.query_id == second.query_id
    with pytest.raises(DatabaseError, match="NOT_SUPPORTED_LOCALLY: ResultReuseConfiguration"):
        first.execute(sql, result_reuse_enable=True, result_reuse_minutes=5)


def test_polling(clients_aws: ClientsAws) -> None:
    states: list[str] = []
    with connect(s3_staging_dir=STAGING, on_poll=lambda e: states.append(e.state), poll_interval=0.01) as conn:
        conn.cursor().execute("SELECT 1")
    assert states[-1] == "SUCCEEDED"


def test_async_cursors(connection: Connection[Any]) -> None:
    sql = "SELECT a FROM many_rows WHERE a < 3 ORDER BY a"
    with connection.cursor(AsyncCursor) as cursor:
        query_id, future = cursor.execute(sql)
        assert future.result().fetchall() == [(0,), (1,), (2,)]
        assert cursor.query_execution(query_id).result().state == "SUCCEEDED"
        assert cursor.poll(query_id).result().query_id == query_id
    with connection.cursor(AsyncDictCursor) as cursor:
        assert cursor.execute(sql)[1].result().fetchall() == [{"a": 0}, {"a": 1}, {"a": 2}]


@pytest.mark.parametrize("unload", [False, True])
def test_pandas(connection: Connection[Any], unload: bool) -> None:
    sql = "SELECT a, CAST(a AS varchar) AS t, CAST(a AS decimal(10,2)) AS d FROM many_rows WHERE a < 3 ORDER BY a"
    found: Any = connection.cursor(PandasCursor, unload=unload).execute(sql).as_pandas()
    expected = [(0, "0", Decimal("0.00")), (1, "1", Decimal("1.00")), (2, "2", Decimal("2.00"))]
    assert list(found.itertuples(index=False, name=None)) == expected
    with connection.cursor(AsyncPandasCursor, unload=unload) as cursor:
        assert len(cursor.execute(sql)[1].result().as_pandas()) == 3


@pytest.mark.parametrize("unload", [False, True])
def test_arrow(
    clients_aws: ClientsAws, connection: Connection[Any], monkeypatch: pytest.MonkeyPatch, unload: bool
) -> None:
    """PyArrow's own S3 client, which ArrowCursor opens, takes its endpoint from no environment: it is told here."""
    told = partial(pyarrow.fs.S3FileSystem, endpoint_override=clients_aws.emulator.endpoint_url, scheme="http")
    monkeypatch.setattr("pyarrow.fs.S3FileSystem", told)
    sql = "SELECT a, CAST(a AS varchar) AS t, DATE '2020-01-01' AS d FROM many_rows WHERE a < 3 ORDER BY a"
    found = connection.cursor(ArrowCursor, unload=unload).execute(sql).as_arrow()
    assert found.to_pylist() == [{"a": n, "t": str(n), "d": date(2020, 1, 1)} for n in range(3)]
    with connection.cursor(AsyncArrowCursor, unload=unload) as cursor:
        assert cursor.execute(sql)[1].result().as_arrow().num_rows == 3


def test_metadata(cursor: Any) -> None:
    """API GetTableMetadata, ListTableMetadata, ListDatabases, and Glue's errors within MetadataException."""
    table = cursor.get_table_metadata("ONE_ROW")
    assert (table.name, table.table_type, table.comment) == ("one_row", "EXTERNAL_TABLE", "table comment")
    assert [(c.name, c.type, c.comment) for c in table.columns] == [("number_of_rows", "int", "some comment")]
    assert table.location == f"s3://{BUCKET}/tables/one_row"
    assert table.serde_properties == {"field.delim": "\t", "line.delim": "\n", "serialization.format": "\t"}
    assert table.create_time
    assert abs((datetime.now(UTC) - table.create_time).total_seconds()) < 86_400
    keys = cursor.get_table_metadata("partition_table").partition_keys
    assert [(k.name, k.type) for k in keys] == [("b", "int")]
    assert cursor.get_table_metadata("parquet_table").compression == "SNAPPY"
    names = [t.name for t in cursor.list_table_metadata(max_results=2)]
    assert {"one_row", "many_rows", "view_one_row"} <= set(names)
    assert names == sorted(names)
    found = cursor.list_table_metadata(expression="one_row.*")
    assert [t.name for t in found] == ["one_row", "one_row_complex"]
    assert "shelf" in [d.name for d in cursor.list_databases("AwsDataCatalog")]
    with pytest.raises(OperationalError, match="Error Code: EntityNotFoundException; Request ID"):
        cursor.get_table_metadata("nowhere")
    with pytest.raises(OperationalError, match="Error Code: EntityNotFoundException"):
        cursor.list_table_metadata(schema_name="nowhere")
    with pytest.raises(OperationalError, match="NOT_SUPPORTED_LOCALLY: data catalog other"):
        cursor.list_databases("other")


def test_another_catalog_is_refused(clients_aws: ClientsAws) -> None:
    with (
        connect(s3_staging_dir=STAGING, catalog_name="other") as conn,
        pytest.raises(DatabaseError, match="data catalog other"),
    ):
        conn.cursor().execute("SELECT 1")


def test_spark_is_refused(clients_aws: ClientsAws) -> None:
    with (
        connect(s3_staging_dir=STAGING, cursor_class=SparkCursor, work_group="primary") as conn,
        pytest.raises(DatabaseError, match="NOT_SUPPORTED_LOCALLY: operation AmazonAthena"),
    ):
        conn.cursor()
