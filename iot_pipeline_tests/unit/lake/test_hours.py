"""Hours, their names and predicates; keys; prices."""

import re
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iot_pipeline.contract.layout import RAW
from iot_pipeline.lake.hours import Hour, arrival_hour_of_key, contiguous, partition_predicate, partition_range
from iot_pipeline.lake.pricing import query_cost
from iot_pipeline.partitions import hour_of, hours_of, partition_key

FIRST = datetime(2020, 1, 1, tzinfo=UTC)
hours = st.integers(0, 20 * 8766 - 1).map(lambda n: Hour(FIRST + timedelta(hours=n)))
some_hours = st.lists(hours, min_size=1, max_size=30)
zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(hours)
def test_every_name_of_an_hour_leads_back_to_it(hour: Hour) -> None:
    assert Hour.from_values(hour.values) == hour
    assert Hour.from_sql(datetime.fromisoformat(hour.sql.split("'")[1])) == hour
    assert hour_of(partition_key(hour)) == hour
    assert arrival_hour_of_key(f"{RAW}{hour.path}telemetry-1.gz") == hour
    assert [len(value) for value in hour.values] == [4, 2, 2, 2]


@given(st.datetimes(datetime(2020, 1, 1), datetime(2039, 12, 30), timezones=zones))  # noqa: DTZ001  # bounds of hypothesis are naive
def test_a_moment_is_within_its_hour_whatever_its_zone(moment: datetime) -> None:
    assert Hour.of(moment).start <= moment < (Hour.of(moment) + 1).start


@given(hours, st.integers(-1000, 1000))
def test_adding_hours_is_exact(hour: Hour, n: int) -> None:
    assert (hour + n) + -n == hour
    assert (hour + n > hour) == (n > 0)


@pytest.mark.parametrize(
    ("moment", "message"),
    [
        (datetime(2026, 1, 1), "not in UTC"),  # noqa: DTZ001  # what is to be refused
        (datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=1))), "not in UTC"),
        (datetime(2026, 1, 1, 0, 1, tzinfo=UTC), "not the start of an hour"),
        (datetime(2026, 1, 1, 0, 0, 0, 1, tzinfo=UTC), "not the start of an hour"),
    ],
)
def test_what_is_no_hour_is_refused(moment: datetime, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Hour(moment)


@pytest.mark.parametrize(
    "values",
    [
        ("2026", "11", "05", "xx"),
        ("2026", "11", "05", "5"),
        ("2026", "1", "05", "05"),
        ("2026", "11", "05", "24"),
        ("2026", "02", "30", "05"),
        ("2026", "11", "05", "+5"),
        ("2026", "11", "05", " 5"),
        ("2026", "11", "05", "0_5"),
        ("2026", "11", "05", "\uff10\uff15"),  # digits, but not those of ASCII
        ("02026", "11", "05", "05"),
        ("2026", "11", "05", "__HIVE_DEFAULT_PARTITION__"),
        ("2026", "11", "05", ""),
        ("2026", "11", "05", "05\n"),
        ("2026", "11", "05"),
        ("2026", "11", "05", "05", "00"),
        ("2026", "11", "05-05", ""),
        ("2026", "11-05", "05"),
        (),
    ],
)
def test_partition_values_that_the_lake_does_not_write_are_no_hour(values: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"^\["):
        Hour.from_values(values)


def test_a_naive_moment_has_no_hour() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        Hour.of(datetime(2026, 1, 1))  # noqa: DTZ001  # what is to be refused


@given(some_hours, hours)
def test_a_predicate_holds_in_its_hours_and_no_other(chosen: list[Hour], other: Hour) -> None:
    predicate = partition_predicate(chosen)
    for hour in (*chosen, other):
        assert _holds(predicate, hour) == (hour in chosen)


def _holds(predicate: str, hour: Hour) -> bool:
    """Evaluate it as an engine that compares single keys with literals does, and knows nothing else."""
    year, month, day, of_day = (f"'{value}'" for value in hour.values)
    alike = re.findall(
        r"\(year = ('\d+') AND month = ('\d+') AND day (?:= |IN \()([^)]*?)\)? AND hour IN \(([^)]*)\)\)", predicate
    )
    assert len(alike) == predicate.count("year")
    return any(
        (year, month) == (y, m) and day in days.split(", ") and of_day in of_days.split(", ")
        for y, m, days, of_days in alike
    )


@given(hours, st.integers(0, 24 * 70), hours)
def test_a_range_holds_from_its_first_hour_to_its_last_and_nowhere_else(first: Hour, length: int, other: Hour) -> None:
    predicate = partition_range(first, first + length)
    for hour in (first, first + -1, first + length, first + length + 1, other):
        assert _holds(predicate, hour) == (first <= hour <= first + length)


@given(hours)
def test_a_range_of_thirty_days_is_a_few_conditions(first: Hour) -> None:
    assert partition_range(first, first + 24 * 30).count("year") <= 5, "days of a month that are alike stand together"


def test_a_range_that_ends_before_it_begins_is_refused() -> None:
    hour = Hour(datetime(2026, 1, 1, tzinfo=UTC))
    with pytest.raises(ValueError, match="must name its partitions"):
        partition_range(hour, hour + -1)


def test_a_predicate_of_no_hours_is_refused() -> None:
    with pytest.raises(ValueError, match="must name its partitions"):
        partition_predicate([])


@given(some_hours)
def test_contiguous_ranges_hold_the_same_hours_in_the_fewest_pieces(chosen: list[Hour]) -> None:
    ranges = contiguous(chosen)
    covered = []
    for first, last in ranges:
        while first <= last:
            covered.append(first)
            first += 1  # noqa: PLW2901  # walks through the range
    assert covered == sorted(set(chosen))
    assert all(last + 1 < first for (_, last), (first, _) in pairwise(ranges))


def test_partition_keys_are_sorted_and_checked() -> None:
    assert hours_of(["2026-01-02-00:00", "2026-01-01-23:00"]) == [
        Hour(datetime(2026, 1, 1, 23, tzinfo=UTC)),
        Hour(datetime(2026, 1, 2, tzinfo=UTC)),
    ]
    with pytest.raises(ValueError, match="does not match format"):
        hour_of("2026-01-01")


@pytest.mark.parametrize(
    "key",
    [
        "raw/telemetry/year=2026/month=01/day=01/hour=24/a.gz",
        "raw/telemetry/year=2026/month=02/day=30/hour=01/a.gz",
        "raw/telemetry/year=2026/month=1/day=01/hour=01/a.gz",
        "raw/telemetry/year=2026/month=01/day=01/hour=01/",
        "raw/telemetry/year=2026/month=01/day=01/a.gz",
        "raw/telemetry/year=2026/month=01/day=01/hour=\u0660\u0661/a.gz",
        "raw/errors/year=2026/month=01/day=01/hour=01/a.gz",
        "x/raw/telemetry/year=2026/month=01/day=01/hour=01/a.gz",
        "",
    ],
)
def test_a_foreign_key_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="is no raw object: expected raw/telemetry/year=YYYY"):
        arrival_hour_of_key(key)


def test_deeper_keys_of_an_hour_are_its_too() -> None:
    key = "raw/telemetry/year=2026/month=01/day=01/hour=01/backfill/part-1.gz"
    assert arrival_hour_of_key(key) == Hour(datetime(2026, 1, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("scanned", "dollars"),
    [
        (0, 0.0),  # DDL is free
        (1, 10 / 1024**2 * 5),  # at least 10 MB
        (10 * 1024**2, 10 / 1024**2 * 5),
        (10 * 1024**2 + 1, 11 / 1024**2 * 5),  # rounded up to the next megabyte
        (1024**4, 5.0),  # 5 dollars a terabyte
        (3 * 1024**4, 15.0),
    ],
)
def test_queries_cost_what_the_pricing_page_says(scanned: int, dollars: float) -> None:
    """Athena pricing page: 5 dollars a terabyte, rounded up to the nearest megabyte, at least 10 MB a query."""
    assert query_cost(scanned) == pytest.approx(dollars)
