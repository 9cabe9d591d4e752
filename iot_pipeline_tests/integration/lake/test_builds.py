"""Builds: exact counts, repeatable, atomic, audited; late data re-opens its hour and no other."""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import boto3
import pytest

from iot_pipeline.contract import CONTRACT, METRICS, Contract, Metric, Unit, tables
from iot_pipeline.lake.catalog import Catalog, Partition
from iot_pipeline.lake.curating import LedgerImbalanceError
from iot_pipeline.lake.hours import Hour, partition_predicate
from iot_pipeline.lake.lake import Lake
from iot_pipeline_tests.support.hours import fill
from iot_pipeline_tests.support.messages import (
    RawZone,
    Sender,
    build,
    content,
    curated,
    line,
    message,
    quarantined,
    reading,
)

MINUTE = timedelta(minutes=1)
Z = tables()


def test_one_bad_reading_of_25_costs_itself_alone(lake: Lake, raw: RawZone, arrival: Hour) -> None:
    readings = [reading(arrival.start + n * MINUTE, n) for n in range(25)]
    readings[7]["temperature"] = "warm"
    raw.put(arrival, [line(message(*readings), arrival.start + 30 * MINUTE, trace="packed")])
    assert build(lake, [arrival]) == [arrival]
    assert [row["seq"] for row in curated(lake, [arrival])] == [n for n in range(25) if n != 7]
    (bad,) = quarantined(lake, [arrival])
    assert (bad["message_id"], bad["position"], bad["reason"]) == ("packed", 8, "invalid_value")
    (balance,) = lake.arrival_balances([arrival])
    assert (balance.received, balance.valid, balance.quarantined) == (25, 24, 1)


def test_the_last_received_wins_and_the_others_are_counted(lake: Lake, raw: RawZone, arrival: Hour) -> None:
    at, later = arrival.start, arrival + 1
    expected = {
        # device: (temperatures by reception, the winner's, duplicates, conflicts)
        "once": ([20.0], 20.0, 0, 0),
        "same": ([20.0, 20.0], 20.0, 1, 0),
        "other": ([20.0, 21.0], 21.0, 0, 1),
        "thrice": ([20.0, 20.0, 20.0], 20.0, 2, 0),
        "back and forth": ([20.0, 21.0, 20.0], 20.0, 1, 1),
        "two to one": ([20.0, 20.0, 21.0], 21.0, 0, 2),
    }
    first: list[bytes] = []
    second: list[bytes] = []
    for device, (temperatures, *_) in expected.items():
        for n, value in enumerate(temperatures):
            sent = line(message(reading(at, 1, temperature=value)), at + (1 + n) * MINUTE, Sender(device))
            (first if n < 2 else second).append(sent)
    # The order within and of objects must not matter: only the broker's clock does.
    raw.put(arrival, reversed(first))
    # In one message the later position is the later reception.
    within = message(reading(at, 1, temperature=20), reading(at, 1, temperature=22), reading(at, 1, temperature=22))
    raw.put(arrival, [line(within, at + MINUTE, Sender("within"))])
    raw.put(later, [*second, line(message(reading(at, 2)), at + 61 * MINUTE, Sender("once"))])
    build(lake, [arrival, later])
    found = {
        row["device_id"]: (row["temperature"], row["duplicates"], row["conflicts"])
        for row in curated(lake, [arrival])
        if row["seq"] == 1
    }
    wanted = {device: (winner, same, other) for device, (_, winner, same, other) in expected.items()}
    assert found == {**wanted, "within": (22.0, 1, 1)}
    (balance,) = lake.event_balances([arrival])
    assert balance.balances
    assert (balance.built.rows, balance.built.duplicates, balance.built.conflicts) == (8, 5, 5)


def test_missing_and_present_values_are_different_values(lake: Lake, raw: RawZone, arrival: Hour) -> None:
    at = arrival.start
    for device, later in (("extras", {"temperature": 20, "note": 1}), ("null", {"temperature": 20, "humidity": None})):
        raw.put(
            arrival,
            [
                line(message(reading(at, 1, temperature=20)), at, Sender(device)),
                line(message(reading(at, 1, **later)), at + MINUTE, Sender(device)),
            ],
        )
    build(lake, [arrival])
    found = {row["device_id"]: (row["duplicates"], row["conflicts"]) for row in curated(lake, [arrival])}
    assert found == {"extras": (0, 1), "null": (1, 0)}


def test_rebuilding_changes_nothing(lake: Lake, raw: RawZone, arrival: Hour) -> None:
    fill(raw, arrival)
    event_hours = build(lake, [arrival])
    assert len(event_hours) == 3

    def everything() -> list[object]:
        return [
            content(lake, Z.ledger, [arrival]),
            content(lake, Z.quarantined_telemetry, [arrival]),
            content(lake, Z.curated_telemetry, event_hours),
        ]

    before = everything()
    for _ in range(2):
        lake.judge([arrival])
        assert lake.stale(event_hours) == [], "a ledger without new objects re-opens nothing"
        lake.quarantine([arrival])
        lake.curate(event_hours)
        assert everything() == before
    lake.curate(event_hours[1:2])
    assert everything() == before


def test_late_data_reopens_its_event_hour_and_no_other(lake: Lake, raw: RawZone, arrival: Hour) -> None:
    old = arrival + -24 * 21
    fill(raw, arrival)
    fill(raw, old)
    event_hours = sorted({*build(lake, [arrival]), *build(lake, [old])})
    assert lake.stale(event_hours) == []
    served = lake.catalog.partitions("curated_telemetry", event_hours)
    raw.put(arrival + 1, [line(message(reading(old.start + MINUTE, 999)), (arrival + 1).start, trace="late")])
    lake.judge([arrival + 1])
    assert lake.touched([arrival + 1]) == [old]
    assert lake.stale(event_hours) == [old]
    lake.curate([old])
    after = lake.catalog.partitions("curated_telemetry", event_hours)
    assert [hour for hour in event_hours if after[hour] != served[hour]] == [old]
    assert sum(row["seq"] == 999 for row in curated(lake, [old])) == 1
    assert lake.stale(event_hours) == []


def test_what_arrives_after_the_profile_waits_for_the_next(lake: Lake, raw: RawZone, arrival: Hour) -> None:
    raw.put(arrival, [line(message(reading(arrival.start, 1)), arrival.start)])
    lake.judge([arrival])
    raw.put(arrival, [line(message(reading(arrival.start, 2)), arrival.start), line(b"broken", arrival.start)])
    lake.quarantine([arrival])
    assert lake.stale([arrival]) == [arrival]
    assert [balance.built.rows for balance in lake.curate([arrival])] == [1]
    assert all(balance.balances for balance in lake.arrival_balances([arrival]))
    assert lake.stale([arrival]) == []
    build(lake, [arrival])
    assert [row["seq"] for row in curated(lake, [arrival])] == [1, 2]
    assert len(quarantined(lake, [arrival])) == 1


def test_an_imbalanced_build_is_not_published(lake: Lake, raw: RawZone, arrival: Hour) -> None:
    raw.put(arrival, [line(message(reading(arrival.start, 1)), arrival.start)])
    build(lake, [arrival])
    before = (lake.catalog.partitions("curated_telemetry", [arrival]), curated(lake, [arrival]))
    judged = lake.catalog.partitions("judged_telemetry", [arrival])
    raw.put(arrival, [line(message(reading(arrival.start, n)), arrival.start) for n in (2, 3)])
    lake.judge([arrival])
    lake.catalog.publish("judged_telemetry", list(judged.values()))  # somebody's hand: readings are lost
    tables = lake.catalog.table_names("build_")  # tests that kill builds leave some
    with pytest.raises(LedgerImbalanceError) as raised:
        lake.curate([arrival])
    assert f"{arrival}: ledger 3 valid, built 1 rows + 0 duplicates + 0 conflicts" in str(raised.value)
    assert "Nothing was published" in str(raised.value)
    assert (lake.catalog.partitions("curated_telemetry", [arrival]), curated(lake, [arrival])) == before
    assert lake.catalog.table_names("build_") == tables


def test_an_event_hour_is_built_again_without_its_raw_objects(lake: Lake, raw: RawZone, arrival: Hour) -> None:
    """Raw is parsed once: an old arrival hour may be in an archive when a late reading re-opens what it touched."""
    archived = raw.put(arrival, [line(message(reading(arrival.start, 1, temperature=20, note="x")), arrival.start)])
    build(lake, [arrival])
    raw.delete(archived)
    raw.put(arrival + 1, [line(message(reading(arrival.start, 2)), (arrival + 1).start)])
    lake.judge([arrival + 1])
    assert lake.stale([arrival]) == [arrival]
    lake.curate([arrival])
    assert [(row["seq"], row["extras"]) for row in curated(lake, [arrival])] == [(1, {"note": '"x"'}), (2, None)]


def test_a_reader_sees_whole_partitions_only(lake: Lake, raw: RawZone, arrival: Hour) -> None:
    fill(raw, arrival)
    event_hours = build(lake, [arrival])
    sql = (
        "SELECT count(*), sum(seq), min(received_at), sum(duplicates), sum(conflicts) FROM curated_telemetry "
        f"WHERE {partition_predicate([arrival])}"
    )
    seen: list[tuple[object, ...]] = []
    done = threading.Event()

    def poll() -> None:
        reader = replace(lake.athena, results=[])
        while not done.is_set():
            seen.append(reader.run(sql).rows[0])

    thread = threading.Thread(target=poll)
    thread.start()
    wanted = {lake.athena.run(sql).rows[0]}
    try:
        for n in range(20):
            if n % 5 == 4:  # now and then the content changes too
                raw.put(
                    arrival, [line(message(*(reading(arrival.start, 100 * n + k) for k in range(5))), arrival.start)]
                )
                lake.judge([arrival])
            lake.curate(event_hours[-1:])
            wanted.add(lake.athena.run(sql).rows[0])
    finally:
        done.set()
        thread.join()
    assert len(seen) > 20
    assert len(wanted) == 5
    assert set(seen) <= wanted


def late(raw: RawZone, lake: Lake, arrival: Hour, seq: int) -> None:
    """One more reading of the hour comes, and the ledger knows of it."""
    raw.put(arrival, [line(message(reading(arrival.start, seq)), arrival.start)])
    lake.judge([arrival])


def test_a_ledger_that_changes_while_building_is_built_again(lake: Lake, raw: RawZone, arrival: Hour) -> None:
    late(raw, lake, arrival, 1)
    said: list[str] = []

    def tell(text: str) -> None:
        if text.startswith("building curated") and not said:
            late(raw, lake, arrival, 2)
        said.append(text)

    (balance,) = replace(lake, progress=tell).curate([arrival])
    assert "the ledger changed while building (attempt 1 of 3); building again" in said
    assert (balance.valid, balance.built.rows) == (2, 2)
    assert lake.stale([arrival]) == []


@dataclass(frozen=True)
class LateCatalog(Catalog):
    """Publishes after something else has happened."""

    before: Callable[[], object] = lambda: None

    def publish(self, table: str, partitions: Sequence[Partition]) -> None:
        self.before()
        super().publish(table, partitions)


def test_a_newer_build_waits_for_an_older_one_to_be_published_and_replaces_it(
    lake: Lake, raw: RawZone, arrival: Hour
) -> None:
    late(raw, lake, arrival, 1)

    def newer() -> None:
        late(raw, lake, arrival, 2)
        lake.curate([arrival])

    thread = threading.Thread(target=newer)

    def overtake() -> None:
        thread.start()
        thread.join(2)
        assert thread.is_alive(), "it is not its turn"

    slow = replace(lake, catalog=LateCatalog(lake.catalog.glue, lake.catalog.database, overtake))
    slow.curate([arrival])
    thread.join()
    assert [row["seq"] for row in curated(lake, [arrival])] == [1, 2]
    assert lake.stale([arrival]) == []


def test_an_hour_whose_data_went_becomes_empty_not_wrong(lake: Lake, raw: RawZone, arrival: Hour) -> None:
    gone = raw.put(arrival, [line(message(reading(arrival.start, 1)), arrival.start)])
    build(lake, [arrival])
    raw.delete(gone)
    lake.judge([arrival])
    assert lake.stale([arrival]) == [arrival]
    lake.curate([arrival])
    assert curated(lake, [arrival]) == []
    assert lake.stale([arrival]) == []


def test_more_than_a_hundred_hours_go_in_batches(lake: Lake, raw: RawZone, arrival: Hour) -> None:
    hours = [arrival + -n for n in range(130)]
    raw.put(arrival, [line(message(*(reading(hour.start, n) for n, hour in enumerate(hours))), arrival.start)])
    assert build(lake, [arrival]) == sorted(hours)
    assert len(curated(lake, hours)) == 130
    assert lake.stale(hours) == []


@pytest.fixture
def moisture(lake: Lake, arrival: Hour) -> Iterator[Lake]:
    """A lake whose contract knows one more metric, in its own database and bucket. Nothing else is told of it."""
    wet = Metric("moisture", (Unit("%"), Unit("1", 100)), 0.0, 100.0, 10.0, "Soil moisture.")
    contract = Contract(metrics=(*METRICS, wet))
    glue = boto3.client("glue")
    database = "telemetry_moisture"
    glue.create_database(DatabaseInput={"Name": database})
    for table in tables(contract).all:
        deployed: Any = glue.get_table(DatabaseName=lake.catalog.database, Name=table.name)["Table"]
        columns = [{"Name": column.name, "Type": column.type} for column in table.columns]
        table_input: Any = {
            "Name": table.name,
            "TableType": "EXTERNAL_TABLE",
            "Parameters": deployed["Parameters"],
            "PartitionKeys": [{"Name": key["Name"], "Type": key["Type"]} for key in deployed["PartitionKeys"]],
            "StorageDescriptor": {**deployed["StorageDescriptor"], "Columns": columns},
        }
        glue.create_table(DatabaseName=database, TableInput=table_input)
    # A bucket of its own too: the crawlers' test looks at all files of the curated zone.
    bucket = "lake-moisture"
    boto3.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    athena = replace(lake.athena, database=database, results=[])
    yield Lake(bucket, Catalog(glue, database), athena, contract)
    glue.delete_database(Name=database)


def test_a_new_metric_arrives_with_no_other_edit(moisture: Lake, lake: Lake, raw: RawZone, arrival: Hour) -> None:
    at = arrival.start
    readings = [
        reading(at, 1, moisture=33),
        reading(at, 2, moisture=0.5, unit={"moisture": "1"}),
        reading(at, 3, moisture=101),
        reading(at, 4, temperature=20),
    ]
    raw.put(arrival, [line(message(*readings), at)])
    assert build(moisture, [arrival]) == [arrival]
    rows = curated(moisture, [arrival])
    assert [(row["seq"], row["moisture"], row["extras"]) for row in rows] == [
        (1, 33.0, None),
        (2, 50.0, None),
        (4, None, None),
    ]
    (bad,) = quarantined(moisture, [arrival])
    assert bad["detail"] == "moisture: expected a number from 0 to 100 %, got 101"
    # The deployed contract sees the same messages, and what it does not know is kept.
    build(lake, [arrival])
    assert [(row["seq"], row["temperature"]) for row in curated(lake, [arrival])] == [(4, 20.0)]
    assert CONTRACT.metrics == METRICS


def test_one_malformed_line_in_a_million_readings_costs_one_line(lake: Lake, raw: RawZone, arrival: Hour) -> None:
    messages, pack, objects = 40_000, 25, 8
    at = arrival.start
    millis = round(at.timestamp() * 1000)
    for part in range(objects):
        lines = []
        for n in range(part, messages, objects):
            texts = ",".join(f'{{"ts":{millis + k},"seq":{n},"temperature":{20 + k / 8}}}' for k in range(pack))
            lines.append(line(f'{{"v":1,"readings":[{texts}]}}'.encode(), at, Sender(f"meter-{n}"), str(n)))
        if part == 3:
            lines.insert(len(lines) // 2, b'{"v":1,"readings":[{"ts":17,"seq"')
        raw.put(arrival, lines)
    build(lake, [arrival])
    (balance,) = lake.arrival_balances([arrival])
    assert (balance.received, balance.valid, balance.quarantined) == (1_000_001, 1_000_000, 1)
    (bad,) = quarantined(lake, [arrival])
    assert (bad["reason"], bad["record"]) == ("malformed_json", '{"v":1,"readings":[{"ts":17,"seq"')
    (built,) = lake.event_balances([arrival])
    assert (built.built.rows, built.built.duplicates, built.built.conflicts) == (1_000_000, 0, 0)
