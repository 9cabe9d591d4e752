"""Aggregates and the clauses of SELECT: statements, what Athena answers, and the page of Trino's documentation."""

from iot_pipeline_tests.support.athena_documented.case import Case, Refused

CASES: list[Case] = [
    (
        ("SELECT coalesce(a.x, b.x), a.x FROM (VALUES 1, 2) a(x) FULL JOIN (VALUES 2, 3) b(x) ON a.x = b.x ORDER BY 1"),
        [("1", "1"), ("2", "2"), ("3", None)],
        "functions/conditional",
    ),
    (
        "SELECT nullif(x, 0), 10 / nullif(x, 0) FROM (VALUES 0, 5) t(x) ORDER BY 1",
        [("5", "2"), (None, None)],
        "functions/conditional",
    ),
    (
        (
            "SELECT count(nullif(x, 1)), sum(if(x > 1, 1, 0)), sum(CASE WHEN x > 1 THEN 0.5 ELSE 0 END)"
            " FROM (VALUES 1, 2) t(x)"
        ),
        [("1", "1", "0.5")],
        "functions/conditional",
    ),
    (
        (
            "SELECT from_unixtime(CAST(x AS double) / 1000), to_unixtime(from_unixtime(1.5e0)) FROM (VA"
            "LUES 1591804523123) t(x)"
        ),
        [("2020-06-10 15:55:23.123 UTC", "1.5")],
        "sql/select",
    ),
    (
        "SELECT from_unixtime(1.5), from_unixtime(DECIMAL '1591804523.123')",
        [("1970-01-01 00:00:01.500 UTC", "2020-06-10 15:55:23.123 UTC")],
        "functions/decimal",
    ),
    (
        "SELECT substr(x, 1, 2) || lpad(CAST(length(x) AS varchar), 3, '0') FROM (VALUES 'abc') t(x)",
        "ab003",
        "sql/select",
    ),
    ("SELECT CAST(x AS integer) + 1 FROM (VALUES '5', ' 7 ') t(x)", [("6",), ("8",)], "sql/select"),
    (
        ("SELECT sum(CAST(x AS decimal(10,2))), avg(CAST(x AS decimal(10,2))) FROM (VALUES '1.255', '2.5') t(x)"),
        [("3.76", "1.88")],
        "functions/decimal",
    ),
    ("SELECT x % 2 = 0, x & 1 FROM (VALUES 1) t(x)", Refused("SYNTAX_ERROR:"), "sql/select"),
    ("SELECT 5 & 3", Refused("SYNTAX_ERROR:"), "sql/select"),
    ("SELECT x ** 2 FROM (VALUES 2) t(x)", Refused("SYNTAX_ERROR:"), "sql/select"),
    ("SELECT x::varchar FROM (VALUES 2) t(x)", Refused("SYNTAX_ERROR:"), "sql/select"),
    ("SELECT x FROM (VALUES 2) t(x) WHERE x == 2", Refused("SYNTAX_ERROR:"), "sql/select"),
    ("SELECT ifnull(1, 2)", Refused("FUNCTION_NOT_FOUND:"), "sql/select"),
    ("SELECT nvl(1, 2)", Refused("FUNCTION_NOT_FOUND:"), "sql/select"),
    ("SELECT len('a')", Refused("FUNCTION_NOT_FOUND:"), "sql/select"),
    ("SELECT to_date('2020-01-01', 'YYYY-MM-DD')", Refused("FUNCTION_NOT_FOUND:"), "sql/select"),
    ("SELECT string_agg('a', ',')", Refused("FUNCTION_NOT_FOUND:"), "sql/select"),
    ("SELECT group_concat('a')", Refused("FUNCTION_NOT_FOUND:"), "sql/select"),
    ("SELECT {'a': 1}", Refused("SYNTAX_ERROR:"), "sql/select"),
    ("SELECT x FROM (VALUES 1) t(x) LIMIT 1 OFFSET 0", Refused("SYNTAX_ERROR:"), "sql/select"),
    ("SELECT STRUCT(1)", Refused("FUNCTION_NOT_FOUND:"), "sql/select"),
    ("SELECT GROUPING SETS", Refused("SYNTAX_ERROR:"), "sql/select"),
    ("SELECT x FROM (VALUES 1) t(x) WHERE x == 2", Refused("SYNTAX_ERROR:"), "sql/select"),
    ("SELECT x FROM (VALUES 1) t(x) OFFSET 0 LIMIT 1", "1", "sql/select"),
]
