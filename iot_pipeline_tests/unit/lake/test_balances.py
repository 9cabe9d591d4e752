"""When an event hour is loaded, and when its books balance."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from iot_pipeline.contract import CONTRACT, METRICS, Contract, Metric, Unit, tables
from iot_pipeline.lake.catalog import Partition
from iot_pipeline.lake.hours import Hour
from iot_pipeline.warehouse.balance import Counts, HourBalance
from iot_pipeline.warehouse.tables import LandingColumn, landing_tables, readings

HOUR = Hour(datetime(2026, 11, 5, 12, tzinfo=UTC))
NINE, TEN, NONE = Counts(9, 1, 0), Counts(10, 1, 0), Counts()


def balance(curated: str | None, loaded: str | None, *counts: Counts) -> HourBalance:
    return HourBalance(HOUR, curated, loaded, *counts)


@pytest.mark.parametrize(
    ("state", "is_current", "balances"),
    [
        (balance("v=1", "v=1", NINE, NINE, NINE), True, True),
        (balance("v=2", "v=1", TEN, NINE, NINE), False, True),  # curated has moved on; what is loaded is whole
        (balance("v=1", "v=1", NINE, NINE, TEN), True, False),  # rows from elsewhere
        (balance("v=2", "v=1", TEN, NINE, NONE), False, False),  # rows gone
        (balance("v=1", "v=1", TEN, NINE, NINE), True, False),  # the note was wrong from the start
        (balance("v=1", None, NINE, NONE, NONE), False, True),
        (balance(None, None, NONE, NONE, NONE), True, True),
        (balance(None, None, NONE, NONE, NINE), True, False),
        (balance("v=2", "v=1", NONE, NINE, NINE), False, True),
    ],
)
def test_an_hour(state: HourBalance, is_current: bool, balances: bool) -> None:
    assert (state.is_current, state.balances) == (is_current, balances)


def test_counts_come_as_sql_and_glue_give_them() -> None:
    assert Counts.of((9, Decimal(1), Decimal(0))) == NINE
    noted = {"rows": "9", "duplicates": "1", "conflicts": "0", "valid": "10"}
    assert Counts.noted_with(Partition(HOUR, "s3://lake/v=1/", noted)) == NINE


def test_a_partition_without_notes_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"2026-11-05 12:00Z: .* has no rows, conflicts noted.* build the hour again"):
        Counts.noted_with(Partition(HOUR, "s3://lake/v=1/", {"duplicates": "1"}))


def test_the_readings_have_the_curated_columns_in_their_order() -> None:
    assert readings(CONTRACT).column_names == tuple(c.name for c in tables().curated_telemetry.columns)
    moisture = Metric("moisture", (Unit("%"),), 0.0, 100.0, 10.0, "Soil moisture.")
    wider = readings(Contract(metrics=(*METRICS, moisture)))
    assert LandingColumn("moisture", "double precision") in wider.columns
    assert len(wider.columns) == len(readings(CONTRACT).columns) + 1


def test_the_landing_tables() -> None:
    assert [table.full_name for table in landing_tables(CONTRACT)] == [
        "lake.write_lock",
        "lake.build_lock",
        "lake.readings",
        "lake.loads",
        "registry.tenants",
        "registry.customers",
        "registry.site_versions",
        "registry.device_models",
        "registry.device_versions",
        "registry.calibrations",
    ]
