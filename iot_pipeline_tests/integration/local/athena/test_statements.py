"""Statements of Hive's grammar and information_schema keep the form that AWS's pages give; each test names its page.

UG: Amazon Athena User Guide. Trino: Trino's documentation.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from iot_pipeline_tests.support.athena import BUCKET, LocalAthena
from iot_pipeline_tests.support.emulator import unique

pytestmark = pytest.mark.integration


def name() -> str:
    return unique("s").replace("-", "_")


def reason(athena: LocalAthena, sql: str, schema: str = "default") -> str:
    return str(athena.run(sql, schema)["Status"].get("StateChangeReason", ""))


@pytest.fixture(scope="module")
def orders(local_athena: LocalAthena) -> Iterator[str]:
    """A database with the table `orders`, partitioned, and the view `recent`."""
    database = name()
    local_athena.run(f"CREATE DATABASE {database} COMMENT 'it''s here' LOCATION 's3://{BUCKET}/{database}/'")
    local_athena.run(
        f"""CREATE EXTERNAL TABLE {database}.orders (orderkey bigint COMMENT 'the key', price decimal(10,2), tags
        array<string>) COMMENT 'all orders' PARTITIONED BY (day date) STORED AS PARQUET
        LOCATION 's3://{BUCKET}/{database}/orders/' TBLPROPERTIES ('owner'='sales', 'classification'='parquet')"""
    )
    local_athena.run(f"CREATE VIEW {database}.recent AS SELECT orderkey, tags FROM {database}.orders")
    yield database
    local_athena.run(f"DROP DATABASE {database} CASCADE")


def shown(athena: LocalAthena, sql: str, schema: str) -> tuple[list[str], list[str]]:
    """(column names, the rows' only values)."""
    done = athena.run(sql, schema)
    assert done["Status"]["State"] == "SUCCEEDED", done["Status"]
    assert done["StatementType"] == "UTILITY"  # API reference, QueryExecution: SHOW and DESCRIBE are
    answer = athena.client("athena").get_query_results(QueryExecutionId=done["QueryExecutionId"])["ResultSet"]
    names = [column["Name"] for column in answer["ResultSetMetadata"]["ColumnInfo"]]
    return names, [row["Data"][0].get("VarCharValue", "") for row in answer["Rows"]]


def test_databases(local_athena: LocalAthena, orders: str) -> None:
    """UG "SHOW DATABASES", "ALTER DATABASE SET DBPROPERTIES": SCHEMAS is a synonym; LIKE with a pattern."""
    for sql in ("SHOW DATABASES", "SHOW SCHEMAS", f"SHOW DATABASES LIKE '{orders[:4]}*'"):
        names, rows = shown(local_athena, sql, "default")
        assert names == ["database_name"]
        assert orders in rows
    assert reason(local_athena, f"ALTER DATABASE {orders} SET DBPROPERTIES ('a'='b')") == ""
    found = local_athena.client("glue").get_database(Name=orders)["Database"]
    assert (found["Description"], found["Parameters"]["a"]) == ("it's here", "b")
    assert "Database does not exist" in reason(local_athena, "ALTER DATABASE nowhere SET DBPROPERTIES ('a'='b')")


def test_tables_and_views(local_athena: LocalAthena, orders: str) -> None:
    """UG "SHOW TABLES", "SHOW VIEWS": of the current database or of one named; patterns with * and |."""
    assert shown(local_athena, "SHOW TABLES", orders) == (["tab_name"], ["orders", "recent"])
    assert shown(local_athena, f"SHOW TABLES IN `{orders}` 'ord*|x'", "default")[1] == ["orders"]
    assert shown(local_athena, f"SHOW VIEWS IN {orders} LIKE 'r*'", "default")[1] == ["recent"]
    assert "Database does not exist: nowhere" in reason(local_athena, "SHOW TABLES IN nowhere")


def test_columns(local_athena: LocalAthena, orders: str) -> None:
    """UG "SHOW COLUMNS": FROM or IN, the database before or behind; of tables and views."""
    for sql in (f"{orders}.orders", f"orders FROM {orders}", f"orders IN `{orders}`"):
        names, rows = shown(local_athena, f"SHOW COLUMNS IN {sql}", "default")
        assert (names, [row.strip() for row in rows]) == (["field"], ["orderkey", "price", "tags", "day"])
    assert [row.strip() for row in shown(local_athena, "SHOW COLUMNS FROM recent", orders)[1]] == ["orderkey", "tags"]


def test_properties(local_athena: LocalAthena, orders: str) -> None:
    """UG "SHOW TBLPROPERTIES": all of them, or the value of one."""
    names, rows = shown(local_athena, "SHOW TBLPROPERTIES orders", orders)
    assert names == ["prpt_name", "prpt_value"]
    assert {"owner\tsales", "comment\tall orders", "EXTERNAL\tTRUE"} <= set(rows)
    assert shown(local_athena, f"SHOW TBLPROPERTIES {orders}.orders('owner')", "default")[1] == ["sales"]
    (missing,) = shown(local_athena, "SHOW TBLPROPERTIES orders('nothing')", orders)[1]
    assert missing.endswith("does not have property: nothing")


def test_describe(local_athena: LocalAthena, orders: str) -> None:
    """UG "DESCRIBE": columns and partition columns; FORMATTED adds the table's and the storage's description."""
    names, rows = shown(local_athena, f"DESCRIBE {orders}.orders", "default")
    assert names == ["col_name", "data_type", "comment"]
    assert [[part.strip() for part in row.split("\t")] for row in rows] == [
        ["orderkey", "bigint", "the key"],
        ["price", "decimal(10,2)", ""],
        ["tags", "array<string>", ""],
        ["day", "date", ""],
        ["", "", ""],
        ["# Partition Information", "", ""],
        ["# col_name", "data_type", "comment"],
        ["", "", ""],
        ["day", "date", ""],
    ]
    formatted = dict(
        [part.strip() for part in row.split("\t")][:2]
        for row in shown(local_athena, "DESCRIBE FORMATTED orders", orders)[1]
    )
    assert formatted["Location:"] == f"s3://{BUCKET}/{orders}/orders"
    assert formatted["SerDe Library:"].endswith("ParquetHiveSerDe")
    assert formatted["Table Type:"] == "EXTERNAL_TABLE"
    assert [row.split("\t")[0].strip() for row in shown(local_athena, "DESC recent", orders)[1]] == ["orderkey", "tags"]
    for refused in ("EXTENDED orders", "orders price", "FORMATTED orders PARTITION (day = '2020-01-01')"):
        assert reason(local_athena, f"DESCRIBE {refused}", orders).startswith("NOT_SUPPORTED_LOCALLY: DESCRIBE")


def test_show_create(local_athena: LocalAthena, orders: str) -> None:
    """UG "SHOW CREATE TABLE", "SHOW CREATE VIEW": a row a line, which makes the same again."""
    names, rows = shown(local_athena, f"SHOW CREATE TABLE {orders}.orders", "default")
    assert names == ["createtab_stmt"]
    assert rows[:6] == [
        f"CREATE EXTERNAL TABLE `{orders}.orders`(",
        "  `orderkey` bigint COMMENT 'the key', ",
        "  `price` decimal(10,2), ",
        "  `tags` array<string>)",
        "COMMENT ",
        "  'all orders'",
    ]
    assert shown(local_athena, f'SHOW CREATE VIEW "{orders}"."recent"', "default") == (
        ["Create View"],
        [f"CREATE VIEW {orders}.recent AS", f"SELECT orderkey, tags FROM {orders}.orders"],
    )
    assert "is a table, not a view" in reason(local_athena, f"SHOW CREATE VIEW {orders}.orders")


def test_columns_are_changed(local_athena: LocalAthena, orders: str) -> None:
    """UG "ALTER TABLE ADD COLUMNS", "ALTER TABLE REPLACE COLUMNS", "ALTER TABLE CHANGE COLUMN"."""
    table = f"{orders}.changed"
    local_athena.run(f"CREATE EXTERNAL TABLE {table} (a int, b int) LOCATION 's3://{BUCKET}/{orders}/changed/'")

    def columns() -> list[tuple[str, str, str]]:
        found = local_athena.client("glue").get_table(DatabaseName=orders, Name="changed")["Table"]
        return [(c["Name"], c["Type"], c.get("Comment", "")) for c in found["StorageDescriptor"]["Columns"]]

    assert reason(local_athena, f"ALTER TABLE {table} ADD COLUMNS (c string COMMENT 'new, (one)')") == ""
    assert columns()[2] == ("c", "string", "new, (one)")
    assert reason(local_athena, f"ALTER TABLE {table} CHANGE COLUMN c `c d` struct<x: int>") == ""
    assert columns()[2] == ("c d", "struct<x:int>", "")
    assert "Duplicate column name: a" in reason(local_athena, f"ALTER TABLE {table} CHANGE b a int")
    assert "Duplicate column name: b" in reason(local_athena, f"ALTER TABLE {table} ADD COLUMNS (b int)")
    assert reason(local_athena, f"ALTER TABLE {table} REPLACE COLUMNS (z int)") == ""
    assert columns() == [("z", "int", "")]


def test_partitions_of_hard_names(local_athena: LocalAthena, orders: str) -> None:
    """UG "ALTER TABLE ADD PARTITION", "ALTER TABLE DROP PARTITION", "MSCK REPAIR TABLE"."""
    table = f"{orders}.hard"
    local_athena.run(
        f"CREATE EXTERNAL TABLE {table} (a string) PARTITIONED BY (k string) LOCATION 's3://{BUCKET}/{orders}/hard/'"
    )
    local_athena.put(f"{orders}/hard/k=a%3Ab/f.txt", b"1\n")
    repaired = local_athena.rows(f"MSCK REPAIR TABLE {table}")
    assert repaired == [
        ("Partitions not in metastore:\thard:k=a:b",),
        ("Repair: Added partition to metastore hard:k=a:b",),
    ]
    assert local_athena.rows(f"SELECT a FROM {table} WHERE k = 'a:b'") == [("1",)]
    assert local_athena.rows(f"MSCK REPAIR TABLE {table}") == []
    assert reason(local_athena, f"ALTER TABLE {table} ADD PARTITION (k = 'it''s')") == ""
    assert local_athena.rows(f"SHOW PARTITIONS {table}") == [("k=a:b",), ("k=it's",)]
    assert reason(local_athena, f"ALTER TABLE {table} DROP PARTITION (k = 'a:b'), PARTITION (k = 'it\\'s')") == ""
    assert local_athena.rows(f"SHOW PARTITIONS {table}") == []


def test_information_schema(local_athena: LocalAthena, orders: str) -> None:
    """UG "Query the AWS Glue Data Catalog": schemata, tables, columns, views."""
    where = f"WHERE table_schema = '{orders}'"
    tables = (
        f"SELECT table_name, table_type FROM information_schema.tables {where} AND table_name LIKE '%r%' ORDER BY 1"
    )
    assert ("orders", "BASE TABLE") in local_athena.rows(tables)
    assert ("recent", "VIEW") in local_athena.rows(
        tables.replace("information_schema", "awsdatacatalog.information_schema")
    )
    columns = local_athena.rows(
        f"SELECT * FROM information_schema.columns {where} AND table_name = 'orders' ORDER BY 5"
    )
    start = ("awsdatacatalog", orders, "orders")
    assert columns == [
        (*start, "orderkey", 1, None, "YES", "bigint", "the key", None),
        (*start, "price", 2, None, "YES", "decimal(10,2)", None, None),
        (*start, "tags", 3, None, "YES", "array(varchar)", None, None),
        (*start, "day", 4, None, "YES", "date", None, "partition key"),
    ]
    views = local_athena.rows(f"SELECT table_name, view_definition FROM information_schema.views {where}")
    assert views == [("recent", f"SELECT orderkey, tags FROM {orders}.orders")]
    schemata = "SELECT catalog_name, schema_name FROM information_schema.schemata"
    assert {("awsdatacatalog", orders), ("awsdatacatalog", "information_schema")} <= set(local_athena.rows(schemata))
    joined = f"""SELECT t.table_name, count(*) FROM information_schema.tables t JOIN information_schema.columns c
        ON t.table_schema = c.table_schema AND t.table_name = c.table_name WHERE t.table_schema = '{orders}'
        AND t.table_name IN ('orders', 'recent') GROUP BY 1 ORDER BY 1"""
    assert local_athena.rows(joined) == [("orders", 4), ("recent", 2)]
    refused = reason(local_athena, "SELECT * FROM information_schema.roles")
    assert refused.startswith("NOT_SUPPORTED_LOCALLY: table information_schema.roles")


@pytest.mark.parametrize(
    ("sql", "named"),
    [
        ("CREATE TABLE i (a int) LOCATION 's3://b/i/' TBLPROPERTIES ('table_type'='ICEBERG')", "table_type ICEBERG"),
        ("CREATE TABLE i WITH (table_type = 'ICEBERG', is_external = false) AS SELECT 1 AS a", "table_type ICEBERG"),
        ("MERGE INTO a USING b ON a.x = b.x WHEN MATCHED THEN DELETE", "MERGE"),
        ("UPDATE a SET x = 1", "UPDATE"),
        ("DELETE FROM a WHERE x = 1", "DELETE"),
        ("OPTIMIZE a REWRITE DATA USING BIN_PACK", "OPTIMIZE"),
        ("VACUUM a", "VACUUM"),
        ("ALTER TABLE a RENAME TO b", "ALTER TABLE RENAME"),
        ("ALTER TABLE a DROP COLUMN b", "ALTER TABLE DROP COLUMN"),
        ("SHOW FUNCTIONS", "SHOW FUNCTIONS"),
        ("EXPLAIN ANALYZE SELECT 1", "EXPLAIN ANALYZE"),
        ("SELECT * FROM other.db.t", "catalog other"),
        ("DESCRIBE other.db.t", "catalog other"),
    ],
)
def test_what_athena_has_and_this_server_does_not(local_athena: LocalAthena, sql: str, named: str) -> None:
    """UG "DDL statements", "Query Apache Iceberg tables": refused by name."""
    assert reason(local_athena, sql).startswith(f"NOT_SUPPORTED_LOCALLY: {named}")


def test_ctas_of_hive_tables(local_athena: LocalAthena, orders: str) -> None:
    """UG "CREATE TABLE AS": table_type and is_external; WITH NO DATA makes the table alone."""
    options = f"WITH (table_type = 'HIVE', is_external = true, external_location = 's3://{BUCKET}/{orders}/ctas/')"
    done: dict[str, Any] = local_athena.run(f"CREATE TABLE {orders}.ctas {options} AS SELECT 1 AS a")
    assert done["Status"]["State"] == "SUCCEEDED", done["Status"]
    assert local_athena.rows(f"SELECT * FROM {orders}.ctas") == [(1,)]
    assert reason(local_athena, f"CREATE TABLE {orders}.empty AS SELECT 1 AS a, 'x' AS b WITH NO DATA") == ""
    assert local_athena.rows(f"SELECT * FROM {orders}.empty") == []
    wrong = f"CREATE TABLE {orders}.w WITH (is_external = false) AS SELECT 1 AS a"
    assert reason(local_athena, wrong).startswith("INVALID_TABLE_PROPERTY: is_external")


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("ARRAY[1, 2]", "TEXTFILE"),
        ("MAP(ARRAY[1], ARRAY[2])", "TEXTFILE"),
        ("X'00ff'", "TEXTFILE"),
        ("X'00ff'", "JSON"),
    ],
)
def test_types_that_are_not_written(local_athena: LocalAthena, orders: str, value: str, kind: str) -> None:
    """UG "CREATE TABLE AS", format: collections of text, and binary of text and JSON, are refused by name."""
    said = reason(local_athena, f"CREATE TABLE {orders}.{name()} WITH (format = '{kind}') AS SELECT {value} AS v")
    assert said.startswith("NOT_SUPPORTED_LOCALLY: column v of type")
    local_athena.run(
        f"CREATE EXTERNAL TABLE {orders}.bytes (v binary) ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' "
        f"LOCATION 's3://{BUCKET}/{orders}/bytes/'"
    )
    local_athena.put(f"{orders}/bytes/a.json", b'{"v": "AP8="}')
    refused = reason(local_athena, f"SELECT v FROM {orders}.bytes")
    assert refused == "NOT_SUPPORTED_LOCALLY: type binary in a JSON table"
