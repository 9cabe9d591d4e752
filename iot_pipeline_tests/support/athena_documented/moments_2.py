"""Dates, timestamps and intervals: statements, what Athena answers, and the page of Trino's documentation."""

from iot_pipeline_tests.support.athena_documented.case import Case, Refused

CASES: list[Case] = [
    (
        ("format_datetime(TIMESTAMP '2022-10-05 15:04:07.089', 'd/M/yy h:mm:ss.SSS a EEE EEEE MMM MMMM DDD')"),
        "5/10/22 3:04:07.089 PM Wed Wednesday Oct October 278",
        "functions/datetime",
    ),
    ("format_datetime(DATE '2022-10-05', 'yyyy')", "2022", "functions/datetime"),
    ("format_datetime(TIMESTAMP '2022-10-05 15:04:07.089', 'M H m s')", "10 15 4 7", "functions/datetime"),
    ("format_datetime(TIMESTAMP '2022-10-05 15:04:07.089', 'YYYY')", "2022", "functions/datetime"),
    (
        "format_datetime(TIMESTAMP '2022-10-05 15:04:07.089', 'e E w x')",
        Refused("NOT_SUPPORTED_LOCALLY: format_datetime pattern e"),
        "functions/datetime",
    ),
    (
        "format_datetime(TIMESTAMP '2022-10-05 15:04:07.089', 'ZZ z')",
        Refused("NOT_SUPPORTED_LOCALLY: format_datetime pattern ZZ"),
        "functions/datetime",
    ),
    ("year(DATE '2026-11-21')", "2026", "functions/datetime"),
    ("quarter(DATE '2026-11-21')", "4", "functions/datetime"),
    ("month(DATE '2026-11-21')", "11", "functions/datetime"),
    ("week(DATE '2026-01-01')", "1", "functions/datetime"),
    ("week(DATE '2027-01-01')", "53", "functions/datetime"),
    ("week_of_year(DATE '2026-12-31')", "53", "functions/datetime"),
    ("year_of_week(DATE '2027-01-01')", "2026", "functions/datetime"),
    ("yow(DATE '2026-12-31')", "2026", "functions/datetime"),
    ("day(DATE '2026-11-21')", "21", "functions/datetime"),
    ("day_of_month(DATE '2026-11-21')", "21", "functions/datetime"),
    ("day_of_week(DATE '2026-11-22')", "7", "functions/datetime"),
    ("dow(DATE '2026-11-23')", "1", "functions/datetime"),
    ("day_of_year(DATE '2026-02-01')", "32", "functions/datetime"),
    ("doy(DATE '2024-12-31')", "366", "functions/datetime"),
    ("hour(TIMESTAMP '2026-11-21 03:04:05.678')", "3", "functions/datetime"),
    ("minute(TIMESTAMP '2026-11-21 03:04:05.678')", "4", "functions/datetime"),
    ("second(TIMESTAMP '2026-11-21 03:04:05.678')", "5", "functions/datetime"),
    ("millisecond(TIMESTAMP '2026-11-21 03:04:05.678')", "678", "functions/datetime"),
    ("extract(year FROM DATE '2026-11-21')", "2026", "functions/datetime"),
    ("extract(dow FROM DATE '2026-11-22')", "7", "functions/datetime"),
    ("extract(week FROM DATE '2026-11-21')", "47", "functions/datetime"),
    ("extract(day_of_year FROM DATE '2026-11-21')", "325", "functions/datetime"),
    ("extract(second FROM TIMESTAMP '2026-11-21 03:04:05.678')", "5", "functions/datetime"),
    ("extract(yow FROM DATE '2027-01-01')", "2026", "functions/datetime"),
    ("extract(day FROM INTERVAL '2' DAY)", "2", "functions/datetime"),
    ("extract(epoch FROM DATE '2026-11-21')", Refused("SYNTAX_ERROR:"), "functions/datetime"),
    ("to_unixtime(TIMESTAMP '1970-01-01 00:00:01.5')", "1.5", "functions/datetime"),
    ("to_iso8601(DATE '2020-05-11')", "2020-05-11", "functions/datetime"),
    (
        "to_iso8601(TIMESTAMP '2020-05-11 11:15:05.055')",
        Refused("NOT_SUPPORTED_LOCALLY: to_iso8601(timestamp(3))"),
        "functions/datetime",
    ),
    ("TIMESTAMP '2020-01-01 00:00:00' = DATE '2020-01-01'", "true", "functions/datetime"),
    ("DATE '2020-01-01' < TIMESTAMP '2020-01-01 00:00:01'", "true", "functions/datetime"),
    ("TIME '01:02:03'", Refused("NOT_SUPPORTED_LOCALLY: type TIME(0)"), "functions/datetime"),
    (
        ("SELECT max(x) FROM (VALUES TIMESTAMP '2020-01-01 00:00:00.123456', TIMESTAMP '2020-01-01 00:00:00') t(x)"),
        "2020-01-01 00:00:00.123456",
        "functions/datetime",
    ),
    (
        (
            "SELECT x FROM (VALUES TIMESTAMP '2020-01-01 00:00:00.123456', TIMESTAMP '2020-01-01 00:00:"
            "00') t(x) ORDER BY x"
        ),
        [("2020-01-01 00:00:00.000000",), ("2020-01-01 00:00:00.123456",)],
        "functions/datetime",
    ),
    ("DATE '2001-08-22'", "2001-08-22", "functions/datetime"),
    ("TIMESTAMP '2020-06-10 15:55:23.383'", "2020-06-10 15:55:23.383", "functions/datetime"),
    ("TIMESTAMP '2001-08-22 03:04:05.321 +02:00'", "2001-08-22 03:04:05.321 +02:00", "functions/datetime"),
    (
        "CAST(TIMESTAMP '2020-06-10 15:55:23.383345' AS timestamp(6))",
        "2020-06-10 15:55:23.383345",
        "functions/datetime",
    ),
    ("CAST(TIMESTAMP '2020-06-10 15:55:23.383345' AS timestamp(2))", "2020-06-10 15:55:23.380", "functions/datetime"),
    ("INTERVAL '3' MONTH", "0-3", "functions/datetime"),
    ("INTERVAL '45' MINUTE", "0 00:45:00.000", "functions/datetime"),
    ("INTERVAL '-3' HOUR", "-0 03:00:00.000", "functions/datetime"),
    ("DATE '2020-01-01' < DATE '2020-01-02'", "true", "functions/datetime"),
    ("DATE '2012-08-08' + INTERVAL '2' DAY", "2012-08-10", "functions/datetime"),
    ("TIMESTAMP '2012-08-08 01:00' + INTERVAL '29' HOUR", "2012-08-09 06:00:00.000", "functions/datetime"),
    ("TIMESTAMP '2012-10-31 01:00' + INTERVAL '1' MONTH", "2012-11-30 01:00:00.000", "functions/datetime"),
    ("INTERVAL '3' YEAR + INTERVAL '5' MONTH", "3-5", "functions/datetime"),
    ("DATE '2012-08-08' - INTERVAL '2' DAY", "2012-08-06", "functions/datetime"),
    ("TIMESTAMP '2012-08-08 01:00' - INTERVAL '29' HOUR", "2012-08-06 20:00:00.000", "functions/datetime"),
    ("INTERVAL '2' DAY - INTERVAL '3' HOUR", "1 21:00:00.000", "functions/datetime"),
    ("INTERVAL '3' YEAR - INTERVAL '5' MONTH", "2-7", "functions/datetime"),
    ("date('2001-08-22')", "2001-08-22", "functions/datetime"),
    ("date_trunc('second', TIMESTAMP '2022-10-20 05:10:00.999')", "2022-10-20 05:10:00.000", "functions/datetime"),
    ("date_trunc('minute', TIMESTAMP '2022-10-20 05:10:00')", "2022-10-20 05:10:00.000", "functions/datetime"),
    ("date_trunc('hour', TIMESTAMP '2022-10-20 05:10:00')", "2022-10-20 05:00:00.000", "functions/datetime"),
    ("date_trunc('day', TIMESTAMP '2022-10-20 05:10:00')", "2022-10-20 00:00:00.000", "functions/datetime"),
    ("date_trunc('week', TIMESTAMP '2022-10-20 05:10:00')", "2022-10-17 00:00:00.000", "functions/datetime"),
    ("date_trunc('month', TIMESTAMP '2022-10-20 05:10:00')", "2022-10-01 00:00:00.000", "functions/datetime"),
    ("date_trunc('quarter', TIMESTAMP '2022-10-20 05:10:00')", "2022-10-01 00:00:00.000", "functions/datetime"),
    ("date_trunc('year', TIMESTAMP '2022-10-20 05:10:00')", "2022-01-01 00:00:00.000", "functions/datetime"),
    (
        "date_diff('second', TIMESTAMP '2020-06-01 12:30:45.000', TIMESTAMP '2020-06-02 12:30:45.123')",
        "86400",
        "functions/datetime",
    ),
    (
        ("date_diff('millisecond', TIMESTAMP '2020-06-01 12:30:45.000', TIMESTAMP '2020-06-02 12:30:45.123')"),
        "86400123",
        "functions/datetime",
    ),
    ("format_datetime(TIMESTAMP '2022-10-20 05:10:00', 'HH:mm')", "05:10", "functions/datetime"),
    ("extract(YEAR FROM TIMESTAMP '2022-10-20 05:10:00')", "2022", "functions/datetime"),
    ("extract(month FROM TIMESTAMP '2022-10-20 05:10:00 +05:30')", "10", "functions/datetime"),
    ("array_join(ARRAY[TIMESTAMP '2020-01-01 00:00:00'], ',')", "2020-01-01 00:00:00", "functions/datetime"),
    (
        "ROW(TIMESTAMP '2020-01-01 00:00:00', DATE '2020-01-01', true)",
        "{field0=2020-01-01 00:00:00.000, field1=2020-01-01, field2=true}",
        "functions/datetime",
    ),
    ("ARRAY[INTERVAL '1' YEAR, INTERVAL '14' MONTH]", "[1-0, 1-2]", "functions/datetime"),
    ("sequence(1, 5)", "[1, 2, 3, 4, 5]", "functions/datetime"),
    ("sequence(0, 10, 5)", "[0, 5, 10]", "functions/datetime"),
    ("sequence(1, 5, 3)", "[1, 4]", "functions/datetime"),
    ("sequence(10, 1, -3)", "[10, 7, 4, 1]", "functions/datetime"),
    (
        "sequence(DATE '2020-01-31', DATE '2020-04-30', INTERVAL '1' MONTH)",
        "[2020-01-31, 2020-02-29, 2020-03-31, 2020-04-30]",
        "functions/datetime",
    ),
    (
        "sequence(DATE '2020-01-01', DATE '2020-02-01', INTERVAL '7' DAY)",
        "[2020-01-01, 2020-01-08, 2020-01-15, 2020-01-22, 2020-01-29]",
        "functions/datetime",
    ),
    (
        "sequence(DATE '2020-01-01', DATE '2022-01-01', INTERVAL '1' YEAR)",
        "[2020-01-01, 2021-01-01, 2022-01-01]",
        "functions/datetime",
    ),
    (
        "sequence(DATE '2020-03-01', DATE '2020-01-01', INTERVAL '-1' MONTH)",
        "[2020-03-01, 2020-02-01, 2020-01-01]",
        "functions/datetime",
    ),
    (
        ("sequence(TIMESTAMP '2020-01-01 00:00:00', TIMESTAMP '2020-01-01 01:00:00', INTERVAL '30' MINUTE)"),
        "[2020-01-01 00:00:00.000, 2020-01-01 00:30:00.000, 2020-01-01 01:00:00.000]",
        "functions/datetime",
    ),
    (
        "sequence(TIMESTAMP '2020-01-01 00:00:00', TIMESTAMP '2020-03-01 00:00:00', INTERVAL '1' MONTH)",
        "[2020-01-01 00:00:00.000, 2020-02-01 00:00:00.000, 2020-03-01 00:00:00.000]",
        "functions/datetime",
    ),
    (
        "sequence(DATE '2020-01-01', DATE '2020-01-02', INTERVAL '1' HOUR)",
        Refused("INVALID_FUNCTION_ARGUMENT:"),
        "functions/datetime",
    ),
    ("sequence(1, 5, 0)", Refused("INVALID_FUNCTION_ARGUMENT:"), "functions/datetime"),
    ("sequence(1, 100000)", Refused("INVALID_FUNCTION_ARGUMENT:"), "functions/datetime"),
    (
        "d FROM UNNEST(sequence(DATE '2020-01-01', DATE '2020-03-01', INTERVAL '1' MONTH)) AS t(d)",
        [("2020-01-01",), ("2020-02-01",), ("2020-03-01",)],
        "functions/datetime",
    ),
    (
        "d + INTERVAL '1' DAY, date_trunc('month', d), year(d) FROM (VALUES DATE '2020-01-31') t(d)",
        [("2020-02-01", "2020-01-01", "2020")],
        "functions/datetime",
    ),
    (
        (
            "t - INTERVAL '1' HOUR, t - t, date(t), date_diff('hour', t, t + INTERVAL '90' MINUTE) FROM"
            " (VALUES TIMESTAMP '2020-01-31 01:30:00') t(t)"
        ),
        [("2020-01-31 00:30:00.000", "0 00:00:00.000", "2020-01-31", "1")],
        "functions/datetime",
    ),
    ("t FROM (VALUES TIMESTAMP '2020-01-31 01:30:00.123456') x(t)", "2020-01-31 01:30:00.123456", "functions/datetime"),
    (
        (
            "max(t), count(DISTINCT t) FROM (VALUES TIMESTAMP '2020-01-31 01:30:00.123456', TIMESTAMP '"
            "2020-01-31 01:30:00.123457') x(t)"
        ),
        [("2020-01-31 01:30:00.123457", "2")],
        "functions/datetime",
    ),
    (
        (
            "CAST(t AS varchar), CAST(t AS timestamp(3)), CAST(t AS date), t = TIMESTAMP '2020-01-31 01"
            ":30:00.1235' FROM (VALUES TIMESTAMP '2020-01-31 01:30:00.1235') x(t)"
        ),
        [("2020-01-31 01:30:00.1235", "2020-01-31 01:30:00.124", "2020-01-31", "true")],
        "functions/datetime",
    ),
    ("CAST('2020-01-01 25:00:00' AS timestamp)", Refused("INVALID_CAST_ARGUMENT:"), "functions/datetime"),
    ("DATE '2020-13-01'", Refused("INVALID_CAST_ARGUMENT:"), "functions/datetime"),
    ("INTERVAL '1' FORTNIGHT", Refused("INVALID_LITERAL:"), "functions/datetime"),
    ("TIMESTAMP '2020-01-01 00:00:00' + 1", Refused("TYPE_MISMATCH:"), "functions/datetime"),
    ("DATE '2020-01-01' + 1", Refused("TYPE_MISMATCH:"), "functions/datetime"),
    ("INTERVAL '1' DAY + INTERVAL '1' MONTH", Refused("TYPE_MISMATCH:"), "functions/datetime"),
    ("INTERVAL '1' DAY = INTERVAL '1' MONTH", Refused("TYPE_MISMATCH:"), "functions/datetime"),
    (
        (
            "SELECT date_diff('day', min(d), max(d)), max(d) - min(d) FROM (VALUES DATE '2020-01-01', D"
            "ATE '2020-02-01') t(d)"
        ),
        [("31", "31 00:00:00.000")],
        "functions/datetime",
    ),
    (
        (
            "SELECT approx_percentile(x, 0.5), approx_percentile(x, 0.95), approx_percentile(x, 0.01) F"
            "ROM UNNEST(sequence(1, 100)) AS t(x)"
        ),
        [("51", "96", "2")],
        "functions/datetime",
    ),
    (
        ("SELECT date_trunc('month', d), count(*) FROM (VALUES DATE '2020-01-01', DATE '2020-01-31') t(d) GROUP BY 1"),
        [("2020-01-01", "2")],
        "functions/datetime",
    ),
    (
        (
            "SELECT date_trunc('month', d), count(*) FROM (VALUES DATE '2020-01-01', DATE '2020-01-31')"
            " t(d) GROUP BY date_trunc('month', d)"
        ),
        [("2020-01-01", "2")],
        "functions/datetime",
    ),
    (
        (
            "WITH a(x) AS (VALUES TIMESTAMP '2020-01-01 00:00:00.5') SELECT x, x + INTERVAL '1' DAY, CA"
            "ST(x AS varchar), hour(x) FROM a"
        ),
        [("2020-01-01 00:00:00.500", "2020-01-02 00:00:00.500", "2020-01-01 00:00:00.5", "0")],
        "functions/datetime",
    ),
    (
        ("SELECT max_by(x, y), min_by(y, x) FROM (VALUES (1.5, DATE '2020-01-01'), (2.5, DATE '2020-01-02')) t(x, y)"),
        [("2.5", "2020-01-01")],
        "functions/datetime",
    ),
    (
        "SELECT from_unixtime(x / 1e3), date(from_unixtime(x / 1000)) FROM (VALUES 1591804523123) t(x)",
        [("2020-06-10 15:55:23.123 UTC", "2020-06-10")],
        "functions/datetime",
    ),
    ("SELECT date_part('year', DATE '2020-01-01')", Refused("FUNCTION_NOT_FOUND:"), "functions/datetime"),
    (
        "SELECT datediff('day', DATE '2020-01-01', DATE '2020-01-02')",
        Refused("FUNCTION_NOT_FOUND:"),
        "functions/datetime",
    ),
]
