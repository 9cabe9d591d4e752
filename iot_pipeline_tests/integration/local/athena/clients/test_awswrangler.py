"""awswrangler (AWS SDK for pandas), in the clients' environment, reached by that environment's variables alone."""

from collections.abc import Iterator

import pytest

from iot_pipeline_tests.support.athena_clients import BUCKET, ClientsAws, Worker, WorkerError, installed
from iot_pipeline_tests.support.emulator import unique

pytestmark = pytest.mark.integration
PREPARED = """
import datetime as dt, decimal, uuid
import awswrangler as wr, pandas as pd

wr.config.athena_query_wait_polling_delay = 0.02
wr.catalog.create_database("wrangled", exist_ok=True)
frame = pd.DataFrame({
    "id": [1, 2, 3], "name": ["a", 'b",\\u00fc', None],
    "price": [decimal.Decimal("1.10"), decimal.Decimal("2.25"), None],
    "ts": pd.to_datetime(["2020-01-01 00:00:00.123", "2020-01-02", "2020-01-03"], format="ISO8601"),
    "day": [dt.date(2020, 1, 1), None, dt.date(2020, 1, 3)],
    "f": [1.5, None, 2.5], "b": [True, False, None], "k": ["x", "x", "y"],
})

def place():
    return f"s3://{bucket}/wrangler/{uuid.uuid4().hex}/"

def write(table, data, mode):
    path = f"s3://{bucket}/wrangler/{table}/"
    return wr.s3.to_parquet(
        data, path=path, dataset=True, database="wrangled", table=table, partition_cols=["k"], mode=mode
    )["partitions_values"]

def read(sql, **options):
    return wr.athena.read_sql_query(sql, database="wrangled", s3_output=place(), **options)
"""
ROWS = [
    [1, "a", "Decimal('1.10')", "Timestamp('2020-01-01 00:00:00.123000')", "datetime.date(2020, 1, 1)", 1.5, True, "x"],
    [2, 'b",\u00fc', "Decimal('2.25')", "Timestamp('2020-01-02 00:00:00')", None, None, False, "x"],
    [3, None, None, "Timestamp('2020-01-03 00:00:00')", "datetime.date(2020, 1, 3)", 2.5, None, "y"],
]
WAYS = [
    {"ctas_approach": True},
    {"ctas_approach": False},
    {"ctas_approach": False, "unload_approach": True},
]


@pytest.fixture(scope="module")
def wrangler(clients_aws: ClientsAws) -> Iterator[Worker]:
    worker = Worker(installed("awswrangler"), clients_aws.environment)
    worker.ask(PREPARED, bucket=BUCKET)
    yield worker
    worker.close()


@pytest.fixture
def table(wrangler: Worker) -> str:
    """A partitioned table of three rows."""
    name = unique("t").replace("-", "_")
    assert sorted(wrangler.ask("write(table, frame, 'overwrite')", table=name).values()) == [["x"], ["y"]]
    return name


@pytest.mark.parametrize("way", WAYS, ids=["ctas", "csv", "unload"])
def test_reading(wrangler: Worker, table: str, way: dict[str, bool]) -> None:
    assert wrangler.ask(f"read('SELECT * FROM {table} ORDER BY id', **way).sort_values('id')", way=way) == ROWS
    chunks = wrangler.ask(f"[len(c) for c in read('SELECT * FROM {table}', chunksize=2, **way)]", way=way)
    assert sum(chunks) == 3
    sql = "SELECT x FROM UNNEST(sequence(1, 1001)) AS t(x)"
    found = wrangler.ask("read(sql, **way)", sql=sql, way=way)
    assert sorted(found) == [[n] for n in range(1, 1002)]


@pytest.mark.parametrize("way", WAYS[:2], ids=["ctas", "csv"])
def test_an_empty_result(wrangler: Worker, table: str, way: dict[str, bool]) -> None:
    assert wrangler.ask(f"read('SELECT * FROM {table} WHERE id > 100', **way)", way=way) == []


@pytest.mark.parametrize("way", [WAYS[0], WAYS[2]], ids=["ctas", "unload"])
def test_nested_values(wrangler: Worker, way: dict[str, bool]) -> None:
    sql = "SELECT ARRAY[1, NULL] AS a, MAP(ARRAY['k'], ARRAY[1]) AS m, CAST(ROW(1, 'x') AS ROW(a int, b varchar)) AS r"
    assert wrangler.ask("read(sql, **way)", sql=sql, way=way) == [[[1, None], [["k", 1]], {"a": 1, "b": "x"}]]


def test_appending_with_a_new_column(wrangler: Worker, table: str) -> None:
    wrangler.ask("write(table, pd.DataFrame({'id': [9], 'extra': ['new'], 'k': ['z']}), 'append')")
    rows = wrangler.ask(f"read('SELECT id, extra, k FROM {table} ORDER BY id', ctas_approach=False)")
    assert rows == [[1, None, "x"], [2, None, "x"], [3, None, "y"], [9, "new", "z"]]
    assert wrangler.ask("wr.catalog.get_table_types('wrangled', table)")["extra"] == "string"
    versions = "wr.catalog.get_table_number_of_versions(table=table, database='wrangled')"
    assert wrangler.ask(versions) == 1, "wrangler says SkipArchive"
    wrangler.ask("wr.catalog.upsert_table_parameters({'a': 'b'}, 'wrangled', table, catalog_versioning=True)")
    assert wrangler.ask(versions) == 2


def test_overwriting_partitions(wrangler: Worker, table: str) -> None:
    wrangler.ask("write(table, pd.DataFrame({'id': [11], 'k': ['x']}), 'overwrite_partitions')")
    rows = wrangler.ask(f"read('SELECT id, k FROM {table} ORDER BY id', ctas_approach=False)")
    assert rows == [[3, "y"], [11, "x"]]


def test_repair(wrangler: Worker, table: str) -> None:
    """UG "MSCK REPAIR TABLE": partitions whose folders are there are registered."""
    wrangler.ask("wr.catalog.delete_all_partitions(table=table, database='wrangled')")
    assert wrangler.ask(f"read('SELECT count(*) AS n FROM {table}', ctas_approach=False)") == [[0]]
    assert wrangler.ask("wr.athena.repair_table(table, database='wrangled', s3_output=place())") == "SUCCEEDED"
    assert wrangler.ask(f"read('SELECT count(*) AS n FROM {table}', ctas_approach=False)") == [[3]]
    partitions = wrangler.ask("wr.catalog.get_parquet_partitions(database='wrangled', table=table)")
    assert sorted(partitions.values()) == [["x"], ["y"]]


def test_describing(wrangler: Worker, table: str) -> None:
    described = wrangler.ask("wr.athena.describe_table(table, database='wrangled', s3_output=place())")
    assert described == wrangler.ask("wr.catalog.table('wrangled', table)")
    assert described[0] == ["id", "bigint", False, ""]
    assert described[-1] == ["k", "string", True, ""]
    shown = wrangler.ask("wr.athena.show_create_table(table, database='wrangled', s3_output=place())")
    assert shown.startswith(f"CREATE EXTERNAL TABLE `wrangled.{table}`( `id` bigint, `name` string, ")
    assert "PARTITIONED BY ( `k` string) ROW FORMAT SERDE" in shown


def test_parameters(wrangler: Worker, table: str) -> None:
    named = f"read('SELECT id FROM {table} WHERE id = :i AND k = :k', params=dict(i=1, k='x'), ctas_approach=False)"
    assert wrangler.ask(named) == [[1]]
    for way in WAYS[:2]:
        marked = f"read('SELECT id FROM {table} WHERE id = ? AND k = ?', params=params, paramstyle='qmark', **way)"
        assert wrangler.ask(marked, params=["1", "'x'"], way=way) == [[1]]


def test_prepared_statements(wrangler: Worker, table: str) -> None:
    """UG "Use prepared statements": CreatePreparedStatement, EXECUTE ... USING."""
    wrangler.ask(f"wr.athena.create_prepared_statement('SELECT id FROM {table} WHERE id = ?', 'by_id')")
    assert [s["StatementName"] for s in wrangler.ask("wr.athena.list_prepared_statements()")] == ["by_id"]
    assert wrangler.ask("read('EXECUTE by_id USING 2', ctas_approach=False)") == [[2]]
    using = "read('EXECUTE by_id', params=['3'], paramstyle='qmark', ctas_approach=False)"
    assert wrangler.ask(using) == [[3]]
    wrangler.ask("wr.athena.delete_prepared_statement('by_id')")
    with pytest.raises(WorkerError, match="QueryFailed"):
        wrangler.ask("read('EXECUTE by_id USING 2', ctas_approach=False)")


def test_executions(wrangler: Worker) -> None:
    query = wrangler.ask("wr.athena.start_query_execution('SELECT 1 AS a', database='wrangled', s3_output=place())")
    assert wrangler.ask("wr.athena.wait_query(query)['Status']['State']", query=query) == "SUCCEEDED"
    assert wrangler.ask("wr.athena.get_query_results(query)") == [[1]]
    assert wrangler.ask("wr.athena.get_query_columns_types(query)") == {"a": "integer"}
    assert query in wrangler.ask("wr.athena.list_query_executions()")
    assert wrangler.ask("len(wr.athena.get_query_executions([query]))") == 1


def test_tables_made_by_queries(wrangler: Worker, table: str) -> None:
    made = wrangler.ask(
        "wr.athena.create_ctas_table(f'SELECT id, k FROM {table}', database='wrangled', ctas_table=table + '_c', "
        "s3_output=place(), storage_format='parquet', write_compression='snappy', partitioning_info=['k'], wait=True)"
        "['ctas_table']"
    )
    assert wrangler.ask(f"read('SELECT count(*) AS n FROM {made}', ctas_approach=False)") == [[3]]
    wrangler.ask(
        "wr.athena.create_ctas_table(f'SELECT id, k FROM {table}', database='wrangled', ctas_table=table + '_e', "
        "s3_output=place(), schema_only=True, wait=True)"
    )
    assert wrangler.ask(f"read('SELECT * FROM {table}_e', ctas_approach=False)") == []
    wrangler.ask(
        f"wr.athena.unload('SELECT id FROM {table}', path=place(), database='wrangled', file_format='PARQUET')"
    )
    assert wrangler.ask("wr.catalog.does_table_exist('wrangled', table + '_c')") is True
    assert wrangler.ask("wr.catalog.delete_table_if_exists('wrangled', table + '_c')") is True
    assert wrangler.ask("wr.catalog.does_table_exist('wrangled', table + '_c')") is False
    assert table in wrangler.ask("[t['Name'] for t in wr.catalog.get_tables(database='wrangled')]")


def test_csv_and_json_tables(wrangler: Worker) -> None:
    """wrangler's CSV tables escape their delimiter with a backslash (UG "Lazy Simple SerDe")."""
    name = unique("c").replace("-", "_")
    lines = "pd.DataFrame({'a': [1, 2, 3], 'b': ['x', 'y,z', 'back\\\\slash']})"
    options = "dataset=True, database='wrangled', mode='overwrite', index=False"
    wrangler.ask(f"wr.s3.to_csv({lines}, path=place(), table=name, {options})", name=name)
    rows = [[1, "x"], [2, "y,z"], [3, "back\\slash"]]
    assert wrangler.ask(f"read('SELECT * FROM {name} ORDER BY a', ctas_approach=False)") == rows
    wrangler.ask(f"wr.s3.to_json({lines}, path=place(), table=name + 'j', orient='records', lines=True, {options})")
    assert wrangler.ask(f"read('SELECT * FROM {name}j ORDER BY a', ctas_approach=False)") == rows


def test_projected_partitions(wrangler: Worker) -> None:
    name = unique("p").replace("-", "_")
    wrangler.ask(
        "wr.s3.to_parquet(pd.DataFrame({'id': [1, 2], 'y': [2020, 2021]}), path=place(), dataset=True, "
        "database='wrangled', table=name, partition_cols=['y'], athena_partition_projection_settings="
        "{'projection_types': {'y': 'integer'}, 'projection_ranges': {'y': '2019,2022'}})",
        name=name,
    )
    rows = wrangler.ask(f"read('SELECT * FROM {name} WHERE y = 2021', ctas_approach=False)")
    assert rows == [[2, 2021]]


def test_refusals(wrangler: Worker, table: str) -> None:
    for way in WAYS[:2]:
        with pytest.raises(WorkerError, match="QueryFailed: COLUMN_NOT_FOUND: Column 'nope' cannot be resolved"):
            wrangler.ask(f"read('SELECT nope FROM {table}', **way)", way=way)
    with pytest.raises(WorkerError, match="NOT_SUPPORTED_LOCALLY: table_type ICEBERG"):
        wrangler.ask(
            "wr.athena.to_iceberg(frame[['id']], database='wrangled', table='ice', temp_path=place(), "
            "table_location=place(), s3_output=place())"
        )
    with pytest.raises(WorkerError, match="NOT_SUPPORTED_LOCALLY: format ORC"):
        wrangler.ask(
            "wr.athena.create_ctas_table(f'SELECT id FROM {table}', database='wrangled', ctas_table='o', "
            "s3_output=place(), storage_format='orc', wait=True)"
        )
