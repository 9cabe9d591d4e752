"""Aggregates and the clauses of SELECT: statements, what Athena answers, and the page of Trino's documentation."""

from iot_pipeline_tests.support.athena_documented.case import Case, Refused

CASES: list[Case] = [
    (
        ("sum(x), avg(x), min(x), max(x) FROM (VALUES DECIMAL '1.25', DECIMAL '2.50', DECIMAL '3.10') AS t(x)"),
        [("6.85", "2.28", "1.25", "3.10")],
        "functions/decimal",
    ),
    ("avg(x) FROM (VALUES 1, 2) AS t(x)", "1.5", "functions/aggregate"),
    (
        "avg(x), sum(x) FROM (VALUES REAL '1.1', REAL '2.2') AS t(x)",
        [("1.6500001", "3.3000002")],
        "functions/aggregate",
    ),
    ("from_unixtime(1591804523.123456e0)", "2020-06-10 15:55:23.123 UTC", "sql/select"),
    ("from_unixtime(0)", "1970-01-01 00:00:00.000 UTC", "sql/select"),
    ("sum(x) FROM (VALUES 9223372036854775807, 1) t(x)", Refused("NUMERIC_VALUE_OUT_OF_RANGE:"), "functions/aggregate"),
    ("sum(x) FROM (VALUES 2147483647, 1) t(x)", "2147483648", "functions/aggregate"),
    ("sum(x) FILTER (WHERE x > 1) FROM (VALUES 1, 2, 3) t(x)", "5", "functions/aggregate"),
    ("sum(DISTINCT x) FROM (VALUES 1, 1, 2) t(x)", "3", "functions/aggregate"),
    ("CAST(x AS varchar) FROM (VALUES 21.5e0) t(x)", "2.15E1", "sql/select"),
    (
        (
            "nan() = nan(), nan() <> nan(), nan() > 1e0, nan() < 1e0, 1e0 < nan(), nan() >= nan(), nan("
            ") IS DISTINCT FROM nan(), nan() IN (nan()), nan() BETWEEN 1e0 AND 2e0"
        ),
        [("false", "true", "false", "false", "false", "false", "false", "false", "false")],
        "functions/comparison",
    ),
    (
        "x FROM (VALUES nan(), 1e0, NULL, infinity()) t(x) ORDER BY x",
        [("1.0",), ("Infinity",), ("NaN",), (None,)],
        "sql/select",
    ),
    ("x FROM (VALUES nan(), 1e0, NULL) t(x) ORDER BY x DESC", [("NaN",), ("1.0",), (None,)], "sql/select"),
    (
        "max(x), min(x), count(x), sum(x) FROM (VALUES nan(), 1e0) t(x)",
        [("1.0", "1.0", "2", "NaN")],
        "functions/aggregate",
    ),
    ("max(x), min(x) FROM (VALUES nan()) t(x)", [("NaN", "NaN")], "functions/aggregate"),
    (
        "x, count(*) FROM (VALUES nan(), nan(), 1e0) t(x) GROUP BY x ORDER BY x",
        [("1.0", "1"), ("NaN", "2")],
        "functions/aggregate",
    ),
    ("x > 1 FROM (VALUES nan(), 2e0) t(x)", [("false",), ("true",)], "sql/select"),
    (
        "x <= 1, x <> 1, x = 1 FROM (VALUES nan(), 2e0, NULL) t(x)",
        [("false", "true", "false"), ("false", "true", "false"), (None, None, None)],
        "sql/select",
    ),
    ("a.x FROM (VALUES nan(), 2e0) a(x) JOIN (VALUES nan(), 2e0) b(x) ON a.x = b.x", "2.0", "sql/select"),
    ("substring('hello' FROM 2 FOR 2)", "el", "sql/select"),
    ("substring('hello' FROM 2)", "ello", "sql/select"),
    ("trim(BOTH 'x' FROM 'xax')", Refused("NOT_SUPPORTED_LOCALLY: TRIM(... FROM ...)"), "sql/select"),
    ("trim(LEADING FROM ' a ')", Refused("NOT_SUPPORTED_LOCALLY: TRIM(... FROM ...)"), "sql/select"),
    ("from_utf8(X'c3a9')", "é", "functions/binary"),
    ("from_utf8(X'ff61')", "�a", "functions/binary"),
    ("from_hex('4142')", "41 42", "sql/select"),
    ("from_base64('AP8=')", "00 ff", "functions/binary"),
    ("from_hex('4')", Refused("INVALID_FUNCTION_ARGUMENT:"), "sql/select"),
    ("from_hex('zz')", Refused("INVALID_FUNCTION_ARGUMENT:"), "sql/select"),
    ("from_base64('!!')", Refused("INVALID_FUNCTION_ARGUMENT:"), "functions/binary"),
    ("from_utf8(X'ff61', '?')", Refused("NOT_SUPPORTED_LOCALLY: from_utf8(varbinary, varchar)"), "functions/binary"),
    (
        "NULL = NULL, NULL IS NULL, 1 IS DISTINCT FROM NULL, NULL AND false, NULL OR true, NOT NULL",
        [(None, "true", "true", "false", "true", None)],
        "sql/select",
    ),
    ("from_unixtime(1.5e0)", "1970-01-01 00:00:01.500 UTC", "sql/select"),
    ("from_iso8601_date('2020-05-11')", "2020-05-11", "sql/select"),
    ("from_unixtime(-1)", "1969-12-31 23:59:59.000 UTC", "sql/select"),
    ("from_unixtime(1e9)", "2001-09-09 01:46:40.000 UTC", "sql/select"),
    ("from_unixtime(1.0005e0)", "1970-01-01 00:00:01.001 UTC", "sql/select"),
    ("from_unixtime(1591804523.9999e0)", "2020-06-10 15:55:24.000 UTC", "sql/select"),
    ("from_iso8601_date('2020-W10')", Refused('NOT_SUPPORTED_LOCALLY: from_iso8601_date of "2020-W10"'), "sql/select"),
    ("from_iso8601_date('2020-123')", Refused('NOT_SUPPORTED_LOCALLY: from_iso8601_date of "2020-123"'), "sql/select"),
    ("count(*), count(x), count(DISTINCT x) FROM (VALUES 1, 1, NULL) t(x)", [("3", "2", "1")], "functions/aggregate"),
    (
        "count(DISTINCT x, y) FROM (VALUES (1, 2)) t(x, y)",
        Refused("NOT_SUPPORTED_LOCALLY: count(integer, integer)"),
        "functions/aggregate",
    ),
    ("count(DISTINCT (x, y)) FROM (VALUES (1, 2), (1, 2), (1, NULL)) t(x, y)", "2", "functions/aggregate"),
    (
        "count_if(x > 1), bool_and(x > 1), bool_or(x > 1), every(x > 0) FROM (VALUES 1, 2) t(x)",
        [("1", "false", "true", "true")],
        "functions/conditional",
    ),
    (
        "max_by(x, y), min_by(x, y) FROM (VALUES ('a', 1), (NULL, 2), ('c', 0), ('d', NULL)) t(x, y)",
        [(None, "c")],
        "functions/aggregate",
    ),
    (
        "max_by(x, y, 2) FROM (VALUES ('a', 1), ('b', 2), ('c', 3)) t(x, y)",
        Refused("NOT_SUPPORTED_LOCALLY: max_by(varchar, integer, integer)"),
        "functions/aggregate",
    ),
    (
        "max(x, 2) FROM (VALUES 1, 2, 3) t(x)",
        Refused("NOT_SUPPORTED_LOCALLY: max(integer, integer)"),
        "functions/aggregate",
    ),
    ("arbitrary(x), any_value(x) FROM (VALUES 7, NULL) t(x)", [("7", "7")], "sql/select"),
    (
        "sum(x), avg(x), min(x), max(x) FROM (VALUES 1, 2) t(x) WHERE false",
        [(None, None, None, None)],
        "functions/aggregate",
    ),
    ("sum(x), avg(x) FROM (VALUES 1.5e0, 2.5e0) t(x)", [("4.0", "2.0")], "functions/aggregate"),
    (
        (
            "stddev(x), variance(x), stddev_pop(x), var_pop(x), stddev_samp(x), var_samp(x) FROM (VALUE"
            "S 1, 2, 3, 4) t(x)"
        ),
        [
            (
                "1.2909944487358056",
                "1.6666666666666667",
                "1.118033988749895",
                "1.25",
                "1.2909944487358056",
                "1.6666666666666667",
            )
        ],
        "functions/aggregate",
    ),
    ("stddev(x), var_pop(x) FROM (VALUES 1) t(x)", [(None, "0.0")], "functions/aggregate"),
    (
        "corr(x, y), corr(y, y) FROM (VALUES (1, 2), (2, 4), (3, 7)) t(x, y)",
        Refused("NOT_SUPPORTED_LOCALLY: corr(integer, integer)"),
        "functions/aggregate",
    ),
    ("approx_distinct(x) FROM (VALUES 1, 2, 2, NULL) t(x)", "2", "functions/aggregate"),
    (
        (
            "approx_percentile(x, 0.5), approx_percentile(x, 0.0), approx_percentile(x, 1.0), approx_pe"
            "rcentile(x, 0.9) FROM (VALUES 1, 2, 3, 4, NULL) t(x)"
        ),
        [("3", "1", "4", "4")],
        "functions/aggregate",
    ),
    (
        ("approx_percentile(x, 0.5), approx_percentile(x, 0.25) FROM (VALUES 1e0, 2e0, 3e0, 4e0, 5e0) t(x)"),
        [("3.0", "2.0")],
        "functions/aggregate",
    ),
    (
        "approx_percentile(x, 2, 0.5) FROM (VALUES 1, 2, 3) t(x)",
        Refused("NOT_SUPPORTED_LOCALLY: approx_percentile(integer, integer, decimal(1, "),
        "functions/aggregate",
    ),
    (
        "approx_percentile(x, 1.5) FROM (VALUES 1, 2, 3) t(x)",
        Refused("INVALID_FUNCTION_ARGUMENT:"),
        "functions/aggregate",
    ),
    (
        "geometric_mean(x) FROM (VALUES 1, 2) t(x)",
        Refused("NOT_SUPPORTED_LOCALLY: function geometric_mean"),
        "sql/select",
    ),
    (
        "listagg(x, ',') WITHIN GROUP (ORDER BY x) FROM (VALUES 'a', 'b') t(x)",
        Refused("NOT_SUPPORTED_LOCALLY: function listagg"),
        "sql/select",
    ),
    ("sum(x ORDER BY x) FROM (VALUES 1, 2) t(x)", "3", "functions/aggregate"),
    (
        "x, count(*) FROM (VALUES 1, 1, 2) t(x) GROUP BY 1 ORDER BY 2 DESC, 1",
        [("1", "2"), ("2", "1")],
        "functions/aggregate",
    ),
    (
        "x, sum(y) FROM (VALUES (1, 2), (1, 3), (2, 5)) t(x, y) GROUP BY ROLLUP (x) ORDER BY x",
        [("1", "5"), ("2", "5"), (None, "10")],
        "functions/aggregate",
    ),
    (
        (
            "x, y, sum(z), grouping(x, y) FROM (VALUES (1, 2, 3), (1, 3, 4)) t(x, y, z) GROUP BY CUBE ("
            "x, y) ORDER BY 1, 2, 4"
        ),
        [
            ("1", "2", "3", "0"),
            ("1", "3", "4", "0"),
            ("1", None, "7", "1"),
            (None, "2", "3", "2"),
            (None, "3", "4", "2"),
            (None, None, "7", "3"),
        ],
        "functions/aggregate",
    ),
    (
        "x, grouping(x) FROM (VALUES 1) t(x) GROUP BY GROUPING SETS ((x), ()) ORDER BY 2",
        [("1", "0"), (None, "1")],
        "sql/select",
    ),
    ("x FROM (VALUES 2, NULL, 1) t(x) ORDER BY x", [("1",), ("2",), (None,)], "sql/select"),
    ("x FROM (VALUES 2, NULL, 1) t(x) ORDER BY x DESC", [("2",), ("1",), (None,)], "sql/select"),
    ("x FROM (VALUES 2, NULL, 1) t(x) ORDER BY x NULLS FIRST", [(None,), ("1",), ("2",)], "sql/select"),
    ("x FROM (VALUES 2, 3, 1) t(x) ORDER BY x OFFSET 1", [("2",), ("3",)], "sql/select"),
    ("x FROM (VALUES 2, 3, 1) t(x) ORDER BY x OFFSET 1 LIMIT 1", "2", "sql/select"),
    ("x FROM (VALUES 2, 3, 1) t(x) ORDER BY x LIMIT ALL", [("1",), ("2",), ("3",)], "sql/select"),
    (
        "x FROM (VALUES 2, 3, 1) t(x) ORDER BY x FETCH FIRST 1 ROW ONLY",
        Refused("NOT_SUPPORTED_LOCALLY: FETCH FIRST"),
        "sql/select",
    ),
    (
        "x FROM (VALUES 2, 3, 3) t(x) ORDER BY x DESC FETCH FIRST 1 ROW WITH TIES",
        Refused("NOT_SUPPORTED_LOCALLY: FETCH FIRST"),
        "sql/select",
    ),
    (
        "x FROM (VALUES 1, 2) t(x) TABLESAMPLE BERNOULLI (100)",
        Refused("NOT_SUPPORTED_LOCALLY: TABLESAMPLE"),
        "sql/select",
    ),
    ("SELECT x FROM (VALUES 1, 1, 2) t(x) EXCEPT SELECT 2", "1", "sql/select"),
    ("SELECT x FROM (VALUES 1, 1, 2) t(x) EXCEPT ALL SELECT 1 EXCEPT ALL SELECT 2", "1", "sql/select"),
    ("SELECT x FROM (VALUES 1, 1, 2) t(x) INTERSECT ALL SELECT 1", "1", "sql/select"),
    ("SELECT 1 UNION SELECT 1.5 ORDER BY 1", [("1.0",), ("1.5",)], "sql/select"),
    ("SELECT 1 UNION ALL SELECT 'a'", Refused("TYPE_MISMATCH:"), "sql/select"),
    ("SELECT 1 UNION ALL SELECT 2 UNION SELECT 2 ORDER BY 1", [("1",), ("2",)], "sql/select"),
    ("SELECT 1 UNION ALL SELECT 2 INTERSECT SELECT 2", [("1",), ("2",)], "sql/select"),
    ("WITH t(n) AS (SELECT 1) SELECT n FROM t", "1", "sql/select"),
    (
        ("WITH RECURSIVE t(n) AS (VALUES 1 UNION ALL SELECT n + 1 FROM t WHERE n < 4) SELECT sum(n) FROM t"),
        "10",
        "functions/aggregate",
    ),
    ("VALUES (1, 'a'), (2, 'b')", [("1", "a"), ("2", "b")], "sql/select"),
    ("VALUES 1, 2", [("1",), ("2",)], "sql/select"),
    ("SELECT * FROM (VALUES (1, 'a')) AS t(id, name)", [("1", "a")], "sql/select"),
    ("SELECT t.* FROM (VALUES (1, 'a')) AS t(id, name)", [("1", "a")], "sql/select"),
    (
        "SELECT x, y FROM (VALUES 1, 2) t(x) CROSS JOIN LATERAL (SELECT x + 1) u(y)",
        [("1", "2"), ("2", "3")],
        "sql/select",
    ),
    (
        ("SELECT a.x, b.y FROM (VALUES 1, 2) a(x) LEFT JOIN (VALUES (1, 'p')) b(x, y) ON a.x = b.x ORDER BY 1"),
        [("1", "p"), ("2", None)],
        "sql/select",
    ),
    (
        "SELECT x, a.y, b.z FROM (VALUES (1, 2)) a(x, y) JOIN (VALUES (1, 3)) b(x, z) USING (x)",
        [("1", "2", "3")],
        "sql/select",
    ),
    ("SELECT * FROM (VALUES (1, 2)) a(x, y) JOIN (VALUES (1, 3)) b(x, z) USING (x)", [("1", "2", "3")], "sql/select"),
    (
        "SELECT * FROM (VALUES (1, 2)) a(x, y) NATURAL JOIN (VALUES (1, 3)) b(x, z)",
        Refused("NOT_SUPPORTED_LOCALLY: NATURAL JOIN"),
        "sql/select",
    ),
    (
        ("SELECT a.x, b.x FROM (VALUES 1, 2) a(x) FULL OUTER JOIN (VALUES 2, 3) b(x) ON a.x = b.x ORDER BY 1, 2"),
        [("1", None), ("2", "2"), (None, "3")],
        "sql/select",
    ),
    (
        "SELECT x FROM (VALUES 1, 2, 3) t(x) WHERE x IN (SELECT 2 UNION ALL SELECT 3) ORDER BY 1",
        [("2",), ("3",)],
        "sql/select",
    ),
    ("SELECT x FROM (VALUES 1, 2) t(x) WHERE x NOT IN (SELECT CAST(NULL AS integer))", [], "sql/select"),
    ("SELECT x FROM (VALUES 1, 2) t(x) WHERE EXISTS (SELECT 1 FROM (VALUES 2) u(y) WHERE y = x)", "2", "sql/select"),
    (
        "SELECT (SELECT max(y) FROM (VALUES 2) u(y) WHERE y >= x) FROM (VALUES 1, 3) t(x)",
        [("2",), (None,)],
        "functions/aggregate",
    ),
    ("SELECT (SELECT y FROM (VALUES 2, 3) u(y))", Refused("SUBQUERY_MULTIPLE_ROWS:"), "sql/select"),
    (
        "SELECT x FROM (VALUES 1) t(x) WHERE x = ALL (SELECT 1)",
        Refused("NOT_SUPPORTED_LOCALLY: comparison with ALL"),
        "sql/select",
    ),
    (
        "SELECT x FROM (VALUES 1) t(x) WHERE x = ANY (SELECT 1)",
        Refused("NOT_SUPPORTED_LOCALLY: comparison with ANY"),
        "sql/select",
    ),
    ("SELECT DISTINCT x FROM (VALUES 1, 1) t(x)", "1", "sql/select"),
    ("SELECT x, y FROM (SELECT 1 AS x, 2 AS x) t(x, y)", [("1", "2")], "sql/select"),
    ("SELECT x FROM (SELECT 1 AS x, 2 AS x) t", Refused("AMBIGUOUS_NAME:"), "sql/select"),
    ('SELECT a FROM (SELECT 1 AS "A") t', "1", "sql/select"),
    ('SELECT "A" FROM (SELECT 1 AS a) t', "1", "sql/select"),
    ("SELECT x AS y FROM (VALUES 1) t(x) WHERE y = 1", Refused("COLUMN_NOT_FOUND:"), "sql/select"),
    ("SELECT x AS y FROM (VALUES 1) t(x) GROUP BY y", Refused("COLUMN_NOT_FOUND:"), "sql/select"),
    ("SELECT sum(x) AS s FROM (VALUES 1) t(x) HAVING s > 0", Refused("COLUMN_NOT_FOUND:"), "functions/aggregate"),
    ("SELECT x, count(*) FROM (VALUES 1) t(x)", Refused("EXPRESSION_NOT_AGGREGATE:"), "functions/aggregate"),
    ("SELECT x'0f', X'', 0xff", [("0f", "", "255")], "sql/select"),
    ("SELECT U&'\\00e9'", Refused("NOT_SUPPORTED_LOCALLY: U&'...' literals"), "sql/select"),
    ("SELECT 'it''s', \"x\" FROM (VALUES 1) t(\"x\")", [("it's", "1")], "sql/select"),
    ("SELECT -5, +5, - -5, 5 - -5", [("-5", "5", "5", "10")], "sql/select"),
    ("SELECT 1 + 2 * 3, (1 + 2) * 3, 10 - 2 - 3, 2 * 3 % 4", [("7", "9", "5", "2")], "sql/select"),
    ("SELECT NOT true AND false, true OR true AND false", [("false", "true")], "sql/select"),
    (
        "SELECT 1 < 2 AND 2 < 3, 3 BETWEEN 1 AND 5, 3 NOT BETWEEN 1 AND 2, 'a' BETWEEN 'a' AND 'b'",
        [("true", "true", "true", "true")],
        "functions/comparison",
    ),
    ("SELECT 1 WHERE NULL", [], "sql/select"),
    ("SELECT 1 != 2, 1 <> 2", [("true", "true")], "sql/select"),
    ("SELECT 10_000 AS x", "10000", "sql/select"),
    ("SELECT 1a", Refused("SYNTAX_ERROR:"), "sql/select"),
    ("SELECT 1 AS select", Refused("SYNTAX_ERROR:"), "sql/select"),
    (
        "SELECT x FROM (VALUES 1) t(x) LIMIT -1",
        Refused("NOT_SUPPORTED_LOCALLY: this server cannot run the statement: LIMIT/OFF"),
        "sql/select",
    ),
    ("SELECT count(*) FROM (VALUES 1) t(x) WHERE x = '1'", Refused("TYPE_MISMATCH:"), "functions/aggregate"),
    ("SELECT is_json_scalar('1')", Refused("NOT_SUPPORTED_LOCALLY: function is_json_scalar"), "sql/select"),
    (
        (
            "NULL IS NOT NULL, NULL IS DISTINCT FROM NULL, 1 IS NOT DISTINCT FROM 1, NULL = 1, CAST(NUL"
            "L AS boolean) AND true, NULL OR true"
        ),
        [("false", "false", "true", None, None, "true")],
        "sql/select",
    ),
    ("sum(x), max(x) FROM (VALUES CAST(1.5 AS real)) t(x)", [("1.5", "1.5")], "functions/aggregate"),
    ("sum(x) FROM (VALUES CAST(9 AS decimal(1,0)), CAST(9 AS decimal(1,0))) t(x)", "18", "functions/decimal"),
    ("sum(CAST(x AS bigint)) FROM (VALUES 1, 2) t(x)", "3", "functions/aggregate"),
    (
        ("d / 3, d * 1.10, d - 1, round(d, 1), CAST(d AS varchar), d % 1 FROM (VALUES DECIMAL '10.25') t(d)"),
        [("3.42", "11.2750", "9.25", "10.30", "10.25", "0.25")],
        "functions/decimal",
    ),
    (
        "i * 1.5, i / 2, i / 2.0, i % 3, -i, i + 2147483640 FROM (VALUES 7) t(i)",
        [("10.5", "3", "3.5", "1", "-7", "2147483647")],
        "sql/select",
    ),
    ("x / y FROM (VALUES (1, 0)) t(x, y)", Refused("DIVISION_BY_ZERO:"), "sql/select"),
    ("x / y, x % y FROM (VALUES (1e0, 0e0)) t(x, y)", [("Infinity", "NaN")], "sql/select"),
    ("x || 1 FROM (VALUES 'a') t(x)", Refused("FUNCTION_NOT_FOUND:"), "sql/select"),
    ("sum(x) FROM (VALUES '1') t(x)", Refused("NOT_SUPPORTED_LOCALLY: sum(varchar)"), "functions/aggregate"),
    ("x + 1 FROM (VALUES '1') t(x)", Refused("TYPE_MISMATCH:"), "sql/select"),
    ("x > 1 FROM (VALUES '1') t(x)", Refused("TYPE_MISMATCH:"), "sql/select"),
    (
        "x.y FROM (VALUES 1) t(x)",
        Refused("NOT_SUPPORTED_LOCALLY: this server cannot run the statement: Cannot ex"),
        "sql/select",
    ),
    ("SELECT nope FROM (VALUES 1) t(x)", Refused("COLUMN_NOT_FOUND:"), "sql/select"),
    (
        "SELECT t.nope FROM (VALUES 1) t(x)",
        Refused("NOT_SUPPORTED_LOCALLY: this server cannot run the statement: Values li"),
        "sql/select",
    ),
    (
        (
            "SELECT sum(a.x * b.y), avg(b.y / 3) FROM (VALUES (1, 2.5), (2, 3.5)) a(x, y) JOIN (VALUES "
            "(1, 2.25), (2, 1.75)) b(x, y) ON a.x = b.x"
        ),
        [("5.75", "0.67")],
        "functions/aggregate",
    ),
    ("SELECT count(*) * 100.0 / 7 FROM (VALUES 1, 3) t(x)", "28.6", "functions/aggregate"),
    ("SELECT round(count(*) * 100.0 / 7, 2) FROM (VALUES 1, 3) t(x)", "28.6", "functions/aggregate"),
    ("SELECT avg(x) * 2, max(x) - min(x) FROM (VALUES 1, 3) t(x)", [("4.0", "2")], "functions/aggregate"),
    (
        "SELECT CAST(count(*) AS double) / 3, CAST(count(*) AS varchar) || '!' FROM (VALUES 1, 3) t(x)",
        [("0.6666666666666666", "2!")],
        "functions/aggregate",
    ),
    (
        "SELECT x FROM (VALUES 1, 2, 3) t(x) WHERE x > (SELECT avg(x) FROM (VALUES 1, 2, 3) t(x))",
        "3",
        "functions/aggregate",
    ),
    (
        (
            "WITH a AS (SELECT 1.5 AS x UNION ALL SELECT 2), b AS (SELECT x * 2 AS y FROM a) SELECT sum"
            "(y), max(y) FROM b"
        ),
        [("7.0", "4.0")],
        "functions/aggregate",
    ),
    ("SELECT DISTINCT x FROM (VALUES 1.0, 1.00, 2) t(x) ORDER BY x", [("1.00",), ("2.00",)], "sql/select"),
    ("SELECT x FROM (VALUES 1, 2.5) t(x)", [("1.0",), ("2.5",)], "sql/select"),
    ("SELECT x FROM (VALUES 1, 2.5e0) t(x) ORDER BY 1", [("1.0",), ("2.5",)], "sql/select"),
    (
        "SELECT CASE WHEN x > 1 THEN 'big' END FROM (VALUES 1, 2) t(x) ORDER BY 1",
        [("big",), (None,)],
        "functions/conditional",
    ),
]
