"""Erasing from the edge: live states, alerts and planned work, and what failed on the way."""

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from iot_pipeline.erasure.bucket_search import FAILURES, RESULTS, UNDELIVERED, BucketSearch, zone_of
from iot_pipeline.erasure.found import Found
from iot_pipeline.erasure.stored import text_of
from iot_pipeline.erasure.subject import Subject

# SQS API, ReceiveMessage: at most 10 messages a call. What is looked at is hidden for so long.
_BATCH = 10
_HIDDEN_SECONDS = 60
_SILENCE = "silence/"


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
            for item in self._items(table):
                if self._is_theirs(item):
                    self.dynamodb.delete_item(TableName=table, Key={key: {"S": item[key]}})
                    erased += 1
        self.progress(f"removed {erased} items of device states and alerts")
        return erased

    def found_items(self) -> Iterator[Found]:
        """Items of both tables that mention the subject, whatever in them does."""
        for table, key in ((self.states, "device"), (self.alerts, "id")):
            for item in self._items(table):
                if self.subject.mentioned_in(json.dumps(item, default=str)):
                    theirs = self._is_theirs(item)
                    yield Found("device state and alerts", f"{table} {item[key]}", 1, is_mention=not theirs)

    def erase_letters(self) -> int:
        """Remove what failed of the subject: messages, records within objects, and results of queries; how many."""
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
            if not version.is_latest or zone not in (FAILURES, UNDELIVERED, RESULTS):
                continue
            body = bucket.read(version)
            left = self._without(zone, text_of(body)) if body else b""
            if left:
                bucket.write(version.key, left)
            bucket.purge(it for it in bucket.versions(version.key) if not (left and it.is_latest))
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

    def _items(self, table: str) -> Iterator[dict[str, Any]]:
        read = TypeDeserializer()
        for page in self.dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
            for item in page["Items"]:
                yield {name: read.deserialize(value) for name, value in item.items()}

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

    def _without(self, zone: str, text: bytes) -> bytes:
        """What of a failed object is others'; nothing of a result, which whoever asked can ask again."""
        if zone == UNDELIVERED:
            kept = [line for line in text.split(b"\n") if not self.subject.mentions(line)]
            return b"\n".join(kept) if any(kept) else b""
        return self._without_records(text) if zone == FAILURES else b""

    def _without_records(self, text: bytes) -> bytes:
        """Lambda's record of a batch that was given up, without the subject's records; nothing of any other form."""
        try:
            held = json.loads(text)
            payload = json.loads(held["payload"]) if isinstance(held["payload"], str) else held["payload"]
            kept = [it for it in payload["Records"] if not self._record_is_theirs(it)]
        except (ValueError, KeyError, TypeError):
            return b""
        if not kept:
            return b""
        payload["Records"] = kept
        held["payload"] = json.dumps(payload) if isinstance(held["payload"], str) else payload
        left = json.dumps(held).encode()
        return b"" if self.subject.mentions(left) else left

    def _record_is_theirs(self, record: dict[str, Any]) -> bool:
        data = base64.b64decode(record["kinesis"]["data"])
        return self.subject.mentions(data) or self.subject.mentions(json.dumps(record).encode())
