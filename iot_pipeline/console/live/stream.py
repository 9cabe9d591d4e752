"""A tab's stream of server-sent events (HTML standard, "Server-sent events"): a snapshot, then what changes."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

from iot_pipeline.console.live.hub import Hub, alert_row, reading_row
from iot_pipeline.console.live.subscriber import Subscriber

# What arrives within this time goes out together.
GATHER_SECONDS = 0.1
# How often it is asked whether the viewer is still signed in.
ASK_SECONDS = 10.0
# How soon a browser that has lost its connection comes back.
RETRY_MS = 1_000


async def events(hub: Hub, subscriber: Subscriber, is_signed_in: Callable[[], bool]) -> AsyncIterator[str]:
    """The events of one tab, until the hub is closed, the tab goes, or its viewer is signed in no more.

    `is_signed_in` may block, and is asked now and then, in a thread. The generator waits where the browser does not
    take what was sent; meanwhile the newest wins, in bounded memory.
    """
    try:
        yield f"retry: {RETRY_MS}\n" + _event("snapshot", hub.join(subscriber))
        asked = time.monotonic()
        while not hub.closing:
            await subscriber.wake.wait()
            if time.monotonic() - asked > ASK_SECONDS:
                asked = time.monotonic()
                if not await asyncio.to_thread(is_signed_in):
                    return
            subscriber.wake.clear()
            for event in _due(hub, subscriber):
                yield event
            await asyncio.sleep(GATHER_SECONDS)
    finally:
        hub.leave(subscriber)


def _due(hub: Hub, subscriber: Subscriber) -> list[str]:
    found = []
    if alerts := subscriber.take_alerts():
        found.append(_event("alerts", [alert_row(each) for each in alerts]))
    if waiting := subscriber.take_waiting():
        rows = {device: [reading_row(reading) for reading in readings] for device, readings in waiting.items()}
        found.append(_event("readings", rows))
    frame = hub.fleet_frame(subscriber)
    if frame is not None:
        if frame != "[]":
            found.append(f"event: devices\ndata: {frame}\n\n")
        found.append(_event("status", hub.status(subscriber)))
    return found


def _event(name: str, data: Any) -> str:
    return f"event: {name}\ndata: {json.dumps(data, separators=(',', ':'), default=str)}\n\n"
