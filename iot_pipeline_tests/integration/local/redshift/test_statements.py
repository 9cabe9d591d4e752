"""Statements of the local Redshift, and what dbt-redshift asks its catalog, on a running one by redshift_connector."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import psycopg
import pytest
from redshift_connector.cursor import Cursor
from redshift_connector.error import ProgrammingError

from iot_pipeline_tests.support.warehouse import LocalWarehouse

Rows = list[list[Any]]


@pytest.fixture
def cursor(local_warehouse: LocalWarehouse) -> Iterator[Cursor]:
    """In autocommit, with a schema of the test's own as search path."""
    with local_warehouse.cursor() as cursor:
        cursor.execute("CREATE SCHEMA trial")
        cursor.execute("SET search_path TO trial")
        yield cursor
        cursor.execute("DROP SCHEMA trial CASCADE")


def rows(cursor: Cursor, sql: str) -> Rows:
    cursor.execute(sql)
    return [list(row) for row in cursor.fetchall()]


def test_keys_are_not_enforced_but_not_null_is(cursor: Cursor) -> None:
    """t_Defining_constraints.html."""
    cursor.execute("CREATE TABLE z (b integer PRIMARY KEY)")
    cursor.execute(
        "CREATE TABLE a (id integer NOT NULL PRIMARY KEY DISTKEY, n varchar(20) ENCODE zstd UNIQUE, b "
        "integer REFERENCES z (b), "
        "FOREIGN KEY (b) REFERENCES z (b)) COMPOUND SORTKEY (id, n) BACKUP NO"
    )
    cursor.execute("INSERT INTO a VALUES (1, 'x', 7), (1, 'x', 7)")
    assert rows(cursor, "SELECT count(*) FROM a") == [[2]]
    with pytest.raises(ProgrammingError, match="null value"):
        cursor.execute("INSERT INTO a (n) VALUES ('y')")


def test_identity(cursor: Cursor) -> None:
    """r_CREATE_TABLE_NEW.html: IDENTITY takes no values of one's own."""
    cursor.execute("CREATE TABLE a (id bigint IDENTITY(0, 1), n varchar(20))")
    cursor.execute("INSERT INTO a (n) VALUES ('x'), ('y')")
    assert rows(cursor, "SELECT id, n FROM a ORDER BY 1") == [[0, "x"], [1, "y"]]
    with pytest.raises(ProgrammingError, match="cannot insert"):
        cursor.execute("INSERT INTO a VALUES (1, 'z')")


def test_tables_of_many_kinds(cursor: Cursor) -> None:
    cursor.execute("CREATE TABLE a (x integer DEFAULT 3, s super) DISTSTYLE ALL")
    cursor.execute("CREATE TABLE b (LIKE a INCLUDING DEFAULTS)")
    cursor.execute("CREATE TEMP TABLE c DISTKEY (x) SORTKEY (x) AS SELECT 1 AS x")
    cursor.execute("CREATE TABLE #d (x integer)")
    cursor.execute("INSERT INTO #d SELECT x FROM c")
    cursor.execute("ALTER TABLE a ADD COLUMN y varchar(10) DEFAULT 'q' ENCODE lzo")
    cursor.execute("ALTER TABLE a ALTER COLUMN y TYPE varchar(20)")
    cursor.execute("ALTER TABLE a ALTER SORTKEY (x)")
    cursor.execute("ALTER TABLE a ALTER DISTKEY x")
    cursor.execute("ALTER TABLE a RENAME COLUMN y TO z")
    cursor.execute("INSERT INTO a (s) VALUES (json_parse('{\"k\": [1, 2]}'))")
    cursor.execute("INSERT INTO b (s) SELECT s FROM a")
    assert rows(cursor, "SELECT a.x, a.z, a.s.k[1]::int, b.x, d.x FROM a, b, #d AS d") == [[3, "q", 2, 3, 1]]
    cursor.execute("DROP TABLE IF EXISTS #d, b")
    for upkeep in ("VACUUM FULL a TO 100 PERCENT BOOST", "VACUUM", "ANALYZE a PREDICATE COLUMNS", "ANALYZE a (x)"):
        cursor.execute(upkeep)


def test_names_are_folded_even_quoted(cursor: Cursor) -> None:
    """r_names.html."""
    cursor.execute('CREATE TABLE "Mixed" ("Some" integer)')
    assert rows(cursor, 'SELECT "SOME" FROM trial.mixed') == []
    assert cursor.description[0][0] == "some"


def test_merge(cursor: Cursor) -> None:
    """r_MERGE.html, first example."""
    cursor.execute("CREATE TABLE target (id INT, name CHAR(10))")
    cursor.execute("CREATE TABLE source (id INT, name CHAR(10))")
    cursor.execute("INSERT INTO target VALUES (101, 'Bob'), (102, 'John'), (103, 'Susan')")
    cursor.execute("INSERT INTO source VALUES (102, 'Tony'), (103, 'Alice'), (104, 'Bill')")
    cursor.execute(
        "MERGE INTO target USING source ON target.id = source.id WHEN MATCHED THEN UPDATE SET id = "
        "source.id, name = source.name "
        "WHEN NOT MATCHED THEN INSERT VALUES (source.id, source.name)"
    )
    merged = [[row[0], row[1].strip()] for row in rows(cursor, "SELECT * FROM target ORDER BY id")]
    assert merged == [[101, "Bob"], [102, "Tony"], [103, "Alice"], [104, "Bill"]]


def test_truncate_commits(local_warehouse: LocalWarehouse, cursor: Cursor) -> None:
    """r_TRUNCATE.html: "TRUNCATE commits the transaction in which it is run"; what comes later is outside of it."""
    cursor.execute("CREATE TABLE a AS SELECT 1 AS x")
    connection = local_warehouse.connect()
    try:
        own = connection.cursor()
        own.execute("CREATE TABLE trial.b AS SELECT 2 AS x")
        own.execute("TRUNCATE trial.a")
        own.execute("INSERT INTO trial.a VALUES (3)")
        connection.rollback()
    finally:
        connection.close()
    assert rows(cursor, "SELECT x FROM b") == [[2]]
    # redshift_connector begins a transaction by itself before each statement that has none.
    assert rows(cursor, "SELECT count(*) FROM a") == [[0]]
    cursor.execute("INSERT INTO a VALUES (4)")
    cursor.execute("TRUNCATE TABLE a")
    assert rows(cursor, "SELECT count(*) FROM a") == [[0]]


@pytest.mark.parametrize("autocommit", [True, False])
def test_truncate_with_other_drivers(local_warehouse: LocalWarehouse, cursor: Cursor, autocommit: bool) -> None:
    cursor.execute("CREATE TABLE a AS SELECT 1 AS x")
    with local_warehouse.psycopg(autocommit=autocommit) as connection:
        told: list[str | None] = []
        connection.add_notice_handler(lambda notice: told.append(notice.message_primary))
        assert connection.execute("TRUNCATE trial.a").statusmessage == "TRUNCATE TABLE"
        assert connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        assert told == []
        with pytest.raises(psycopg.errors.UndefinedTable):
            connection.execute("TRUNCATE trial.nothing")
        connection.rollback()
        with pytest.raises(psycopg.Error, match="truncate_commits"):
            connection.execute("BEGIN; SELECT 1; TRUNCATE trial.a")
    assert rows(cursor, "SELECT count(*) FROM a") == [[0]]


def test_a_late_binding_view_outlives_its_table(cursor: Cursor) -> None:
    """r_CREATE_VIEW.html."""
    cursor.execute("CREATE TABLE a AS SELECT 1 AS x, 'one' AS n")
    cursor.execute("CREATE VIEW v AS (SELECT n, x FROM trial.a WHERE x < 9) WITH NO SCHEMA BINDING")
    cursor.execute("CREATE VIEW bound AS SELECT n, x FROM a")
    with pytest.raises(ProgrammingError, match="depends"):
        cursor.execute("DROP TABLE a")
    cursor.execute("DROP TABLE a CASCADE")
    cursor.execute("CREATE TABLE a AS SELECT 2 AS x, 'two' AS n")
    assert rows(cursor, "SELECT * FROM v WHERE x = 2") == [["two", 2]]
    cursor.execute("CREATE OR REPLACE VIEW v AS SELECT n, x + 1 AS x FROM trial.a WITH NO SCHEMA BINDING")
    cursor.execute("ALTER TABLE v RENAME TO w")
    cursor.execute("CREATE VIEW v AS SELECT x FROM trial.a WITH NO SCHEMA BINDING")
    assert rows(cursor, "SELECT w.x, v.x FROM w, v") == [[3, 2]]
    with pytest.raises(ProgrammingError):
        cursor.execute("SELECT * FROM bound")


def test_settings(cursor: Cursor) -> None:
    """r_SET.html."""
    cursor.execute("SET query_group TO 'nightly'")
    assert rows(cursor, "SHOW query_group") == [["nightly"]]
    for statement in (
        "RESET query_group",
        "SET enable_result_cache_for_session = off",
        "SET TIME ZONE 'UTC'",
        "USE telemetry",
        "RESET USE",
    ):
        cursor.execute(statement)


def test_transactions(local_warehouse: LocalWarehouse, cursor: Cursor) -> None:
    cursor.execute("CREATE TABLE a (x integer)")
    cursor.execute("BEGIN TRANSACTION ISOLATION LEVEL SERIALIZABLE")
    cursor.execute("LOCK a")
    cursor.execute("INSERT INTO a VALUES (1)")
    cursor.execute("ABORT")
    assert rows(cursor, "SELECT count(*) FROM a") == [[0]]
    with local_warehouse.psycopg(autocommit=True) as connection:
        connection.execute("START TRANSACTION; INSERT INTO trial.a VALUES (2); END")
    assert rows(cursor, "SELECT x FROM a") == [[2]]


def test_parameters_and_comments(cursor: Cursor) -> None:
    cursor.execute(
        '/* {"app": "dbt", "q": "it\'s"} */ SELECT dateadd(day, %s, %s::date), %s::varchar -- end',
        (2, "2026-11-21", "a;b"),
    )
    assert [list(row) for row in cursor.fetchall()] == [[datetime.fromisoformat("2026-11-23"), "a;b"]]


CATALOG = [
    'SHOW TABLES FROM SCHEMA "telemetry"."trial"',
    "SHOW SCHEMAS FROM DATABASE \"telemetry\" LIKE 'trial'",
    'SHOW COLUMNS FROM TABLE "telemetry"."trial"."a"',
    "select distinct nspname from pg_namespace where nspname = 'trial'",
    (
        "select table_catalog as database, table_name as name, table_schema as schema, 'table' as type from "
        "information_schema.tables "
        "where table_schema ilike 'trial' and table_type = 'BASE TABLE'"
    ),
    "select schemaname as table_schema, tablename as table_name, tableowner from pg_tables where schemaname = 'trial'",
    'select "schema", "table", diststyle, sortkey1, tbl_rows, size * 10 from svv_table_info where "schema" = \'trial\'',
    (
        "select sch.nspname, pg_catalog.format_type(col.atttypid, col.atttypmod) from pg_catalog.pg_namespace sch join "
        "pg_catalog.pg_class tbl on tbl.relnamespace = sch.oid join pg_catalog.pg_attribute col on "
        "col.attrelid = tbl.oid "
        "where sch.nspname = 'trial' and tbl.relkind in ('r', 'v', 'f', 'p') and col.attnum > 0 and not "
        "col.attisdropped"
    ),
    (
        "select database_name, schema_name, table_name, column_name, ordinal_position, data_type, remarks "
        "from svv_redshift_columns "
        "where schema_name = lower('trial')"
    ),
    "select table_schema, column_name from svv_columns where table_schema = 'trial'",
    "select has_table_privilege(current_user, 'svv_table_info', 'SELECT') as can_select",
    "select distinct 'telemetry' as database, nspname::varchar as schema from pg_namespace where nspname = 'trial'",
    "select usename from pg_user where usename = current_user",
    (
        "select distinct namespace_name from svv_relation_privileges where namespace_name = 'trial' and "
        "relation_name = 'a'"
    ),
    "select pg_backend_pid()",
    "select current_database()",
]
EMPTY = [
    (
        "select * from pg_get_late_binding_view_cols() cols(view_schema name, view_name name, col_name name, "
        "col_type varchar, "
        "ordinal_position int) where view_name = 'a'"
    ),
    (
        "select columnnum, schemaname, columnname, nullif(REGEXP_SUBSTR(external_type, '[0-9]+'), '')::int from "
        "pg_catalog.svv_external_columns where schemaname = 'trial' and tablename = 'a'"
    ),
    (
        "select tb.database, tb.schema, mv.autorefresh from svv_table_info tb join svv_mv_info mv on "
        "mv.database_name = tb.database"
    ),
    "select max(qd.start_time) from pg_class c join sys_query_detail qd on qd.table_id = c.oid group by c.oid",
    "select table_id from stv_locks where table_id = 0",
    "select tablename from svv_external_tables",
]


@pytest.mark.parametrize("sql", CATALOG, ids=[sql[:60] for sql in CATALOG])
def test_the_catalog_answers(cursor: Cursor, sql: str) -> None:
    cursor.execute("CREATE TABLE a (x integer)")
    assert len(rows(cursor, sql)) == 1


@pytest.mark.parametrize("sql", EMPTY, ids=[sql[:60] for sql in EMPTY])
def test_the_catalog_has_nothing_of_what_we_lack(cursor: Cursor, sql: str) -> None:
    assert rows(cursor, sql) == []


def test_explain_and_cursors(cursor: Cursor) -> None:
    assert rows(cursor, "EXPLAIN SELECT dateadd(day, 1, getdate())")
    cursor.execute("BEGIN")
    cursor.execute("DECLARE c CURSOR FOR SELECT nvl(NULL, 5) AS x")
    assert rows(cursor, "FETCH FORWARD 1 FROM c") == [[5]]
    cursor.execute("CLOSE c")
    cursor.execute("COMMIT")
