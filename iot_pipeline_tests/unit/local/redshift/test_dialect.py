"""What the local Redshift sends to PostgreSQL, as text; `integration/local/redshift/test_probes.py` runs the values."""

import pytest

from infra.local.redshift.copy.command import CopyCommand, UnloadCommand
from infra.local.redshift.dialect import CATALOG_SQL, Translation, UnsupportedError, translate


def made(table: str, create: str, *steps: str) -> str:
    """The block that makes a table and does more for it, unless it is there."""
    done = "; ".join((f"EXECUTE '{create}'", *steps))
    return f"DO $made$ BEGIN IF to_regclass('{table}') IS NULL THEN {done}; ELSE EXECUTE '{create}'; END IF; END $made$"


def noted(table: str, note: str) -> str:
    return f"PERFORM pg_catalog.redshift_note_table('{table}', '{note}')"


TEXTS: list[tuple[str, str]] = [
    (
        "SELECT interval '40 days 00:00:01.5', interval '3 days'",
        "SELECT INTERVAL '40 days 00:00:01.5', INTERVAL '3 DAYS'",
    ),
    ("SELECT interval '1 day 2 hours', interval '5' hour", "SELECT INTERVAL '1 day 2 hours', INTERVAL '5 HOUR'"),
    # Nothing of Redshift's own
    ("SELECT a, b FROM s.t WHERE a = $1", "SELECT a, b FROM s.t WHERE a = $1"),
    ("SELECT 1 FROM t WHERE a IN ($1,$2) AND b=$3||$4", "SELECT 1 FROM t WHERE a IN ($1, $2) AND b = $3 || $4"),
    ("SELECT '$1,$2', 'it''s $1'", "SELECT '$1,$2', 'it''s $1'"),
    ("SELECT '%s', a % 2 FROM t", "SELECT '%s', a % 2 FROM t"),
    (r"SELECT 'a\\b', 'it\'s', 'it''s'", r"SELECT 'a\b', 'it''s', 'it''s'"),
    ('/* {"a": "x; y"} */ SELECT 1 -- end', "SELECT 1"),
    ("BEGIN; SELECT ';'; COMMIT;", "BEGIN;\nSELECT ';';\nCOMMIT"),
    ("", ""),
    # Tables
    (
        "CREATE TABLE s.t (id bigint NOT NULL ENCODE az64 DISTKEY, at timestamp ENCODE raw SORTKEY) BACKUP NO",
        made(
            "s.t",
            "CREATE TABLE s.t (id BIGINT NOT NULL, at TIMESTAMP)",
            noted("s.t", '{"encode": {"id": "az64", "at": "raw"}, "style": "KEY", "distkey": "id", "sort": ["at"]}'),
        ),
    ),
    (
        "create table s.t diststyle key distkey (a) interleaved sortkey(a, b) as (select 1 as a, 2 as b)",
        made(
            "s.t",
            "CREATE TABLE s.t AS (SELECT 1 AS a, 2 AS b)",
            "EXECUTE 'CREATE INDEX ON s.t (a)'",
            noted("s.t", '{"style": "KEY", "distkey": "a", "sort": ["a", "b"]}'),
        ),
    ),
    ("CREATE TEMP TABLE c SORTKEY (x) AS SELECT 1 AS x", "CREATE TEMPORARY TABLE c AS SELECT 1 AS x"),
    (
        (
            "CREATE TABLE t (a integer PRIMARY KEY, b integer REFERENCES u (c), UNIQUE (b), CONSTRAINT k FOREIGN "
            "KEY (b) REFERENCES u (c))"
        ),
        made(
            "t",
            "CREATE TABLE t (a INT NOT NULL, b INT)",
            noted(
                "t",
                '{"keys": [{"type": "p", "columns": ["a"]}, {"type": "u", "columns": ["b"]}, '
                '{"type": "f", "columns": ["b"], "table": "u", "references": ["c"]}, '
                '{"type": "f", "columns": ["b"], "table": "u", "references": ["c"], "name": "k"}]}',
            ),
        ),
    ),
    (
        "CREATE TABLE t (a integer, b integer, PRIMARY KEY (b))",
        made(
            "t",
            "CREATE TABLE t (a INT, b INT NOT NULL)",
            noted("t", '{"keys": [{"type": "p", "columns": ["b"]}]}'),
        ),
    ),
    (
        "CREATE TABLE t (a varchar, b varchar(MAX), c char, d numeric, e float, f super, g text, h varbyte(10))",
        (
            "CREATE TABLE t (a VARCHAR(256), b VARCHAR(65535), c CHAR(1), d DECIMAL(18, 0), e DOUBLE "
            "PRECISION, f JSONB, "
            "g VARCHAR(256), h BYTEA)"
        ),
    ),
    (
        "CREATE TABLE t (a bigint IDENTITY(0, 5))",
        "CREATE TABLE t (a BIGINT GENERATED ALWAYS AS IDENTITY (START WITH 0 INCREMENT BY 5 MINVALUE 0))",
    ),
    ("CREATE TABLE #t (a integer)", 'CREATE TEMPORARY TABLE "#t" (a INT)'),
    ("SELECT * FROM #t", 'SELECT * FROM "#t"'),
    ("DROP TABLE #t", 'DROP TABLE "#t"'),
    ("CREATE TABLE t (LIKE u INCLUDING DEFAULTS)", "CREATE TABLE t (LIKE u INCLUDING DEFAULTS)"),
    (
        "ALTER TABLE s.t ADD COLUMN a varchar(9) DEFAULT 'x' ENCODE lzo",
        "ALTER TABLE s . t ADD COLUMN a VARCHAR(9) DEFAULT 'x'",
    ),
    (
        "ALTER TABLE t ALTER DISTKEY a",
        "DO $noted$ BEGIN " + noted("t", '{"style": "KEY", "distkey": "a"}') + "; END $noted$",
    ),
    (
        "ALTER TABLE t ALTER COMPOUND SORTKEY (a, b)",
        "DO $noted$ BEGIN " + noted("t", '{"sort": ["a", "b"]}') + "; END $noted$",
    ),
    # Statements
    ("END TRANSACTION", "COMMIT"),
    ("BEGIN ISOLATION LEVEL SNAPSHOT READ WRITE", "BEGIN ISOLATION LEVEL REPEATABLE READ READ WRITE"),
    ("SET query_group TO 'x'", "SET redshift.query_group TO 'x'"),
    ("VACUUM DELETE ONLY t TO 75 PERCENT", "VACUUM t"),
    ("GRANT USAGE ON SCHEMA s TO ROLE r, GROUP g", "GRANT USAGE ON SCHEMA s TO r , GROUP g"),
    ("CREATE USER u PASSWORD DISABLE", "CREATE ROLE u LOGIN PASSWORD NULL"),
    ("create user u with password 'It''s 1'", "CREATE ROLE u LOGIN PASSWORD 'It''s 1'"),
    ("ALTER USER u PASSWORD 'Abcdefg1'", "ALTER ROLE u LOGIN PASSWORD 'Abcdefg1'"),
    ("DROP USER IF EXISTS u, v", "DROP USER IF EXISTS u , v"),
    (
        "ALTER DEFAULT PRIVILEGES FOR USER u IN SCHEMA s, t GRANT SELECT, INSERT ON TABLES TO GROUP g, ROLE r",
        "ALTER DEFAULT PRIVILEGES FOR USER u IN SCHEMA s , t GRANT SELECT , INSERT ON TABLES TO GROUP g , r",
    ),
    ("DELETE FROM t USING u WHERE t.a = u.a", "DELETE FROM t USING u WHERE t.a = u.a"),
    ("INSERT INTO t (a) (SELECT 1)", "INSERT INTO t (a) (SELECT 1)"),
    (
        "MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (s.a, s.b)",
        "MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (s.a, s.b)",
    ),
    # Navigation: after the table's name, or from the column on
    ("SELECT t.x.y FROM s.t", "SELECT JSONB_EXTRACT_PATH(t.x, 'y') FROM s.t"),
    ("SELECT x.y[0] FROM s.t", "SELECT JSONB_EXTRACT_PATH(x, 'y', '0') FROM s.t"),
    ("SELECT s.t.x FROM s.t", "SELECT s.t.x FROM s.t"),
    ("WITH c AS (SELECT 1 AS a) SELECT c.a FROM c", "WITH c AS (SELECT 1 AS a) SELECT c.a FROM c"),
]


@pytest.mark.parametrize(("redshift", "postgres"), TEXTS, ids=[row[0][:60] for row in TEXTS])
def test_text(redshift: str, postgres: str) -> None:
    assert translate(redshift).sql.lower() == postgres.lower()


def test_copy_and_unload_are_commands() -> None:
    copied = translate("COPY s.t (a) FROM 's3://b/p/' IAM_ROLE default FORMAT AS PARQUET;")
    assert isinstance(copied.command, CopyCommand)
    assert copied.command.columns == ("a",)
    unloaded = translate("UNLOAD ('SELECT ''x;''') TO 's3://b/p/' IAM_ROLE default FORMAT AS PARQUET")
    assert isinstance(unloaded.command, UnloadCommand)
    assert unloaded.command.query == "SELECT 'x;'"


def test_a_late_binding_view_is_made_by_our_function() -> None:
    made = translate("CREATE OR REPLACE VIEW s.v AS SELECT 'it''s' AS a FROM s.t WITH NO SCHEMA BINDING").sql
    assert "redshift_late_binding_view('s.v', 'SELECT ''it''''s'' AS a FROM s.t', TRUE)" in made


def test_qualify_adds_no_column() -> None:
    made = translate(
        "SELECT x.a FROM t x QUALIFY row_number() OVER (PARTITION BY a ORDER BY b) = 1 ORDER BY x.b LIMIT 3"
    ).sql
    assert made == (
        "SELECT _qualified._column0 AS a FROM (SELECT x.a AS _column0, ROW_NUMBER() OVER (PARTITION BY a "
        "ORDER BY b) = 1 AS _keep, "
        "x.b AS _order2 FROM t AS x) AS _qualified WHERE _qualified._keep ORDER BY _qualified._order2 LIMIT 3"
    )


def test_errors_have_their_sqlstate() -> None:
    states = {"SELECT (": "42601", "SELECT DISTINCT ON (a) a FROM t": "0A000", "SELECT no_such_function(1)": "42883"}
    for sql, sqlstate in states.items():
        with pytest.raises(UnsupportedError) as caught:
            translate(sql)
        assert caught.value.sqlstate == sqlstate, sql


def test_the_catalog_defines_every_function_the_rewrites_call() -> None:
    """Of those named `redshift_...` in the sources, but for the parts of names that are put together."""
    for sql in (
        "SELECT avg(a), round(b, 1), last_day(c), json_serialize(d) FROM t",
        "SELECT 1; TRUNCATE t",
        "SELECT datediff(week, a, b) FROM t",
    ):
        for word in translate(sql).sql.lower().replace("(", " ").replace(".", " ").split():
            if word.startswith("redshift_"):
                assert f"pg_catalog.{word}(" in CATALOG_SQL


def test_translation_is_plain_data() -> None:
    assert translate("SELECT 1") == Translation("SELECT 1", None)
