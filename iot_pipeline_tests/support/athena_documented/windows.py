"""Window functions, IGNORE NULLS: statements, what Athena answers, and the page of Trino's documentation."""

from iot_pipeline_tests.support.athena_documented.case import Case, Refused

CASES: list[Case] = [
    (
        (
            "last_value(x) IGNORE NULLS OVER (ORDER BY y) FROM (VALUES (1, 1), (NULL, 2), (3, 3), (NULL"
            ", 4)) t(x, y) ORDER BY y"
        ),
        [("1",), ("1",), ("3",), ("3",)],
        "functions/window",
    ),
    (
        (
            "first_value(x) IGNORE NULLS OVER (ORDER BY y ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDE"
            "D FOLLOWING) FROM (VALUES (NULL, 1), (2, 2)) t(x, y)"
        ),
        [("2",), ("2",)],
        "functions/window",
    ),
    (
        (
            "lag(x) IGNORE NULLS OVER (ORDER BY y) FROM (VALUES (1, 1), (NULL, 2), (3, 3), (NULL, 4), ("
            "5, 5)) t(x, y) ORDER BY y"
        ),
        [(None,), ("1",), ("1",), ("3",), ("3",)],
        "functions/window",
    ),
    (
        (
            "lead(x, 1, -1) IGNORE NULLS OVER (ORDER BY y) FROM (VALUES (1, 1), (NULL, 2), (3, 3), (NUL"
            "L, 4)) t(x, y) ORDER BY y"
        ),
        [("3",), ("3",), ("-1",), ("-1",)],
        "functions/window",
    ),
    (
        (
            "lag(x, 2) RESPECT NULLS OVER (ORDER BY y) FROM (VALUES (1, 1), (NULL, 2), (3, 3), (NULL, 4"
            ")) t(x, y) ORDER BY y"
        ),
        [(None,), (None,), ("1",), (None,)],
        "functions/window",
    ),
    (
        (
            "nth_value(x, 2) IGNORE NULLS OVER (ORDER BY y ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUND"
            "ED FOLLOWING) FROM (VALUES (1, 1), (NULL, 2), (3, 3)) t(x, y)"
        ),
        [("3",), ("3",), ("3",)],
        "functions/window",
    ),
    (
        (
            "lag(x, 2) IGNORE NULLS OVER (ORDER BY y) FROM (VALUES (1, 1), (NULL, 2), (3, 3), (NULL, 4)"
            ", (5, 5)) t(x, y) ORDER BY y"
        ),
        [(None,), (None,), (None,), ("1",), ("1",)],
        "functions/window",
    ),
    ("sum(x) OVER (PARTITION BY x) FROM (VALUES 1, 1) t(x)", [("2",), ("2",)], "functions/window"),
    (
        (
            "SELECT sum(x) OVER (ORDER BY x ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING) FROM (VALUES 1, 2"
            ", 3) t(x) ORDER BY x"
        ),
        [("3",), ("6",), ("5",)],
        "functions/window",
    ),
    (
        (
            "SELECT sum(x) OVER (ORDER BY x RANGE BETWEEN 1 PRECEDING AND CURRENT ROW) FROM (VALUES 1, "
            "2, 4) t(x) ORDER BY x"
        ),
        [("1",), ("3",), ("4",)],
        "functions/window",
    ),
    (
        (
            "SELECT sum(x) OVER (ORDER BY x GROUPS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM (VALUES 1,"
            " 1, 2, 4) t(x) ORDER BY x"
        ),
        [("2",), ("2",), ("4",), ("6",)],
        "functions/window",
    ),
    (
        (
            "SELECT array_agg(x) OVER (ORDER BY d RANGE BETWEEN INTERVAL '1' DAY PRECEDING AND CURRENT "
            "ROW) FROM (VALUES (1, DATE '2020-01-01'), (2, DATE '2020-01-02'), (3, DATE '2020-01-04')) "
            "t(x, d) ORDER BY d"
        ),
        [("[1]",), ("[1, 2]",), ("[3]",)],
        "functions/window",
    ),
    (
        (
            "SELECT rank() OVER w, dense_rank() OVER w, row_number() OVER w FROM (VALUES 5, 5, 6) t(x) "
            "WINDOW w AS (ORDER BY x) ORDER BY 3"
        ),
        [("1", "1", "1"), ("1", "1", "2"), ("3", "2", "3")],
        "functions/window",
    ),
    (
        (
            "SELECT percent_rank() OVER (ORDER BY x), cume_dist() OVER (ORDER BY x), ntile(2) OVER (ORD"
            "ER BY x) FROM (VALUES 5, 6, 7) t(x) ORDER BY x"
        ),
        [("0.0", "0.3333333333333333", "1"), ("0.5", "0.6666666666666666", "1"), ("1.0", "1.0", "2")],
        "functions/window",
    ),
    (
        (
            "SELECT first_value(x) OVER (ORDER BY x), last_value(x) OVER (ORDER BY x), nth_value(x, 2) "
            "OVER (ORDER BY x) FROM (VALUES 5, 6) t(x) ORDER BY x"
        ),
        [("5", "5", None), ("5", "6", "6")],
        "functions/window",
    ),
    (
        (
            "SELECT lag(x) OVER (ORDER BY x), lead(x, 1, 0) OVER (ORDER BY x), lag(x, 2) OVER (ORDER BY"
            " x) FROM (VALUES 5, 6, 7) t(x) ORDER BY x"
        ),
        [(None, "6", None), ("5", "7", None), ("6", "0", "5")],
        "functions/window",
    ),
    (
        (
            "SELECT avg(x) OVER (PARTITION BY x), count(*) OVER (), max(x) OVER (ORDER BY x) FROM (VALU"
            "ES 5, 6) t(x) ORDER BY x"
        ),
        [("5.0", "2", "5"), ("6.0", "2", "6")],
        "functions/window",
    ),
    (
        "SELECT x, avg(CAST(x AS decimal(5,2))) OVER () FROM (VALUES 5) t(x)",
        Refused("NOT_SUPPORTED_LOCALLY: avg of a DECIMAL with OVER or FILTER"),
        "functions/window",
    ),
    (
        ("SELECT sum(sum(x)) OVER (ORDER BY y) FROM (VALUES (1, 1), (2, 2)) t(x, y) GROUP BY y ORDER BY y"),
        [("1",), ("3",)],
        "functions/window",
    ),
    (
        (
            "lag(x) IGNORE NULLS OVER (PARTITION BY g ORDER BY y) FROM (VALUES (1, 1, 1), (1, NULL, 2),"
            " (1, 3, 3), (2, 9, 1)) t(g, x, y) ORDER BY g, y"
        ),
        [(None,), ("1",), ("1",), (None,)],
        "functions/window",
    ),
    (
        ("lag(x, 1, 99) IGNORE NULLS OVER (ORDER BY y) FROM (VALUES (NULL, 1), (2, 2), (NULL, 3)) t(x, y) ORDER BY y"),
        [("99",), ("99",), ("2",)],
        "functions/window",
    ),
    (
        (
            "lead(x, 2) IGNORE NULLS OVER (ORDER BY y) FROM (VALUES (1, 1), (NULL, 2), (3, 3), (NULL, 4"
            "), (5, 5)) t(x, y) ORDER BY y"
        ),
        [("5",), ("5",), (None,), (None,), (None,)],
        "functions/window",
    ),
    (
        ("first_value(x) IGNORE NULLS OVER (ORDER BY y) FROM (VALUES (NULL, 1), (2, 2), (3, 3)) t(x, y) ORDER BY y"),
        [(None,), ("2",), ("2",)],
        "functions/window",
    ),
    (
        (
            "last_value(x) IGNORE NULLS OVER (ORDER BY y ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING) FROM"
            " (VALUES (1, 1), (NULL, 2), (NULL, 3), (4, 4)) t(x, y) ORDER BY y"
        ),
        [("1",), ("1",), ("4",), ("4",)],
        "functions/window",
    ),
    (
        ("last_value(x) RESPECT NULLS OVER (ORDER BY y) FROM (VALUES (1, 1), (NULL, 2)) t(x, y) ORDER BY y"),
        [("1",), (None,)],
        "functions/window",
    ),
    (
        ("nth_value(x, 1) IGNORE NULLS OVER (ORDER BY y) FROM (VALUES (NULL, 1), (2, 2)) t(x, y) ORDER BY y"),
        [(None,), ("2",)],
        "functions/window",
    ),
    ("lag(x, 0) OVER (ORDER BY x) FROM (VALUES 1, 2) t(x) ORDER BY 1", [("1",), ("2",)], "functions/window"),
    (
        "lag(x, -1) OVER (ORDER BY x) FROM (VALUES 1, 2) t(x) ORDER BY 1",
        Refused("INVALID_FUNCTION_ARGUMENT:"),
        "functions/window",
    ),
    (
        "sum(x) IGNORE NULLS OVER (ORDER BY x) FROM (VALUES 1) t(x)",
        Refused("NOT_SUPPORTED_LOCALLY: IGNORE NULLS of a function other than lag, lead"),
        "functions/window",
    ),
    ("ntile(0) OVER (ORDER BY x) FROM (VALUES 1) t(x)", Refused("INVALID_FUNCTION_ARGUMENT:"), "functions/window"),
    (
        ("sum(x) OVER (ORDER BY x DESC NULLS FIRST ROWS UNBOUNDED PRECEDING) FROM (VALUES 1, NULL, 3) t(x) ORDER BY 1"),
        [("3",), ("4",), (None,)],
        "functions/window",
    ),
    (
        (
            "count(*) OVER (ORDER BY x ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING EXCLUDE CURRENT"
            " ROW) FROM (VALUES 1, 2) t(x)"
        ),
        Refused("NOT_SUPPORTED_LOCALLY: EXCLUDE in a window frame"),
        "functions/window",
    ),
    (
        (
            "max(x) OVER (ORDER BY x ROWS BETWEEN 2 PRECEDING AND 1 PRECEDING) FROM (VALUES 1e0, nan(),"
            " 3e0) t(x) ORDER BY x"
        ),
        [(None,), ("1.0",), ("3.0",)],
        "functions/window",
    ),
    (
        "SELECT x, sum(x) OVER (ORDER BY x), x / sum(x) OVER () FROM (VALUES 1.5, 2.5) t(x) ORDER BY 1",
        [("1.5", "1.5", "0.4"), ("2.5", "4.0", "0.6")],
        "functions/window",
    ),
    (
        "SELECT x * 100.0 / sum(x) OVER () FROM (VALUES 1, 3) t(x) ORDER BY 1",
        [("25.0",), ("75.0",)],
        "functions/window",
    ),
    (
        (
            "SELECT lag(d) OVER (ORDER BY d), date_diff('day', lag(d) OVER (ORDER BY d), d), d - lag(d)"
            " OVER (ORDER BY d) FROM (VALUES DATE '2020-01-01', DATE '2020-01-05') t(d) ORDER BY d"
        ),
        [(None, None, None), ("2020-01-01", "4", "4 00:00:00.000")],
        "functions/window",
    ),
    (
        (
            "SELECT avg(x) OVER (ORDER BY x ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM (VALUES 1, 2"
            ", 4) t(x) ORDER BY x"
        ),
        [("1.0",), ("1.5",), ("3.0",)],
        "functions/window",
    ),
    (
        (
            "SELECT min(x) OVER (PARTITION BY y), last_value(x) IGNORE NULLS OVER (PARTITION BY y ORDER"
            " BY z) FROM (VALUES (1.5e0, 'a', 1), (NULL, 'a', 2)) t(x, y, z) ORDER BY z"
        ),
        [("1.5", "1.5"), ("1.5", "1.5")],
        "functions/window",
    ),
    (
        "SELECT rank() OVER (ORDER BY x DESC NULLS LAST) FROM (VALUES 1, NULL, 3) t(x) ORDER BY 1",
        [("1",), ("2",), ("3",)],
        "functions/window",
    ),
]
