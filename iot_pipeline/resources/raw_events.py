"""Notifications of new raw objects, from SQS."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
import dagster as dg

from iot_pipeline.lake.removals import Removals
from iot_pipeline.lake.s3_events import RawObject, SetAside, events_of
from iot_pipeline.settings import deployment

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

__all__ = ["BATCH", "IN_FLIGHT", "Notification", "RawEvents", "RawObject"]

# SQS API: at most ten messages in one ReceiveMessage or DeleteMessageBatch.
BATCH = 10
# 100,000 objects an hour are 28 a second. One call after the other, each of some 20 ms and followed by its deletion, is
# near 250 messages a second, too few to catch up with a day in which nobody drained; boto3 keeps ten connections.
IN_FLIGHT = 8
# For how long what was received is hidden from the next tick. It has to outlast a tick, which Dagster ends after 60 s
# by default; what a killed one had received comes again after this, and not after the queue's own 5 minutes.
VISIBILITY_SECONDS = 60


@dataclass(frozen=True)
class Notification:
    """One SQS message: what it tells of the raw zone, or why it could not be read."""

    receipt: str
    message_id: str
    objects: tuple[RawObject, ...]
    problem: str | None = None
    set_aside: tuple[SetAside, ...] = ()


class RawEvents(dg.ConfigurableResource["RawEvents"]):
    """The queue of S3 notifications."""

    @cached_property
    def _sqs(self) -> "SQSClient":
        """One client, so that the thousands of calls of a tick share its connections."""
        return boto3.client("sqs")

    def receive(self) -> list[Notification]:
        """Up to 80 notifications; none means the queue is empty for now.

        One call, and if that was full seven more at once. A notification that cannot be read comes with its problem:
        leave it in the queue, whose redrive policy moves it to the dead-letter queue.
        """
        client = self._sqs
        messages = _receive(client)
        if len(messages) == BATCH:
            with ThreadPoolExecutor(IN_FLIGHT - 1) as pool:
                for more in pool.map(_receive, [client] * (IN_FLIGHT - 1)):
                    messages += more
        return [_notification(message) for message in messages]

    def is_meant(self, key: str) -> bool:
        """Whether retention has removed a raw object, or an erasure a version of it: then it is no loss."""
        return Removals(boto3.client("s3"), deployment().lake_bucket).explains(key)

    def delete(self, notifications: Sequence[Notification]) -> None:
        """Forget notifications that have been recorded, ten a call and up to eight calls at once.

        Raises RuntimeError if SQS keeps any; they will come again.
        """
        client = self._sqs
        batches = [notifications[start : start + BATCH] for start in range(0, len(notifications), BATCH)]
        with ThreadPoolExecutor(IN_FLIGHT) as pool:
            failed = [entry for kept in pool.map(lambda batch: _delete(client, batch), batches) for entry in kept]
        if failed:
            raise RuntimeError(f"SQS did not delete {failed}; the notifications will be received again")


def _receive(client: "SQSClient") -> list[Any]:
    answer = client.receive_message(
        QueueUrl=deployment().raw_queue_url,
        MaxNumberOfMessages=BATCH,
        WaitTimeSeconds=0,
        VisibilityTimeout=VISIBILITY_SECONDS,
    )
    return list(answer.get("Messages", []))


def _delete(client: "SQSClient", batch: Sequence[Notification]) -> list[Any]:
    """What SQS did not delete of a batch."""
    entries = [{"Id": str(i), "ReceiptHandle": notification.receipt} for i, notification in enumerate(batch)]
    answer = client.delete_message_batch(QueueUrl=deployment().raw_queue_url, Entries=entries)  # type: ignore[arg-type]  # the stubs want their own TypedDict
    return list(answer.get("Failed", []))


def _notification(message: Any) -> Notification:
    receipt, message_id = message["ReceiptHandle"], message["MessageId"]
    try:
        events = list(events_of(json.loads(message["Body"])))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return Notification(receipt, message_id, (), problem=f"{type(error).__name__}: {error}")
    return Notification(
        receipt,
        message_id,
        objects=tuple(event for event in events if isinstance(event, RawObject)),
        set_aside=tuple(event for event in events if isinstance(event, SetAside)),
    )
