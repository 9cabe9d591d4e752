"""A lake with hours of history, so far as ticks can see it."""

import io
import json
import uuid
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

import boto3
import dagster as dg
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq

from iot_pipeline.contract import Table, tables
from iot_pipeline.defs.curated.assets import curated_telemetry
from iot_pipeline.defs.judged.assets import TOUCHED, judged_telemetry, ledger, quarantined_telemetry
from iot_pipeline.defs.raw.assets import raw_telemetry
from iot_pipeline.defs.warehouse.assets import warehouse_readings
from iot_pipeline.lake.catalog import Partition
from iot_pipeline.lake.hours import HOUR, Hour
from iot_pipeline.lake.judged_by import all_rules
from iot_pipeline.lake.lake import Lake
from iot_pipeline.lake.notes import BuildNotes, Counts, Mark, Marks, content_id
from iot_pipeline.lake.publishing import BUILD_TIME
from iot_pipeline.partitions import partition_key
from iot_pipeline.resources import WarehouseResource
from iot_pipeline.settings import deployment
from iot_pipeline.warehouse.tables import LOADS

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SIMULATED = """\
Real are: the catalog, with a partition of each table an hour and notes as builds make them (every other arrival hour
touches the event hour before it as well); a version folder for each, and three replaced versions of each of the last 23
hours; lake.loads; the queue; Dagster's materializations, one an hour and asset, in memory. Simulated are: the 100,000
raw objects an hour and what is judged of them, in whose place an hour has one small object a table, since no tick
opens them but site_arrival, whose ledgers have no rows; the notifications, of raw objects that are not there; the
warehouse, which has the notes of loads and no readings; Dagster's runs, of which there are none."""

OBJECTS_AN_HOUR = 100_000
# One tick of the raw sensor is ten seconds.
NOTIFICATIONS = OBJECTS_AN_HOUR // 360
# Hours of which replaced versions are there, as each day's clean-up finds them, and how many of each table.
REPLACED_HOURS, REPLACED = 24, 3
ASSETS = (
    raw_telemetry.key,
    judged_telemetry.key,
    ledger.key,
    quarantined_telemetry.key,
    curated_telemetry.key,
    warehouse_readings.key,
)


@dataclass
class History:
    """Fills a lake, its warehouse's notes and a Dagster instance, back from the hour `now`."""

    lake: Lake
    instance: dg.DagsterInstance
    now: Hour
    warehouse_dsn: str
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(8))

    def fill(self, newest: int, oldest: int) -> None:
        """The hours from `newest` to before `oldest` hours ago."""
        hours = [self.now + -age for age in range(newest, oldest)]
        for table in self._tables:
            partitions = [self._partition(table, hour) for hour in hours]
            self.lake.catalog.publish(table.name, partitions)
            self._put_all(table, [partition.location for partition in partitions])
        self._load(hours)
        for asset in ASSETS:
            for hour in hours:
                self.instance.report_runless_asset_event(dg.AssetMaterialization(asset, partition=partition_key(hour)))

    def replace_again(self) -> None:
        """Replaced versions of the day before the open hour, as an hourly clean-up of a day of builds finds them."""
        for table in self._tables:
            hours = [self.now + -age for age in range(1, REPLACED_HOURS)]
            numbers = range(1, REPLACED + 1)
            self._put_all(table, [self._location(table, hour, number) for hour in hours for number in numbers])

    def notify(self) -> None:
        """Ten seconds of notifications in the queue."""
        queue, sqs = deployment().raw_queue_url, boto3.client("sqs")
        for start in range(0, NOTIFICATIONS, 10):
            numbers = range(start, min(start + 10, NOTIFICATIONS))
            entries = [{"Id": str(n), "MessageBody": self._notification(n)} for n in numbers]
            answer = sqs.send_message_batch(QueueUrl=queue, Entries=entries)  # type: ignore[arg-type]  # the stubs want their own TypedDict
            if answer.get("Failed"):
                raise RuntimeError(f"SQS did not take {answer['Failed']}")

    def judge_again(self, arrival: Hour, touched: Sequence[Hour]) -> str:
        """A materialization of the ledger that touched these event hours; the cursor of the sensor before it."""
        cursor = self._newest(ledger.key)
        ranges = [[partition_key(hour), partition_key(hour)] for hour in touched]
        self.instance.report_runless_asset_event(
            dg.AssetMaterialization(
                ledger.key, partition=partition_key(arrival), metadata={TOUCHED: dg.MetadataValue.json(ranges)}
            )
        )
        return cursor

    def notice(self) -> None:
        """New raw objects of the open hour, as the raw sensor reports them."""
        event = dg.AssetMaterialization(raw_telemetry.key, partition=partition_key(self.now))
        self.instance.report_runless_asset_event(event)

    def curate_again(self, hour: Hour) -> str:
        """A materialization of a curated hour; the cursor of the sensor before it."""
        cursor = self._newest(curated_telemetry.key)
        self.instance.report_runless_asset_event(
            dg.AssetMaterialization(curated_telemetry.key, partition=partition_key(hour))
        )
        return cursor

    def _newest(self, key: dg.AssetKey) -> str:
        return str(self.instance.fetch_materializations(key, limit=1).records[0].storage_id)

    @property
    def _tables(self) -> tuple[Table, ...]:
        all_tables = tables(self.lake.contract)
        return (
            all_tables.judged_telemetry,
            all_tables.ledger,
            all_tables.quarantined_telemetry,
            all_tables.curated_telemetry,
        )

    @cached_property
    def _s3(self) -> "S3Client":
        return boto3.client("s3")

    def _partition(self, table: Table, hour: Hour) -> Partition:
        curated = table.name == "curated_telemetry"
        marks = self._sources(hour) if curated else self._touched(hour)
        notes = BuildNotes(
            hour.start + timedelta(hours=1),
            content_id(marks) if curated else None,
            Counts(sum(mark.readings for mark in marks.values())) if curated else None,
            marks,
            all_rules(self.lake.contract),
        )
        return Partition(hour, self._location(table, hour, 0), notes)

    def _touched(self, arrival: Hour) -> Marks:
        events = (arrival + -1, arrival) if self._age(arrival) % 2 == 0 else (arrival,)
        return {event: _mark(arrival, event) for event in events}

    def _sources(self, event: Hour) -> Marks:
        arrivals = (event, event + 1) if self._age(event) % 2 else (event,)
        return {arrival: _mark(arrival, event) for arrival in arrivals}

    def _age(self, hour: Hour) -> int:
        """In hours. Those of an even age hold readings of the hour before them, so that a day's end is no seam."""
        return int((self.now.start - hour.start) / HOUR)

    def _location(self, table: Table, hour: Hour, replaced: int) -> str:
        """Where a build put an hour: the last one ten minutes after its end, those that it replaced before that."""
        at: datetime = hour.start + timedelta(minutes=70 - 15 * replaced)
        return f"s3://{self.lake.bucket}/{table.prefix}v={at:{BUILD_TIME}}_{uuid.uuid4().hex[:8]}/{hour.path}"

    def _put_all(self, table: Table, locations: Iterable[str]) -> None:
        for done in [self._pool.submit(self._put, table, location) for location in locations]:
            done.result()

    def _put(self, table: Table, location: str) -> None:
        key = location.removeprefix(f"s3://{self.lake.bucket}/") + "part.parquet"
        body = self._ledger_file if table.name == "ledger" else b"x"
        self._s3.put_object(Bucket=self.lake.bucket, Key=key, Body=body)

    @cached_property
    def _ledger_file(self) -> bytes:
        """A ledger's file with no rows, for who reads whole days of it."""
        kinds = {"string": pa.string(), "bigint": pa.int64(), "double": pa.float64(), "timestamp": pa.timestamp("us")}
        columns = tables(self.lake.contract).ledger.columns
        schema = pa.schema([(column.name, kinds[column.type]) for column in columns])
        body = io.BytesIO()
        pq.write_table(schema.empty_table(), body)
        return body.getvalue()

    def _load(self, hours: Iterable[Hour]) -> None:
        """Note the loads straight in PostgreSQL, since through the proxy each would be a statement of its own."""
        names = ", ".join(LOADS.column_names)
        with WarehouseResource().loader() as loader:  # makes the tables
            loader.connection.commit()
        with (
            psycopg.connect(self.warehouse_dsn) as connection,
            connection.cursor().copy(f"COPY {LOADS.full_name} ({names}) FROM STDIN") as copy,
        ):
            for hour in hours:
                partition = self._partition(tables(self.lake.contract).curated_telemetry, hour)
                notes = partition.notes
                if notes is None or notes.counts is None:
                    raise RuntimeError(f"{hour} was made without notes")
                counts = notes.counts.rows, notes.counts.duplicates, notes.counts.conflicts
                built_at = notes.built_at.replace(tzinfo=None)
                copy.write_row((hour.start.replace(tzinfo=None), partition.location, *counts, built_at, notes.content))

    def _notification(self, number: int) -> str:
        key = f"{tables().raw_lines.prefix}{self.now.path}telemetry-{number}.gz"
        record = {"eventName": "ObjectCreated:Put", "s3": {"object": {"key": key.replace("=", "%3D"), "size": 60_000}}}
        return json.dumps({"Records": [record]})


def _mark(arrival: Hour, event: Hour) -> Mark:
    """As of 100,000 objects of an hour, 9 of 10 of which hold readings of their own hour."""
    readings = OBJECTS_AN_HOUR * (9 if arrival == event else 1)
    return Mark(readings, f"{'_'.join((*arrival.values, *event.values))}")
