"""Days that are over are compacted: readers see each reading once, and nobody else notices."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any

import psycopg
import pytest

from iot_pipeline.contract import tables
from iot_pipeline.lake.compaction import CompactedDay, Compaction, CompactionError
from iot_pipeline.lake.hours import Day, Hour, partition_range
from iot_pipeline.lake.lake import Lake
from iot_pipeline.lake.notes import Counts
from iot_pipeline.lake.objects import Objects
from iot_pipeline.lake.publishing import Publisher
from iot_pipeline.registry.devices import move_device
from iot_pipeline.registry.registration import Request, add_device
from iot_pipeline.registry.sites import apply
from iot_pipeline.resources import RegistryResource
from iot_pipeline_tests.support.emulator import unique
from iot_pipeline_tests.support.hours import fill
from iot_pipeline_tests.support.messages import RawZone, Sender, build, line, message, reading
from iot_pipeline_tests.support.registry import catalog

Z = tables()
COLUMNS = "device_id, event_time, seq, temperature, humidity, fw, site, duplicates, conflicts, year, month, day, hour"


@pytest.fixture
def day(arrival: Hour) -> Day:
    return Day.of(arrival.start)


@pytest.fixture
def now(day: Day) -> datetime:
    """When the day is over and the next is not."""
    return (day + 1).start + timedelta(hours=3)


@pytest.fixture
def compaction(lake: Lake, day: Day) -> Compaction:
    publisher = Publisher(lake.bucket, lake.catalog, lake.progress)
    return Compaction(lake.catalog, lake.athena, lake.contract, publisher, day, lake.progress)


def rows(lake: Lake, table: str, day: Day) -> list[tuple[object, ...]]:
    """The rows of a day and of the next, in order."""
    where = partition_range(Hour(day.start), (day + 1).hours[-1])
    return lake.athena.run(f"SELECT {COLUMNS} FROM {table} WHERE {where} ORDER BY 1, 2, 3").rows


def test_a_day_is_compacted_and_again_when_late_data_has_changed_it(
    lake: Lake, raw: RawZone, arrival: Hour, day: Day, now: datetime, compaction: Compaction
) -> None:
    fill(raw, arrival)
    fill(raw, arrival + 24)
    event_hours = build(lake, [arrival, arrival + 24])
    assert compaction.compact([], now) == []
    assert compaction.look(now).days_until == day, "all is read from the hours"
    assert rows(lake, "telemetry", day) == rows(lake, "curated_telemetry", day)

    assert compaction.look(now).stale == (day,)
    built = lake.catalog.partitions(Z.curated_telemetry.name, event_hours)
    ((compacted, counts),) = [(it.day, it.counts) for it in compaction.compact([day], now)]
    found = compaction.look(now)
    assert (found.stale, found.days_until, found.view_stands) == ((), day + 1, True)
    curated = rows(lake, "curated_telemetry", day)
    of_day = [row for row in curated if row[-4:-1] == day.values]
    assert (compacted, counts.rows) == (day, len(of_day))
    assert rows(lake, "telemetry", day) == curated, "the day from its partition, the next from its hours"
    assert lake.catalog.partitions(Z.curated_telemetry.name, event_hours) == built, "nothing else has moved"

    raw.put(arrival + 25, [line(message(reading((Hour(day.start) + 2).start, 999)), (arrival + 25).start)])
    build(lake, [arrival + 25])
    assert compaction.look(now).stale == (day,)
    assert rows(lake, "telemetry", day) == curated, "late data is seen once its day is compacted again"
    compaction.compact([day], now)
    assert rows(lake, "telemetry", day) == rows(lake, "curated_telemetry", day) != curated


def test_a_day_holds_a_tenants_rows_together_by_device_and_time(
    lake: Lake, raw: RawZone, arrival: Hour, day: Day, now: datetime, compaction: Compaction
) -> None:
    fill(raw, arrival)
    other = Sender("a-1", tenant="globex")
    raw.put(arrival, [line(message(*(reading(arrival.start, n) for n in range(3))), arrival.start, other)])
    build(lake, [arrival])
    compaction.compact([day], now)
    assert lake.s3
    (stored,) = Objects(lake.s3).at(lake.catalog.partitions(Z.daily_telemetry.name, [day])[day].location)
    where = " AND ".join(f"{key} = '{value}'" for key, value in zip(("year", "month", "day"), day.values, strict=True))
    found = lake.athena.run(f'SELECT "$path", tenant, device_id, event_time FROM daily_telemetry WHERE {where}').rows
    assert {row[0] for row in found} == {stored.uri}
    of_tenants = [list(rows) for _, rows in groupby((row[1:] for row in found), key=itemgetter(0))]
    assert len(of_tenants) == 2
    assert of_tenants == [sorted(rows) for rows in of_tenants]


@contextmanager
def polling(lake: Lake, day: Day, wrong: list[str]) -> Iterator[None]:
    """Meanwhile a reader counts a day's readings, and those that come twice, without a pause."""
    stop, reads = threading.Event(), [0]

    def poll() -> None:
        reader = replace(lake.athena, results=[])
        where = partition_range(Hour(day.start), day.hours[-1])
        sql = f"SELECT count(*), count(DISTINCT (device_id, event_time, seq)) FROM telemetry WHERE {where}"
        (first,) = reader.run(sql).rows
        while not stop.is_set():
            (seen,) = reader.run(sql).rows
            reads[0] += 1
            if seen[0] != seen[1] or seen[0] < first[0]:
                wrong.append(f"{seen} after {first}")

    thread = threading.Thread(target=poll)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    assert reads[0] > 1


def test_a_reader_sees_no_reading_twice_and_none_missing(
    lake: Lake, raw: RawZone, arrival: Hour, day: Day, now: datetime, compaction: Compaction
) -> None:
    fill(raw, arrival)
    build(lake, [arrival])
    compaction.compact([], now)
    wrong: list[str] = []
    with polling(lake, day, wrong):
        compaction.compact([day], now)
        raw.put(arrival + 1, [line(message(reading(arrival.start, 999)), (arrival + 1).start)])
        build(lake, [arrival + 1])
        compaction.compact([day], now)
    assert wrong == []


def test_a_day_without_a_reading_has_a_partition_and_is_not_looked_at_again(
    lake: Lake, arrival: Hour, day: Day, now: datetime, compaction: Compaction
) -> None:
    later = now + timedelta(days=2)
    assert compaction.look(later).stale == (day, day + 1, day + 2)
    done = compaction.compact([day, day + 2], later)
    assert done == [CompactedDay(day, Counts()), CompactedDay(day + 2, Counts())]
    assert compaction.look(later).stale == (day + 1,)
    assert compaction.look(later).days_until == day + 1, "days are read up to the first that is missing"
    assert compaction.look(later + timedelta(days=100)).stale[0] == day + 1


def test_a_day_that_is_not_over_is_refused(day: Day, now: datetime, compaction: Compaction) -> None:
    with pytest.raises(ValueError, match=f"{day + 1}: not over yet"):
        compaction.compact([day, day + 1], now)


def test_a_day_that_lacks_rows_of_its_hours_is_not_published(
    lake: Lake, raw: RawZone, arrival: Hour, day: Day, now: datetime, compaction: Compaction
) -> None:
    raw.put(arrival, [line(message(reading(arrival.start, 1)), arrival.start)])
    build(lake, [arrival])
    right = lake.catalog.partitions(Z.curated_telemetry.name, [arrival])[arrival]
    assert right.notes
    for notes, said in (
        (replace(right.notes, counts=Counts(2)), "the build holds .*rows=1.* its hours .*rows=2"),
        (replace(right.notes, counts=None), "has not noted what it holds"),
    ):
        lake.catalog.publish(Z.curated_telemetry.name, [replace(right, notes=notes)])
        with pytest.raises(CompactionError, match=said):
            compaction.compact([day], now)
        assert lake.catalog.partitions(Z.daily_telemetry.name, [day]) == {}


def test_a_day_whose_hours_keep_changing_is_left(
    lake: Lake,
    raw: RawZone,
    arrival: Hour,
    day: Day,
    now: datetime,
    compaction: Compaction,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    raw.put(arrival, [line(message(reading(arrival.start, 1)), arrival.start)])
    build(lake, [arrival])
    right = lake.catalog.partitions(Z.curated_telemetry.name, [arrival])[arrival]
    assert right.notes
    seen = iter(range(1000))
    count = compaction.athena.run

    def run(sql: str) -> object:
        if sql.startswith("CREATE TABLE"):
            assert right.notes
            notes = replace(right.notes, content=f"{next(seen):016x}")
            lake.catalog.publish(Z.curated_telemetry.name, [replace(right, notes=notes)])
        return count(sql)

    monkeypatch.setattr(compaction.athena, "run", run)
    with pytest.raises(CompactionError, match="its hours kept changing"):
        compaction.compact([day], now)


def test_a_reading_has_the_device_the_site_and_the_customer_of_its_time(
    lake: Lake, raw: RawZone, arrival: Hour, now: datetime, compaction: Compaction, registry: psycopg.Connection[Any]
) -> None:
    tenant, device = unique("tenant"), unique("device")
    apply(registry, catalog(tenant, since=(arrival + -48).start))
    add_device(registry, Request(device, tenant, "a", f"{tenant}-model", installed_at=(arrival + -24).start))
    move_device(registry, device, "b", at=arrival.start + timedelta(minutes=10))
    registry.commit()
    sender = Sender(device, tenant, "a")
    readings = [reading(arrival.start + timedelta(minutes=minute), minute) for minute in (9, 10)]
    stranger = reading(arrival.start, 1)
    raw.put(arrival, [line(message(*readings), arrival.start, sender), line(message(stranger), arrival.start)])
    build(lake, [arrival])
    RegistryResource().publish_history()
    compaction.compact([], now)
    columns = "device_id, seq, registered_site, site_name, customer_name, registered_tenant, model_id, device_status"
    where = partition_range(arrival, arrival)
    found = lake.athena.run(f"SELECT {columns} FROM device_telemetry WHERE {where} ORDER BY seq").rows
    assert found == [
        ("meter-1", 1, None, None, None, None, None, None),
        (device, 9, "a", "Site a", "A customer", tenant, f"{tenant}-model", "active"),
        (device, 10, "b", "Site b", "A customer", tenant, f"{tenant}-model", "active"),
    ]
