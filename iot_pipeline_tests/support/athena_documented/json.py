"""JSON functions and casts: statements, what Athena answers, and the page of Trino's documentation."""

from iot_pipeline_tests.support.athena_documented.case import Case, Refused

CASES: list[Case] = [
    ("try(json_parse('{'))", None, "functions/json"),
    (
        (
            'SELECT json_parse(\'{"b": 1, "a": [1, 2]}\'), json_format(json_parse(\'{"b": 1, "a": [1, 2]}\''
            ")), json_format(JSON '\"x\"'), json_parse('1.50'), json_parse('1e3'), json_parse('1234567890"
            "1234567890'), json_parse(' [1 , 2] ')"
        ),
        [('{"a":[1,2],"b":1}', '{"a":[1,2],"b":1}', '"x"', "1.5", "1000.0", "12345678901234567890", "[1,2]")],
        "functions/json",
    ),
    (
        (
            "SELECT json_parse('1e-7'), json_parse('12345678.9'), json_parse('0.0001'), json_parse('[1."
            "0E5, -0.0]'), json_parse('100000000000000000000000')"
        ),
        [("1.0E-7", "1.23456789E7", "1.0E-4", "[100000.0,-0.0]", "100000000000000000000000")],
        "functions/json",
    ),
    (
        (
            'SELECT json_extract_scalar(\'{"a": {"b": "x"}}\', \'$.a.b\'), json_extract_scalar(\'{"a": 1.50}'
            "', '$.a'), json_extract_scalar('{\"a\": true}', '$.a'), json_extract_scalar('{\"a\": null}', '"
            "$.a'), json_extract_scalar('{\"a\": [1]}', '$.a'), json_extract_scalar('[1, 2]', '$[1]'), js"
            "on_extract_scalar('{\"a b\": 1}', '$[\"a b\"]'), json_extract_scalar('no', '$.a'), json_extrac"
            "t_scalar('{\"a\": 1e10}', '$.a')"
        ),
        [("x", "1.50", "true", None, None, "2", "1", None, "1e10")],
        "functions/json",
    ),
    (
        (
            'SELECT json_extract(\'{"a": {"b": [1, 2]}}\', \'$.a.b[1]\'), json_extract(\'{"a": {"b": [1, 2]}'
            "}', '$.a'), json_extract('{\"a\": null}', '$.a'), json_extract('{\"a\": 1}', '$.b'), json_extr"
            "act('{\"a\": 1.50}', '$.a')"
        ),
        [("2", '{"b":[1,2]}', "null", None, "1.5")],
        "functions/json",
    ),
    (
        "SELECT json_extract('{\"a\": [1, 2]}', '$.a[*]')",
        Refused("NOT_SUPPORTED_LOCALLY: JSON path $.a[*]"),
        "functions/json",
    ),
    (
        "SELECT json_extract('{\"a\": [1, 2]}', '$..a')",
        Refused("NOT_SUPPORTED_LOCALLY: JSON path $..a"),
        "functions/json",
    ),
    (
        "SELECT json_extract('{\"a\": 1}', 'a'), json_extract_scalar('{\"a\": [1, 2]}', '$.a[-1]')",
        Refused("NOT_SUPPORTED_LOCALLY: JSON path a"),
        "functions/json",
    ),
    (
        (
            "SELECT json_size('{\"x\": {\"a\": 1, \"b\": 2}}', '$.x'), json_size('{\"x\": [1, 2, 3]}', '$.x'), "
            "json_size('{\"x\": 1}', '$.x'), json_size('{}', '$.x')"
        ),
        [("2", "3", "0", None)],
        "functions/json",
    ),
    (
        (
            "SELECT json_array_length('[1, 2, 3]'), json_array_length('{}'), json_array_length(JSON '[]"
            "'), json_array_length('x')"
        ),
        [("3", None, "0", None)],
        "functions/json",
    ),
    (
        "SELECT json_array_contains('[1, 2]', 1)",
        Refused("NOT_SUPPORTED_LOCALLY: function json_array_contains"),
        "functions/json",
    ),
    ("SELECT json_array_get('[1, 2]', 0)", Refused("NOT_SUPPORTED_LOCALLY: function json_array_get"), "functions/json"),
    (
        "SELECT json_query('{\"a\": 1}', 'lax $.a')",
        Refused("NOT_SUPPORTED_LOCALLY: function json_query"),
        "functions/json",
    ),
    (
        "SELECT json_value('{\"a\": 1}', 'lax $.a')",
        Refused("NOT_SUPPORTED_LOCALLY: function json_value"),
        "functions/json",
    ),
    (
        "SELECT json_exists('{\"a\": 1}', 'lax $.a')",
        Refused("NOT_SUPPORTED_LOCALLY: function json_exists"),
        "functions/json",
    ),
    ("SELECT json_object('a': 1)", Refused("NOT_SUPPORTED_LOCALLY: function json_object"), "functions/json"),
    (
        (
            "SELECT CAST(JSON '\"a\"' AS varchar), CAST(JSON '1.50' AS varchar), CAST(JSON '12' AS varcha"
            "r), CAST(JSON 'true' AS varchar), CAST(JSON 'null' AS varchar), CAST(JSON '1e10' AS varcha"
            "r)"
        ),
        [("a", "1.5E0", "12", "true", None, "1.0E10")],
        "functions/json",
    ),
    (
        (
            "SELECT CAST(JSON '12' AS bigint), CAST(JSON '\"12\"' AS double), CAST(JSON 'true' AS boolean"
            "), CAST(JSON '1.5' AS integer), CAST(JSON '\"1\"' AS integer), CAST(JSON 'true' AS integer),"
            " CAST(JSON '1' AS boolean), CAST(JSON '12.5' AS decimal(5,1))"
        ),
        [("12", "12.0", "true", "2", "1", "1", "true", "12.5")],
        "functions/json",
    ),
    ("SELECT CAST(JSON '[1]' AS varchar)", Refused("INVALID_CAST_ARGUMENT:"), "functions/json"),
    ("SELECT CAST(JSON '\"x\"' AS integer)", Refused("INVALID_CAST_ARGUMENT:"), "functions/json"),
    (
        (
            "SELECT CAST('a' AS json), CAST(1 AS json), CAST(1.5e0 AS json), CAST(true AS json), CAST(N"
            "ULL AS json), CAST(ARRAY[1, 2] AS json), CAST(ARRAY['a', NULL] AS json)"
        ),
        [('"a"', "1", "1.5", "true", None, "[1,2]", '["a",null]')],
        "functions/json",
    ),
    (
        (
            "SELECT CAST(map(ARRAY['b', 'a'], ARRAY[1, 2]) AS json), CAST(1e10 AS json), CAST(1.50 AS j"
            "son), CAST(DATE '2020-01-01' AS json), CAST(ARRAY[1e10, 1.5e0] AS json)"
        ),
        Refused("NOT_SUPPORTED_LOCALLY: CAST(decimal(3, 2) AS json)"),
        "functions/json",
    ),
    (
        "SELECT CAST(ROW(1, 'a') AS json)",
        Refused("NOT_SUPPORTED_LOCALLY: CAST(row(integer, varchar) AS json)"),
        "functions/json",
    ),
    (
        (
            "SELECT CAST(JSON '[1, 23]' AS array(integer)), CAST(JSON '{\"k1\": 1}' AS map(varchar, integ"
            'er)), CAST(JSON \'{"v1": 123, "v2": "abc"}\' AS row(v1 bigint, v2 varchar)), CAST(JSON \'[123'
            ', "abc"]\' AS row(v1 bigint, v2 varchar)), CAST(JSON \'[1.5, "2"]\' AS array(double))'
        ),
        [("[1, 23]", "{k1=1}", "{v1=123, v2=abc}", "{v1=123, v2=abc}", "[1.5, 2.0]")],
        "functions/json",
    ),
    (
        "SELECT JSON '{\"a\": 1, \"b\": 2}' = JSON '{\"b\": 2, \"a\": 1}', JSON '1' = JSON '1.0'",
        [("true", "false")],
        "functions/json",
    ),
    ('json_format(JSON \'{"b": [1, 2.50], "a": "x"}\')', '{"a":"x","b":[1,2.5]}', "functions/json"),
    ("json_format(JSON '1e10')", "1.0E10", "functions/json"),
    ("json_extract_scalar(json_parse('{\"a\": 1e10}'), '$.a')", "1.0E10", "functions/json"),
    ("json_extract_scalar('{\"a\": 12345678.9}', '$.a')", "12345678.9", "functions/json"),
    ("json_extract_scalar(JSON '{\"a\": 0.00001}', '$.a')", "1.0E-5", "functions/json"),
    ('json_parse(\'{"z":1,"a":{"y":2,"b":3}}\')', '{"a":{"b":3,"y":2},"z":1}', "functions/json"),
    (
        (
            "SELECT json_extract_scalar(j, '$.a'), CAST(json_extract(j, '$.b') AS integer), json_format"
            '(json_extract(j, \'$.c\')) FROM (VALUES \'{"a":"x","b":2,"c":[1.50,2]}\') t(j)'
        ),
        [("x", "2", "[1.5,2]")],
        "functions/json",
    ),
    (
        "SELECT CAST(json_extract(j, '$.c') AS array(double)) FROM (VALUES '{\"c\":[1.50,2]}') t(j)",
        "[1.5, 2.0]",
        "functions/json",
    ),
    ("SELECT x FROM UNNEST(CAST(json_parse('[1,2]') AS array(integer))) AS t(x)", [("1",), ("2",)], "functions/json"),
    (
        ('SELECT k, v FROM UNNEST(CAST(json_parse(\'{"a":1,"b":2}\') AS map(varchar, integer))) AS t(k, v) ORDER BY 1'),
        [("a", "1"), ("b", "2")],
        "functions/json",
    ),
    (
        (
            "SELECT try(CAST(json_extract_scalar('{\"a\":\"x\"}', '$.a') AS integer)), try_cast(json_extrac"
            "t_scalar('{\"a\":\"5\"}', '$.a') AS integer)"
        ),
        [(None, "5")],
        "functions/json",
    ),
    ("json_format(JSON '1e400')", '"Infinity"', "functions/json"),
    ("json_format(JSON '-0')", "0", "functions/json"),
    ("json_format(JSON '[1.0, 100.0, 1E2, -0.0]')", "[1.0,100.0,100.0,-0.0]", "functions/json"),
    ("json_extract_scalar(JSON '{\"a\": 1e400}', '$.a')", "Infinity", "functions/json"),
]
