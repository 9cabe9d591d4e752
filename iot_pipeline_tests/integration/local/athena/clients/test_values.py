"""Values that clients read: hard names, hard texts and hard partitions, through each of PyAthena's ways to read."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from pyathena.connection import Connection
from pyathena.cursor import Cursor
from pyathena.pandas.cursor import PandasCursor
from pyathena.s3fs.cursor import S3FSCursor

from iot_pipeline_tests.support.athena_clients import BUCKET
from iot_pipeline_tests.support.emulator import unique

pytestmark = pytest.mark.integration
HARD = [
    "a,b",
    "a b",
    "a/b",
    "a:b",
    "a=b",
    "a%b",
    "a%2Fb",
    "\u00fc\u738b",
    "'",
    '"',
    "a+b",
    "[x]^{y}",
    "#?*",
    "a\\b",
    ".",
]


def name() -> str:
    return unique("v").replace("-", "_")


def rows(connection: Connection[Any], sql: str, kind: type[Any] = Cursor) -> list[tuple[Any, ...]]:
    return list(connection.cursor(kind).execute(sql).fetchall())


def test_hard_partitions(connection: Connection[Any]) -> None:
    """UG "Partition data": each value is found again, by CTAS, INSERT, MSCK REPAIR TABLE and a condition."""
    table = name()
    listed = ", ".join("('" + text.replace("'", "''") + "')" for text in HARD)
    place = f"external_location = 's3://{BUCKET}/{table}/'"
    rows(connection, f"CREATE TABLE {table} WITH ({place}, partitioned_by = ARRAY['k']) AS SELECT 1 AS n, 'first' AS k")
    rows(connection, f"INSERT INTO {table} SELECT 1, k FROM (VALUES {listed}) AS t(k)")
    found = rows(connection, f"SELECT k FROM {table} WHERE n = 1")
    assert sorted(k for (k,) in found) == sorted([*HARD, "first"])
    for text in HARD:
        quoted = text.replace("'", "''")
        assert rows(connection, f"SELECT n FROM {table} WHERE k = '{quoted}'") == [(1,)], text
    copy = name()
    rows(
        connection,
        f"CREATE EXTERNAL TABLE {copy} (n int) PARTITIONED BY (k string) STORED AS PARQUET "
        f"LOCATION 's3://{BUCKET}/{table}/'",
    )
    assert rows(connection, f"SELECT count(*) FROM {copy}") == [(0,)]
    rows(connection, f"MSCK REPAIR TABLE {copy}")
    assert sorted(rows(connection, f"SELECT k FROM {copy}")) == sorted(found)


@pytest.mark.parametrize("kind", [Cursor, S3FSCursor, PandasCursor])
def test_hard_texts(connection: Connection[Any], kind: type[Any]) -> None:
    texts = ['a"b', "a,b", "a\nb", " a ", "\\N", "\u00fc\u738b\U0001f600", "'", "null", "tab\tx"]
    if kind is not S3FSCursor:  # its own reader makes one line feed of two characters
        texts.append("a\r\nb")
    listed = ", ".join(f"({n}, '" + text.replace("'", "''") + "')" for n, text in enumerate(texts))
    found = rows(connection, f"SELECT t FROM (VALUES {listed}) AS v(n, t) ORDER BY n", kind)
    assert [text for (text,) in found] == texts


def test_hard_names(connection: Connection[Any]) -> None:
    table = name()
    rows(
        connection,
        f"CREATE EXTERNAL TABLE `{table}-x` "
        "(`a b` int COMMENT 'it''s, (a) \\'q\\'', `select` string, `\u00fcn\u00ef` int) "
        f"ROW FORMAT DELIMITED FIELDS TERMINATED BY '|' LOCATION 's3://{BUCKET}/{table}/'",
    )
    rows(connection, f"INSERT INTO \"{table}-x\" VALUES (1, 'x', 2), (NULL, NULL, NULL)")
    sql = f'SELECT "a b", "select", "\u00fcn\u00ef", "A B" + 1 FROM shelf."{table}-x" WHERE "a b" = 1'
    assert rows(connection, sql) == [(1, "x", 2, 2)]
    (first, *_) = rows(connection, f"DESCRIBE `{table}-x`")
    assert [part.strip() for part in first[0].split("\t")] == ["a b", "int", "it's, (a) 'q'"]
    assert [r[0].strip() for r in rows(connection, f"SHOW COLUMNS IN `{table}-x`")] == [
        "a b",
        "select",
        "\u00fcn\u00ef",
    ]
    created = "\n".join(r[0] for r in rows(connection, f"SHOW CREATE TABLE `{table}-x`"))
    rows(connection, created.replace(f"`shelf.{table}-x`", f"`shelf.{table}-y`"))
    described = rows(connection, f"DESCRIBE `{table}-y`")
    assert described == rows(connection, f"DESCRIBE `{table}-x`"), "SHOW CREATE TABLE makes the same table"
    assert rows(connection, f'SELECT "select" FROM "{table}-y" ORDER BY 1') == [("x",), (None,)]
    rows(connection, f"DROP TABLE `{table}-x`")


def test_types_beside_a_star(connection: Connection[Any]) -> None:
    """The types of a SELECT's other columns are known beside a `*` too."""
    moment = "TIMESTAMP '2020-01-01 00:00:00.123456'"
    cursor: Any = connection.cursor(Cursor)
    cursor.execute(f"SELECT *, {moment} AS t, json_parse('[1]') AS j, DECIMAL '1.50' AS d FROM one_row")
    assert [d[1] for d in cursor.description] == ["integer", "timestamp", "json", "decimal"]
    stamp = datetime(2020, 1, 1, 0, 0, 0, 123456)  # noqa: DTZ001  Athena's TIMESTAMP has no zone
    assert cursor.fetchall() == [(1, stamp, [1], Decimal("1.50"))]


def test_star_over_using(connection: Connection[Any]) -> None:
    """Trino docs, "SELECT", "USING": its columns come first and once, and are of no table."""
    tables = "FROM (VALUES (1, 2)) AS a(y, x) JOIN (VALUES (2, 3)) AS b(x, z) USING (x)"
    assert rows(connection, f"SELECT * {tables}") == [(2, 1, 3)]
    assert rows(connection, f"SELECT b.*, a.* {tables}") == [(3, 1)]


def test_a_view_of_another_database(connection: Connection[Any]) -> None:
    """UG "CREATE VIEW": plain names in a view are those of the database in which it was made."""
    view = name()
    rows(connection, f"CREATE VIEW default.{view} AS /* as */ SELECT number_of_rows AS n FROM one_row")
    assert rows(connection, f"SELECT n FROM default.{view}") == [(1,)]
    assert rows(connection, f"SHOW CREATE VIEW default.{view}")[0] == (f"CREATE VIEW default.{view} AS",)
    rows(connection, f"DROP VIEW default.{view}")


def test_collections_of_delimited_text(connection: Connection[Any]) -> None:
    """UG "Lazy Simple SerDe": delimiters of fields, items and keys; \\N is NULL, in collections too."""
    table = name()
    connection.session.client("s3").put_object(
        Bucket=BUCKET, Key=f"{table}/a.txt", Body=b"1,2|k:1,l:2|5,x\n\\N|\\N|\\N\n||\\N,y\n3,\\N|k:\\N|6,\\N\n"
    )
    rows(
        connection,
        f"CREATE EXTERNAL TABLE {table} (a array<int>, m map<string,int>, s struct<n:int,t:string>) "
        "ROW FORMAT DELIMITED FIELDS TERMINATED BY '|' COLLECTION ITEMS TERMINATED BY ',' MAP KEYS TERMINATED BY ':' "
        f"LOCATION 's3://{BUCKET}/{table}/'",
    )
    found = rows(connection, f"SELECT CAST(a AS json), CAST(m AS json), s.n, s.t FROM {table}")
    assert found == [
        ([1, 2], {"k": 1, "l": 2}, 5, "x"),
        (None, None, None, None),
        ([], {}, None, "y"),
        ([3, None], {"k": None}, 6, None),
    ]


def test_an_empty_field_is_an_empty_text(connection: Connection[Any]) -> None:
    """UG "Lazy Simple SerDe", "Open CSV SerDe": an empty field is no NULL, unless its type has no empty value."""
    client, table = connection.session.client("s3"), name()
    client.put_object(Bucket=BUCKET, Key=f"{table}/a.csv", Body=b"a,,\n,1,x\n")
    for serde in ("DELIMITED FIELDS TERMINATED BY ','", "SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde'"):
        made = name()
        rows(
            connection,
            f"CREATE EXTERNAL TABLE {made} (a string, n int, t string) ROW FORMAT {serde} "
            f"LOCATION 's3://{BUCKET}/{table}/'",
        )
        assert rows(connection, f"SELECT * FROM {made} ORDER BY a") == [("", 1, "x"), ("a", None, "")]
