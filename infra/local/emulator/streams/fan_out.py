"""SubscribeToShard: enhanced fan-out by the API, to the end of a closed shard.

API reference, SubscribeToShard and SubscribeToShardEvent: events for up to five minutes; ChildShards "only at the end
of the current shard"; a second call within 5 seconds is refused, a later one takes over. Stock ministack never ends the
subscription of a closed shard.
"""

import asyncio
import json
import time
from dataclasses import dataclass
from typing import Any

from ministack.core.responses import StreamingResponse, new_uuid, request_scope
from ministack.services import kinesis

from infra.local.emulator.streams import reading, shards
from infra.local.emulator.streams.limits import RefusedRequestError, invalid
from infra.local.emulator.streams.record_log import records_lock
from infra.local.emulator.streams.stored_records import records_of

LOOK_SECONDS = 0.07
CONTENT_TYPE = "application/json"


@dataclass
class Subscription:
    """A consumer's subscription to a shard: where it is, in the scope it was made in."""

    consumer_arn: str
    stream_arn: str
    shard_id: str
    after: str
    scope: tuple[str, str]
    identity: str
    ends: float

    @property
    def key(self) -> tuple[str, str]:
        """What can be subscribed to once at a time."""
        return self.consumer_arn, self.shard_id


def install() -> None:
    """Replace the request. CBOR, which boto3 does not speak, is refused by name."""
    kinesis._subscribe_to_shard = _subscribe_to_shard


def _subscribe_to_shard(data: Any, is_cbor: bool) -> Any:
    try:
        if is_cbor:
            raise invalid("The local AWS answers SubscribeToShard in JSON only, not in CBOR.")
        subscription = _begin(data)
    except RefusedRequestError as error:
        return error.response

    async def run(send: Any, receive: Any) -> None:
        gone = asyncio.create_task(_disconnected(receive))
        try:
            await _send(send, _message("initial-response", {}))
            while not gone.done() and time.time() < subscription.ends:
                event, last = _next(subscription)
                if event is not None:
                    await _send(send, event)
                if last:
                    break
                await asyncio.wait({gone}, timeout=LOOK_SECONDS)
        finally:
            gone.cancel()
            if (kinesis._subscriptions.get(subscription.key) or {}).get("id") == subscription.identity:
                del kinesis._subscriptions[subscription.key]
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    return 200, {"Content-Type": "application/vnd.amazon.eventstream"}, StreamingResponse(run)


def _begin(data: Any) -> Subscription:
    arn, shard_id, position = data.get("ConsumerARN"), data.get("ShardId"), data.get("StartingPosition") or {}
    consumer = kinesis._consumer_from_arn(arn) if arn else None
    stream = kinesis._resolve_stream_by_arn(consumer["StreamARN"]) if consumer else None
    if consumer is None or stream is None or shard_id not in stream["shards"]:
        raise RefusedRequestError("ResourceNotFoundException", f"Consumer {arn} or its shard {shard_id} not found")
    kind = position.get("Type")
    if kind in ("AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER") and not position.get("SequenceNumber"):
        raise invalid(f"SequenceNumber is required for {kind}")
    if kind == "AT_TIMESTAMP" and position.get("Timestamp") is None:
        raise invalid("Timestamp is required for AT_TIMESTAMP")
    shard = stream["shards"][shard_id]
    records = records_of(stream, shard_id)
    start = kinesis._start_position(records, kind, position.get("SequenceNumber", ""), position.get("Timestamp"))
    if start is None:
        raise invalid(f"StartingPosition.Type {kind} is none of ShardIteratorType")
    after = records[start - 1]["SequenceNumber"] if start else shard["starting_sequence_number"]
    now, identity = time.time(), new_uuid()
    live = kinesis._subscriptions.get((arn, shard_id))
    if live and now - live["started"] < kinesis._SUBSCRIPTION_TAKEOVER_SECONDS:
        text = f"Another active subscription exists for consumer {arn} and shard {shard_id}"
        raise RefusedRequestError("ResourceInUseException", text)
    kinesis._subscriptions[arn, shard_id] = {"id": identity, "started": now}
    scope, ends = (kinesis.get_account_id(), kinesis.get_region()), now + kinesis.SUBSCRIPTION_SECONDS
    return Subscription(arn, stream["StreamARN"], shard_id, after, scope, identity, ends)


def _next(subscription: Subscription) -> tuple[bytes | None, bool]:
    """The next event, if there is one, and whether it is the last."""
    if (kinesis._subscriptions.get(subscription.key) or {}).get("id") != subscription.identity:
        text = f"Subscription to shard {subscription.shard_id} was taken over"
        return _exception("ResourceInUseException", text), True
    with request_scope(*subscription.scope):
        stream = kinesis._resolve_stream_by_arn(subscription.stream_arn)
        consumer = kinesis._consumer_from_arn(subscription.consumer_arn)
    shard = stream["shards"].get(subscription.shard_id) if stream and consumer else None
    if shard is None:
        text = f"Consumer {subscription.consumer_arn} or its shard {subscription.shard_id} not found"
        return _exception("ResourceNotFoundException", text), True
    records = records_of(stream, subscription.shard_id)
    with records_lock:
        start = records.after(subscription.after)
        batch = reading.fitting(records.between(start, len(records)))
        behind = reading.behind_ms(records, start + len(batch))
        ended = not shards.is_open(shard) and start + len(batch) == len(records)
    if not batch and not ended:
        return None, False
    if batch:
        subscription.after = batch[-1]["SequenceNumber"]
    encryption = stream.get("EncryptionType", "NONE")
    told = {
        "Records": [reading.record_out(record, encryption) for record in batch],
        "ContinuationSequenceNumber": shard["ending_sequence_number"] if ended else subscription.after,
        "MillisBehindLatest": behind,
    }
    if ended:
        told["ChildShards"] = shards.children(stream, subscription.shard_id)
    return _message("SubscribeToShardEvent", told), ended


def _message(kind: str, content: Any) -> bytes:
    headers = {":message-type": "event", ":event-type": kind, ":content-type": CONTENT_TYPE}
    return bytes(kinesis._eventstream_message(headers, json.dumps(content).encode()))


def _exception(kind: str, text: str) -> bytes:
    headers = {":message-type": "exception", ":exception-type": kind, ":content-type": CONTENT_TYPE}
    return bytes(kinesis._eventstream_message(headers, json.dumps({"message": text}).encode()))


async def _send(send: Any, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})


async def _disconnected(receive: Any) -> None:
    while (await receive()).get("type") != "http.disconnect":
        pass
