"""The local Athena keeps the contract of AWS's documentation; each test names its page.

UG: Amazon Athena User Guide. API: Amazon Athena API Reference.
"""

import csv
import gzip
import io
import json
import re
import time
import uuid
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from botocore.exceptions import ClientError
from pyathena.error import OperationalError
from pyathena.pandas.cursor import PandasCursor

from infra.local.trino.process import is_chosen
from iot_pipeline_tests.support.athena import BUCKET, LocalAthena, client_of, start_athena

pytestmark = pytest.mark.integration


@pytest.fixture
def place() -> str:
    """A name and prefix of one test's own."""
    return f"t{uuid.uuid4().hex[:8]}"


def keys(athena: LocalAthena, prefix: str) -> list[str]:
    answer = athena.client("s3").list_objects_v2(Bucket=BUCKET, Prefix=prefix)
    return [o["Key"] for o in answer.get("Contents", [])]


def reason(execution: dict[str, Any]) -> str:
    """Why it failed, without the place in the statement, which only a real Trino says."""
    return re.sub(r"line \d+:\d+: ", "", str(execution["Status"].get("StateChangeReason", "")), count=1)


def scanned(execution: dict[str, Any]) -> int:
    assert execution["Status"]["State"] == "SUCCEEDED", reason(execution)
    return int(execution["Statistics"]["DataScannedInBytes"])


def make_hours(athena: LocalAthena, name: str) -> None:
    """raw lines of four hours, projected."""
    for hour in range(4):
        athena.put(f"{name}/2026/11/21/{hour:02}/a.gz", gzip.compress(f"line {hour}\n".encode() * (hour + 1)))
    athena.run(
        f"""CREATE EXTERNAL TABLE {name} (line string)
        PARTITIONED BY (year string, month string, day string, hour string)
        ROW FORMAT DELIMITED FIELDS TERMINATED BY '\\001' STORED AS TEXTFILE LOCATION 's3://{BUCKET}/{name}/'
        TBLPROPERTIES ('projection.enabled'='true',
            'projection.year.type'='integer', 'projection.year.range'='2020,2030',
            'projection.month.type'='integer', 'projection.month.range'='1,12', 'projection.month.digits'='2',
            'projection.day.type'='integer', 'projection.day.range'='1,31', 'projection.day.digits'='2',
            'projection.hour.type'='integer', 'projection.hour.range'='0,23', 'projection.hour.digits'='2',
            'storage.location.template'='s3://{BUCKET}/{name}/${{year}}/${{month}}/${{day}}/${{hour}}/')"""
    )


def make_parquet(athena: LocalAthena, name: str, rows: int = 50_000) -> None:
    table = pa.table({"a": list(range(rows)), "b": [f"text {i * 7919}" for i in range(rows)]})
    out = io.BytesIO()
    pq.write_table(table, out, compression="zstd")
    athena.put(f"{name}/data.parquet", out.getvalue())
    athena.run(f"CREATE EXTERNAL TABLE {name} (a bigint, b string) STORED AS PARQUET LOCATION 's3://{BUCKET}/{name}/'")


def test_types_and_csv_result(local_athena: LocalAthena) -> None:
    """UG "Work with query results and recent queries": a CSV, every value quoted, NULL empty; and .metadata."""
    done = local_athena.run(
        "SELECT 1 AS a, 'x\"y' AS b, NULL AS c, 1e10 AS d, TIMESTAMP '2026-11-21 02:03:04' AS e, ARRAY[1, 2] AS f"
    )
    location = done["ResultConfiguration"]["OutputLocation"]
    key = location.split(f"s3://{BUCKET}/")[1]
    text = local_athena.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read().decode()
    assert text == '"a","b","c","d","e","f"\n"1","x""y",,"1.0E10","2026-11-21 02:03:04.000","[1, 2]"\n'
    assert keys(local_athena, key + ".metadata")
    assert done["StatementType"] == "DML"
    answer = local_athena.client("athena").get_query_results(QueryExecutionId=done["QueryExecutionId"])
    types = [c["Type"] for c in answer["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]]
    assert types == ["integer", "varchar", "unknown", "double", "timestamp", "array"]
    assert local_athena.rows("SELECT count(*), 1") == [(1, 1)]


def test_unnamed_columns(local_athena: LocalAthena) -> None:
    """UG "Work with query results": unnamed columns are _col0, _col1 by position."""
    cursor = local_athena.connect().cursor().execute("SELECT 1, 2 AS x, lower('A')")
    assert [d[0] for d in cursor.description] == ["_col0", "x", "_col2"]


def test_paging(local_athena: LocalAthena) -> None:
    """API GetQueryResults: at most 1,000 rows a page, the header among them, NextToken until the end."""
    done = local_athena.run("SELECT x FROM UNNEST(sequence(1, 2500)) AS t(x)")
    athena = local_athena.client("athena")
    pages = list(athena.get_paginator("get_query_results").paginate(QueryExecutionId=done["QueryExecutionId"]))
    rows = [r["Data"][0]["VarCharValue"] for p in pages for r in p["ResultSet"]["Rows"]]
    assert [len(p["ResultSet"]["Rows"]) for p in pages] == [1000, 1000, 501]
    assert rows[0] == "x"
    assert sorted(map(int, rows[1:])) == list(range(1, 2501))


def test_only_the_pruned_partitions_are_read(local_athena: LocalAthena, place: str) -> None:
    """UG "Use partition projection with Amazon Athena": the objects of the partitions in WHERE, no others."""
    make_hours(local_athena, place)
    done = local_athena.run(
        f"SELECT * FROM {place} WHERE (year = '2026' AND month = '11' AND day = '21' AND hour IN ('01', '03')) "
        "OR year = '1999'"
    )
    sizes = [
        local_athena.client("s3").head_object(Bucket=BUCKET, Key=f"{place}/2026/11/21/{h}/a.gz")["ContentLength"]
        for h in ("01", "03")
    ]
    assert scanned(done) == sum(sizes)
    rows = local_athena.rows(
        f"SELECT line, hour, count(*) FROM {place} WHERE year = '2026' AND hour >= '02' GROUP BY line, hour"
    )
    assert sorted(rows) == [("line 2", "02", 3), ("line 3", "03", 4)]


def test_path_column(local_athena: LocalAthena, place: str) -> None:
    """UG "Get the file locations of source data in Amazon S3": "$path", in SELECT, WHERE and GROUP BY."""
    make_hours(local_athena, place)
    path = f"s3://{BUCKET}/{place}/2026/11/21/02/a.gz"
    assert local_athena.rows(f'SELECT "$path", count(*) FROM {place} WHERE hour = \'02\' GROUP BY "$path"') == [
        (path, 3)
    ]
    sql = f"SELECT count(*) FROM {place} WHERE \"$path\" IN (SELECT o FROM (VALUES '{path}') AS t(o))"
    assert local_athena.rows(sql) == [(3,)]


def test_raw_lines_keep_everything(local_athena: LocalAthena, place: str) -> None:
    """UG "LazySimpleSerDe for CSV, TSV, and custom-delimited files": a single column is the whole line."""
    lines = [b'{"a": "b,c"}', b'"quo"ted, \x02', b"", b"\xff\xfe bad", "caf\u00e9".encode(), b"x" * 1_000_000, b"'\\"]
    local_athena.put(f"{place}/bad.gz", gzip.compress(b"\n".join(lines) + b"\n"))
    local_athena.put(f"{place}/crlf.txt", b"one\r\ntwo")
    local_athena.put(f"{place}/_hidden", b"no")
    local_athena.put(f"{place}/.hidden", b"no")
    local_athena.run(f"CREATE EXTERNAL TABLE {place} (line string) LOCATION 's3://{BUCKET}/{place}/'")
    expected = [line.decode(errors="replace") for line in lines]
    found = [r[0] or "" for r in local_athena.rows(f"SELECT line FROM {place} WHERE \"$path\" LIKE '%bad.gz'")]
    assert sorted(found) == sorted(expected)
    assert sorted(local_athena.rows(f'SELECT line, "$path" FROM {place} WHERE length(line) = 3')) == [
        ("one", f"s3://{BUCKET}/{place}/crlf.txt"),
        ("two", f"s3://{BUCKET}/{place}/crlf.txt"),
    ]
    assert local_athena.rows(f"SELECT count(*), count_if(line = '') FROM {place}") == [(9, 1)]


def test_openx_json(local_athena: LocalAthena, place: str) -> None:
    """UG "OpenX JSON SerDe": keys in any case, mapping.*, ignore.malformed.json gives NULLs instead of an error."""
    lines = ['{"ID": 1, "Ts-1": "x", "n": {"a": [1, 2]}}', '{"id": "2"', '{"id": 3, "n": null}', "no json"]
    local_athena.put(f"{place}/a.json", "\n".join(lines).encode())
    ddl = """CREATE EXTERNAL TABLE {name} (id bigint, ts string, n struct<a:array<int>>)
        ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' WITH SERDEPROPERTIES ('mapping.ts'='Ts-1'{more})
        LOCATION 's3://{bucket}/{place}/'"""
    local_athena.run(ddl.format(name=place, more=", 'ignore.malformed.json'='true'", bucket=BUCKET, place=place))
    local_athena.run(ddl.format(name=f"{place}s", more="", bucket=BUCKET, place=place))
    rows = local_athena.rows(f"SELECT id, ts, element_at(n.a, 2) FROM {place} ORDER BY id")
    assert rows == [(1, "x", 2), (3, None, None), (None, None, None), (None, None, None)]
    failed = local_athena.run(f"SELECT * FROM {place}s")
    assert reason(failed).startswith("HIVE_CURSOR_ERROR: " + ("" if is_chosen() else "Row is not a valid JSON Object"))


def test_csv_tables(local_athena: LocalAthena, place: str) -> None:
    """UG "Open CSV SerDe for processing CSV", "LazySimpleSerDe": separators, quotes, \\N, header lines."""
    local_athena.put(f"{place}/a.csv", b'id,name\n1,"a, b"\n2,c\n')
    local_athena.run(
        f"""CREATE EXTERNAL TABLE {place} (id string, name string)
        ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde'
        WITH SERDEPROPERTIES ('separatorChar'=',', 'quoteChar'='"')
        LOCATION 's3://{BUCKET}/{place}/' TBLPROPERTIES ('skip.header.line.count'='1')"""
    )
    assert sorted(local_athena.rows(f"SELECT * FROM {place}")) == [("1", "a, b"), ("2", "c")]
    local_athena.put(f"{place}t/a.tsv", b"1\tx\n2\t\\N\n")
    local_athena.run(
        f"""CREATE EXTERNAL TABLE {place}t (id int, name string) ROW FORMAT DELIMITED FIELDS TERMINATED BY '\\t'
        LOCATION 's3://{BUCKET}/{place}t/'"""
    )
    assert sorted(local_athena.rows(f"SELECT * FROM {place}t")) == [(1, "x"), (2, None)]


def test_ctas_partitioned(local_athena: LocalAthena, place: str) -> None:
    """UG "CREATE TABLE AS": format, write_compression, external_location, partitioned_by; partitions registered."""
    done = local_athena.run(
        f"""CREATE TABLE {place} WITH (format = 'PARQUET', write_compression = 'ZSTD',
            external_location = 's3://{BUCKET}/{place}/', partitioned_by = ARRAY['k'])
        AS SELECT x AS n, TIMESTAMP '2026-11-21 00:00:00.123' AS ts, if(x % 2 = 0, 'even', 'odd') AS k
        FROM UNNEST(sequence(1, 10)) AS t(x) ORDER BY x"""
    )
    assert done["Status"]["State"] == "SUCCEEDED", reason(done)
    assert (done["StatementType"], done["SubstatementType"]) == ("DDL", "CREATE_TABLE_AS_SELECT")
    table = local_athena.client("glue").get_table(DatabaseName="default", Name=place)["Table"]
    assert [(c["Name"], c["Type"]) for c in table["StorageDescriptor"]["Columns"]] == [
        ("n", "bigint"),
        ("ts", "timestamp"),
    ]
    found = keys(local_athena, f"{place}/")
    assert {k.split("/")[1] for k in found} == {"k=even", "k=odd"}
    body = local_athena.client("s3").get_object(Bucket=BUCKET, Key=found[0])["Body"].read()
    metadata = pq.read_metadata(io.BytesIO(body))
    assert metadata.row_group(0).column(0).compression == "ZSTD"
    # Trino writes INT96 (docs/local-aws.md).
    assert str(pq.read_schema(io.BytesIO(body)).field("ts").type) == (
        "timestamp[ns]" if is_chosen() else "timestamp[ms]"
    )
    assert local_athena.rows(f"SELECT k, sum(n) FROM {place} GROUP BY k ORDER BY k") == [("even", 30), ("odd", 25)]
    assert [r[0] for r in local_athena.rows(f"SHOW PARTITIONS {place}")] == ["k=even", "k=odd"]
    assert local_athena.rows(f"SELECT date_format(max(ts), '%f') FROM {place}") == [("123000",)]


def test_ctas_refusals(local_athena: LocalAthena, place: str) -> None:
    """UG "Considerations and limitations for CTAS queries": 100 partitions, empty location, types, names."""
    if is_chosen():
        pytest.skip(
            "a real Trino refuses in words of its own, and leaves files of what failed, as Athena says of itself"
        )
    target = f"WITH (external_location = 's3://{BUCKET}/{place}/', format = 'PARQUET', partitioned_by = ARRAY['k'])"
    many = local_athena.run(
        f"CREATE TABLE {place} {target} AS SELECT 1 AS n, CAST(x AS varchar) AS k FROM UNNEST(sequence(1, 101)) AS t(x)"
    )
    assert "HIVE_TOO_MANY_OPEN_PARTITIONS: Exceeded limit of 100 open writers for partitions/buckets" in reason(many)
    assert keys(local_athena, f"{place}/") == []
    hundred = local_athena.run(
        f"CREATE TABLE {place} {target} AS SELECT 1 AS n, CAST(x AS varchar) AS k FROM UNNEST(sequence(1, 100)) AS t(x)"
    )
    assert hundred["Status"]["State"] == "SUCCEEDED"
    again = local_athena.run(f"CREATE TABLE {place} {target} AS SELECT 1 AS n, 'a' AS k")
    assert "TABLE_ALREADY_EXISTS" in reason(again)
    local_athena.run(f"DROP TABLE {place}")
    assert len(keys(local_athena, f"{place}/")) == 100, "an external table's data stays"
    taken = local_athena.run(f"CREATE TABLE {place} {target} AS SELECT 1 AS n, 'a' AS k")
    assert reason(taken).startswith("HIVE_PATH_ALREADY_EXISTS: Target directory for table")
    for sql, text in {
        "SELECT now() AS n, 'a' AS k": "NOT_SUPPORTED: Unsupported Hive type: timestamp(3) with time zone",
        "SELECT JSON '1' AS n, 'a' AS k": "NOT_SUPPORTED: Unsupported Hive type: json",
        "SELECT 1, 'a' AS k": "SYNTAX_ERROR: Column name not specified at position 1",
        "SELECT 'a' AS k, 1 AS n": "HIVE_COLUMN_ORDER_MISMATCH",
        "SELECT 1 AS n, 2 AS n, 'a' AS k": "SYNTAX_ERROR: Column name 'n' specified more than once",
    }.items():
        failed = local_athena.run(f"CREATE TABLE {place}x {target.replace(place, place + 'x')} AS {sql}")
        assert reason(failed).startswith(text), sql
    assert keys(local_athena, f"{place}x/") == []


def test_insert_into(local_athena: LocalAthena, place: str) -> None:
    """UG "INSERT INTO": rows are added, new partitions registered, columns by position, existing partitions kept."""
    local_athena.run(
        f"CREATE TABLE {place} WITH (external_location = 's3://{BUCKET}/{place}/', partitioned_by = ARRAY['k']) "
        "AS SELECT 1 AS n, 'a' AS k"
    )
    done = local_athena.run(f"INSERT INTO {place} SELECT * FROM (VALUES (2, 'a'), (3, 'b')) AS t(n, k)")
    assert done["Status"]["State"] == "SUCCEEDED", reason(done)
    assert done["SubstatementType"] == "INSERT"
    assert local_athena.rows(f"SELECT k, sum(n) FROM {place} GROUP BY k ORDER BY k") == [("a", 3), ("b", 3)]
    wrong = local_athena.run(f"INSERT INTO {place} SELECT 1")
    assert reason(wrong).startswith("TYPE_MISMATCH: Insert query has mismatched column types")
    moved = f"s3://{BUCKET}/{place}_moved/"
    local_athena.run(f"ALTER TABLE {place} PARTITION (k = 'b') SET LOCATION '{moved}'")
    local_athena.run(f"INSERT INTO {place} SELECT 4, 'b'")
    assert local_athena.rows(f"SELECT n FROM {place} WHERE k = 'b'") == [(4,)]
    assert len(keys(local_athena, f"{place}_moved/")) == 1


def test_unload(local_athena: LocalAthena, place: str) -> None:
    """UG "UNLOAD": files of the format under TO, partitioned, with a manifest; TO must be empty."""
    sql = (
        f"UNLOAD (SELECT x AS n, 'p' AS k FROM UNNEST(sequence(1, 3)) AS t(x)) TO 's3://{BUCKET}/{place}/' "
        "WITH (format = 'JSON', compression = 'GZIP', partitioned_by = ARRAY['k'])"
    )
    done = local_athena.run(sql)
    assert done["Status"]["State"] == "SUCCEEDED", reason(done)
    (key,) = keys(local_athena, f"{place}/")
    assert key.startswith(f"{place}/k=p/")
    body = gzip.decompress(local_athena.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read())
    assert sorted(json.loads(line)["n"] for line in body.splitlines()) == [1, 2, 3]
    manifest = done["Statistics"]["DataManifestLocation"].split(f"s3://{BUCKET}/")[1]
    listed = local_athena.client("s3").get_object(Bucket=BUCKET, Key=manifest)["Body"].read().decode()
    assert listed == f"s3://{BUCKET}/{key}"
    assert reason(local_athena.run(sql)).startswith("HIVE_PATH_ALREADY_EXISTS")


def test_partition_ddl(local_athena: LocalAthena, place: str) -> None:
    """UG "ALTER TABLE ADD PARTITION", "ALTER TABLE DROP PARTITION", "MSCK REPAIR TABLE", "SHOW PARTITIONS"."""
    for day in ("20", "21"):
        local_athena.put(f"{place}/day={day}/a.txt", b"x\n")
    local_athena.put(f"{place}_away/a.txt", b"away\n")
    local_athena.run(
        f"CREATE EXTERNAL TABLE {place} (line string) PARTITIONED BY (day string) LOCATION 's3://{BUCKET}/{place}/'"
    )
    assert local_athena.rows(f"SELECT * FROM {place}") == []
    add = f"ALTER TABLE {place} ADD {{guard}} PARTITION (day = '20') PARTITION (day = '22') LOCATION 's3://{BUCKET}/{place}_away/'"
    assert local_athena.run(add.format(guard=""))["Status"]["State"] == "SUCCEEDED"
    assert "AlreadyExistsException" in reason(local_athena.run(add.format(guard="")))
    assert local_athena.run(add.format(guard="IF NOT EXISTS"))["Status"]["State"] == "SUCCEEDED"
    assert sorted(local_athena.rows(f"SELECT day, line FROM {place}")) == [("20", "x"), ("22", "away")]
    assert local_athena.run(f"MSCK REPAIR TABLE {place}")["Status"]["State"] == "SUCCEEDED"
    assert [r[0] for r in local_athena.rows(f"SHOW PARTITIONS {place}")] == ["day=20", "day=21", "day=22"]
    local_athena.run(f"ALTER TABLE {place} DROP PARTITION (day = '21')")
    assert sorted(local_athena.rows(f"SELECT day FROM {place}")) == [("20",), ("22",)]
    assert keys(local_athena, f"{place}/day=21/"), "data of an external table stays"
    assert "Partition not found" in reason(local_athena.run(f"ALTER TABLE {place} DROP PARTITION (day = '21')"))


def test_table_ddl(local_athena: LocalAthena, place: str) -> None:
    """UG "CREATE DATABASE", "CREATE TABLE", "ALTER TABLE ...", "SHOW ...", "DESCRIBE", "DROP ..."."""
    assert local_athena.run(f"CREATE DATABASE {place}")["StatementType"] == "DDL"
    assert local_athena.run(f"CREATE DATABASE {place}")["Status"]["State"] == "FAILED"
    assert local_athena.run(f"CREATE DATABASE IF NOT EXISTS {place}")["Status"]["State"] == "SUCCEEDED"
    assert (place,) in local_athena.rows("SHOW DATABASES")
    local_athena.run(
        f"CREATE EXTERNAL TABLE {place}.t (a int COMMENT 'first', b map<string,array<int>>) STORED AS PARQUET LOCATION 's3://{BUCKET}/{place}/'"
    )
    local_athena.run(f"ALTER TABLE {place}.t ADD COLUMNS (c double)")
    local_athena.run(f"ALTER TABLE {place}.t SET TBLPROPERTIES ('x'='y')")
    table = local_athena.client("glue").get_table(DatabaseName=place, Name="t")["Table"]
    assert [c["Type"] for c in table["StorageDescriptor"]["Columns"]] == ["int", "map<string,array<int>>", "double"]
    assert table["Parameters"]["x"] == "y"
    assert local_athena.rows("SHOW TABLES", place) == [("t",)]
    assert local_athena.rows(f"SHOW TABLES IN {place} 't*'") == [("t",)]
    described = local_athena.run(f"DESCRIBE {place}.t")
    answer = local_athena.client("athena").get_query_results(QueryExecutionId=described["QueryExecutionId"])
    assert answer["ResultSet"]["Rows"][0]["Data"][0]["VarCharValue"].split() == ["a", "int", "first"]
    statement = "\n".join(r[0] for r in local_athena.rows(f"SHOW CREATE TABLE {place}.t"))
    local_athena.run(f"DROP TABLE {place}.t")
    assert local_athena.run(statement)["Status"]["State"] == "SUCCEEDED", "what SHOW CREATE TABLE shows can be run"
    assert "not empty" in reason(local_athena.run(f"DROP DATABASE {place}"))
    assert local_athena.run(f"DROP DATABASE {place} CASCADE")["Status"]["State"] == "SUCCEEDED"
    assert "Table not found" in reason(local_athena.run(f"DROP TABLE {place}_none"))
    assert local_athena.run(f"DROP TABLE IF EXISTS {place}_none")["Status"]["State"] == "SUCCEEDED"


def test_views(local_athena: LocalAthena, place: str) -> None:
    """UG "CREATE VIEW": kept in Glue as a Presto view; a condition on it prunes the table below."""
    if is_chosen():
        pytest.skip("the plain emulator describes each view by an empty text, which Trino takes for its mark")
    make_hours(local_athena, place)
    local_athena.run(f"CREATE VIEW {place}_v AS SELECT line, hour AS h, year FROM {place}")
    assert "already exists" in reason(local_athena.run(f"CREATE VIEW {place}_v AS SELECT 1 AS one"))
    view = local_athena.client("glue").get_table(DatabaseName="default", Name=f"{place}_v")["Table"]
    assert view["ViewOriginalText"].startswith("/* Presto View: ")
    done = local_athena.run(f"SELECT count(*) FROM {place}_v WHERE h = '01' AND year = '2026'")
    size = local_athena.client("s3").head_object(Bucket=BUCKET, Key=f"{place}/2026/11/21/01/a.gz")["ContentLength"]
    assert scanned(done) == size
    local_athena.run(f"CREATE OR REPLACE VIEW {place}_v AS SELECT 7 AS seven")
    assert local_athena.rows(f"SELECT * FROM {place}_v") == [(7,)]
    local_athena.run(f"DROP VIEW {place}_v")
    assert "TABLE_NOT_FOUND" in reason(local_athena.run(f"SELECT * FROM {place}_v"))


def test_bytes_scanned(local_athena: LocalAthena, place: str) -> None:
    """UG "Top 10 performance tuning tips": columnar formats scan the columns used; count(*) the footers alone."""
    if is_chosen():
        pytest.skip("a real Trino counts the footers that it reads")
    make_parquet(local_athena, place)
    whole = local_athena.client("s3").head_object(Bucket=BUCKET, Key=f"{place}/data.parquet")["ContentLength"]
    none = scanned(local_athena.run(f"SELECT count(*) FROM {place}"))
    one = scanned(local_athena.run(f"SELECT sum(a) FROM {place}"))
    both = scanned(local_athena.run(f"SELECT max(b), sum(a) FROM {place}"))
    assert none < 2_000
    assert none < one < both <= whole
    assert both > 0.95 * whole
    assert scanned(local_athena.run(f"SHOW CREATE TABLE {place}")) == 0


def test_workgroup_cutoff_and_enforcement(local_athena: LocalAthena, place: str) -> None:
    """UG "Configure per-query and per-workgroup data usage controls", "Override client-side settings"."""
    athena = local_athena.client("athena")
    local_athena.put(f"{place}/big.txt", b"0123456789abcdef\n" * 700_000)
    local_athena.run(f"CREATE EXTERNAL TABLE {place} (line string) LOCATION 's3://{BUCKET}/{place}/'")
    athena.create_work_group(
        Name=place,
        Configuration={
            "BytesScannedCutoffPerQuery": 10_000_000,
            "EnforceWorkGroupConfiguration": True,
            "ResultConfiguration": {"OutputLocation": f"s3://{BUCKET}/{place}_results/"},
        },
    )
    failed = local_athena.run(f"SELECT count(*) FROM {place}", WorkGroup=place)
    assert failed["Status"]["State"] in {"FAILED", "CANCELLED"}
    assert "Bytes scanned limit was exceeded" in reason(failed)
    done = local_athena.run("SELECT 1", WorkGroup=place)
    assert done["ResultConfiguration"]["OutputLocation"].startswith(f"s3://{BUCKET}/{place}_results/")
    assert (
        athena.get_work_group(WorkGroup=place)["WorkGroup"]["Configuration"]["BytesScannedCutoffPerQuery"] == 10_000_000
    )
    athena.update_work_group(WorkGroup=place, ConfigurationUpdates={"RemoveBytesScannedCutoffPerQuery": True})
    assert local_athena.run(f"SELECT count(*) FROM {place}", WorkGroup=place)["Status"]["State"] == "SUCCEEDED"
    with pytest.raises(ClientError, match="is not found"):
        local_athena.start("SELECT 1", WorkGroup="nobody")


def test_workgroup_made_in_the_emulator(local_athena: LocalAthena, place: str) -> None:
    """A workgroup that CloudFormation made in the emulator is known here."""
    emulator = client_of(local_athena.emulator_url, "athena")
    location = f"s3://{BUCKET}/{place}/"
    emulator.create_work_group(Name=place, Configuration={"ResultConfiguration": {"OutputLocation": location}})
    done = local_athena.run("SELECT 1", WorkGroup=place)
    assert done["ResultConfiguration"]["OutputLocation"].startswith(location)


@pytest.mark.parametrize(
    ("sql", "text"),
    [
        ("SELECT * FROM nowhere", "TABLE_NOT_FOUND: Table 'awsdatacatalog.default.nowhere' does not exist"),
        ("SELECT nothing FROM (VALUES 1) AS t(x)", "COLUMN_NOT_FOUND: Column 'nothing' cannot be resolved"),
        ("SELEC 1", "SYNTAX_ERROR: "),
        ("SELECT 1 WHERE 1 = 'a'", "TYPE_MISMATCH: Cannot apply operator"),
        ("SELECT CAST('x' AS bigint)", "INVALID_CAST_ARGUMENT: Cannot cast 'x' to BIGINT"),
        ("SELECT 1 / 0", "DIVISION_BY_ZERO"),
        ("SELECT list_sort(ARRAY[1])", "FUNCTION_NOT_FOUND: Function 'list_sort' not registered"),
        ("SELECT xxhash64(X'00')", "NOT_SUPPORTED_LOCALLY: function xxhash64"),
        ("SELECT 1; SELECT 2", "SYNTAX_ERROR: Only one sql statement is allowed"),
        ("MERGE INTO a USING b ON a.x = b.x WHEN MATCHED THEN DELETE", "NOT_SUPPORTED_LOCALLY: MERGE"),
    ],
)
def test_error_texts(local_athena: LocalAthena, sql: str, text: str) -> None:
    """UG "Troubleshoot issues in Athena", API AthenaError; Trino's StandardErrorCode names."""
    if is_chosen() and text.startswith("NOT_SUPPORTED_LOCALLY"):
        pytest.skip("a real Trino has it")
    failed = local_athena.run(sql)
    assert failed["Status"]["State"] == "FAILED"
    assert reason(failed).startswith(text)
    assert failed["Status"]["AthenaError"]["ErrorMessage"] == failed["Status"]["StateChangeReason"]
    assert failed["Status"]["AthenaError"]["ErrorCategory"] == 2
    with pytest.raises(OperationalError):
        local_athena.rows(sql)


def test_request_limits(local_athena: LocalAthena) -> None:
    """UG "Service Quotas": 262,144 bytes of query; API StartQueryExecution: ClientRequestToken, OutputLocation."""
    with pytest.raises(ClientError, match="262144"):
        local_athena.start("SELECT '" + "\u00e9" * 131_072 + "'")
    token = str(uuid.uuid4())
    first = local_athena.start("SELECT 1", ClientRequestToken=token)
    assert local_athena.start("SELECT 1", ClientRequestToken=token) == first
    with pytest.raises(ClientError, match="Idempotent parameters do not match"):
        local_athena.start("SELECT 2", ClientRequestToken=token)
    with pytest.raises(ClientError, match="No output location provided"):
        local_athena.client("athena").start_query_execution(QueryString="SELECT 1")
    with pytest.raises(ClientError, match="was not found"):
        local_athena.client("athena").get_query_execution(QueryExecutionId="nobody")


def test_parameters_and_prepared_statements(local_athena: LocalAthena, place: str) -> None:
    """UG "Use parameterized queries"."""
    done = local_athena.run("SELECT ? || '?' AS a, ? AS b", ExecutionParameters=["'it''s'", "2"])
    answer = local_athena.client("athena").get_query_results(QueryExecutionId=done["QueryExecutionId"])
    assert [d["VarCharValue"] for d in answer["ResultSet"]["Rows"][1]["Data"]] == ["it's?", "2"]
    local_athena.client("athena").create_prepared_statement(
        StatementName=place, WorkGroup="primary", QueryStatement="SELECT ? + 1"
    )
    assert local_athena.rows(f"EXECUTE {place} USING 41") == [(42,)]
    assert "INVALID_PARAMETER_USAGE" in reason(local_athena.run(f"EXECUTE {place}"))
    assert local_athena.run(f"DEALLOCATE PREPARE {place}")["Status"]["State"] == "SUCCEEDED"


def test_result_reuse_is_refused_by_name(local_athena: LocalAthena) -> None:
    """API StartQueryExecution, ResultReuseConfiguration."""
    reuse = {"ResultReuseByAgeConfiguration": {"Enabled": True, "MaxAgeInMinutes": 60}}
    with pytest.raises(ClientError, match="NOT_SUPPORTED_LOCALLY: ResultReuseConfiguration"):
        local_athena.start("SELECT 1", ResultReuseConfiguration=reuse)
    off = {"ResultReuseByAgeConfiguration": {"Enabled": False}}
    assert local_athena.run("SELECT 1", ResultReuseConfiguration=off)["Status"]["State"] == "SUCCEEDED"


def test_types_of_result_columns_and_their_texts(local_athena: LocalAthena) -> None:
    """UG "Data types in Amazon Athena"; names with three parts, intervals, rows, zones and digits of a second."""
    execution = local_athena.run(
        "SELECT TIMESTAMP '2020-01-01 00:00:00.123456' AS t, INTERVAL '2' DAY AS i, ROW(1, 'a') AS r, "
        "from_iso8601_timestamp('2020-05-11T11:15:05+01:00') AS z, DECIMAL '1.25' AS d, CAST(NULL AS varchar) AS n"
    )
    results = local_athena.client("athena").get_query_results(QueryExecutionId=execution["QueryExecutionId"])[
        "ResultSet"
    ]
    assert [cell.get("VarCharValue") for cell in results["Rows"][1]["Data"]] == [
        *("2020-01-01 00:00:00.123456", "2 00:00:00.000", "{field0=1, field1=a}"),
        *("2020-05-11 11:15:05.000 +01:00", "1.25", None),
    ]
    assert [column["Type"] for column in results["ResultSetMetadata"]["ColumnInfo"]] == [
        *("timestamp", "interval day to second", "row", "timestamp with time zone", "decimal", "varchar"),
    ]


def test_table_with_its_catalog(local_athena: LocalAthena, place: str) -> None:
    """UG "Names for tables, databases, and columns": catalog.database.table."""
    folder = f"s3://{BUCKET}/{place}/"
    local_athena.run(
        f"CREATE TABLE {place} WITH (external_location = '{folder}') AS SELECT 1.25 AS d, DATE '2020-01-31' AS day"
    )
    found = f'"awsdatacatalog"."default"."{place}"'
    assert local_athena.rows(
        f"SELECT CAST(d / 3 AS varchar), CAST(day + INTERVAL '1' MONTH AS varchar) FROM {found}"
    ) == [("0.42", "2020-02-29")]
    assert local_athena.rows(f"SELECT {place}.d FROM awsdatacatalog.default.{place}")
    assert local_athena.rows(f"SELECT default.{place}.d FROM awsdatacatalog.default.{place}")


SLOW = (
    "SELECT sum(a.x * b.x % c.x) AS s FROM UNNEST(sequence(1, 10000)) AS a(x) "
    "CROSS JOIN UNNEST(sequence(1, 10000)) AS b(x) CROSS JOIN UNNEST(sequence(1, 10000)) AS c(x)"
)


def test_cancel(local_athena: LocalAthena, place: str) -> None:
    """API StopQueryExecution: CANCELLED; a cancelled CTAS leaves no table and no objects."""
    sql = f"CREATE TABLE {place} WITH (external_location = 's3://{BUCKET}/{place}/') AS {SLOW}"
    execution = local_athena.start(sql)
    athena = local_athena.client("athena")
    while athena.get_query_execution(QueryExecutionId=execution)["QueryExecution"]["Status"]["State"] == "QUEUED":
        time.sleep(0.02)
    time.sleep(0.3)
    athena.stop_query_execution(QueryExecutionId=execution)
    done = local_athena.finish(execution)
    assert done["Status"]["State"] == "CANCELLED"
    assert "TABLE_NOT_FOUND" in reason(local_athena.run(f"SELECT * FROM {place}"))
    assert keys(local_athena, f"{place}/") == []
    with pytest.raises(ClientError, match="did not finish successfully"):
        athena.get_query_results(QueryExecutionId=execution)


def test_kill_leaves_the_catalog_consistent(local_athena: LocalAthena, place: str, tmp_path: Path) -> None:
    """kill -9 in the middle of a CTAS: no table; the next server builds it."""
    (tmp_path / "s3").mkdir()
    process, url = start_athena(tmp_path, local_athena.emulator_url, place)
    other = LocalAthena(local_athena.emulator_url, url, process)
    other.start(f"CREATE TABLE {place} WITH (external_location = 's3://{BUCKET}/{place}/') AS {SLOW}")
    time.sleep(0.5)
    process.kill()
    process.wait(10)
    assert "TABLE_NOT_FOUND" in reason(local_athena.run(f"SELECT * FROM {place}"))
    assert keys(local_athena, f"{place}/") == []
    process, url = start_athena(tmp_path, local_athena.emulator_url, place)
    other = LocalAthena(local_athena.emulator_url, url, process)
    try:
        sql = f"CREATE TABLE {place} WITH (external_location = 's3://{BUCKET}/{place}/') AS SELECT 1 AS s"
        assert other.run(sql)["Status"]["State"] == "SUCCEEDED"
        assert other.rows(f"SELECT s FROM {place}") == [(1,)], "objects are downloaded where there is no data folder"
    finally:
        process.terminate()
        assert process.wait(30) == 0


def test_pandas_cursor_and_metadata(local_athena: LocalAthena, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """PyAthena, unchanged: PandasCursor reads the CSV from S3; API GetTableMetadata, ListDatabases."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", local_athena.emulator_url)
    make_parquet(local_athena, place, rows=10)
    frame = (
        local_athena.connect(cursor_class=PandasCursor)
        .cursor()
        .execute(f"SELECT a, b FROM {place} ORDER BY a")
        .as_pandas()
    )
    assert list(frame["a"]) == list(range(10))
    athena = local_athena.client("athena")
    found = athena.get_table_metadata(CatalogName="AwsDataCatalog", DatabaseName="default", TableName=place)[
        "TableMetadata"
    ]
    assert [c["Name"] for c in found["Columns"]] == ["a", "b"]
    names = [d["Name"] for d in athena.list_databases(CatalogName="AwsDataCatalog")["DatabaseList"]]
    assert "default" in names


def test_explain(local_athena: LocalAthena) -> None:
    """UG "Using EXPLAIN and EXPLAIN ANALYZE in Athena": a plan, nothing scanned."""
    done = local_athena.run("EXPLAIN SELECT 1")
    assert (done["StatementType"], done["SubstatementType"]) == ("UTILITY", "EXPLAIN")
    assert scanned(done) == 0


def test_result_matches_the_csv(local_athena: LocalAthena) -> None:
    """API GetQueryResults and the CSV object hold the same values."""
    done = local_athena.run(
        "SELECT map(ARRAY['a'], ARRAY[0.5e0]) AS m, X'0aff' AS b, true AS t, DATE '2026-11-21' AS d, "
        "CAST(1.50 AS decimal(5, 2)) AS n"
    )
    key = done["ResultConfiguration"]["OutputLocation"].split(f"s3://{BUCKET}/")[1]
    body = local_athena.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read().decode()
    answer = local_athena.client("athena").get_query_results(QueryExecutionId=done["QueryExecutionId"])
    shown = [d["VarCharValue"] for d in answer["ResultSet"]["Rows"][1]["Data"]]
    assert list(csv.reader(io.StringIO(body)))[1] == shown == ["{a=0.5}", "0a ff", "true", "2026-11-21", "1.50"]
