"""The statements on what was streamed are Athena's, and the local Athena runs them."""

from datetime import UTC, datetime

import pytest
from sqlglot import exp

from infra.local.athena.sql.dialect import parse_query
from infra.local.athena.sql.translate import to_duckdb
from iot_pipeline.contract import CONTRACT, tables
from iot_pipeline.lake.hours import Hour
from iot_pipeline.streaming import statements

HOUR = Hour(datetime(2026, 11, 5, 12, tzinfo=UTC))
VIEWS = {"recent": statements.recent_view(CONTRACT), "now": statements.now_view(CONTRACT)}
QUERIES = {
    **{name: sql.partition(" AS\n")[2] for name, sql in VIEWS.items()},
    "compared": statements.compared_hours(CONTRACT, [HOUR, HOUR + 1], HOUR.start),
    "waiting": statements.waiting_batches([HOUR], ["18d65ce062884921-0000000007"]),
}


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_is_one_of_athena(name: str) -> None:
    assert to_duckdb(parse_query(QUERIES[name]))


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_has_every_column_of_the_curated_table(name: str) -> None:
    query = parse_query(QUERIES[name])
    assert isinstance(query, exp.Query)
    selected = query.named_selects
    columns = [column.name for column in tables().curated_telemetry.columns]
    assert selected[: len(columns)] == columns
    assert selected[-4:] == ["year", "month", "day", "hour"]
