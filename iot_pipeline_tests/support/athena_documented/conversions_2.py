"""Casts, decimals and conditionals: statements, what Athena answers, and the page of Trino's documentation."""

from iot_pipeline_tests.support.athena_documented.case import Case, Refused

CASES: list[Case] = [
    ("CAST(-32768 AS smallint) - CAST(1 AS smallint)", Refused("NUMERIC_VALUE_OUT_OF_RANGE:"), "functions/conversion"),
    ("-CAST(-128 AS tinyint)", Refused("NUMERIC_VALUE_OUT_OF_RANGE:"), "functions/conversion"),
    ("2147483647 + CAST(1 AS bigint)", "2147483648", "functions/conversion"),
    ("CAST(1000000 AS bigint) * 1000000", "1000000000000", "functions/conversion"),
    ("CAST(1.0E0 AS varchar)", "1.0E0", "functions/conversion"),
    ("CAST(100e0 AS varchar)", "1.0E2", "functions/conversion"),
    ("CAST(1.5E-10 AS varchar)", "1.5E-10", "functions/conversion"),
    ("CAST(-2.5E0 AS varchar)", "-2.5E0", "functions/conversion"),
    ("CAST(1e22 AS varchar)", "1.0E22", "functions/conversion"),
    ("CAST(4.9E-324 AS varchar)", "4.9E-324", "functions/conversion"),
    ("CAST(1.7976931348623157E308 AS varchar)", "1.7976931348623157E308", "functions/conversion"),
    ("CAST(REAL '1E10' AS varchar)", "1.0E10", "functions/conversion"),
    ("CAST(REAL '0.0001' AS varchar)", "1.0E-4", "functions/conversion"),
    ("CAST(REAL '16777216' AS varchar)", "1.677722E7", "functions/conversion"),
    ("CAST(12345.678e0 AS varchar)", "1.2345678E4", "functions/conversion"),
    ("'v=' || CAST(0.1e0 AS varchar)", "v=1.0E-1", "functions/conversion"),
    ("CAST(3.3 AS real)", "3.3", "functions/conversion"),
]
