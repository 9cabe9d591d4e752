"""Erasing from the edge: live states, alerts and planned work, and what failed on the way."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from iot_pipeline.erasure import kept_objects
from iot_pipeline.erasure.bucket_search import (
    FAILURES,
    IMPORTS,
    REFUSED,
    RESULTS,
    UNDELIVERED,
    BucketSearch,
    zone_of,
)
from iot_pipeline.erasure.found import Found
from iot_pipeline.erasure.item_steps import items_of
from iot_pipeline.erasure.subject import Subject

# SQS API, ReceiveMessage: at most 10 messages a call. What is looked at is hidden for so long.
_BATCH = 10
_HIDDEN_SECONDS = 60
_SILENCE = "silence/"
# What lies beside the lake's tables.
_KEPT = (FAILURES, UNDELIVERED, REFUSED, IMPORTS, RESULTS)


@dataclass(frozen=True)
class EdgeEraser:
    """Erases a subject from the edge of one deployment. `queues` are the URLs of its dead letters, by name."""

    dynamodb: Any
    sqs: Any
    states: str
    alerts: str
    queues: dict[str, str]
    subject: Subject
    search: Callable[[], BucketSearch]
    progress: Callable[[str], None] = lambda _: None

    def erase_items(self) -> int:
        """Remove the subject's items from both tables; how many."""
        erased = 0
        for table, key in ((self.states, "device"), (self.alerts, "id")):
            for item in items_of(self.dynamodb, table):
                if self._is_theirs(item):
                    self.dynamodb.delete_item(TableName=table, Key={key: {"S": item[key]}})
                    erased += 1
        self.progress(f"removed {erased} items of device states and alerts")
        return erased

    def found_items(self) -> Iterator[Found]:
        """Items of both tables that mention the subject, whatever in them does."""
        for table, key in ((self.states, "device"), (self.alerts, "id")):
            for item in items_of(self.dynamodb, table):
                if self.subject.mentioned_in(json.dumps(item, default=str)):
                    theirs = self._is_theirs(item)
                    yield Found("device state and alerts", f"{table} {item[key]}", 1, is_mention=not theirs)

    def erase_letters(self) -> int:
        """Remove what failed of the subject, messages and records within objects, and what journals of imports and
        results of queries have of it; how many.
        """
        erased = 0
        for name, url in self.queues.items():
            for message in self._messages(url):
                if self.subject.mentions(message["Body"].encode()):
                    self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                    self.progress(f"removed a message of {name}")
                    erased += 1
                else:
                    self._show(url, message)
        for bucket, version, _ in list(self.search().versions()):
            zone = zone_of(bucket, version.key)
            if not version.is_latest or zone not in _KEPT:
                continue
            body = bucket.read(version)
            left = kept_objects.without(self.subject, zone, version.key, body) if body else b""
            if left:
                bucket.write(version.key, left)
            own = (it for it in bucket.versions(version.key) if it.key == version.key)
            bucket.purge(it for it in own if not (left and it.is_latest))
            erased += 1
        return erased

    def found_letters(self) -> Iterator[Found]:
        """Messages of the queues that mention the subject. One that is in flight cannot be seen: it expires."""
        for name, url in self.queues.items():
            found = 0
            for message in self._messages(url):
                found += self.subject.mentions(message["Body"].encode())
                self._show(url, message)
            if found:
                yield Found("dead letters", name, found)

    def _is_theirs(self, item: dict[str, Any]) -> bool:
        scope = item.get("scope", {}) if str(item.get("id", "")).startswith(_SILENCE) else item
        return self.subject.owns_names(scope.get("device"), scope.get("tenant"))

    def _messages(self, url: str) -> list[dict[str, Any]]:
        """Every message of a queue that can be received; each is hidden from others until it is shown again."""
        seen: dict[str, dict[str, Any]] = {}
        while True:
            answer = self.sqs.receive_message(
                QueueUrl=url, MaxNumberOfMessages=_BATCH, VisibilityTimeout=_HIDDEN_SECONDS, WaitTimeSeconds=0
            )
            news = {message["MessageId"]: message for message in answer.get("Messages", [])}
            if not news.keys() - seen.keys():
                return list(seen.values())
            seen |= news

    def _show(self, url: str, message: dict[str, Any]) -> None:
        self.sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
