"""An event hour that readings were added to is as one that is built whole, and costs what came late."""

import random
from dataclasses import replace
from datetime import datetime, timedelta

import boto3
import pytest

from iot_pipeline.contract import tables
from iot_pipeline.lake import additions, curating, statements
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.increments import TAKEN_OVER
from iot_pipeline.lake.integrity import Audit
from iot_pipeline.lake.lake import Lake
from iot_pipeline.lake.objects import Objects
from iot_pipeline_tests.support.messages import RawZone, Sender, curated_content, line, message, reading

CURATED = tables().curated_telemetry.name
MINUTE = timedelta(minutes=1)


def send(raw: RawZone, arrival: Hour, *readings: tuple[datetime, int], sender: Sender | None = None) -> None:
    """One message in an object of an arrival hour, with these readings of one device."""
    made = [reading(at, seq, temperature=20 + seq % 9) for at, seq in readings]
    raw.put(arrival, [line(message(*made), arrival.start + 10 * MINUTE, sender or Sender())])


def fill(raw: RawZone, hour: Hour, readings: int = 20) -> None:
    """An hour whose readings come in it."""
    send(raw, hour, *((hour.start + n * MINUTE / 10, n) for n in range(readings)))


def built(lake: Lake, arrival: Hour, hours: list[Hour]) -> list[str]:
    """Judge an arrival hour and build these event hours, which must balance; what was told of additions."""
    told: list[str] = []
    lake.judge([arrival])
    for balance in replace(lake, progress=told.append).curate(hours):
        assert balance.balances, balance
    assert all(it.balances for it in lake.event_balances(hours)), "as published it balances too"
    return [text for text in told if text.endswith("arrival hours are added")]


def names(lake: Lake, hour: Hour) -> list[str]:
    """The names of the objects of an event hour."""
    assert lake.s3
    location = lake.catalog.partitions(CURATED, [hour])[hour].location
    return [item.uri.rpartition("/")[2] for item in Objects(lake.s3).at(location)]


def is_as_whole(lake: Lake, hours: list[Hour]) -> None:
    """Compare these event hours and their notes with the same, built whole."""
    assert lake.s3
    assert lake.stale(hours) == []
    assert Audit(lake, Objects(lake.s3)).curated(hours) == []
    added, noted = curated_content(lake, hours), lake.catalog.partitions(CURATED, hours)
    lake.curate(hours, whole=True)
    assert curated_content(lake, hours) == added
    for hour, it in lake.catalog.partitions(CURATED, hours).items():
        before = noted[hour].notes
        assert it.notes
        assert before
        assert (it.notes.content, it.notes.counts, it.notes.marks) == (before.content, before.counts, before.marks)


def test_late_readings_are_added_and_cost_what_came_late(lake: Lake, raw: RawZone, arrival: Hour) -> None:
    fill(raw, arrival, 400)
    assert built(lake, arrival, [arrival]) == []
    before = names(lake, arrival)
    send(raw, arrival + 5, (arrival.start + MINUTE / 77, 1000))
    lake.athena.results.clear()
    assert built(lake, arrival + 5, [arrival]) == [f"{arrival}: 1 arrival hours are added"]
    after = names(lake, arrival)
    assert sum(name.startswith(TAKEN_OVER) for name in after) == len(before)
    assert len(after) == len(before) + 1
    whole = lake.athena.scanned_bytes
    lake.athena.results.clear()
    is_as_whole(lake, [arrival])
    assert whole < lake.athena.scanned_bytes


def test_a_key_that_is_there_already_makes_its_hour_be_built_whole(lake: Lake, raw: RawZone, arrival: Hour) -> None:
    """A further reception may win over the one that stands, or count as its duplicate: all of them are needed."""
    hours = [arrival, arrival + 1]
    for hour in hours:
        fill(raw, hour)
        built(lake, hour, [hour])
    late = arrival + 9
    send(raw, late, (arrival.start, 0), (arrival.start + MINUTE / 2, 100), (hours[1].start + MINUTE / 2, 100))
    assert built(lake, late, hours) == [f"{hours[1]}: 1 arrival hours are added"]
    is_as_whole(lake, hours)


def test_hours_of_other_arrivals_have_statements_of_their_own(
    lake: Lake, raw: RawZone, arrival: Hour, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where many would be needed, one builds all whole."""
    hours = [arrival, arrival + 1, arrival + 2]
    for hour in hours:
        fill(raw, hour)
        built(lake, hour, [hour])

    def add(first: Hour) -> list[str]:
        for late, of in ((first, hours[:2]), (first + 1, hours[1:])):
            send(raw, late, *((hour.start + MINUTE / 2, 100 + late.start.hour) for hour in of))
            lake.judge([late])
        return sorted(built(lake, first, hours))

    assert add(arrival + 8) == [
        f"{hour}: {n} arrival hours are added" for hour, n in zip(hours, (1, 2, 1), strict=True)
    ]
    is_as_whole(lake, hours)
    monkeypatch.setattr(curating, "MAX_STATEMENTS", 2)
    assert add(arrival + 10) == []
    is_as_whole(lake, hours)


def test_an_arrival_hour_that_grew_costs_what_it_grew_by(lake: Lake, raw: RawZone, arrival: Hour) -> None:
    """Of its judged rows the objects are read that hold what came since, and no other."""
    fill(raw, arrival)
    for n in range(3):
        send(raw, arrival, (arrival.start + (n + 1 / 2) * MINUTE, 50 + n))
        built(lake, arrival, [arrival])
    send(raw, arrival, (arrival.start + 9 * MINUTE / 2, 60))
    lake.athena.results.clear()
    assert built(lake, arrival, [arrival]) == [f"{arrival}: 1 arrival hours are added"]
    assert lake.s3
    judged = lake.catalog.partitions(tables().judged_telemetry.name, [arrival])[arrival].location
    stored = [it.uri for it in Objects(lake.s3).at(judged)]
    athena = boto3.client("athena")
    ran = [athena.get_query_execution(QueryExecutionId=it.query_id) for it in lake.athena.results]
    (build,) = [sql for it in ran if "CREATE TABLE build_curated" in (sql := it["QueryExecution"]["Query"])]
    assert len(stored) > 1
    assert [uri for uri in stored if uri in build] == [uri for uri in stored if TAKEN_OVER not in uri]
    is_as_whole(lake, [arrival])


def test_the_numbers_of_a_device_that_begins_anew_are_no_repetition(lake: Lake, raw: RawZone, arrival: Hour) -> None:
    fill(raw, arrival)
    built(lake, arrival, [arrival])
    send(raw, arrival + 5, (arrival.start + MINUTE / 77, 0))
    assert built(lake, arrival + 5, [arrival]) == [f"{arrival}: 1 arrival hours are added"]
    is_as_whole(lake, [arrival])


def test_the_checks_read_what_the_build_wrote(lake: Lake, raw: RawZone, arrival: Hour) -> None:
    """Of hours that were added to the new objects, beside hours that were built whole."""
    hours = [arrival, arrival + 1]
    fill(raw, arrival)
    built(lake, arrival, [arrival])
    fill(raw, arrival + 1)
    send(raw, arrival + 1, (arrival.start + MINUTE / 2, 100))
    assert built(lake, arrival + 1, hours) == [f"{arrival}: 1 arrival hours are added"]
    whole, added = lake.written(hours)
    assert (whole.hours, whole.objects) == ((arrival + 1,), None)
    assert added.hours == (arrival,)
    rows = lake.athena.run(statements.preview(arrival, added.objects))
    assert [row[rows.columns.index("seq")] for row in rows.rows] == [100]


@pytest.mark.parametrize(
    "change",
    [
        "removed",
        "judged whole",
        "long ago",
        "by hand",
        "most is new",
        "many repeat",
        "many objects",
        "many builds",
        "no notes",
        "columns",
    ],
)
def test_what_cannot_be_added_to_is_built_whole(
    change: str, lake: Lake, raw: RawZone, arrival: Hour, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert lake.s3
    fill(raw, arrival)
    send(raw, arrival + 1, (arrival.start + MINUTE / 3, 50))
    lake.judge([arrival + 1])
    built(lake, arrival, [arrival])
    send(raw, arrival + 5, (arrival.start + MINUTE / 2, 100))
    match change:
        case "removed":
            send(raw, arrival + 1, (arrival.start + MINUTE / 4, 51))
            lake.judge([arrival + 1], whole=True)
        case "judged whole" | "long ago":
            if change == "long ago":
                monkeypatch.setattr(additions, "MAY_GROW", timedelta(0))
                built(lake, arrival, [arrival])
            send(raw, arrival, (arrival.start + MINUTE / 4, 51))
            lake.judge([arrival], whole=change == "judged whole")
        case "by hand":
            stored = lake.catalog.partitions(CURATED, [arrival])[arrival].location
            bucket, _, prefix = stored.removeprefix("s3://").partition("/")
            lake.s3.put_object(Bucket=bucket, Key=f"{prefix}_note", Body=b"x")
        case "most is new":
            send(raw, arrival + 5, *((arrival.start + (n + 1 / 2) * MINUTE / 10, 200 + n) for n in range(12)))
        case "many repeat":
            send(raw, arrival + 1, *((arrival.start + n * MINUTE / 10, n) for n in range(20)))
            built(lake, arrival + 1, [arrival])
            send(raw, arrival + 5, *((arrival.start + n * MINUTE / 77, 200 + n) for n in range(3)))
        case "many objects":
            monkeypatch.setattr(additions, "MAX_OBJECTS", 1)
        case "many builds":
            monkeypatch.setattr(additions, "MAX_BUILDS", 1)
        case "no notes":
            built(replace(lake, s3=None), arrival, [arrival])
        case "columns":
            base = lake.catalog.partitions(CURATED, [arrival])[arrival]
            assert base.notes
            lake.catalog.publish(CURATED, [replace(base, notes=replace(base.notes, columns="of another contract"))])
    assert built(lake, arrival + 5, [arrival]) == []
    is_as_whole(lake, [arrival])


def test_however_readings_come_the_hours_are_as_built_whole(lake: Lake, raw: RawZone, arrival: Hour) -> None:
    """Seeded: devices send late, twice, and other values under the same key; built after each arrival hour."""
    chance = random.Random(5)
    added: list[str] = []
    touched: set[Hour] = set()
    for late in range(7):
        for device in ("meter-1", "meter-2"):
            of = [arrival + -chance.choice([0, 0, 0, 1, 2]) for _ in range(6 + 20 * (late == 0))]
            made = [(hour.start + chance.randrange(36000) * MINUTE / 600, chance.randrange(3)) for hour in of]
            doubled = made[: 2 * (late % 3 == 2)] if late else []
            send(raw, arrival + late, *made, *doubled, sender=Sender(device))
            lake.judge([arrival + late])
            touched |= {*lake.touched([arrival + late])}
            added += built(lake, arrival + late, lake.stale(touched))
    assert len(added) > 5
    is_as_whole(lake, sorted(touched))
