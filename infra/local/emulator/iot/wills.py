"""Wills that wait: MQTT 5's Will Delay Interval (3.1.3.2.2), which stock ministack ignores.

The will is published when the interval or the session is over, whichever comes first, and not at all if the session is
resumed before. The properties that AWS's developer guide lists do not name the interval: whether AWS waits is unproven.
"""

import asyncio
from dataclasses import dataclass
from typing import Any

from ministack.services import iot

DISCONNECT_WITH_WILL = 0x04
Key = tuple[str, str, str]


@dataclass(frozen=True)
class Will:
    """A will to be published after `delay` seconds."""

    delay: float
    arguments: dict[str, Any]


_waiting: dict[Key, tuple[asyncio.Task[None], Will]] = {}


def delayed(session: Any) -> Will | None:
    """The will of a session that ends now, taken from it, if it is to be published later."""
    delay = min(session.connect.will_delay, session._session_expiry_interval or 0)
    if session._graceful_disconnect or session._will_topic is None or not session._persist_session or delay <= 0:
        return None
    arguments = {
        "topic": session._will_topic,
        "payload": session._will_message or b"",
        "qos": session._will_qos,
        "retain": session._will_retain,
        "properties": session._will_properties,
    }
    session._will_topic = None
    return Will(delay, arguments)


def publish_later(key: Key, will: Will) -> None:
    """Publish a will of the client `key` (account, region, client id) when its time has come."""

    async def publish() -> None:
        await asyncio.sleep(will.delay)
        del _waiting[key]
        await _publish(key, will)

    _waiting[key] = (asyncio.create_task(publish()), will)


async def reconnected(key: Key, *, resumed: bool) -> None:
    """The client is back: a will that waits is dropped with a resumed session, and published if the session is new."""
    if key not in _waiting:
        return
    task, will = _waiting.pop(key)
    task.cancel()
    if not resumed:
        await _publish(key, will)


async def _publish(key: Key, will: Will) -> None:
    account_id, region, _client_id = key
    await iot.broker_publish(account_id, region, **will.arguments)
