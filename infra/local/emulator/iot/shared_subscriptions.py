"""Shared subscriptions: `$share/{ShareName}/{TopicFilter}`, for MQTT 3.1.1 and MQTT 5.

AWS IoT Core developer guide, "Shared subscriptions": "only one client will receive messages published to that topic
using a random distribution"; messages with QoS 1 are queued while no member is connected, if one of them has a
persistent session; no retained message is sent on subscribing. Stock ministack delivers nothing.

A group has one subscription of its own to the filter, and hands each message to one of its members.
"""

import random
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from ministack.services import iot

PREFIX = "$share/"
Deliver = Callable[[str, bytes, int], Awaitable[None]]
Key = tuple[str, str, str]

_stock_subscribe = iot.broker_subscribe
_stock_unsubscribe = iot.broker_unsubscribe
_groups: dict[Key, "Group"] = {}
_group_of: dict[str, Key] = {}


@dataclass
class Group:
    """The members of one shared subscription, by subscription id, and what waits for one of them."""

    key: Key
    subscription_id: str = ""
    members: dict[str, tuple[Deliver, int]] = field(default_factory=dict)
    waiting: list[tuple[str, bytes, bytes, float]] = field(default_factory=list)

    async def deliver(self, topic: str, payload: bytes, qos: int) -> None:
        """Hand a message to one member, or keep it for one who comes back."""
        if self.members:
            deliver, granted = random.choice(list(self.members.values()))  # noqa: S311  a distribution, not a secret
            await deliver(topic, payload, min(qos, granted))
        elif not _awaited(self.key):
            await _dissolve(self)
        elif qos and len(self.waiting) < iot._MAX_QUEUED_MESSAGES:
            self.waiting.append((topic, payload, iot._delivery_properties.get(), time.time()))


def install() -> None:
    """Replace subscribing and unsubscribing."""
    iot.broker_subscribe = _subscribe
    iot.broker_unsubscribe = _unsubscribe


async def release(session: Any) -> None:
    """Hand out what waits in the groups of a client that has come or subscribed, now that it was told so."""
    for topic_filter in set(session._sub_filters.values()):
        group = _groups.get((session.account_id, session.region, topic_filter))
        if group is None:
            continue
        waiting, group.waiting = group.waiting, []
        for topic, payload, properties, received_at in waiting:
            aged = iot._aged_properties(properties, received_at)
            if aged is None:
                continue
            token = iot._delivery_properties.set(aged)
            try:
                await group.deliver(topic, payload, 1)
            finally:
                iot._delivery_properties.reset(token)


async def _subscribe(
    account_id: str,
    region: str,
    topic_filter: str,
    callback: Deliver,
    granted_qos: int = 0,
    **options: Any,
) -> str:
    if not topic_filter.startswith(PREFIX):
        return str(await _stock_subscribe(account_id, region, topic_filter, callback, granted_qos, **options))
    key = (account_id, region, topic_filter)
    group = _groups.get(key)
    if group is None:
        group = _groups[key] = Group(key)
        shared_filter = topic_filter.split("/", 2)[2]
        group.subscription_id = await _stock_subscribe(
            account_id, region, shared_filter, group.deliver, 1, retain_handling=iot.RETAIN_HANDLING_SEND_NEVER
        )
    member = uuid.uuid4().hex
    group.members[member] = (callback, granted_qos)
    _group_of[member] = key
    return member


async def _unsubscribe(subscription_id: str) -> None:
    key = _group_of.pop(subscription_id, None)
    if key is None:
        await _stock_unsubscribe(subscription_id)
        return
    group = _groups[key]
    group.members.pop(subscription_id)
    # Whoever is stored with this filter may be leaving just now, and be waited for; `deliver` looks again.
    if not group.members and not any(key[2] in stored.subscriptions for stored in iot._persistent_sessions.values()):
        await _dissolve(group)


def _awaited(key: Key) -> bool:
    """Whether a client with a persistent session that is away is in the group."""
    account_id, region, topic_filter = key
    return any(
        stored[:2] == (account_id, region)
        and topic_filter in session.subscriptions
        and not iot._is_session_expired(session)
        for stored, session in iot._persistent_sessions.items()
        if stored not in iot._connected_clients
    )


async def _dissolve(group: Group) -> None:
    if _groups.pop(group.key, None) is not None:
        await _stock_unsubscribe(group.subscription_id)
