"""The raw sensor on the deployed queue: arrivals become materializations, and nothing is lost."""

import json
import time
from collections.abc import Iterator, Sequence
from typing import Any

import boto3
import dagster as dg
import pytest

from infra.local.session.dagster_runs import record_arrivals
from infra.local.session.platform import Platform
from iot_pipeline.defs.raw.assets import raw_telemetry
from iot_pipeline.defs.raw.sensors import raw_objects
from iot_pipeline.lake.hours import Hour
from iot_pipeline.partitions import partition_key
from iot_pipeline.resources import RawEvents
from iot_pipeline.resources.raw_events import Notification
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
    assert metadata == {"objects": 12, "bytes": sum(sizes), "first object": keys[0], "last object": keys[-1]}
    (metadata,) = materialized(instance, dagster_hour + 1)
    assert (metadata["objects"], metadata["first object"]) == (1, second.split("/", 3)[3])
    assert tick(instance) == "0 objects in 0 hours, 0 unreadable notifications"
    assert len(materialized(instance, dagster_hour)) == 1


@pytest.fixture
def impatient(queue: Any) -> Iterator[Any]:
    """The queue, which gives messages again after a second."""
    url, name = deployment().raw_queue_url, "VisibilityTimeout"
    before = attribute(queue, name)
    queue.set_queue_attributes(QueueUrl=url, Attributes={name: "1"})
    yield queue
    queue.set_queue_attributes(QueueUrl=url, Attributes={name: before})


class Crashing(RawEvents):
    """Dies after the report and before the deletion."""

    def delete(self, notifications: Sequence[Notification]) -> None:
        raise KeyboardInterrupt


def test_a_crash_before_the_deletion_repeats_and_loses_nothing(
    instance: dg.DagsterInstance, impatient: Any, raw: RawZone, dagster_hour: Hour
) -> None:
    raw.put(dagster_hour, [LINE])
    waiting(impatient, 1)
    with pytest.raises(KeyboardInterrupt):
        tick(instance, Crashing())
    assert [metadata["objects"] for metadata in materialized(instance, dagster_hour)] == [1]
    waiting(impatient, 1)
    assert tick(instance).startswith("1 objects in 1 hours")
    assert [metadata["objects"] for metadata in materialized(instance, dagster_hour)] == [1, 1]


def test_an_unreadable_notification_ends_in_the_dead_letter_queue(
    instance: dg.DagsterInstance, impatient: Any, raw: RawZone, dagster_hour: Hour, platform: Platform
) -> None:
    impatient.send_message(QueueUrl=deployment().raw_queue_url, MessageBody="no notification")
    raw.put(dagster_hour, [LINE])
    waiting(impatient, 2)
    assert tick(instance).startswith("1 objects in 1 hours")
    arn = json.loads(attribute(impatient, "RedrivePolicy"))["deadLetterTargetArn"]
    dlq = impatient.get_queue_url(QueueName=arn.rsplit(":", 1)[1])["QueueUrl"]
    found: list[str] = []
    while not found:
        tick(instance)
        received = impatient.receive_message(QueueUrl=dlq, MaxNumberOfMessages=10).get("Messages", [])
        found = [item["Body"] for item in received]
        time.sleep(0.2)
    assert found == ["no notification"]
    assert len(materialized(instance, dagster_hour)) == 1


def test_an_hour_without_partition_is_left_and_named(
    instance: dg.DagsterInstance, impatient: Any, raw: RawZone, arrival: Hour
) -> None:
    raw.put(arrival, [line(message(reading(arrival.start, 1)), arrival.start)])
    waiting(impatient, 1)
    assert "1 unreadable" in tick(instance)
    assert instance.get_materialized_partitions(raw_telemetry.key) == set()
