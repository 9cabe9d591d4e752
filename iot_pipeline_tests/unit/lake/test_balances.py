"""When an event hour is loaded, and when its books balance."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from iot_pipeline.contract import CONTRACT, METRICS, Contract, Metric, Unit, tables
from iot_pipeline.lake.balances import LoadedHourBalance
from iot_pipeline.lake.catalog import Partition
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.notes import BuildNotes, Counts
from iot_pipeline.warehouse.load import noted
from iot_pipeline.warehouse.tables import LandingColumn, landing_tables, readings

HOUR = Hour(datetime(2026, 11, 5, 12, tzinfo=UTC))
NINE, TEN, NONE = Counts(9, 1, 0), Counts(10, 1, 0), Counts()


def balance(curated: str | None, loaded: str | None, *counts: Counts) -> LoadedHourBalance:
    return LoadedHourBalance(HOUR, curated, loaded, *counts)


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
def test_an_hour(state: LoadedHourBalance, is_current: bool, balances: bool) -> None:
    assert (state.is_current, state.balances) == (is_current, balances)


def test_counts_come_as_sql_gives_them() -> None:
    assert Counts.of((9, Decimal(1), Decimal(0))) == NINE
    assert NINE.readings == 10


def test_notes_are_kept_as_a_partitions_parameters() -> None:
    notes = BuildNotes(datetime(2026, 11, 5, 12, tzinfo=UTC), "0123456789abcdef", NINE)
    assert notes.parameters["content"] == "0123456789abcdef"
    assert BuildNotes.of(notes.parameters) == notes
    assert BuildNotes.of({"classification": "parquet"}) is None, "a partition that no build made"
    read = replace(notes, read={HOUR: frozenset({"01ab23cd", "ffffffff"}), HOUR + 1: frozenset({"01ab23cd"})})
    assert BuildNotes.of(read.parameters) == read
    assert BuildNotes.of({**read.parameters, "read": "by hand"}) is None


def test_notes_of_the_release_before_are_read() -> None:
    former = {"built_at": "2026-11-05T12:00:00+00:00", "inputs": "0123456789abcdef", "valid": "10"}
    former |= {"rows": "9", "duplicates": "1", "conflicts": "0"}
    assert BuildNotes.of(former) == BuildNotes(datetime(2026, 11, 5, 12, tzinfo=UTC), "0123456789abcdef", NINE)


def test_a_partition_without_notes_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"2026-11-05 12:00Z: .* no content id and counts .* build the hour again"):
        noted(Partition(HOUR, "s3://lake/v=1/", BuildNotes(datetime(2026, 11, 5, 12, tzinfo=UTC))))


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
        "lake.alert_episodes",
        "lake.alert_loads",
        "registry.tenants",
        "registry.customers",
        "registry.site_versions",
        "registry.device_models",
        "registry.device_versions",
        "registry.calibrations",
    ]
