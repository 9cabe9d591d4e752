"""Texts, binaries and regular expressions: statements, what Athena answers, and the page of Trino's documentation."""

from iot_pipeline_tests.support.athena_documented.case import Case, Refused

CASES: list[Case] = [
    ("format('%s%%', 123)", Refused("NOT_SUPPORTED_LOCALLY: function format"), "functions/string"),
    ("1 = 'a'", Refused("TYPE_MISMATCH:"), "functions/string"),
    ("1 IN (1, 'a')", Refused("TYPE_MISMATCH:"), "functions/string"),
    ("1 BETWEEN 0 AND 'x'", Refused("TYPE_MISMATCH:"), "functions/comparison"),
    ("repeat('a', 2)", Refused("NOT_SUPPORTED_LOCALLY: function repeat"), "functions/string"),
    ("parse_datetime('2022-10-20 05', 'yyyy-MM-dd HH')", "2022-10-20 05:00:00.000 UTC", "functions/string"),
    ("parse_datetime('1960/01/22 03:04', 'yyyy/MM/dd HH:mm')", "1960-01-22 03:04:00.000 UTC", "functions/string"),
    (
        "parse_datetime('2022-10-20 05:00 +02:00', 'yyyy-MM-dd HH:mm Z')",
        Refused("NOT_SUPPORTED_LOCALLY: format_datetime pattern Z"),
        "functions/string",
    ),
    ("parse_duration('42.8ms')", Refused("NOT_SUPPORTED_LOCALLY: function parse_duration"), "functions/string"),
    ("BOOLEAN 'true'", "true", "functions/string"),
    ("TINYINT '8'", "8", "functions/string"),
    ("SMALLINT '256'", "256", "functions/string"),
    ("INTEGER '65536'", "65536", "functions/string"),
    ("BIGINT '1000000'", "1000000", "functions/string"),
    ("DOUBLE '10.3'", "10.3", "functions/string"),
    ("REAL '10.3'", "10.3", "functions/string"),
    ("VARCHAR 'a'", "a", "functions/string"),
    ("'it''s'", "it's", "functions/string"),
    ("'abc' < 'abd'", "true", "functions/string"),
    ("'Paul' BETWEEN 'John' AND 'Ringo'", "true", "functions/comparison"),
    ("REAL '1E10'", "1.0E10", "functions/string"),
    ("REAL '0.0001'", "1.0E-4", "functions/string"),
    ("REAL '16777216'", "1.6777216E7", "functions/string"),
    ("REAL '3.14' * 2", "6.28", "functions/string"),
    ("abs('x')", Refused("FUNCTION_NOT_FOUND:"), "functions/string"),
    ("-'a'", Refused("TYPE_MISMATCH:"), "functions/string"),
    (
        "url_extract_host('http://a.b/c')",
        Refused("NOT_SUPPORTED_LOCALLY: function url_extract_host"),
        "functions/string",
    ),
    ("format('%.2f', 1.5e0)", Refused("NOT_SUPPORTED_LOCALLY: function format"), "functions/string"),
]
