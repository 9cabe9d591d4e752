"""Notifications of new raw objects, from SQS."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

import boto3
import dagster as dg

from iot_pipeline.lake.hours import Hour, arrival_hour_of_key
from iot_pipeline.settings import deployment

# SQS API: at most ten messages in one ReceiveMessage or DeleteMessageBatch.
BATCH = 10


@dataclass(frozen=True)
class RawObject:
    """A new object of the raw zone."""

    key: str
    size: int
    hour: Hour


@dataclass(frozen=True)
class Notification:
    """One SQS message: the raw objects it tells of, or why it could not be read."""

    receipt: str
    message_id: str
    objects: tuple[RawObject, ...]
    problem: str | None = None


class RawEvents(dg.ConfigurableResource["RawEvents"]):
    """The queue of S3 notifications."""

    def receive(self) -> list[Notification]:
        """Up to ten notifications; none means the queue is empty for now.

        One that cannot be read comes with its problem: leave it in the queue, whose redrive policy moves it to the
        dead-letter queue.
        """
        received = boto3.client("sqs").receive_message(
            QueueUrl=deployment().raw_queue_url, MaxNumberOfMessages=BATCH, WaitTimeSeconds=0
        )
        return [_notification(message) for message in received.get("Messages", [])]

    def delete(self, notifications: Sequence[Notification]) -> None:
        """Forget notifications that have been recorded. Raises RuntimeError if SQS keeps any; they will come again."""
        client = boto3.client("sqs")
        for start in range(0, len(notifications), BATCH):
            entries = [
                {"Id": str(i), "ReceiptHandle": n.receipt} for i, n in enumerate(notifications[start : start + BATCH])
            ]
            answer = client.delete_message_batch(QueueUrl=deployment().raw_queue_url, Entries=entries)  # type: ignore[arg-type]  # the stubs want their own TypedDict
            if answer.get("Failed"):
                raise RuntimeError(f"SQS did not delete {answer['Failed']}; the notifications will be received again")


def _notification(message: Any) -> Notification:
    receipt, message_id = message["ReceiptHandle"], message["MessageId"]
    try:
        objects = tuple(_objects(json.loads(message["Body"])))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return Notification(receipt, message_id, (), problem=f"{type(error).__name__}: {error}")
    return Notification(receipt, message_id, objects)


def _objects(body: dict[str, Any]) -> Iterator[RawObject]:
    # S3 sends a test event when the notification is configured (S3 user guide, "Event message structure").
    if body.get("Event") == "s3:TestEvent":
        return
    records: Iterable[dict[str, Any]] = body["Records"]
    for record in records:
        key = unquote_plus(record["s3"]["object"]["key"])
        yield RawObject(key, int(record["s3"]["object"].get("size", 0)), arrival_hour_of_key(key))
