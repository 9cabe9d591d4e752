"""The lake's statements in Spark's SQL: all that build and audit are rendered, and what is not known is refused."""

from datetime import UTC, datetime

import pytest

from iot_pipeline.contract import CONTRACT
from iot_pipeline.lake import statements
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.statements import Target
from iot_pipeline.spark.rendering import JUDGED_LINES, RECEIVED_LINES, UnsupportedStatementError, read, tables_in
from iot_pipeline.spark.scans import hours_named

HOURS = [Hour.of(datetime(2026, 11, day, hour, tzinfo=UTC)) for day in (17, 18) for hour in (3, 4, 23)]
FIRST = HOURS[0]
TARGET = Target("build_x", "s3://bucket/judged/telemetry/v=1/")
URI = f"s3://bucket/raw/telemetry/{FIRST.path}o'b\\j.gz"
BUILDS = {
    "judged": statements.build_judged(CONTRACT, HOURS, TARGET, {URI: "it's cut off"}),
    "increment": statements.build_judged_increment(CONTRACT, FIRST, [URI], TARGET),
    "rebuilt": statements.rebuild_judged(CONTRACT, FIRST, [URI], [URI], TARGET),
    "ledger": statements.build_ledger(CONTRACT, "build_j", TARGET, FIRST),
    "quarantine": statements.build_quarantine(HOURS, TARGET, [URI]),
    "curated": statements.build_curated(CONTRACT, HOURS, HOURS, TARGET),
}
NOT_OURS = ("DROP TABLE ledger", "CREATE TABLE a AS SELECT 1", "SELECT FROM WHERE", "INSERT INTO a SELECT 1")
QUESTIONS = {
    "received": statements.received_in_arrival_hours(HOURS, [URI]),
    "marks": statements.marks_of_build("build_l"),
    "counted": statements.count_built("build_c"),
    "balance": statements.balance_of_event_hours(HOURS),
    "objects": statements.objects_of_arrival_hours(HOURS),
}


@pytest.mark.parametrize("name", BUILDS)
def test_a_build_is_rendered_and_keeps_its_target(name: str) -> None:
    statement = read(BUILDS[name], CONTRACT)
    assert statement.target == TARGET
    assert statement.sql()
    judges = name in {"judged", "increment", "rebuilt"}
    assert (statement.lines is not None) == judges
    assert (JUDGED_LINES in {table.name for table in tables_in(statement.query)}) == judges


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_is_rendered(name: str) -> None:
    statement = read(QUESTIONS[name], CONTRACT)
    assert statement.target is None
    assert statement.sql()


def test_literals_keep_their_quotes_and_backslashes() -> None:
    """Spark takes a backslash in a literal for an escape, Athena for itself."""
    assert "o\\'b\\\\j.gz" in read(BUILDS["judged"], CONTRACT).sql()


def test_what_is_ordered_puts_nulls_last_as_athena_does() -> None:
    sql = read(BUILDS["curated"], CONTRACT).sql()
    assert "temperature NULLS LAST" in sql
    assert "arrival DESC," in sql


def test_a_checksum_tells_nulls_apart() -> None:
    """Spark's hash passes over nulls: 1 and null would have the hash of null and 1."""
    assert "(temperature) IS NULL, (temperature)" in read(BUILDS["ledger"], CONTRACT).sql()


def test_what_was_received_is_counted_from_lines() -> None:
    statement = read(QUESTIONS["received"], CONTRACT)
    assert RECEIVED_LINES in {table.name for table in tables_in(statement.query)}


@pytest.mark.parametrize(
    ("sql", "named"),
    [
        ("SELECT day_of_week(event_time) FROM ledger", "DayOfWeek"),
        ("SELECT 7 / 2", "Div"),
        ("SELECT to_hex(sha256(to_utf8(object))) FROM ledger", "Hex"),
        ("SELECT approx_percentile(number, 0.5) FROM ledger", "ApproxQuantile"),
        ("SELECT from_unixtime(1.5)", "UnixToTime"),
        ("SELECT TRY(CAST(object AS BIGINT)) FROM ledger", "Try"),
        ("SELECT json_extract_scalar(extras, '$.a') FROM judged_telemetry", "JSON"),
        ("SELECT greatest(1, NULL)", "Greatest"),
        ("SELECT CAST(object AS VARBINARY) FROM ledger", "cast to"),
        ("SELECT date_trunc('week', event_hour) FROM ledger", "unit"),
        ("SELECT json_format(CAST(extras AS JSON)) FROM ledger", "json_format"),
        ("SELECT object FROM ledger CROSS JOIN UNNEST(ARRAY[1]) WITH ORDINALITY AS t(a, b)", "Unnest"),
    ],
)
def test_what_means_something_else_to_spark_is_refused_by_name(sql: str, named: str) -> None:
    with pytest.raises(UnsupportedStatementError, match=named):
        read(sql, CONTRACT).sql()


@pytest.mark.parametrize("sql", NOT_OURS)
def test_what_is_no_statement_of_the_lake_is_refused(sql: str) -> None:
    with pytest.raises(UnsupportedStatementError):
        read(sql, CONTRACT)


def test_the_hours_of_a_predicate_are_found_and_a_table_is_never_read_whole() -> None:
    query = read(statements.balance_of_event_hours(HOURS), CONTRACT).query
    assert hours_named(query) == sorted(HOURS)  # type: ignore[arg-type]  # a SELECT, as the statement is
    whole = read("SELECT object FROM ledger WHERE outcome = 'valid'", CONTRACT).query
    with pytest.raises(UnsupportedStatementError, match="no partitions"):
        hours_named(whole)  # type: ignore[arg-type]  # so is this
