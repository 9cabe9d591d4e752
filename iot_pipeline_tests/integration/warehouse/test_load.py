"""Loading curated hours: whole, once, counted, and only those that have changed."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import boto3
import pytest
from redshift_connector.core import Connection
from redshift_connector.cursor import Cursor
from redshift_connector.error import ProgrammingError

from iot_pipeline.contract import CONTRACT, METRICS, Contract, Metric, Unit, tables
from iot_pipeline.lake.catalog import Catalog, Partition
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.lake import Lake
from iot_pipeline.lake.notes import BuildNotes
from iot_pipeline.resources import WarehouseResource
from iot_pipeline.warehouse import statements, transaction
from iot_pipeline.warehouse.landing import LandingError, migrate
from iot_pipeline.warehouse.load import LoadedHour, Loader, LoadError
from iot_pipeline.warehouse.tables import WRITE_LOCK
from iot_pipeline.warehouse.tables import readings as readings_table
from iot_pipeline.warehouse.transaction import read, run
from iot_pipeline_tests.support.hours import CURATED, curate, fill_for_load, loaded_rows, notes
from iot_pipeline_tests.support.messages import RawZone, Sender, curated, line, message, reading


def miscounted(partition: Partition) -> BuildNotes:
    """A partition's notes with a wrong number of rows."""
    assert partition.notes
    assert partition.notes.counts
    return replace(partition.notes, counts=replace(partition.notes.counts, rows=5))


def test_an_hour_built_again_with_the_same_rows_is_not_loaded_again(
    loader: Loader, lake: Lake, raw: RawZone, arrival: Hour
) -> None:
    fill_for_load(raw, arrival)
    hours = curate(lake, [arrival])
    loader.load(hours)
    before = lake.catalog.partitions(CURATED.name, hours)
    lake.curate(hours)
    after = lake.catalog.partitions(CURATED.name, hours)
    assert all(after[hour].location != before[hour].location for hour in hours)
    assert loader.unloaded(hours) == []
    assert all(done.skipped for done in loader.load(hours))


def test_a_narrowed_range_reaches_the_warehouse_in_the_hours_that_change(
    loader: Loader, lake: Lake, raw: RawZone, arrival: Hour
) -> None:
    hours = [arrival, arrival + 1]
    for hour, value in zip(hours, (10.0, 40.0), strict=True):
        raw.put(hour, [line(message(reading(hour.start, 1, temperature=value)), hour.start, Sender("meter-1"))])
    loader.load(curate(lake, hours))
    metrics = [replace(m, maximum=30.0) if m.name == "temperature" else m for m in METRICS]
    narrower = replace(lake, contract=Contract(metrics=tuple(metrics)))
    narrower.judge(narrower.stale_arrivals(hours))
    narrower.curate(narrower.stale(hours))
    assert loader.unloaded(hours) == [arrival + 1]


def test_a_load_is_what_was_curated(loader: Loader, lake: Lake, raw: RawZone, arrival: Hour) -> None:
    fill_for_load(raw, arrival)
    hours = curate(lake, [arrival])
    assert loader.unloaded(hours) == hours
    done = loader.load(hours)
    assert [(hour.hour, hour.rows, hour.skipped) for hour in done] == [
        (h, 2 if h != arrival else 4, False) for h in hours
    ]
    for hour in hours:
        assert loaded_rows(loader.connection, hour) == curated(lake, [hour])
    (latest,) = [balance for balance in loader.balances(hours) if balance.hour == arrival]
    assert latest.balances
    assert latest.is_current
    assert (latest.counted.rows, latest.counted.duplicates, latest.counted.conflicts) == (4, 0, 4)
    assert loader.unloaded(hours) == []


def test_a_second_load_changes_nothing(loader: Loader, lake: Lake, raw: RawZone, arrival: Hour) -> None:
    fill_for_load(raw, arrival)
    hours = curate(lake, [arrival])
    loader.load(hours)
    before = notes(loader.connection, hours)
    assert [hour.skipped for hour in loader.load(hours)] == [True] * 3
    assert notes(loader.connection, hours) == before
    assert loader.load([]) == []


def test_late_data_reopens_its_hour_and_no_other(loader: Loader, lake: Lake, raw: RawZone, arrival: Hour) -> None:
    fill_for_load(raw, arrival)
    hours = curate(lake, [arrival])
    loader.load(hours)
    before = notes(loader.connection, hours)
    raw.put(arrival + 30, [line(message(reading(hours[1].start, 999)), (arrival + 30).start)])
    assert curate(lake, [arrival + 30]) == [hours[1]]
    assert loader.unloaded(hours) == [hours[1]]
    assert hours[1] in loader.unloaded()
    assert not {hours[0], hours[2]} & set(loader.unloaded())
    assert [(hour.hour, hour.skipped) for hour in loader.load(hours)] == list(
        zip(hours, [True, False, True], strict=True)
    )
    after = notes(loader.connection, hours)
    assert [after[0], after[2]] == [before[0], before[2]]
    assert after[1] != before[1]
    assert loaded_rows(loader.connection, hours[1]) == curated(lake, [hours[1]])


def test_an_hour_built_anew_replaces_and_an_emptied_one_is_emptied(
    loader: Loader, lake: Lake, raw: RawZone, arrival: Hour
) -> None:
    wrong = raw.put(arrival, [line(message(reading(arrival.start, 1)), arrival.start)])
    curate(lake, [arrival])
    loader.load([arrival])
    other = raw.put(arrival, [line(message(reading(arrival.start, 2), reading(arrival.start, 3)), arrival.start)])
    raw.delete(wrong)
    curate(lake, [arrival])
    loader.load([arrival])
    assert [row["seq"] for row in loaded_rows(loader.connection, arrival)] == [2, 3]
    raw.delete(other)
    lake.judge([arrival])
    lake.curate([arrival])
    (emptied,) = loader.load([arrival])
    assert (emptied.rows, emptied.skipped) == (0, False)
    assert loaded_rows(loader.connection, arrival) == []
    assert loader.load([arrival]) == [LoadedHour(arrival, 0, skipped=True)]


def test_an_hour_that_glue_leaves_out_of_its_answer_is_not_emptied(
    loader: Loader, lake: Lake, raw: RawZone, arrival: Hour
) -> None:
    raw.put(arrival, [line(message(reading(arrival.start, 1)), arrival.start)])
    curate(lake, [arrival])
    loader.load([arrival])

    class Forgetful:
        """A Glue that leaves out what it was asked for, and does not say so."""

        def __getattr__(self, name: str) -> Any:
            return getattr(lake.catalog.glue, name)

        def batch_get_partition(self, **_: Any) -> Any:
            return {"Partitions": [], "UnprocessedKeys": []}

    glue: Any = Forgetful()
    with pytest.raises(LoadError, match="Glue left its partition out of a list, but has it; nothing was deleted"):
        replace(loader, catalog=replace(loader.catalog, glue=glue)).load([arrival])
    assert [row["seq"] for row in loaded_rows(loader.connection, arrival)] == [1]
    assert loader.load([arrival]) == [LoadedHour(arrival, 1, skipped=True)]


def test_rows_that_went_missing_are_loaded_again(loader: Loader, lake: Lake, raw: RawZone, arrival: Hour) -> None:
    fill_for_load(raw, arrival)
    hours = curate(lake, [arrival])
    loader.load(hours)
    run(loader.connection, statements.delete_readings(arrival))
    loader.connection.commit()
    assert not loader.balances([arrival])[0].balances
    assert [hour.skipped for hour in loader.load(hours)] == [True, True, False]
    assert loaded_rows(loader.connection, arrival) == curated(lake, [arrival])


def test_a_load_that_is_not_what_the_ledger_says_is_rolled_back_and_costs_itself_alone(
    loader: Loader, lake: Lake, raw: RawZone, arrival: Hour
) -> None:
    fill_for_load(raw, arrival)
    hours = curate(lake, [arrival])
    loader.load([hours[1]])
    before = notes(loader.connection, hours), loaded_rows(loader.connection, hours[1])
    partition = lake.catalog.partitions(CURATED.name, hours)[hours[1]]
    lake.curate([hours[1]])
    moved = lake.catalog.partitions(CURATED.name, hours)[hours[1]]
    lake.catalog.publish(CURATED.name, [replace(moved, notes=miscounted(moved))])
    with pytest.raises(
        LoadError, match=rf"1 hours were rolled back: {hours[1]}: the ledger says .*rows=5.* has .*rows=2"
    ):
        loader.load(hours)
    assert partition.location != moved.location
    assert loaded_rows(loader.connection, hours[1]) == before[1]
    after = notes(loader.connection, hours)
    assert after[1] == before[0][0]
    assert len(after) == 3, "the other hours are loaded"
    lake.catalog.publish(CURATED.name, [moved])
    loader.load(hours)
    assert all(balance.balances and balance.is_current for balance in loader.balances(hours))


def test_a_copy_that_fails_costs_its_hour_alone(loader: Loader, lake: Lake, raw: RawZone, arrival: Hour) -> None:
    fill_for_load(raw, arrival)
    hours = curate(lake, [arrival])
    partition = lake.catalog.partitions(CURATED.name, hours)[hours[0]]
    nowhere = replace(partition, location=f"s3://{lake.bucket}/{CURATED.prefix}v=20200101T000000_gone/")
    lake.catalog.publish(CURATED.name, [nowhere])
    with pytest.raises(LoadError, match=f"{hours[0]}: COPY from {nowhere.location} failed") as failed:
        loader.load(hours)
    assert [hour.hour for hour in failed.value.loaded] == hours[1:]
    assert loader.unloaded(hours) == [hours[0]]


class Conflicting:
    """A connection whose COPY fails as Redshift's does when transactions conflict, so many times."""

    def __init__(self, connection: Connection, times: int) -> None:
        self.connection, self.times = connection, times

    def __getattr__(self, name: str) -> Any:
        return getattr(self.connection, name)

    def cursor(self) -> Any:
        return ConflictingCursor(self, self.connection.cursor())


class ConflictingCursor:
    """What runs the statements of such a connection."""

    def __init__(self, owner: Conflicting, cursor: Cursor) -> None:
        self.owner, self.cursor = owner, cursor

    def __enter__(self) -> "ConflictingCursor":
        return self

    def __exit__(self, *error: object) -> None:
        self.cursor.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.cursor, name)

    def execute(self, sql: str) -> None:
        if sql.startswith("COPY") and self.owner.times:
            self.owner.times -= 1
            detail = "Serializable isolation violation on table - 1234, transactions forming the cycle are: 1, 2"
            raise ProgrammingError({"S": "ERROR", "C": "XX000", "M": "1023", "D": detail})
        self.cursor.execute(sql)


def test_a_conflict_with_another_session_is_tried_again_a_few_times(
    loader: Loader, lake: Lake, raw: RawZone, arrival: Hour, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transaction, "PAUSE_SECONDS", 0.0)
    fill_for_load(raw, arrival)
    hours = curate(lake, [arrival])
    connection: Any = Conflicting(loader.connection, times=transaction.ATTEMPTS)
    said: list[str] = []
    with pytest.raises(ProgrammingError, match="Serializable isolation violation"):
        replace(loader, connection=connection, progress=said.append).load(hours)
    assert len(said) == transaction.ATTEMPTS - 1
    assert loader.unloaded(hours) == hours
    connection.times = transaction.ATTEMPTS - 1
    replace(loader, connection=connection).load(hours)
    assert loaded_rows(loader.connection, arrival) == curated(lake, [arrival])


def test_eight_loaders_at_once_of_the_same_and_of_other_hours(
    loader: Loader, warehouse: WarehouseResource, lake: Lake, raw: RawZone, arrival: Hour
) -> None:
    fill_for_load(raw, arrival, hours=6)
    hours = curate(lake, [arrival])

    def load(wanted: list[Hour]) -> list[LoadedHour]:
        with warehouse.loader() as own:
            return own.load(wanted)

    ranges = [hours, hours[:2], hours[2:4], hours[4:], list(reversed(hours)), hours[:3], hours[3:], hours]
    with ThreadPoolExecutor(len(ranges)) as pool:
        done = [hour for result in pool.map(load, ranges) for hour in result]
    assert sorted(hour.hour for hour in done if not hour.skipped) == hours, "each hour is loaded once"
    for hour in hours:
        assert loaded_rows(loader.connection, hour) == curated(lake, [hour])
    assert all(balance.balances and balance.is_current for balance in loader.balances(hours))


@pytest.fixture
def moisture(lake: Lake, loader: Loader) -> Iterator[Lake]:
    """A lake of its own whose contract knows one more metric. COPY's role may read it too."""
    wet = Metric("moisture", (Unit("%"),), 0.0, 100.0, 10.0, "Soil moisture.")
    contract = Contract(metrics=(*METRICS, wet))
    glue = boto3.client("glue")
    database, bucket = "telemetry_wet", "lake-wet"
    glue.create_database(DatabaseInput={"Name": database})
    boto3.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    for table in tables(contract).all:
        deployed: Any = glue.get_table(DatabaseName=lake.catalog.database, Name=table.name)["Table"]
        storage = deployed["StorageDescriptor"]
        table_input: Any = {
            "Name": table.name,
            "TableType": "EXTERNAL_TABLE",
            "Parameters": deployed["Parameters"],
            "PartitionKeys": deployed["PartitionKeys"],
            "StorageDescriptor": {**storage, "Columns": [{"Name": c.name, "Type": c.type} for c in table.columns]},
        }
        glue.create_table(DatabaseName=database, TableInput=table_input)
    allowed = {"Effect": "Allow", "Action": ["s3:ListBucket", "s3:GetObject"], "Resource": f"arn:aws:s3:::{bucket}*"}
    iam, role = boto3.client("iam"), loader.role_arn.rpartition("/")[2]
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_role_policy(RoleName=role, PolicyName=database, PolicyDocument=policy)
    yield Lake(bucket, Catalog(glue, database), replace(lake.athena, database=database, results=[]), contract)
    iam.delete_role_policy(RoleName=role, PolicyName=database)
    glue.delete_database(Name=database)


@pytest.fixture
def back_to_the_contract(loader: Loader) -> Iterator[None]:
    """Whatever columns a test adds go again."""
    yield
    loader.connection.rollback()
    for name, _ in columns_of(loader.connection):
        if name not in readings_table(CONTRACT).column_names:
            run(loader.connection, f"ALTER TABLE lake.readings DROP COLUMN {name}")
    loader.connection.commit()


def columns_of(connection: Connection) -> list[tuple[str, str]]:
    found = run(connection, statements.existing_columns())
    return [(name, kind) for table, name, kind in found if table == "lake.readings"]


def test_a_metric_new_in_the_contract_arrives(
    loader: Loader, moisture: Lake, lake: Lake, raw: RawZone, arrival: Hour, back_to_the_contract: None
) -> None:
    sent = [line(message(reading(arrival.start, 1, moisture=33), reading(arrival.start, 2)), arrival.start)]
    for zone in (raw, RawZone(moisture.bucket)):
        zone.put(arrival, sent)
    curate(lake, [arrival])
    loader.load([arrival])
    assert [row["seq"] for row in loaded_rows(loader.connection, arrival)] == [2], "1 has no metric that is known"

    assert migrate(loader.connection, moisture.contract, loader.catalog) == [
        "ALTER TABLE lake.readings ADD COLUMN moisture double precision"
    ]
    assert migrate(loader.connection, moisture.contract, loader.catalog) == []
    curate(moisture, [arrival])
    replace(loader, catalog=moisture.catalog, contract=moisture.contract).load([arrival])
    sql = f"SELECT seq, moisture, temperature FROM lake.readings WHERE event_time = {arrival.sql} ORDER BY seq"
    assert read(loader.connection, sql) == [(1, 33.0, None), (2, None, 21.5)]
    # A partition built before the metric existed has fewer columns than the table by now.
    replace(loader, contract=moisture.contract).load([arrival])
    assert read(loader.connection, sql) == [(2, None, 21.5)]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["ADD COLUMN surplus bigint"], "lake.readings has columns that the contract no longer has: surplus"),
        (
            ["DROP COLUMN battery", "ADD COLUMN battery bigint"],
            "lake.readings: battery is bigint, the contract says double precision",
        ),
    ],
)
def test_what_adding_cannot_mend_is_refused_and_nothing_is_changed(
    loader: Loader, changes: list[str], message: str, back_to_the_contract: None
) -> None:
    run(loader.connection, statements.lock(WRITE_LOCK))
    for change in changes:
        run(loader.connection, f"ALTER TABLE lake.readings {change}")
    there = columns_of(loader.connection)
    with pytest.raises(LandingError, match=message):
        migrate(loader.connection, CONTRACT, loader.catalog)
    assert columns_of(loader.connection) == there
    loader.connection.rollback()


def test_progress_is_told_of_each_hour(loader: Loader, lake: Lake, raw: RawZone, arrival: Hour) -> None:
    said: list[str] = []
    tell: Callable[[str], None] = said.append
    fill_for_load(raw, arrival)
    hours = curate(lake, [arrival])
    replace(loader, progress=tell).load(hours)
    assert len(said) == 3
    assert said[2].startswith(f"loaded 4 rows of {arrival} in ")
