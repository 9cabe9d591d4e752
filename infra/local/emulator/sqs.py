"""SQS: receiving and deleting cost what is received and deleted, not what waits.

Stock ministack walks through a queue four times for each call that receives, and ten times for one that deletes ten
messages: a backlog of 100,000 notifications took it minutes to hand out. FIFO queues are left to it.
"""

import json
import time
from typing import Any

from ministack.core.responses import new_uuid
from ministack.services import sqs

# How often a queue is gone through whole for messages beyond their retention, and for those that are dead letters but
# that no receiver has come by. AWS promises no moment for either.
UPKEEP_SECONDS = 1.0

_stock_collect, _stock_expire, _stock_sweep = sqs._collect_msgs, sqs._expire_retained, sqs._dlq_sweep
_UPKEEP = "upkeep_at"


def install() -> None:
    """Replace how messages are collected and deleted."""
    sqs._collect_msgs = _collect
    sqs._expire_retained = _expire
    sqs._dlq_sweep = _sweep
    sqs._act_delete_message_batch = _delete_batch
    sqs._act_delete_message = _delete


def _expire(queue: dict[str, Any]) -> None:
    if queue["is_fifo"] or _is_due(queue, "expire"):
        _stock_expire(queue)


def _sweep(queue: dict[str, Any]) -> None:
    if queue["is_fifo"] or _is_due(queue, "sweep"):
        _stock_sweep(queue)


def _is_due(queue: dict[str, Any], what: str) -> bool:
    """Whether it was not done within the last second; if so it counts as done."""
    done: dict[str, float] = queue.setdefault(_UPKEEP, {})
    now = time.monotonic()
    if 0 <= now - done.get(what, -UPKEEP_SECONDS) < UPKEEP_SECONDS:
        return False
    done[what] = now
    return True


def _collect(queue: dict[str, Any], most: int, visibility_seconds: int) -> list[dict[str, Any]]:
    """The first visible messages, oldest first; the walk ends with the last of them."""
    if queue["is_fifo"]:
        return list(_stock_collect(queue, most, visibility_seconds))
    found: list[dict[str, Any]] = []
    dead = False
    now, limit = time.time(), _most_receives(queue)
    for message in queue["messages"]:
        # Before all else: what is being worked on stands first, often thousands.
        if message.get("visible_at", 0.0) > now:
            continue
        sqs._ensure_msg_fields(message)
        if limit and message["receive_count"] >= limit:
            dead = True
            continue
        found.append(message)
        if len(found) == most:
            break
    for message in found:
        message["receipt_handle"] = new_uuid()
        message["visible_at"] = now + visibility_seconds
        message["receive_count"] += 1
        if message.get("first_receive_at") is None:
            message["first_receive_at"] = now
    if dead:
        _stock_sweep(queue)
    return found


def _most_receives(queue: dict[str, Any]) -> int:
    """After how many receptions a message is a dead letter; 0 where there is no queue for those."""
    policy = queue["attributes"].get("RedrivePolicy")
    if not policy:
        return 0
    parsed = json.loads(policy)
    there = isinstance(parsed, dict) and sqs._queue_by_arn(parsed.get("deadLetterTargetArn", "")) is not None
    return int(parsed.get("maxReceiveCount", 0)) if there else 0


def _delete(data: dict[str, Any], queue_url: str) -> dict[str, Any]:
    queue = sqs._get_q(data.get("QueueUrl", queue_url), "sqs:DeleteMessage")
    handle = data.get("ReceiptHandle", "")
    if not handle:
        raise sqs._Err("MissingParameter", "The request must contain the parameter ReceiptHandle.")
    if handle not in _removed(queue["messages"], {handle}):
        raise sqs._Err("ReceiptHandleIsInvalid", "The input receipt handle is invalid.")
    return {}


def _delete_batch(data: dict[str, Any], queue_url: str) -> dict[str, Any]:
    queue = sqs._get_q(data.get("QueueUrl", queue_url), "sqs:DeleteMessage")
    entries = data.get("Entries", [])
    sqs._validate_batch_entries(entries, "DeleteMessageBatchRequestEntry")
    gone = _removed(queue["messages"], {entry.get("ReceiptHandle", "") for entry in entries})
    answer: dict[str, Any] = {"Successful": [], "Failed": []}
    for entry in entries:
        # A handle that stands in a batch twice is taken once.
        handle = entry.get("ReceiptHandle", "")
        if handle in gone:
            gone.discard(handle)
            answer["Successful"].append({"Id": entry.get("Id", "")})
        else:
            text = "The input receipt handle is invalid."
            failed = {"Id": entry.get("Id", ""), "Code": "ReceiptHandleIsInvalid", "Message": text, "SenderFault": True}
            answer["Failed"].append(failed)
    return answer


def _removed(messages: list[dict[str, Any]], handles: set[str]) -> set[str]:
    """Take the messages of these handles out of the list; the handles that had one."""
    wanted, places = {handle for handle in handles if handle}, []
    found: set[str] = set()
    for place, message in enumerate(messages):
        handle = message.get("receipt_handle")
        if handle is not None and handle in wanted:
            found.add(handle)
            places.append(place)
            if len(found) == len(wanted):
                break
    for place in reversed(places):
        del messages[place]
    return found
