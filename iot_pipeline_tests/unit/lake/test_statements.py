"""Every statement the project issues, rendered for people to read, and held to Trino's language.

`UPDATE_SNAPSHOTS=1 pytest iot_pipeline_tests/unit/lake/test_statements.py` writes them anew.
"""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlglot import exp

from infra.local.athena.sql.dialect import parse_query
from infra.local.athena.sql.functions import FUNCTIONS
from infra.local.athena.sql.translate import to_duckdb
from iot_pipeline.contract import CONTRACT, tables
from iot_pipeline.contract.contract import RESERVED, STEPS_OF_METRIC
from iot_pipeline.lake import statements
from iot_pipeline.lake.hours import Day, Hour
from iot_pipeline.lake.statements import Target
from iot_pipeline_tests.support.snapshots import Snapshots

_HOUR = Hour(datetime(2026, 11, 5, 12, tzinfo=UTC))
_LAST_YEAR = Hour(datetime(2025, 12, 31, 23, tzinfo=UTC))

# A value for each parameter by its name; a new parameter without one fails below.
ARGUMENTS = {
    "contract": CONTRACT,
    "unnoted_stand": False,
    "unreadable": {f"s3://lake/raw/telemetry/{_HOUR.path}it's.gz": "expected gzip, as the name says; it isn't"},
    "hours": [_HOUR, _HOUR + 1, _HOUR + 12],
    "event_hours": [_HOUR, _HOUR + 1, _LAST_YEAR],
    "arrivals": [_HOUR, _HOUR + 1],
    "event_hour": _HOUR,
    "hour": _HOUR,
    "day": Day.of(_HOUR.start),
    "fresh": [f"s3://lake/raw/telemetry/{_HOUR.path}new.gz"],
    "outdated": [f"s3://lake/raw/telemetry/{_HOUR.path}overwritten.gz"],
    "taken_over": _HOUR,
    "objects": [f"s3://lake/judged/v=20261105T120000_0a1b2c3d/{_HOUR.path}new"],
    "first": _HOUR + -168,
    "last": _HOUR,
    "table": "build_curated_telemetry_20261105t120000_0a1b2c3d",
    "judged_table": "build_judged_telemetry_20261105t120000_0a1b2c3d",
    "zone": tables().ledger,
    "tenants": ["acme", "it's"],
    "days": [Day(datetime(2026, 11, 5, tzinfo=UTC)), Day(datetime(2026, 11, 6, tzinfo=UTC))],
    "target": Target("build_20261105t120000_0a1b2c3d", "s3://lake/zone/v=20261105T120000_0a1b2c3d/"),
}

SNAPSHOTS = Snapshots(Path(__file__).parent / "snapshots", statements, ARGUMENTS)
STATEMENTS = SNAPSHOTS.names


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_statement_is_as_in_its_snapshot(name: str) -> None:
    SNAPSHOTS.check(name)


def test_there_is_no_snapshot_of_a_statement_that_is_no_more() -> None:
    SNAPSHOTS.check_complete()


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_statement_is_in_trinos_language(name: str) -> None:
    tree = parse_query(SNAPSHOTS.rendered(name))
    query = tree.expression if isinstance(tree, exp.Create) else tree
    assert to_duckdb(query), "every function and type has a translation, and so a probe"
    called = {call.name.lower() for call in tree.find_all(exp.Anonymous)}
    assert called <= set(FUNCTIONS) | {"if", "try", "row"}, f"not Trino's: {called - set(FUNCTIONS)}"


# DuckDB's words that a parser might let through; none of them is in Trino's grammar or function list.
_DUCKDB = r"""\b(qualify|read_json\w*|read_parquet|read_csv\w*|struct_extract|struct_pack|list_\w+|regexp_matches
    |strftime|strptime|epoch_ms|json_extract_string|exclude|ilike|asof|pivot|unpivot|sample|try_strptime|string_split|hash)\b|::|\?\?"""


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_statement_has_none_of_duckdbs_words(name: str) -> None:
    text = re.sub(r"'[^']*'", "''", SNAPSHOTS.rendered(name).partition("\n")[2])
    assert not re.search(_DUCKDB, text, re.IGNORECASE | re.VERBOSE)


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_statement_on_the_lakes_tables_names_its_partitions(name: str) -> None:
    text = SNAPSHOTS.rendered(name)
    for table in ("raw_lines", "judged_telemetry", "ledger", "quarantined_telemetry", "curated_telemetry"):
        for match in re.finditer(rf"FROM {table}\b(.*?)(?=FROM |\Z)", text, re.DOTALL):
            assert re.search(r"year = '", match[1]), f"{table} is read whole"
            assert not re.search(r"\|\| hour BETWEEN|date_parse\(|concat\(", match[1]), (
                f"{table}: Glue cannot filter by that"
            )


def test_no_metric_may_be_named_like_another_column_of_a_build() -> None:
    named = set(
        re.findall(r"\bAS ([a-z_]+)\b", SNAPSHOTS.rendered("build_judged") + SNAPSHOTS.rendered("build_curated"))
    )
    stored = {
        column.name for table in (tables().judged_telemetry, tables().curated_telemetry) for column in table.columns
    }
    metrics = {metric.name for metric in CONTRACT.metrics}
    assert {"arrival", "detail", "ts_text"} <= named | stored
    of_metrics = {f"{metric}{suffix}" for metric in metrics for suffix in STEPS_OF_METRIC}
    assert (named | stored) - metrics - of_metrics <= RESERVED


def test_the_words_test_would_notice() -> None:
    assert re.search(_DUCKDB, "SELECT a FROM t QUALIFY 1", re.IGNORECASE | re.VERBOSE)
    assert re.search(_DUCKDB, "SELECT a::int", re.IGNORECASE | re.VERBOSE)
