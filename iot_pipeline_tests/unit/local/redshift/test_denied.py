"""Every entry of the local Redshift's deny-list rejects what it is for, and nothing that looks like it.

One line an entry: its name, a statement Redshift rejects, and a near miss that Redshift accepts.
"""

import pytest

from infra.local.redshift.dialect import UnsupportedError, check
from infra.local.redshift.refused.denied import DENIED, Denied
from infra.local.redshift.refused.denied_statements import DENIED_STATEMENTS, DeniedStatement
from infra.local.redshift.unsupported import LOCAL

NODES: list[tuple[str, str, str]] = [
    ("on conflict", "INSERT INTO t (a) VALUES (1) ON CONFLICT DO NOTHING", "INSERT INTO t (a) VALUES (1)"),
    ("returning", "DELETE FROM t WHERE a = 1 RETURNING a", "DELETE FROM t WHERE a = 1"),
    ("distinct on", "SELECT DISTINCT ON (a) a, b FROM t", "SELECT DISTINCT a, b FROM t"),
    ("digits", f"SELECT {'9' * 39}", f"SELECT {'9' * 38}"),
    ("distinct rows", "SELECT count(DISTINCT (a, b)) FROM t", "SELECT count(DISTINCT a || b) FROM t"),
    ("empty list", "SELECT FROM t", "SELECT 1 FROM t"),
    (
        "lateral",
        "SELECT * FROM t CROSS JOIN LATERAL (SELECT max(b) FROM u WHERE u.a = t.a) x",
        "SELECT * FROM t CROSS JOIN (SELECT max(b) FROM u) x",
    ),
    ("filter", "SELECT count(*) FILTER (WHERE a > 1) FROM t", "SELECT count(CASE WHEN a > 1 THEN 1 END) FROM t"),
    ("array", "SELECT ARRAY[1, 2]", "SELECT json_parse('[1, 2]')"),
    ("array type", "CREATE TABLE t (a integer[])", "CREATE TABLE t (a super)"),
    ("array functions", "SELECT array_agg(a) FROM t", "SELECT listagg(a) FROM t"),
    ("any of array", "SELECT 1 FROM t WHERE a = ANY($1)", "SELECT 1 FROM t WHERE a = ANY (SELECT b FROM u)"),
    ("json operators", "SELECT a -> 'b' FROM t", "SELECT json_extract_path_text(a, 'b') FROM t"),
    ("json type", "SELECT a::jsonb FROM t", "SELECT a::super FROM t"),
    ("json functions", "SELECT jsonb_build_object('a', 1)", """SELECT json_parse('{"a": 1}')"""),
    (
        "generate_series",
        "SELECT n FROM generate_series(1, 10) AS s(n)",
        "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 10) SELECT n FROM s",
    ),
    ("string_agg", "SELECT string_agg(a, ',') FROM t", "SELECT listagg(a, ',') FROM t"),
    ("every", "SELECT every(a) FROM t", "SELECT bool_and(a) FROM t"),
    ("regression", "SELECT regr_slope(y, x) FROM t", "SELECT sum(x * y) FROM t"),
    ("clock functions", "SELECT clock_timestamp()", "SELECT getdate()"),
    ("make_ functions", "SELECT make_date(2026, 11, 21)", "SELECT CAST('2026-11-21' AS date)"),
    ("math functions", "SELECT width_bucket(a, 0, 10, 5) FROM t", "SELECT floor(a / 2) FROM t"),
    ("text functions", "SELECT format('%s', a) FROM t", "SELECT a || 'x' FROM t"),
    ("regexp functions", "SELECT regexp_matches(a, 'x') FROM t", "SELECT regexp_count(a, 'x') FROM t"),
    ("sequence functions", "SELECT nextval('s')", "SELECT max(id) + 1 FROM t"),
    ("advisory locks", "SELECT pg_advisory_xact_lock(1)", "SELECT pg_backend_pid()"),
    ("uuid functions", "SELECT gen_random_uuid()", "SELECT md5('a')"),
    ("text search", "SELECT to_tsvector(a) FROM t", "SELECT lower(a) FROM t"),
    ("grouped row", "SELECT ROW(1, 2)", "SELECT 1 FROM t WHERE (a, b) IN (SELECT c, d FROM u)"),
    ("is distinct from", "SELECT 1 FROM t WHERE a IS DISTINCT FROM b", "SELECT 1 FROM t WHERE a <> b OR a IS NULL"),
    ("~*", "SELECT 1 FROM t WHERE a ~* 'x'", "SELECT 1 FROM t WHERE a ~ 'x'"),
    ("collate", 'SELECT a FROM t ORDER BY a COLLATE "fr_FR"', "SELECT a FROM t ORDER BY a"),
    ("values in from", "SELECT * FROM (VALUES (1), (2)) AS v(a)", "INSERT INTO t VALUES (1), (2)"),
    ("fetch first", "SELECT a FROM t FETCH FIRST 1 ROWS ONLY", "SELECT TOP 1 a FROM t"),
    ("for update", "SELECT a FROM t FOR UPDATE", "SELECT a FROM t LIMIT 1"),
    ("tablesample", "SELECT a FROM t TABLESAMPLE SYSTEM (10)", "SELECT a FROM t ORDER BY random() LIMIT 10"),
    (
        "named window",
        "SELECT rank() OVER w FROM t WINDOW w AS (ORDER BY a)",
        "SELECT rank() OVER (ORDER BY a) FROM t",
    ),
    ("system columns", "SELECT xmin FROM t", "SELECT oid FROM pg_class"),
    (
        "group by distinct",
        "SELECT a FROM t GROUP BY DISTINCT ROLLUP (a), ROLLUP (b)",
        "SELECT a FROM t GROUP BY ROLLUP (a)",
    ),
    (
        "materialized",
        "WITH x AS MATERIALIZED (SELECT 1 AS a) SELECT a FROM x",
        "WITH x AS (SELECT 1 AS a) SELECT a FROM x",
    ),
    ("current_catalog", "SELECT current_catalog", "SELECT current_database()"),
    ("insert alias", "INSERT INTO t AS x VALUES (1)", "INSERT INTO t SELECT 1 AS x"),
    ("except all", "SELECT a FROM t EXCEPT ALL SELECT a FROM u", "SELECT a FROM t EXCEPT SELECT a FROM u"),
    ("only", "SELECT a FROM ONLY t", "SELECT a FROM t"),
    (
        "frameless window",
        "SELECT sum(a) OVER (PARTITION BY b ORDER BY c) FROM t",
        (
            "SELECT sum(a) OVER (PARTITION BY b ORDER BY c ROWS UNBOUNDED PRECEDING), sum(a) OVER (PARTITION BY b), "
            "row_number() OVER (ORDER BY c), lag(a) OVER (ORDER BY c) FROM t"
        ),
    ),
    (
        "range frame",
        "SELECT sum(a) OVER (ORDER BY c RANGE UNBOUNDED PRECEDING) FROM t",
        "SELECT sum(a) OVER (ORDER BY c ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING) FROM t",
    ),
    (
        "constant in window",
        "SELECT row_number() OVER (PARTITION BY 'x' ORDER BY a) FROM t",
        "SELECT row_number() OVER (PARTITION BY b ORDER BY a) FROM t",
    ),
    (
        "sort-based aggregates",
        "SELECT percentile_cont(0.6) WITHIN GROUP (ORDER BY salesid), median(pricepaid) FROM sales",
        "SELECT percentile_cont(0.6) WITHIN GROUP (ORDER BY salesid), median(salesid) FROM sales",
    ),
    (
        "qualify without alias",
        "SELECT a FROM t QUALIFY row_number() OVER (ORDER BY a) = 1",
        "SELECT a FROM t AS x QUALIFY row_number() OVER (ORDER BY a) = 1",
    ),
    (
        "merge shape",
        "MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN UPDATE SET b = s.b",
        (
            "MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN UPDATE SET b = s.b WHEN NOT MATCHED THEN INSERT "
            "VALUES (s.a, s.b)"
        ),
    ),
    (
        "merge source",
        (
            "MERGE INTO t USING (SELECT 1 AS a) s ON t.a = s.a WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN "
            "INSERT VALUES (s.a)"
        ),
        "MERGE INTO t USING u AS s ON t.a = s.a WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (s.a)",
    ),
    (
        "merge with",
        (
            "WITH s AS (SELECT 1 AS a) MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN DELETE "
            "WHEN NOT MATCHED THEN INSERT VALUES (s.a)"
        ),
        "WITH s AS (SELECT 1 AS a) UPDATE t SET b = 1 FROM s WHERE t.a = s.a",
    ),
    ("set of a tuple", "UPDATE t SET (a, b) = (SELECT 1, 2)", "UPDATE t SET a = 1, b = 2"),
    ("check", "CREATE TABLE t (a integer CHECK (a > 0))", "CREATE TABLE t (a integer NOT NULL)"),
    ("interval column", "CREATE TABLE t (a interval)", "SELECT getdate() - interval '1 hour'"),
    ("serial", "CREATE TABLE t (a serial)", "CREATE TABLE t (a integer IDENTITY(1, 1))"),
    ("uuid type", "CREATE TABLE t (a uuid)", "CREATE TABLE t (a char(36))"),
    ("money", "CREATE TABLE t (a money)", "CREATE TABLE t (a decimal(10, 2))"),
    ("xml", "SELECT a::xml FROM t", "SELECT a::varchar FROM t"),
    ("bit", "SELECT a::bit FROM t", "SELECT a::boolean FROM t"),
    ("network types", "CREATE TABLE t (a inet)", "CREATE TABLE t (a varchar(43))"),
    ("range types", "CREATE TABLE t (a tsrange)", "CREATE TABLE t (a timestamp, b timestamp)"),
    (
        "correlated: skipped level",
        (
            "select event.eventname from event where not exists (select * from listing where not exists "
            "(select * from sales where event.eventid=sales.eventid))"
        ),
        (
            "select event.eventname from event where not exists (select * from listing where "
            "listing.eventid=event.eventid "
            "and not exists (select * from sales where listing.eventid=sales.eventid))"
        ),
    ),
    (
        "correlated: outer join",
        (
            "select * from category left join event on category.catid=event.catid and eventid = "
            "(select max(eventid) from sales where sales.eventid=event.eventid)"
        ),
        (
            "select * from category join event on category.catid=event.catid and eventid = "
            "(select max(eventid) from sales where sales.eventid=event.eventid)"
        ),
    ),
    (
        "correlated: window",
        (
            "select listid, qtysold from sales s where qtysold not in "
            "(select sum(numtickets) over() from listing l where s.listid=l.listid)"
        ),
        "select salesid from sales s where qtysold = (select max(numtickets) from listing l where s.listid=l.listid)",
    ),
    (
        "correlated: group by",
        (
            "select listing.listid, (select count (sales.listid) from sales where sales.listid=listing.listid) as list "
            "from listing group by list, listing.listid"
        ),
        "select listing.listid, count(*) as list from listing group by listing.listid",
    ),
    (
        "correlated: grouped in",
        (
            "select * from listing where listid in (select sum(qtysold) from sales where sales.eventid = "
            "listing.eventid "
            "group by salesid)"
        ),
        (
            "select * from listing where listid in (select max(qtysold) from sales where sales.eventid = "
            "listing.eventid "
            "group by salesid)"
        ),
    ),
]

STATEMENTS: list[tuple[str, str, str]] = [
    ("index", "CREATE INDEX i ON t (a)", "CREATE TABLE indexes (a integer)"),
    ("trigger", "CREATE TRIGGER g BEFORE INSERT ON t EXECUTE FUNCTION f()", "CREATE TABLE trigger_log (a integer)"),
    ("rule", "CREATE RULE r AS ON INSERT TO t DO INSTEAD NOTHING", "CREATE TABLE rules (a integer)"),
    ("sequence", "CREATE SEQUENCE s", "CREATE TABLE sequences (a integer IDENTITY(0, 1))"),
    ("type", "CREATE TYPE mood AS ENUM ('sad', 'ok')", "CREATE TABLE mood (a varchar(3))"),
    ("domain", "CREATE DOMAIN d AS integer", "CREATE TABLE domain_names (a integer)"),
    ("extension", "CREATE EXTENSION pgcrypto", "SELECT sha2('a', 256)"),
    ("aggregate", "CREATE AGGREGATE a (integer) (SFUNC = f, STYPE = integer)", "SELECT sum(a) FROM t"),
    ("operator", "CREATE OPERATOR === (LEFTARG = integer)", "SELECT 1 = 1"),
    ("tablespace", "CREATE TABLE t (a integer) TABLESPACE s", "CREATE SCHEMA tablespaces"),
    (
        "storage parameters",
        "CREATE TABLE t (a integer) WITH (fillfactor = 70)",
        "CREATE TABLE t AS WITH x AS (SELECT 1 AS a) SELECT a FROM x",
    ),
    ("foreign data", "CREATE FOREIGN TABLE t (a integer) SERVER s", "CREATE TABLE foreigners (a integer)"),
    ("text search", "CREATE TEXT SEARCH CONFIGURATION c (COPY = x)", "CREATE TABLE text_searches (a integer)"),
    ("publication", "CREATE PUBLICATION p FOR TABLE t", "CREATE SCHEMA publication"),
    ("policy", "CREATE POLICY p ON t", "CREATE TABLE policies (a integer)"),
    ("statistics", "CREATE STATISTICS s ON a, b FROM t", "ANALYZE t"),
    ("savepoint", "ROLLBACK TO s", "ROLLBACK"),
    ("two-phase commit", "PREPARE TRANSACTION 'x'", "COMMIT TRANSACTION"),
    ("chain", "COMMIT AND CHAIN", "COMMIT WORK"),
    ("set transaction", "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", "BEGIN ISOLATION LEVEL SERIALIZABLE"),
    ("set constraints", "SET CONSTRAINTS ALL DEFERRED", "SET search_path TO lake"),
    ("deferrable", "BEGIN ISOLATION LEVEL SERIALIZABLE, READ ONLY, DEFERRABLE", "BEGIN READ ONLY"),
    ("listen", "NOTIFY c", "CREATE TABLE notify (a integer)"),
    ("do", "DO $$ BEGIN END $$", "CREATE TABLE do_list (a integer)"),
    ("copy to", "COPY t TO STDOUT", "UNLOAD ('SELECT 1') TO 's3://b/p' IAM_ROLE default FORMAT AS PARQUET"),
    ("copy from stdin", "COPY t FROM STDIN", "COPY t FROM 's3://b/p' IAM_ROLE default FORMAT AS PARQUET"),
    ("cluster", "CLUSTER t USING i", "VACUUM SORT ONLY t"),
    ("checkpoint", "DISCARD ALL", "RESET ALL"),
    ("reassign", "DROP OWNED BY u", "DROP TABLE owned"),
    ("security label", "SECURITY LABEL ON TABLE t IS 'x'", "COMMENT ON TABLE t IS 'x'"),
    ("explain analyze", "EXPLAIN ANALYZE SELECT 1", "EXPLAIN VERBOSE SELECT 1"),
    ("vacuum options", "VACUUM (FULL) t", "VACUUM FULL t TO 95 PERCENT"),
    ("lock mode", "LOCK TABLE t IN SHARE MODE", "LOCK TABLE t"),
    ("truncate options", "TRUNCATE t, u", "TRUNCATE TABLE t"),
    ("unlogged", "CREATE UNLOGGED TABLE t (a integer)", "CREATE TEMPORARY TABLE t (a integer)"),
    ("partition of", "CREATE TABLE t (a date) PARTITION BY RANGE (a)", "CREATE TABLE t (a date) SORTKEY (a)"),
    ("inherits", "CREATE TABLE t (a integer) INHERITS (u)", "CREATE TABLE t (LIKE u)"),
    ("create table or replace", "CREATE OR REPLACE TABLE t AS SELECT 1", "CREATE OR REPLACE VIEW t AS SELECT 1"),
    ("exclude", "CREATE TABLE t (a integer, EXCLUDE USING gist (a WITH =))", "CREATE TABLE t (excluded integer)"),
    (
        "deferrable constraint",
        "CREATE TABLE t (a integer REFERENCES u (a) DEFERRABLE)",
        "CREATE TABLE t (a integer REFERENCES u (a))",
    ),
    (
        "generated",
        "CREATE TABLE t (a integer, b integer GENERATED ALWAYS AS (a * 2) STORED)",
        "CREATE TABLE t (a integer GENERATED BY DEFAULT AS IDENTITY(1, 1))",
    ),
    ("temporary view", "CREATE TEMP VIEW v AS SELECT 1", "CREATE TEMP TABLE v AS SELECT 1"),
    ("on commit", "CREATE TEMP TABLE t (a integer) ON COMMIT DROP", "CREATE TEMP TABLE t (a integer)"),
    ("unnullable column", "ALTER TABLE t ALTER COLUMN a SET NOT NULL", "ALTER TABLE t ALTER COLUMN a TYPE varchar(20)"),
    (
        "two actions",
        "ALTER TABLE t ADD COLUMN a integer, ADD COLUMN b integer",
        "ALTER TABLE t ADD COLUMN a decimal(5, 2)",
    ),
    ("add if not exists", "ALTER TABLE t ADD COLUMN IF NOT EXISTS a integer", "ALTER TABLE t ADD COLUMN a integer"),
    ("using of alter type", "ALTER TABLE t ALTER COLUMN a TYPE integer USING b", "SELECT 1 FROM t JOIN u USING (a)"),
]


@pytest.mark.parametrize(
    ("name", "rejected", "accepted"), NODES + STATEMENTS, ids=[row[0] for row in NODES + STATEMENTS]
)
def test_rejects_what_redshift_rejects_and_no_more(name: str, rejected: str, accepted: str) -> None:
    listed: tuple[Denied | DeniedStatement, ...] = DENIED + DENIED_STATEMENTS
    entry = next(entry for entry in listed if entry.name == name)
    with pytest.raises(UnsupportedError) as caught:
        check(rejected)
    assert entry.message in caught.value.message
    assert entry.page in caught.value.message
    assert not caught.value.message.startswith(LOCAL)
    check(accepted)


def test_every_entry_has_a_line() -> None:
    assert [entry.name for entry in DENIED if entry.name not in {row[0] for row in NODES}] == []
    assert [entry.name for entry in DENIED_STATEMENTS if entry.name not in {row[0] for row in STATEMENTS}] == []


LOCALLY: list[tuple[str, str]] = [
    ("CREATE PROCEDURE p() AS $$ BEGIN END $$ LANGUAGE plpgsql", "stored procedures and user-defined functions"),
    ("CREATE MATERIALIZED VIEW v AS SELECT 1", "materialized views; use a view"),
    (
        "CREATE EXTERNAL SCHEMA s FROM DATA CATALOG DATABASE 'd'",
        "external schemas, tables and functions (Spectrum); use COPY",
    ),
    ("CALL p()", "stored procedures and user-defined functions"),
    ("ALTER TABLE t APPEND FROM u", "ALTER TABLE APPEND"),
    ("MERGE INTO t USING s ON t.a = s.a REMOVE DUPLICATES", "MERGE ... REMOVE DUPLICATES"),
    ("SELECT fnv_hash(a) FROM t", "function fnv_hash"),
    ("SELECT f_of_ours(a) FROM t", "function f_of_ours"),
    ("SELECT redshift_getdate()", "function redshift_getdate"),
    ("SELECT public.f(a) FROM t", "function"),
    ("SELECT * FROM t PIVOT (sum(a) FOR b IN ('x', 'y'))", "PIVOT and UNPIVOT; use SUM(CASE"),
    ("SELECT a INTO u FROM t", "Into"),
    (
        "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY a) OVER (PARTITION BY b) FROM t",
        "percentile_cont as a window",
    ),
    ("SELECT lag(a, 2) IGNORE NULLS OVER (ORDER BY b) FROM t", "IGNORE NULLS in lag"),
    ("SELECT 1; COPY t FROM 's3://b/p' IAM_ROLE default FORMAT AS PARQUET", "COPY beside other statements"),
    ("SELECT a::geometry FROM t", "type GEOMETRY"),
    ("nonsense", "statement nonsense"),
]


@pytest.mark.parametrize(("sql", "what"), LOCALLY, ids=[row[0][:50] for row in LOCALLY])
def test_says_which_gaps_are_ours(sql: str, what: str) -> None:
    with pytest.raises(UnsupportedError) as caught:
        check(sql)
    assert caught.value.message.startswith(LOCAL + what)


@pytest.mark.parametrize(
    ("sql", "text"),
    [
        ("SELECT median(x) FROM (SELECT 1 AS x) AS t", "compute nodes only"),
        ("SELECT now(), a FROM t", "leader node only"),
        ("SELECT current_timestamp FROM t", "leader node only"),
        ("CREATE VIEW v AS SELECT a FROM t WITH NO SCHEMA BINDING", "should be qualified"),
        ("SELECT regexp_substr(a, '(?=x)y') FROM t", "Invalid regular expression"),
        ("SELECT concat(a, b, c) FROM t", "two arguments"),
        ("CREATE TABLE t (a integer) DISTKEY (b)", "column b is not in the table"),
        ("CREATE TABLE t (a integer ENCODE gzip)", "ENCODE GZIP"),
        ("CREATE TABLE t (a varchar(70000))", "cannot exceed 65535"),
        ("SELECT (1", "syntax error"),
        ("SELECT 'open", "syntax error"),
    ],
)
def test_other_refusals_of_redshift(sql: str, text: str) -> None:
    with pytest.raises(UnsupportedError) as caught:
        check(sql)
    assert text in caught.value.message


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT median(x) FROM t",
        "SELECT now()",
        "CREATE VIEW v AS SELECT now() AS at",
        "SELECT current_schema() FROM pg_class",
        "CREATE VIEW v AS WITH x AS (SELECT a FROM s.t) SELECT a FROM x WITH NO SCHEMA BINDING",
        "SELECT regexp_substr(a, '(?=x)y', 1, 1, 'p') FROM t",
    ],
)
def test_their_near_misses(sql: str) -> None:
    check(sql)
