"""Every statement of the loads, rendered for people to read, and held to Redshift's language.

`UPDATE_SNAPSHOTS=1 pytest iot_pipeline_tests/unit/warehouse/test_statements.py` writes them anew.
"""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from infra.local.redshift.copy.command import CopyCommand, parse_command
from infra.local.redshift.dialect import check
from iot_pipeline.contract import CONTRACT
from iot_pipeline.lake.hours import Day, Hour
from iot_pipeline.lake.notes import Counts
from iot_pipeline.warehouse import statements
from iot_pipeline.warehouse.tables import (
    BUILD_LOCK,
    LandingColumn,
    LandingTable,
    landing_tables,
    readings,
    registry_tables,
)
from iot_pipeline_tests.support.snapshots import Snapshots

_HOUR = Hour(datetime(2026, 11, 5, 12, tzinfo=UTC))
_DAY = Day.of(_HOUR.start)

# A value for each parameter by its name; a new parameter without one fails below.
ARGUMENTS = {
    "table": registry_tables()[2],
    "lock_table": BUILD_LOCK,
    "column": LandingColumn("moisture", "double precision"),
    "contract": CONTRACT,
    "hours": [_HOUR, _HOUR + 1, _HOUR + 12],
    "event_hour": _HOUR,
    "day": _DAY,
    "days": [_DAY, _DAY + 3],
    "location": "s3://lake/curated/telemetry/v=20261105T130000_0a1b2c3d/year=2026/month=11/day=05/hour=12/",
    "columns": readings(CONTRACT).column_names,
    "role_arn": "arn:aws:iam::123456789012:role/warehouse-copy",
    "counts": Counts(rows=90, duplicates=7, conflicts=3),
    "loaded_at": datetime(2026, 11, 5, 13, 5, 7, 250000, tzinfo=UTC),
    "key": ("tenant_id", "site_id"),
    "content": "0123456789abcdef",
    "contents": {_HOUR: "0123456789abcdef", _HOUR + 1: "fedcba9876543210"},
}

SNAPSHOTS = Snapshots(Path(__file__).parent / "snapshots", statements, ARGUMENTS)
STATEMENTS = SNAPSHOTS.names


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_statement_is_as_in_its_snapshot(name: str) -> None:
    SNAPSHOTS.check(name)


def test_there_is_no_snapshot_of_a_statement_that_is_no_more() -> None:
    SNAPSHOTS.check_complete()


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_statement_is_one_that_redshift_takes(name: str) -> None:
    sql = SNAPSHOTS.rendered(name).partition("\n")[2]
    if not isinstance(parse_command(sql), CopyCommand):
        check(sql)


@pytest.mark.parametrize("table", landing_tables(CONTRACT), ids=lambda table: table.full_name)
def test_a_table_is_one_that_redshift_takes(table: LandingTable) -> None:
    check(statements.create_table(table))


def test_the_readings_are_sorted_and_distributed_for_their_readers() -> None:
    ddl = statements.create_readings(CONTRACT)
    assert "DISTKEY (device_id)" in ddl
    assert "COMPOUND SORTKEY (event_time, device_id)" in ddl


@pytest.mark.parametrize("content", ["x', 0); DROP TABLE lake.readings; --", "a\\", "a\nb"])
def test_a_content_id_of_the_catalog_does_not_become_sql(content: str) -> None:
    location, now = "s3://lake/curated/", datetime(2026, 11, 5, tzinfo=UTC)
    with pytest.raises(ValueError, match="is not a content id"):
        statements.insert_load(_HOUR, content, location, Counts(1), now)
    with pytest.raises(ValueError, match="is not a content id"):
        statements.insert_episode_load(Day.of(now), content, location, Counts(1), now)
    with pytest.raises(ValueError, match="is not a content id"):
        statements.note_contents({_HOUR: content})


@pytest.mark.parametrize(
    "location",
    ["s3://lake/x' IAM_ROLE 'other", "s3://lake/a\\b", "s3://lake/a b", "file:///etc/passwd", "s3://lake", ""],
)
def test_a_location_of_the_catalog_does_not_become_sql(location: str) -> None:
    with pytest.raises(ValueError, match="is not a location in S3"):
        statements.copy_readings(location, ["event_time"], "role")
    with pytest.raises(ValueError, match="is not a location in S3"):
        statements.insert_load(_HOUR, "0123456789abcdef", location, Counts(1), datetime(2026, 11, 5, tzinfo=UTC))
