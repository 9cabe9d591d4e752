"""The raw sensor on the deployed queue: arrivals become materializations, and nothing is lost."""

import json
import logging
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import boto3
import dagster as dg
import psycopg
import pytest
import yaml

from infra.local.postgres.process import SUPERUSER
from infra.local.servers.loopback import HOST
from infra.local.session.dagster_runs import record_arrivals
from infra.local.session.platform import Platform
from iot_pipeline.defs.dagster_internals import noted
from iot_pipeline.defs.raw import in_flight, sensors
from iot_pipeline.defs.raw.assets import raw_telemetry
from iot_pipeline.defs.raw.in_flight import InFlight
from iot_pipeline.defs.raw.sensors import raw_objects
from iot_pipeline.lake.hours import Hour
from iot_pipeline.partitions import partition_key
from iot_pipeline.resources import RawEvents, raw_events
from iot_pipeline.resources.raw_events import BATCH, IN_FLIGHT, Notification
from iot_pipeline.settings import deployment
from iot_pipeline_tests.support.messages import RawZone, line, message, reading

LINE = b'{"any":"line"}'


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


@pytest.fixture
def queue(platform: Platform, instance: dg.DagsterInstance) -> Any:
    """The deployed queue, with nothing of other tests left in it."""
    record_arrivals(dg.DagsterInstance.ephemeral())
    return boto3.client("sqs")


def waiting(queue: Any, count: int) -> None:
    """Until S3 has told of so many objects; pytest's timeout ends the wait."""
    while int(attribute(queue, "ApproximateNumberOfMessages")) < count:
        time.sleep(0.05)


def attribute(queue: Any, name: str) -> str:
    """An attribute of the deployed queue."""
    answer = queue.get_queue_attributes(QueueUrl=deployment().raw_queue_url, AttributeNames=[name])
    return str(answer["Attributes"][name])


def tick(instance: dg.DagsterInstance, events: RawEvents | None = None) -> str:
    """Evaluate the sensor once; what it says."""
    result = raw_objects(dg.build_sensor_context(instance=instance), raw_events=events or RawEvents())
    assert isinstance(result, dg.SkipReason)
    return result.skip_message or ""


def materialized(instance: dg.DagsterInstance, hour: Hour) -> list[dict[str, object]]:
    """The metadata of an hour's materializations."""
    wanted = dg.AssetRecordsFilter(asset_key=raw_telemetry.key, asset_partitions=[partition_key(hour)])
    records = instance.fetch_materializations(wanted, limit=100).records
    found = [record.asset_materialization for record in records]
    return [{name: value.value for name, value in item.metadata.items()} for item in found if item]


def test_new_objects_become_one_materialization_an_hour(
    instance: dg.DagsterInstance, queue: Any, raw: RawZone, dagster_hour: Hour
) -> None:
    first = [raw.put(dagster_hour, [LINE]) for _ in range(12)]
    second = raw.put(dagster_hour + 1, [LINE])
    sizes = [raw.s3.head_object(Bucket=raw.bucket, Key=uri.split("/", 3)[3])["ContentLength"] for uri in first]
    waiting(queue, 13)
    assert tick(instance) == "13 objects in 2 hours, 0 unreadable notifications"
    (metadata,) = materialized(instance, dagster_hour)
    keys = sorted(uri.split("/", 3)[3] for uri in first)
    assert metadata.pop("batch")
    assert metadata == {"objects": 12, "bytes": sum(sizes), "first object": keys[0], "last object": keys[-1]}
    (metadata,) = materialized(instance, dagster_hour + 1)
    assert (metadata["objects"], metadata["first object"]) == (1, second.split("/", 3)[3])
    assert tick(instance) == "0 objects in 0 hours, 0 unreadable notifications"
    assert len(materialized(instance, dagster_hour)) == 1


class Remembering(RawEvents):
    """Knows what it received and did not delete, so that no test depends on how long a visibility timeout lasts."""

    held: ClassVar[dict[str, str]] = {}

    def receive(self) -> list[Notification]:
        received = super().receive()
        self.held.update({notification.message_id: notification.receipt for notification in received})
        return received

    def delete(self, notifications: Sequence[Notification]) -> None:
        super().delete(notifications)
        for notification in notifications:
            self.held.pop(notification.message_id)


def give_again(queue: Any) -> None:
    """What was received and not deleted, as when its visibility timeout is over."""
    url = deployment().raw_queue_url
    for receipt in Remembering.held.values():
        queue.change_message_visibility(QueueUrl=url, ReceiptHandle=receipt, VisibilityTimeout=0)
    Remembering.held.clear()


class Crashing(Remembering):
    """Dies after the report and before the deletion, or after some of the deletions."""

    deletions: ClassVar[int] = 0

    def delete(self, notifications: Sequence[Notification]) -> None:
        if not type(self).deletions:
            raise KeyboardInterrupt
        type(self).deletions -= 1
        super().delete(notifications)


def test_a_crash_before_the_deletion_loses_nothing_and_counts_nothing_twice(
    instance: dg.DagsterInstance, queue: Any, raw: RawZone, dagster_hour: Hour
) -> None:
    raw.put(dagster_hour, [LINE])
    waiting(queue, 1)
    with pytest.raises(KeyboardInterrupt):
        tick(instance, Crashing())
    assert [metadata["objects"] for metadata in materialized(instance, dagster_hour)] == [1]
    give_again(queue)
    raw.put(dagster_hour, [LINE])
    waiting(queue, 2)
    said = tick(instance)
    assert said == "1 objects in 1 hours, 0 unreadable notifications, 1 objects that were counted before"
    assert [metadata["objects"] for metadata in materialized(instance, dagster_hour)] == [1, 1]
    assert tick(instance).startswith("0 objects"), "they are deleted now"


def test_a_crash_between_two_hours_reports_the_other_one_later(
    instance: dg.DagsterInstance, queue: Any, dagster_hour: Hour, monkeypatch: pytest.MonkeyPatch
) -> None:
    notify(queue, dagster_hour, 3)
    notify(queue, dagster_hour + 1, 4)
    waiting(queue, 7)
    report = dg.DagsterInstance.report_runless_asset_event

    def dies_at_the_second(self: dg.DagsterInstance, event: Any) -> None:
        if event.partition == partition_key(dagster_hour + 1):
            raise KeyboardInterrupt
        report(self, event)

    monkeypatch.setattr(dg.DagsterInstance, "report_runless_asset_event", dies_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        tick(instance, Remembering())
    monkeypatch.undo()
    give_again(queue)
    assert tick(instance).startswith("4 objects in 1 hours")
    for hour, objects in ((dagster_hour, 3), (dagster_hour + 1, 4)):
        assert [metadata["objects"] for metadata in materialized(instance, hour)] == [objects]


@pytest.mark.parametrize("storage", ["sqlite", "postgresql"])
def test_many_notifications_and_two_kills_count_each_once(
    storage: str,
    platform: Platform,
    queue: Any,
    dagster_hour: Hour,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ticks that are cut off have deleted a part of what they reported; `make bench-notifications` kills for real."""
    monkeypatch.setattr(sensors, "BATCH_NOTIFICATIONS", 300)
    notify(queue, dagster_hour, 500)
    notify(queue, dagster_hour + 1, 500)
    waiting(queue, 1000)
    with stored_in(storage, platform, tmp_path) as instance:
        for deletions in (5, 2):
            monkeypatch.setattr(Crashing, "deletions", deletions)
            with pytest.raises(KeyboardInterrupt):
                tick(instance, Crashing())
            give_again(queue)
        tick(instance)
        assert tick(instance).startswith("0 objects in 0 hours, 0 unreadable notifications")
        for hour in (dagster_hour, dagster_hour + 1):
            assert sum(int(str(each["objects"])) for each in materialized(instance, hour)) == 500


def test_what_a_crash_leaves_is_looked_up_once_and_forgotten_when_it_cannot_come_again(
    instance: dg.DagsterInstance, queue: Any, dagster_hour: Hour, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []
    is_reported = InFlight._is_reported

    def counted(self: InFlight, partition: str, batch: str, at: datetime) -> bool:
        looked.append(partition)
        return is_reported(self, partition, batch, at)

    monkeypatch.setattr(InFlight, "_is_reported", counted)
    monkeypatch.setattr(Crashing, "deletions", 1)
    notify(queue, dagster_hour, 100)
    waiting(queue, 100)
    with pytest.raises(KeyboardInterrupt):
        tick(instance, Crashing())
    give_again(queue)
    assert tick(instance).endswith("20 objects that were counted before"), "80 were deleted before the crash"
    assert noted(instance, "iot_pipeline/raw_in_flight") != "{}", "nobody knows yet that the others do not come"
    tick(instance)
    assert looked == [partition_key(dagster_hour)]
    monkeypatch.setattr(in_flight, "KEPT", timedelta(0))
    tick(instance)
    assert noted(instance, "iot_pipeline/raw_in_flight") == "{}"


@contextmanager
def stored_in(storage: str, platform: Platform, folder: Path) -> Iterator[dg.DagsterInstance]:
    """An instance with a storage of its own."""
    config: dict[str, Any] = {"telemetry": {"enabled": False}}
    if storage == "postgresql":
        name = f"dagster_{uuid.uuid4().hex[:8]}"
        with psycopg.connect(platform.postgres.dsn("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        address = {"hostname": HOST, "port": platform.postgres.port, "db_name": name}
        login = {"username": SUPERUSER, "password": platform.postgres.password}
        config["storage"] = {"postgres": {"postgres_db": address | login}}
    (folder / "dagster.yaml").write_text(yaml.safe_dump(config))
    with dg.DagsterInstance.from_config(str(folder)) as instance:
        yield instance


def test_an_unreadable_notification_ends_in_the_dead_letter_queue(
    instance: dg.DagsterInstance, queue: Any, raw: RawZone, dagster_hour: Hour, platform: Platform
) -> None:
    queue.send_message(QueueUrl=deployment().raw_queue_url, MessageBody="no notification")
    raw.put(dagster_hour, [LINE])
    waiting(queue, 2)
    assert tick(instance, Remembering()).startswith("1 objects in 1 hours")
    arn = json.loads(attribute(queue, "RedrivePolicy"))["deadLetterTargetArn"]
    dlq = queue.get_queue_url(QueueName=arn.rsplit(":", 1)[1])["QueueUrl"]
    found: list[str] = []
    while not found:
        give_again(queue)
        tick(instance, Remembering())
        received = queue.receive_message(QueueUrl=dlq, MaxNumberOfMessages=10).get("Messages", [])
        found = [item["Body"] for item in received]
    assert found == ["no notification"]
    assert len(materialized(instance, dagster_hour)) == 1


def test_an_hour_without_partition_is_left_and_named(
    instance: dg.DagsterInstance, queue: Any, raw: RawZone, arrival: Hour
) -> None:
    raw.put(arrival, [line(message(reading(arrival.start, 1)), arrival.start)])
    waiting(queue, 1)
    Remembering.held.clear()
    assert "1 unreadable" in tick(instance, Remembering())
    _, receipt = Remembering.held.popitem()
    queue.delete_message(QueueUrl=deployment().raw_queue_url, ReceiptHandle=receipt)
    assert instance.get_materialized_partitions(raw_telemetry.key) == set()


def notify(queue: Any, hour: Hour, count: int) -> None:
    """Notifications of so many objects, as S3 sends them, that need not be there for the sensor."""
    for start in range(0, count, BATCH):
        entries = [{"Id": str(n), "MessageBody": _body(hour, n)} for n in range(start, min(start + BATCH, count))]
        assert not queue.send_message_batch(QueueUrl=deployment().raw_queue_url, Entries=entries).get("Failed")


def _body(hour: Hour, number: int) -> str:
    item = {"key": f"raw/telemetry/{hour.path}t-{number:06d}.gz", "size": 7}
    return json.dumps({"Records": [{"eventName": "ObjectCreated:Put", "s3": {"object": item}}]})


def test_a_removed_raw_object_is_an_error_and_counted_and_no_arrival(
    instance: dg.DagsterInstance, queue: Any, raw: RawZone, dagster_hour: Hour, monkeypatch: pytest.MonkeyPatch
) -> None:
    errors: list[str] = []
    # Dagster's log of a tick is no child of Python's root logger, where pytest would see it.
    monkeypatch.setattr(logging.Logger, "error", lambda _, text, *values: errors.append(text % values))
    uri = raw.put(dagster_hour, [LINE])
    waiting(queue, 1)
    assert tick(instance).startswith("1 objects")
    raw.delete(uri)
    waiting(queue, 1)
    assert tick(instance) == "0 objects in 0 hours, 0 unreadable notifications, 1 removed"
    (error,) = errors
    assert "a raw object is gone" in error
    assert uri.split("/", 3)[3] in error
    assert len(materialized(instance, dagster_hour)) == 1
    assert tick(instance) == "0 objects in 0 hours, 0 unreadable notifications", "it is told once"


def test_objects_that_no_query_reads_are_counted_by_name_and_are_no_arrival(
    instance: dg.DagsterInstance, queue: Any, raw: RawZone, dagster_hour: Hour
) -> None:
    folder = f"raw/telemetry/{dagster_hour.path}"
    for name, body in (("", b""), ("_SUCCESS", b"x"), (".hidden.gz", b"x"), ("nothing.gz", b"")):
        raw.s3.put_object(Bucket=raw.bucket, Key=folder + name, Body=body)
    waiting(queue, 4)
    said = tick(instance)
    assert said == "0 objects in 0 hours, 0 unreadable notifications, 1 empty, 1 folder marker, 2 hidden"
    assert materialized(instance, dagster_hour) == []


class Together:
    """An SQS client whose calls of a kind wait for each other: one alone never returns."""

    def __init__(self, sqs: Any, calls: int) -> None:
        self.sqs, self.calls = sqs, calls
        self.receives, self.deletes = threading.Barrier(calls), threading.Barrier(calls)
        self.received = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.sqs, name)

    def receive_message(self, **options: Any) -> Any:
        self.received += 1
        if self.received > 1:  # the first one of a round is asked alone, to see whether there is more
            self.receives.wait(60)
        return self.sqs.receive_message(**options)

    def delete_message_batch(self, **options: Any) -> Any:
        self.deletes.wait(60)
        return self.sqs.delete_message_batch(**options)


def test_calls_to_the_queue_are_in_flight_together(
    queue: Any, dagster_hour: Hour, monkeypatch: pytest.MonkeyPatch
) -> None:
    notify(queue, dagster_hour, IN_FLIGHT * BATCH)
    waiting(queue, IN_FLIGHT * BATCH)
    client = Together(queue, IN_FLIGHT - 1)
    monkeypatch.setattr("boto3.client", lambda _: client)
    received = RawEvents().receive()
    assert client.received == IN_FLIGHT
    assert len(received) == IN_FLIGHT * BATCH
    RawEvents().delete(received[: (IN_FLIGHT - 1) * BATCH])
    monkeypatch.undo()
    RawEvents().delete(received[(IN_FLIGHT - 1) * BATCH :])


def test_what_was_received_comes_again_after_a_time_of_its_own_and_not_the_queues(
    queue: Any, dagster_hour: Hour, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sensors.TIME_BUDGET_SECONDS < raw_events.VISIBILITY_SECONDS < int(attribute(queue, "VisibilityTimeout"))
    monkeypatch.setattr(raw_events, "VISIBILITY_SECONDS", 0)
    notify(queue, dagster_hour, 1)
    waiting(queue, 1)
    (first,), (second,) = RawEvents().receive(), RawEvents().receive()
    assert first.message_id == second.message_id
    RawEvents().delete([second])


def test_one_tick_drains_many_rounds_into_one_materialization(
    instance: dg.DagsterInstance, queue: Any, dagster_hour: Hour
) -> None:
    deleted: list[str] = []

    class Counting(RawEvents):
        def delete(self, notifications: Sequence[Notification]) -> None:
            super().delete(notifications)
            deleted.extend(notification.message_id for notification in notifications)

    notify(queue, dagster_hour, 205)
    waiting(queue, 205)
    assert tick(instance, Counting()).startswith("205 objects in 1 hours")
    assert [metadata["objects"] for metadata in materialized(instance, dagster_hour)] == [205]
    assert len(set(deleted)) == len(deleted) == 205


class Clock:
    """A clock that stands still until something is deleted, and then is late."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


def test_deletions_are_within_the_time_budget_and_what_is_left_comes_again(
    instance: dg.DagsterInstance, queue: Any, dagster_hour: Hour, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()

    class Slow(Remembering):
        def delete(self, notifications: Sequence[Notification]) -> None:
            super().delete(notifications)
            clock.now = sensors.TIME_BUDGET_SECONDS

    notify(queue, dagster_hour, 100)
    waiting(queue, 100)
    monkeypatch.setattr(sensors, "time", clock)
    said = tick(instance, Slow())
    assert said.endswith("20 notifications not deleted in time: they come again, and are not counted again")
    monkeypatch.undo()
    give_again(queue)
    assert tick(instance).endswith("20 objects that were counted before")
    assert [metadata["objects"] for metadata in materialized(instance, dagster_hour)] == [100]
    assert noted(instance, "iot_pipeline/raw_in_flight") == "{}", "nothing is kept of what is gone"
