"""Stale event hours are found from the notes in Glue: by both sides, with few calls, and without a query."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from iot_pipeline.contract import tables
from iot_pipeline.lake import statements
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.lake import Lake
from iot_pipeline.lake.notes import BuildNotes
from iot_pipeline.lake.plan import read_marks
from iot_pipeline_tests.support.hours import fill
from iot_pipeline_tests.support.messages import RawZone, build, line, message, reading

MINUTE = timedelta(minutes=1)
LEDGER, CURATED = tables().ledger.name, tables().curated_telemetry.name


class Counted:
    """A Glue client that notes its calls, with how many partitions each asks for."""

    def __init__(self, glue: Any) -> None:
        self.glue = glue
        self.calls: list[tuple[str, int]] = []

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.glue, name)

        def call(**parameters: Any) -> Any:
            self.calls.append((name, len(parameters.get("PartitionsToGet", ()))))
            return method(**parameters)

        return call


@contextmanager
def watched(lake: Lake) -> Iterator[tuple[Lake, Counted]]:
    """The lake, whose calls to Glue are noted and that asks Athena nothing."""
    glue: Any = Counted(lake.catalog.glue)
    queries = len(lake.athena.results)
    yield replace(lake, catalog=replace(lake.catalog, glue=glue)), glue
    assert len(lake.athena.results) == queries, "Athena was asked"


def put_late(raw: RawZone, arrival: Hour, event: Hour, seq: int = 99) -> None:
    """One reading of an event hour in another arrival hour."""
    raw.put(arrival, [line(message(reading(event.start + MINUTE, seq)), arrival.start + MINUTE)])


def without_notes(lake: Lake, table: str, hours: list[Hour]) -> None:
    """Let partitions be as a release before marks built them."""
    found = lake.catalog.partitions(table, hours).values()
    bare = [replace(it, notes=replace(it.notes, marks=None, rules=None)) for it in found if it.notes]
    assert len(bare) == len(hours)
    lake.catalog.publish(table, bare)


def test_what_is_noted_is_what_the_ledger_says(lake: Lake, raw: RawZone, arrival: Hour) -> None:
    fill(raw, arrival)
    lake.judge([arrival, arrival + 1])
    noted = {hour: it.marks for hour, it in lake.catalog.partitions(LEDGER, [arrival, arrival + 1]).items()}
    asked = read_marks(lake.athena, statements.marks_in_ledger([arrival, arrival + 1]))
    assert noted == {arrival: asked[arrival], arrival + 1: {}}
    assert sorted(asked[arrival]) == [arrival + -2, arrival + -1, arrival]


def test_a_plan_costs_no_query_and_is_the_same_without_the_notes(lake: Lake, raw: RawZone, arrival: Hour) -> None:
    fill(raw, arrival)
    put_late(raw, arrival + 24 * 20, arrival)
    lake.judge([arrival, arrival + 24 * 20])
    with watched(lake) as (lean, glue):
        plan = lean.plan([arrival])
    assert [name for name, _ in glue.calls] == ["batch_get_partition"], "thirty days are one call"
    assert sorted(plan.marks[arrival]) == [arrival, arrival + 24 * 20]
    without_notes(lake, LEDGER, [arrival, arrival + 24 * 20])
    assert lake.plan([arrival]).marks == plan.marks


@pytest.mark.parametrize("hours", [0, 1, 24 * 21, 24 * 30])
def test_a_contribution_that_was_missed_is_found_by_the_hour_it_came_in(
    lake: Lake, raw: RawZone, arrival: Hour, hours: int
) -> None:
    fill(raw, arrival)
    build(lake, [arrival])
    late = arrival + hours
    put_late(raw, late, arrival)
    lake.judge([late])
    assert lake.stale_among([late]) == [arrival]
    assert lake.stale_among([late + 1, arrival + -1]) == []
    lake.curate([arrival])
    with watched(lake) as (lean, glue):
        assert lean.stale_among([late, arrival]) == []
    assert len(glue.calls) <= 3


def test_a_reading_of_the_last_minute_of_the_bound_is_found_and_built(lake: Lake, raw: RawZone, arrival: Hour) -> None:
    bound = lake.contract.lateness_bound
    event = arrival.start - bound + 2 * MINUTE
    raw.put(arrival, [line(message(reading(event, 1)), arrival.start + MINUTE)])
    lake.judge([arrival])
    assert lake.touched([arrival]) == lake.stale_among([arrival]) == [Hour.of(event)]
    assert [balance.built.rows for balance in lake.curate([Hour.of(event)])] == [1]
    assert lake.stale_among([arrival]) == lake.stale([Hour.of(event)]) == []


def test_a_contribution_that_went_is_found_by_the_event_hour(lake: Lake, raw: RawZone, arrival: Hour) -> None:
    gone = raw.put(arrival, [line(message(reading((arrival + -3).start, 1)), arrival.start)])
    build(lake, [arrival])
    raw.delete(gone)
    lake.judge([arrival])
    assert lake.stale_among([arrival]) == [], "the arrival hour no longer names it"
    assert lake.stale_among([arrival + -3]) == [arrival + -3]
    lake.curate([arrival + -3])
    assert lake.stale_among([arrival + -3]) == []


def test_an_event_hour_that_was_never_built_is_found(lake: Lake, raw: RawZone, arrival: Hour) -> None:
    fill(raw, arrival)
    lake.judge([arrival])
    assert lake.stale_among([arrival]) == [arrival + -2, arrival + -1, arrival]


def test_an_older_build_that_was_published_last_is_found(lake: Lake, raw: RawZone, arrival: Hour) -> None:
    put_late(raw, arrival, arrival, 1)
    build(lake, [arrival])
    older = list(lake.catalog.partitions(CURATED, [arrival]).values())
    put_late(raw, arrival, arrival, 2)
    build(lake, [arrival])
    assert lake.stale_among([arrival]) == []
    lake.catalog.publish(CURATED, older)
    assert lake.stale_among([arrival]) == [arrival]


@pytest.mark.parametrize("table", [LEDGER, CURATED])
def test_partitions_of_a_release_before_the_notes_are_judged_by_the_whole_ledger(
    lake: Lake, raw: RawZone, arrival: Hour, table: str
) -> None:
    put_late(raw, arrival, arrival, 1)
    build(lake, [arrival])
    without_notes(lake, table, [arrival])
    assert lake.stale_among([arrival]) == lake.stale([arrival]) == []
    put_late(raw, arrival + 5, arrival, 2)
    lake.judge([arrival + 5])
    assert lake.stale_among([arrival]) == (lake.stale([arrival]) if table == CURATED else [])
    assert lake.stale_among([arrival + 5]) == lake.stale([arrival]) == [arrival]


@pytest.mark.parametrize(
    "text",
    ["x", "2020-02-02-12", "2020-02-02-12 5", "2020-02-02-12 5 A B", "2020-02-02-xx 5 A", "2020-2-2-12 5 A", ",", " "],
)
def test_marks_that_no_build_noted_count_as_no_notes(text: str) -> None:
    assert BuildNotes.of({"built_at": "2026-11-05T12:00:00+00:00", "marks": text}) is None


@pytest.mark.parametrize(
    "parameters",
    [
        {"built_at": "yesterday"},
        {"built_at": "2026-11-05T12:00:00"},
        {"built_at": ""},
        {"built_at": "2026-11-05T12:00:00+00:00", "rows": "many", "duplicates": "0", "conflicts": "0"},
    ],
)
def test_notes_that_a_person_wrote_otherwise_stop_nothing_and_the_hour_is_built_again(
    lake: Lake, raw: RawZone, arrival: Hour, parameters: dict[str, str]
) -> None:
    put_late(raw, arrival, arrival, 1)
    build(lake, [arrival])
    glue: Any = lake.catalog.glue
    place = {"DatabaseName": lake.catalog.database, "TableName": CURATED}
    found = glue.get_partition(**place, PartitionValues=list(arrival.values))["Partition"]
    entry = {"Values": found["Values"], "StorageDescriptor": found["StorageDescriptor"], "Parameters": parameters}
    glue.update_partition(**place, PartitionValueList=list(arrival.values), PartitionInput=entry)
    assert lake.stale([arrival]) == lake.stale_among([arrival]) == [arrival]
    lake.curate([arrival])
    assert lake.stale([arrival]) == []
