"""Timestamps with time zone: statements, what Athena answers, and the page of Trino's documentation."""

from iot_pipeline_tests.support.athena_documented.case import Case, Refused

CASES: list[Case] = [
    ("hour(from_iso8601_timestamp('2020-05-11T11:15:05+01:00'))", "11", "functions/datetime"),
    ("date(from_iso8601_timestamp('2020-05-11T00:15:05+01:00'))", "2020-05-11", "functions/datetime"),
    ("day(from_iso8601_timestamp('2020-05-11T00:15:05+01:00'))", "11", "functions/datetime"),
    ("minute(from_iso8601_timestamp('2020-05-11T00:15:05+01:30'))", "15", "functions/datetime"),
    (
        "date_trunc('hour', from_iso8601_timestamp('2020-05-11T11:15:05+01:30'))",
        "2020-05-11 11:00:00.000 +01:30",
        "functions/datetime",
    ),
    (
        "date_format(from_iso8601_timestamp('2020-05-11T11:15:05+01:30'), '%Y-%m-%d %H:%i')",
        "2020-05-11 11:15",
        "functions/datetime",
    ),
    (
        "format_datetime(from_iso8601_timestamp('2020-05-11T11:15:05+01:30'), 'yyyy-MM-dd HH:mm')",
        "2020-05-11 11:15",
        "functions/datetime",
    ),
    ("extract(hour FROM from_iso8601_timestamp('2020-05-11T11:15:05+01:30'))", "11", "functions/datetime"),
    (
        "CAST(from_iso8601_timestamp('2020-05-11T11:15:05+01:30') AS timestamp)",
        "2020-05-11 11:15:05.000",
        "functions/datetime",
    ),
    ("CAST(from_iso8601_timestamp('2020-05-11T00:15:05+01:30') AS date)", "2020-05-11", "functions/datetime"),
    (
        "CAST(from_iso8601_timestamp('2020-05-11T11:15:05.123+01:30') AS varchar)",
        "2020-05-11 11:15:05.123 +01:30",
        "functions/datetime",
    ),
    (
        "from_iso8601_timestamp('2020-05-11T11:15:05+01:30') = TIMESTAMP '2020-05-11 09:45:05 UTC'",
        "true",
        "functions/datetime",
    ),
    (
        ("from_iso8601_timestamp('2020-05-11T11:15:05+01:30') > from_iso8601_timestamp('2020-05-11T10:15:05Z')"),
        "false",
        "functions/datetime",
    ),
    ("to_unixtime(from_iso8601_timestamp('2020-05-11T11:15:05+01:30'))", "1.589190305E9", "functions/datetime"),
    (
        "from_iso8601_timestamp('2020-05-11T11:15:05+01:30') AT TIME ZONE 'America/Los_Angeles'",
        "2020-05-11 02:45:05.000 America/Los_Angeles",
        "functions/datetime",
    ),
    (
        "TIMESTAMP '2012-10-31 01:00 UTC' AT TIME ZONE 'America/Los_Angeles'",
        "2012-10-30 18:00:00.000 America/Los_Angeles",
        "functions/datetime",
    ),
    (
        "at_timezone(TIMESTAMP '2012-10-31 01:00 UTC', 'Asia/Kolkata')",
        "2012-10-31 06:30:00.000 Asia/Kolkata",
        "functions/datetime",
    ),
    (
        "with_timezone(TIMESTAMP '2012-10-31 01:00', 'Asia/Kolkata')",
        "2012-10-31 01:00:00.000 Asia/Kolkata",
        "functions/datetime",
    ),
    ("hour(TIMESTAMP '2012-10-31 01:00 UTC' AT TIME ZONE 'America/Los_Angeles')", "18", "functions/datetime"),
    ("date(TIMESTAMP '2012-10-31 01:00 UTC' AT TIME ZONE 'America/Los_Angeles')", "2012-10-30", "functions/datetime"),
    ("from_iso8601_timestamp('2020-05-11T11:15:05')", "2020-05-11 11:15:05.000 UTC", "functions/datetime"),
    ("from_iso8601_timestamp('2020-05-11T11:15:05.055+01:00')", "2020-05-11 11:15:05.055 +01:00", "functions/datetime"),
    ("from_iso8601_timestamp('2020-05-11')", "2020-05-11 00:00:00.000 UTC", "functions/datetime"),
    (
        "from_iso8601_timestamp('2020-05-11T11:15:05+01:30') + INTERVAL '1' DAY",
        "2020-05-12 11:15:05.000 +01:30",
        "functions/datetime",
    ),
    (
        ("from_iso8601_timestamp('2020-05-11T11:15:05+01:30') - from_iso8601_timestamp('2020-05-11T11:15:05Z')"),
        "-0 01:30:00.000",
        "functions/datetime",
    ),
    (
        "date_add('hour', 5, from_iso8601_timestamp('2020-05-11T23:15:05+01:30'))",
        "2020-05-12 04:15:05.000 +01:30",
        "functions/datetime",
    ),
    (
        (
            "date_diff('hour', from_iso8601_timestamp('2020-05-11T23:15:05+01:30'), from_iso8601_timest"
            "amp('2020-05-11T23:15:05Z'))"
        ),
        "1",
        "functions/datetime",
    ),
    (
        "x FROM (SELECT from_iso8601_timestamp('2020-05-11T11:15:05+01:00') AS x) t",
        Refused("NOT_SUPPORTED_LOCALLY: a timestamp in the time zone +01:00 in a column"),
        "functions/datetime",
    ),
    (
        "hour(x) FROM (SELECT from_iso8601_timestamp('2020-05-11T11:15:05+01:00') AS x) t",
        Refused("NOT_SUPPORTED_LOCALLY: a timestamp in the time zone +01:00 in a column"),
        "functions/datetime",
    ),
    ("hour(x) FROM (SELECT from_iso8601_timestamp('2020-05-11T11:15:05Z') AS x) t", "11", "functions/datetime"),
    (
        "hour(coalesce(try(from_iso8601_timestamp('2020-05-11T11:15:05+01:00')), from_unixtime(0)))",
        "11",
        "functions/datetime",
    ),
    ("hour(if(true, from_iso8601_timestamp('2020-05-11T11:15:05+01:00')))", "11", "functions/datetime"),
    (
        ("max(from_iso8601_timestamp(x)) FROM (VALUES '2020-05-11T11:15:05Z', '2020-05-12T11:15:05Z') t(x)"),
        "2020-05-12 11:15:05.000 UTC",
        "functions/datetime",
    ),
    (
        "array_agg(from_iso8601_timestamp(x)) FROM (VALUES '2020-05-11T11:15:05+02:00') t(x)",
        Refused("NOT_SUPPORTED_LOCALLY: a timestamp in the time zone +02:00 in a column"),
        "functions/datetime",
    ),
    ("from_unixtime(1591804523, 'Asia/Kolkata')", "2020-06-10 21:25:23.000 Asia/Kolkata", "functions/datetime"),
    (
        "CAST('2020-01-01 00:00:00 UTC' AS timestamp with time zone)",
        "2020-01-01 00:00:00.000 UTC",
        "functions/datetime",
    ),
    ("current_date = date(now())", "true", "functions/datetime"),
    (
        "date_diff('day', TIMESTAMP '2020-03-01 00:00:00 UTC', TIMESTAMP '2020-03-02 01:00:00')",
        "1",
        "functions/datetime",
    ),
    ("to_unixtime(TIMESTAMP '2020-05-11 11:15:05.055 UTC')", "1.589195705055E9", "functions/datetime"),
    ("from_iso8601_timestamp('2020-05-11T11:15:05.123456Z')", "2020-05-11 11:15:05.123 UTC", "functions/datetime"),
    (
        "from_iso8601_timestamp('2020-05-11T11')",
        Refused('NOT_SUPPORTED_LOCALLY: from_iso8601_timestamp of "2020-05-11T11"'),
        "functions/datetime",
    ),
    ("from_iso8601_timestamp('2020-05-11T11:15')", "2020-05-11 11:15:00.000 UTC", "functions/datetime"),
    ("from_iso8601_timestamp('2020-05-11 11:15:05')", Refused("INVALID_FUNCTION_ARGUMENT:"), "functions/datetime"),
    (
        "from_iso8601_timestamp('2020-W10')",
        Refused('NOT_SUPPORTED_LOCALLY: from_iso8601_timestamp of "2020-W10"'),
        "functions/datetime",
    ),
    ("localtimestamp = CAST(now() AS timestamp)", "true", "functions/datetime"),
    ("TIMESTAMP '2020-01-01 00:00:00' = TIMESTAMP '2020-01-01 00:00:00 UTC'", "true", "functions/datetime"),
    (
        "TIMESTAMP '2001-08-22 03:04:05.321 America/Los_Angeles'",
        "2001-08-22 03:04:05.321 America/Los_Angeles",
        "functions/datetime",
    ),
    (
        "TIMESTAMP '2012-10-31 01:00 America/Los_Angeles' AT TIME ZONE 'UTC'",
        "2012-10-31 08:00:00.000 UTC",
        "functions/datetime",
    ),
    ("at_timezone(TIMESTAMP '2012-10-31 01:00 UTC', '+05:30')", "2012-10-31 06:30:00.000 +05:30", "functions/datetime"),
    (
        "with_timezone(TIMESTAMP '2021-08-01 00:00:00', 'Europe/Paris')",
        "2021-08-01 00:00:00.000 Europe/Paris",
        "functions/datetime",
    ),
    ("date_add('day', -1, TIMESTAMP '2020-03-01 00:00:00 UTC')", "2020-02-29 00:00:00.000 UTC", "functions/datetime"),
    (
        "date_diff('hour', TIMESTAMP '2020-03-01 00:00:00 UTC', TIMESTAMP '2020-03-02 00:00:00 UTC')",
        "24",
        "functions/datetime",
    ),
    (
        "date_format(TIMESTAMP '2022-10-20 05:10:00 UTC' AT TIME ZONE 'Asia/Kolkata', '%H:%i')",
        "10:40",
        "functions/datetime",
    ),
    (
        "extract(timezone_hour FROM TIMESTAMP '2022-10-20 05:10:00 +05:30')",
        Refused("NOT_SUPPORTED_LOCALLY: EXTRACT(TIMEZONE_HOUR FROM ...)"),
        "functions/datetime",
    ),
    (
        "timezone_hour(TIMESTAMP '2022-10-20 05:10:00 +05:30')",
        Refused("NOT_SUPPORTED_LOCALLY: function timezone_hour"),
        "functions/datetime",
    ),
    (
        "timezone_minute(TIMESTAMP '2022-10-20 05:10:00 +05:30')",
        Refused("NOT_SUPPORTED_LOCALLY: function timezone_minute"),
        "functions/datetime",
    ),
    ("hour(with_timezone(TIMESTAMP '2020-01-01 23:00:00', 'Asia/Tokyo'))", "23", "functions/datetime"),
    ("day(at_timezone(TIMESTAMP '2020-01-01 23:00:00 UTC', 'Asia/Tokyo'))", "2", "functions/datetime"),
    (
        "CAST(at_timezone(TIMESTAMP '2020-01-01 23:00:00 UTC', 'Asia/Tokyo') AS date)",
        "2020-01-02",
        "functions/datetime",
    ),
    (
        "CAST(TIMESTAMP '2020-01-01 23:00:00 Asia/Tokyo' AS varchar)",
        "2020-01-01 23:00:00 Asia/Tokyo",
        "functions/datetime",
    ),
    ("CAST(TIMESTAMP '2020-01-01 23:00:00 Asia/Tokyo' AS timestamp)", "2020-01-01 23:00:00.000", "functions/datetime"),
    ("to_unixtime(TIMESTAMP '2020-01-01 23:00:00 Asia/Tokyo')", "1.5778872E9", "functions/datetime"),
    ("TIMESTAMP '2020-01-01 23:00:00 Asia/Tokyo' = TIMESTAMP '2020-01-01 14:00:00 UTC'", "true", "functions/datetime"),
    (
        (
            "TIMESTAMP '2020-01-01 23:00:00 Asia/Tokyo' BETWEEN TIMESTAMP '2020-01-01 13:00:00 UTC' AND"
            " TIMESTAMP '2020-01-01 15:00:00 UTC'"
        ),
        "true",
        "functions/datetime",
    ),
    (
        "date_trunc('day', TIMESTAMP '2020-01-01 23:00:00 Asia/Tokyo')",
        "2020-01-01 00:00:00.000 Asia/Tokyo",
        "functions/datetime",
    ),
    (
        "date_trunc('month', from_iso8601_timestamp('2020-03-01T00:30:00+05:30'))",
        "2020-03-01 00:00:00.000 +05:30",
        "functions/datetime",
    ),
    (
        "date_add('day', 1, from_iso8601_timestamp('2020-03-01T00:30:00+05:30'))",
        "2020-03-02 00:30:00.000 +05:30",
        "functions/datetime",
    ),
    ("last_day_of_month(from_iso8601_timestamp('2020-03-01T00:30:00+05:30'))", "2020-03-31", "functions/datetime"),
    ("day_of_week(from_iso8601_timestamp('2020-03-01T00:30:00+05:30'))", "7", "functions/datetime"),
    ("week(from_iso8601_timestamp('2020-03-02T00:30:00+05:30'))", "10", "functions/datetime"),
    ("quarter(from_iso8601_timestamp('2020-04-01T00:30:00+05:30'))", "2", "functions/datetime"),
    ("year(from_iso8601_timestamp('2021-01-01T00:30:00+05:30'))", "2021", "functions/datetime"),
    ("month(from_iso8601_timestamp('2021-01-01T00:30:00+05:30'))", "1", "functions/datetime"),
    ("day_of_year(from_iso8601_timestamp('2021-01-01T00:30:00+05:30'))", "1", "functions/datetime"),
    ("second(from_iso8601_timestamp('2021-01-01T00:30:07+05:30'))", "7", "functions/datetime"),
    ("millisecond(from_iso8601_timestamp('2021-01-01T00:30:07.25+05:30'))", "250", "functions/datetime"),
    ("from_iso8601_timestamp('2020-05-11T11:15:05-08:00')", "2020-05-11 11:15:05.000 -08:00", "functions/datetime"),
    ("from_iso8601_timestamp('2020-05-11T11:15:05+0530')", "2020-05-11 11:15:05.000 +05:30", "functions/datetime"),
    ("from_iso8601_timestamp('2020-05-11T11:15:05+05')", "2020-05-11 11:15:05.000 +05:00", "functions/datetime"),
    ("from_iso8601_timestamp('2020-05-11T11:15:05-00:00')", "2020-05-11 11:15:05.000 UTC", "functions/datetime"),
    (
        ("from_iso8601_timestamp('2020-05-11T11:15:05+01:00') = from_iso8601_timestamp('2020-05-11T10:15:05Z')"),
        "true",
        "functions/datetime",
    ),
    (
        ("from_iso8601_timestamp('2020-05-11T11:15:05+01:00') < from_iso8601_timestamp('2020-05-11T10:15:06Z')"),
        "true",
        "functions/datetime",
    ),
    (
        ("from_iso8601_timestamp('2020-05-11T11:15:05+01:00') IN (from_iso8601_timestamp('2020-05-11T10:15:05Z'))"),
        "true",
        "functions/datetime",
    ),
    ("DATE '2020-05-11' = date(from_iso8601_timestamp('2020-05-11T00:15:05+01:00'))", "true", "functions/datetime"),
    (
        "CAST(from_iso8601_timestamp('2020-05-11T00:15:05+01:00') AT TIME ZONE 'UTC' AS date)",
        "2020-05-10",
        "functions/datetime",
    ),
    ("CASE WHEN true THEN hour(from_iso8601_timestamp('2020-05-11T11:15:05+01:00')) END", "11", "functions/datetime"),
    (
        "hour(CASE WHEN false THEN now() ELSE from_iso8601_timestamp('2020-05-11T11:15:05+01:00') END)",
        "11",
        "functions/datetime",
    ),
    ("try(from_iso8601_timestamp('bad'))", None, "functions/datetime"),
    ("hour(try(from_iso8601_timestamp('2020-05-11T11:15:05+01:00')))", "11", "functions/datetime"),
    (
        "CASE WHEN true THEN from_iso8601_timestamp('2020-05-11T11:15:05+01:00') END",
        "2020-05-11 11:15:05.000 +01:00",
        "functions/datetime",
    ),
    (
        "coalesce(from_iso8601_timestamp('2020-05-11T11:15:05+01:00'), now())",
        "2020-05-11 11:15:05.000 +01:00",
        "functions/datetime",
    ),
    (
        ("count(x), min(to_unixtime(from_iso8601_timestamp(x))) FROM (VALUES '2020-05-11T11:15:05+01:00') t(x)"),
        [("1", "1.589192105E9")],
        "functions/datetime",
    ),
    (
        (
            "hour(from_iso8601_timestamp(x)), date(from_iso8601_timestamp(x)) FROM (VALUES '2020-05-11T"
            "23:15:05-02:00', '2020-05-11T00:15:05Z') t(x)"
        ),
        [("23", "2020-05-11"), ("0", "2020-05-11")],
        "functions/datetime",
    ),
    (
        (
            "date(from_iso8601_timestamp(x)) AS d, count(*) FROM (VALUES '2020-05-11T23:15:05-02:00', '"
            "2020-05-11T00:15:05Z') t(x) GROUP BY date(from_iso8601_timestamp(x))"
        ),
        [("2020-05-11", "2")],
        "functions/datetime",
    ),
    (
        (
            "x FROM (VALUES '2020-05-11T23:15:05-02:00', '2020-05-12T00:15:05Z') t(x) ORDER BY from_iso"
            "8601_timestamp(x) DESC"
        ),
        [("2020-05-11T23:15:05-02:00",), ("2020-05-12T00:15:05Z",)],
        "functions/datetime",
    ),
    (
        ("from_iso8601_timestamp(x) FROM (VALUES '2020-05-11T23:15:05-02:00', '2020-05-12T00:15:05Z') t(x) ORDER BY 1"),
        [("2020-05-12 00:15:05.000 UTC",), ("2020-05-11 23:15:05.000 -02:00",)],
        "functions/datetime",
    ),
    (
        "DISTINCT from_iso8601_timestamp(x) FROM (VALUES '2020-05-11T23:15:05-02:00') t(x)",
        Refused("NOT_SUPPORTED_LOCALLY: a timestamp in the time zone -02:00 in a column"),
        "functions/datetime",
    ),
    (
        "ARRAY[from_iso8601_timestamp('2020-05-11T11:15:05+01:00')]",
        Refused("NOT_SUPPORTED_LOCALLY: a timestamp in the time zone +01:00 in a column"),
        "functions/datetime",
    ),
    (
        "ROW(from_iso8601_timestamp('2020-05-11T11:15:05+01:00'))",
        Refused("NOT_SUPPORTED_LOCALLY: a timestamp in the time zone +01:00 in a column"),
        "functions/datetime",
    ),
    (
        "max(x) FROM (VALUES from_iso8601_timestamp('2020-05-11T11:15:05+01:00')) t(x)",
        Refused("NOT_SUPPORTED_LOCALLY: a timestamp in the time zone +01:00 in a column"),
        "functions/datetime",
    ),
    (
        ("SELECT a.x FROM (SELECT from_iso8601_timestamp('2020-05-11T11:15:05+01:00') AT TIME ZONE 'UTC' AS x) a"),
        "2020-05-11 10:15:05.000 UTC",
        "functions/datetime",
    ),
    (
        (
            "greatest(from_iso8601_timestamp('2020-05-11T11:15:05+01:00'), from_iso8601_timestamp('2020"
            "-05-11T11:15:05Z'))"
        ),
        Refused("NOT_SUPPORTED_LOCALLY: a timestamp in the time zone +01:00 in a column"),
        "functions/datetime",
    ),
    (
        "format_datetime(from_iso8601_timestamp('2020-05-11T11:15:05+01:00'), 'ZZ')",
        Refused("NOT_SUPPORTED_LOCALLY: format_datetime pattern ZZ"),
        "functions/datetime",
    ),
    (
        "to_iso8601(from_iso8601_timestamp('2020-05-11T11:15:05+01:00'))",
        Refused("NOT_SUPPORTED_LOCALLY: to_iso8601(timestamp(3) with time zone)"),
        "functions/datetime",
    ),
    (
        ("SELECT * FROM (SELECT 1.50 AS a, ROW(1, 2) AS r, INTERVAL '1' DAY AS i, 1e0 AS d, now() = now() AS n)"),
        [("1.50", "{field0=1, field1=2}", "1 00:00:00.000", "1.0", "true")],
        "functions/datetime",
    ),
    (
        (
            "SELECT CAST(from_unixtime(0) AS date) = DATE '1970-01-01', from_unixtime(0) < now(), from_"
            "unixtime(0) + INTERVAL '1' DAY, date_trunc('day', from_unixtime(90000))"
        ),
        [("true", "true", "1970-01-02 00:00:00.000 UTC", "1970-01-02 00:00:00.000 UTC")],
        "functions/datetime",
    ),
    (
        (
            "SELECT year(now()) > 2000, current_date > DATE '2000-01-01', current_timestamp > TIMESTAMP"
            " '2000-01-01 00:00:00', localtimestamp > TIMESTAMP '2000-01-01 00:00:00'"
        ),
        [("true", "true", "true", "true")],
        "functions/datetime",
    ),
    ("SELECT to_char(now(), 'YYYY')", Refused("FUNCTION_NOT_FOUND:"), "functions/datetime"),
]
