"""Everything that failed on the way, in one place: what it is, how much of it, and how it is tried again.

| Source | What failed | Where it is |
|---|---|---|
| `rule` | an IoT rule could not hand a message to Kinesis | SQS, for 14 days |
| `firehose` | Firehose could not process or deliver records | S3, `failed-delivery/` |
| `edge` | the handler gave records up | S3, the failure bucket |
| `invocation` | an asynchronous or scheduled call of a function failed for good | SQS |
| `notification` | SNS could not deliver a notification, or a channel would not take it | SQS |

What broke the contract is not here: `quarantined_telemetry` holds it, and judging its hours again replays it.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from iot_pipeline.contract.envelope import DEVICE
from iot_pipeline.contract.layout import FAILED_DELIVERY
from iot_pipeline.contract.raw_columns import raw_columns
from iot_pipeline.contract.raw_line import Origin, raw_line
from iot_pipeline.contract.tables import LINE, LINE_BASE64

SOURCES = ("rule", "firehose", "edge", "invocation", "notification")
# SQS API, ReceiveMessage: at most 10 messages a call. A message that is looked at is hidden for so long.
_BATCH = 10
_HIDDEN_SECONDS = 30
_REPLAYED = "replayed/"


@dataclass(frozen=True)
class Places:
    """The queues' URLs, and the buckets of the lake and of what the handler gave up."""

    rule_errors: str
    invocations: str
    notifications: str
    lake: str
    failures: str


@dataclass(frozen=True)
class DeadLetter:
    """One message or object. `id` names it within its source; `at` is UTC; `body` is what failed, as it is kept."""

    source: str
    id: str
    at: datetime
    reason: str
    body: bytes
    receipt: str = ""


class DeadLetterError(ValueError):
    """A dead letter cannot be replayed: which, and why."""


class DeadLetters:
    """Lists, inspects and removes dead letters."""

    def __init__(self, sqs: Any, s3: Any, places: Places) -> None:
        self._sqs, self._s3, self._places = sqs, s3, places

    def counts(self) -> dict[str, int]:
        """How many there are of each source; of objects, up to a thousand are counted. Raises botocore's errors."""
        found = {source: self._queued(url) for source, url in self._queues().items()}
        for source, (bucket, prefix) in self._buckets().items():
            page = self._s3.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1000)
            found[source] = sum(1 for each in page.get("Contents", []) if _REPLAYED not in each["Key"])
        return {source: found[source] for source in SOURCES}

    def list(self, source: str, limit: int = 100) -> Iterator[DeadLetter]:
        """Those of a source, the oldest first as far as the source tells. Raises DeadLetterError for an unknown one."""
        if source in self._queues():
            return self._messages(source, limit)
        if source in self._buckets():
            return self._objects(source, limit)
        raise DeadLetterError(f"no dead letters are called {source!r}; there are {', '.join(SOURCES)}")

    def remove(self, letter: DeadLetter) -> None:
        """It has been replayed: a message is deleted, an object moved aside under `replayed/`."""
        if letter.receipt:
            self._sqs.delete_message(QueueUrl=self._queues()[letter.source], ReceiptHandle=letter.receipt)
            return
        bucket, _ = self._buckets()[letter.source]
        self._s3.put_object(Bucket=bucket, Key=self._aside(letter), Body=letter.body)
        self._s3.delete_object(Bucket=bucket, Key=letter.id)

    def _aside(self, letter: DeadLetter) -> str:
        _, prefix = self._buckets()[letter.source]
        return prefix + _REPLAYED + letter.id.removeprefix(prefix)

    def _queues(self) -> Mapping[str, str]:
        places = self._places
        return {"rule": places.rule_errors, "invocation": places.invocations, "notification": places.notifications}

    def _buckets(self) -> Mapping[str, tuple[str, str]]:
        return {"firehose": (self._places.lake, FAILED_DELIVERY), "edge": (self._places.failures, "aws/lambda/")}

    def _queued(self, url: str) -> int:
        name = "ApproximateNumberOfMessages"
        answer = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name, f"{name}NotVisible"])
        return sum(int(value) for value in answer["Attributes"].values())

    def _messages(self, source: str, limit: int) -> Iterator[DeadLetter]:
        url, seen = self._queues()[source], 0
        while seen < limit:
            answer = self._sqs.receive_message(
                QueueUrl=url,
                MaxNumberOfMessages=min(_BATCH, limit - seen),
                VisibilityTimeout=_HIDDEN_SECONDS,
                AttributeNames=["SentTimestamp"],
            )
            messages = answer.get("Messages", [])
            if not messages:
                return
            for message in messages:
                seen += 1
                sent = datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC)
                body = message["Body"].encode()
                yield DeadLetter(
                    source, message["MessageId"], sent, _reason(source, body), body, message["ReceiptHandle"]
                )

    def _objects(self, source: str, limit: int) -> Iterator[DeadLetter]:
        bucket, prefix = self._buckets()[source]
        seen = 0
        for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for each in page.get("Contents", []):
                if each["Key"].startswith(prefix + _REPLAYED):
                    continue
                if seen == limit:
                    return
                seen += 1
                body = self._s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read()
                yield DeadLetter(source, each["Key"], each["LastModified"], _reason(source, body), body)


def _reason(source: str, body: bytes) -> str:
    """Why it failed, as far as what is kept tells."""
    try:
        held = json.loads(body.splitlines()[0] if source == "firehose" else body)
    except (ValueError, IndexError):
        return "unknown: what is kept is no JSON"
    if source == "rule":
        return "; ".join(f"{each.get('failedAction')}: {each.get('errorMessage')}" for each in held.get("failures", []))
    if source == "firehose":
        # What did not convert to Parquet is told by other names (Firehose guide, "Handle errors for data format
        # conversion").
        code = held.get("errorCode", held.get("lastErrorCode"))
        return f"{code}: {held.get('errorMessage', held.get('lastErrorMessage'))}"
    if source == "edge":
        context = held.get("requestContext", {})
        return f"{context.get('condition')} after {context.get('approximateInvokeCount')} invocations"
    if source == "invocation":
        return str(held.get("requestContext", {}).get("condition", "a schedule could not call its function"))
    if "letter" in held:
        return f"channel {held.get('channel')}, after {held.get('attempts')} attempts: {held.get('reason')}"
    return "SNS could not deliver it"


def lines_of_rule_error(letter: DeadLetter) -> list[tuple[str, bytes]]:
    """The line that the IoT rule should have put on the stream, with its device as partition key.

    AWS IoT developer guide, "Error handling (error action)": `base64OriginalPayload`, `topic`, `clientId`. The time of
    arrival is not in it: that of the error, moments later, stands for it. Raises DeadLetterError for what is none.
    """
    try:
        held = json.loads(letter.body)
        payload = base64.b64decode(held["base64OriginalPayload"])
        _root, tenant, site, device, _what = held["topic"].split("/")
    except (ValueError, KeyError, AttributeError) as error:
        raise DeadLetterError(f"rule {letter.id}: this is no error of a rule for telemetry: {error}") from error
    origin = Origin(
        tenant, site, device, int(letter.at.timestamp() * 1000), held.get("clientId"), f"replayed-{letter.id}"
    )
    return [(device, raw_line(payload, origin))]


def lines_of_firehose(letter: DeadLetter) -> list[tuple[str, bytes]]:
    """The records that Firehose could not deliver: those of a failed processing hold them as `rawData`.

    Firehose developer guide, "Handle data delivery and processing failures". Raises DeadLetterError for what is none.
    """
    found = []
    for number, text in enumerate(letter.body.splitlines(), 1):
        try:
            line = _as_it_came(base64.b64decode(json.loads(text)["rawData"])).rstrip(b"\n")
        except (ValueError, KeyError, TypeError) as error:
            raise DeadLetterError(f"firehose {letter.id}, line {number}: no record of Firehose: {error}") from error
        found.append((_device(line), line))
    return found


def _as_it_came(record: bytes) -> bytes:
    """The record of the stream in one that the transformation had made columns of (arrival/firehose_columns.py).

    Told by making them once more: a device cannot send what becomes them, since it does not know its message's trace.
    """
    try:
        columns = json.loads(record)
        line = columns[LINE.name]
        exact = base64.b64decode(columns[LINE_BASE64.name]) if LINE_BASE64.name in columns else line.encode()
    except (ValueError, KeyError, TypeError, AttributeError):
        return record
    return exact if raw_columns(exact) == columns else record


def event_of(letter: DeadLetter) -> dict[str, Any]:
    """The event that the handler gave up, as Lambda gave it. Raises DeadLetterError for what is none."""
    try:
        held = json.loads(letter.body)
        payload = held["payload"]
        event: dict[str, Any] = json.loads(payload) if isinstance(payload, str) else payload
        event["Records"][0]["kinesis"]
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise DeadLetterError(f"edge {letter.id}: this is no invocation record of the handler: {error!r}") from error
    return event


def _device(line: bytes) -> str:
    try:
        return str(json.loads(line)[DEVICE.name])
    except (ValueError, KeyError, TypeError):
        return "unknown"
