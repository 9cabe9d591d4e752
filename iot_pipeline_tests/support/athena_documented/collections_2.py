"""Arrays, maps and rows: statements, what Athena answers, and the page of Trino's documentation."""

from iot_pipeline_tests.support.athena_documented.case import Case, Refused

CASES: list[Case] = [
    (
        ("SELECT id, x, n FROM (VALUES (1, ARRAY['a', 'b'])) t(id, l) CROSS JOIN UNNEST(l) WITH ORDINALITY AS u(x, n)"),
        [("1", "a", "1"), ("1", "b", "2")],
        "sql/select",
    ),
    ("SELECT x[1] FROM (VALUES ARRAY[1]) t(x)", "1", "functions/array"),
    ("SELECT r.a FROM (SELECT CAST(ROW(1, 'x') AS row(a integer, b varchar)) AS r) t", "1", "language/types"),
    ("SELECT t.r.b FROM (SELECT CAST(ROW(1, 'x') AS row(a integer, b varchar)) AS r) t", "x", "language/types"),
    ("ARRAY[1, 2, 3]", "[1, 2, 3]", "functions/array"),
    ("map(ARRAY['foo', 'bar'], ARRAY[1, 2])['bar']", "2", "functions/map"),
    ("CAST(ROW(1, 2e0) AS row(x bigint, y double))", "{x=1, y=2.0}", "language/types"),
    ("CAST(ROW(1, 2.0) AS row(x bigint, y double)).x", "1", "language/types"),
    (
        "reduce(ARRAY[9223372036854775807, 1], CAST(0 AS bigint), (s, x) -> s + x, s -> s)",
        Refused("NUMERIC_VALUE_OUT_OF_RANGE:"),
        "functions/array",
    ),
    ("transform(ARRAY[2147483647], x -> x + 1)", Refused("NUMERIC_VALUE_OUT_OF_RANGE:"), "functions/array"),
    ("array_join(transform(ARRAY[1e0, 2.5e0], x -> CAST(x AS varchar)), '|')", "1.0E0|2.5E0", "functions/array"),
    ("array_join(ARRAY[REAL '1.5'], ',')", "1.5E0", "functions/array"),
    ("array_join(ARRAY[DECIMAL '1.50'], ',')", "1.50", "functions/decimal"),
    ("CAST(ARRAY[1, 2] AS array(varchar))", "[1, 2]", "functions/array"),
    ("CAST(ARRAY[1.5] AS array(double))", "[1.5]", "functions/array"),
    ("CAST(ARRAY['a'] AS array(varchar))", "[a]", "functions/array"),
    ("CAST(map(ARRAY['a'], ARRAY[1]) AS map(varchar, double))", "{a=1.0}", "functions/map"),
    ("CAST(ARRAY[1e0] AS array(integer))", "[1]", "functions/array"),
    ("CAST(ROW('1', 2) AS row(a integer, b varchar))", "{a=1, b=2}", "language/types"),
    ("CAST(ARRAY['x'] AS array(integer))", Refused("INVALID_CAST_ARGUMENT:"), "functions/array"),
    ("ROW(1, NULL, 'x')", "{field0=1, field1=null, field2=x}", "language/types"),
    ("ROW(ARRAY[1], map(ARRAY['a'], ARRAY[2]))", "{field0=[1], field1={a=2}}", "functions/map"),
    ("ARRAY[ROW(1), ROW(2)]", "[{field0=1}, {field0=2}]", "language/types"),
    (
        "CAST(ROW(1, ROW('a', 2e0)) AS row(i integer, r row(s varchar, d double)))",
        "{i=1, r={s=a, d=2.0}}",
        "language/types",
    ),
    ("ROW(1.50, 1e0, REAL '2')", "{field0=1.50, field1=1.0, field2=2.0}", "language/types"),
    ("ARRAY[map(ARRAY['a'], ARRAY[1])]", "[{a=1}]", "functions/map"),
    ("map(ARRAY['a'], ARRAY[NULL])", "{a=null}", "functions/map"),
    (
        "r FROM (VALUES ROW(CAST(ROW(1, 'a') AS row(id integer, name varchar)))) t(r)",
        Refused("NOT_SUPPORTED_LOCALLY: VALUES of a ROW that is not written as"),
        "language/types",
    ),
    ("ARRAY[true, NULL]", "[true, null]", "functions/array"),
    ("ARRAY[X'01']", "[01]", "functions/array"),
    ("ARRAY[1.5e0, NULL]", "[1.5, null]", "functions/array"),
    ("ARRAY['a b', '']", "[a b, ]", "functions/array"),
    ("ARRAY[NULL, NULL]", "[null, null]", "functions/array"),
    ("map(ARRAY[1.5], ARRAY['x'])", "{1.5=x}", "functions/map"),
    ("ARRAY[1] + 1", Refused("TYPE_MISMATCH:"), "functions/array"),
    (
        (
            "SELECT u.a + 1, u.b FROM (SELECT ARRAY[CAST(ROW(1, 'x') AS row(a integer, b varchar))] AS "
            "l) t CROSS JOIN UNNEST(l) AS u(a, b)"
        ),
        [("2", "x")],
        "language/types",
    ),
    ("SELECT l[1].a FROM (SELECT ARRAY[CAST(ROW(1, 'x') AS row(a integer, b varchar))] AS l) t", "1", "language/types"),
    (
        (
            "SELECT transform(l, e -> e.a * 2.5) FROM (SELECT ARRAY[CAST(ROW(1, 'x') AS row(a integer, "
            "b varchar))] AS l) t"
        ),
        "[2.5]",
        "language/types",
    ),
    (
        ("SELECT filter(l, e -> e.a > 1) FROM (SELECT ARRAY[CAST(ROW(1, 'x') AS row(a integer, b varchar))] AS l) t"),
        "[]",
        "language/types",
    ),
    ("SELECT reduce(ARRAY[1, 2], 0e0, (s, x) -> s + x, s -> s / 3)", "1.0", "functions/array"),
    (
        (
            "SELECT map_values(transform_values(m, (k, v) -> v / 2)), map_keys(m) FROM (SELECT map(ARRA"
            "Y['a'], ARRAY[5]) AS m) t"
        ),
        [("[2]", "[a]")],
        "functions/map",
    ),
    (
        ("SELECT m['a'] + 1, element_at(m, 'z'), cardinality(m) FROM (SELECT map(ARRAY['a'], ARRAY[5]) AS m) t"),
        [("6", None, "1")],
        "functions/map",
    ),
    (
        "SELECT array_agg(CAST(x AS varchar) ORDER BY x) FROM (VALUES 1.5e0, 2e0) t(x)",
        "[1.5E0, 2.0E0]",
        "functions/aggregate",
    ),
    (
        (
            "SELECT avg(x) FILTER (WHERE x > 1), max(x) FILTER (WHERE x < 0), array_agg(x) FILTER (WHER"
            "E x > 5) FROM (VALUES 1, 2, 4) t(x)"
        ),
        [("3.0", None, None)],
        "functions/aggregate",
    ),
    ("SELECT array[1,2][0:1]", Refused("SYNTAX_ERROR:"), "functions/array"),
]
