"""The services' state on disk within seconds of a change, and not only after a graceful stop.

Stock ministack saves its state on SIGTERM alone; a killed process would come back with its objects but without
buckets' configuration, certificates, streams, tables or queues. Here a request that may have changed something
marks its service, and a thread saves the marked ones. Queues are looked at as well, because other services put messages
into them without a request: S3's notifications, SNS, rules, failed invocations. What a kill can still cost: the last
seconds of changes, and records of a Kinesis stream that only an event source mapping reads (delivery streams keep their
own journal).
"""

import asyncio
import logging
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

from ministack import app
from ministack.core import persistence
from ministack.services import iot, sqs

PAUSE_SECONDS = 0.5
COST_FACTOR = 10
READS = ("Get", "List", "Describe", "BatchGet", "Query", "Scan", "Search", "Select", "Head", "Lookup")
# Calls whose data is not kept over a kill, or is kept elsewhere.
DATA = ("PutRecord", "PutMetric", "PutLogEvents", "Publish", "Invoke")

log = logging.getLogger("local_aws.state")
_dirty: set[str] = set()
_queued: dict[str, tuple[int, str]] = {}
_stopping = threading.Event()


def install() -> None:
    """Watch every service's requests, and start saving once the saved state is loaded."""
    for service, handler in list(app.SERVICE_HANDLERS.items()):
        app.SERVICE_HANDLERS[service] = _watched(service, handler)
    stock_load, stock_lifespan = app._load_persisted_state, app._handle_lifespan

    def load_then_save() -> None:
        stock_load()
        mark("iot")
        threading.Thread(target=_run, name="state", daemon=True).start()

    async def handle_lifespan(scope: Any, receive: Any, send: Any) -> None:
        async def receive_and_stop_saving() -> Any:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                await iot.mtls_stop()  # no device is acknowledged any more
                _stopping.set()
                await asyncio.to_thread(_saving.acquire)  # ministack itself saves everything now
            return message

        await stock_lifespan(scope, receive_and_stop_saving, send)

    app._load_persisted_state = load_then_save
    app._handle_lifespan = handle_lifespan


def mark(service: str) -> None:
    """Note that a service's state may have changed."""
    _dirty.add(service)


def _watched(service: str, handler: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    async def handle(method: str, path: str, headers: Any, body: Any, query: Any) -> Any:
        try:
            return await handler(method, path, headers, body, query)
        finally:
            if service == "cloudformation":  # deploys in the background, and is polled until it is done
                _dirty.update(app.SERVICE_REGISTRY)
            elif _may_change(service, method, path, headers, body):
                mark(service)

    return handle


def _may_change(service: str, method: str, path: str, headers: Any, body: Any) -> bool:
    if service == "s3":
        return method in ("PUT", "POST", "DELETE") and "/" not in path.strip("/")  # objects are files already
    if service == "iot-data" or "/invocations" in path:
        return False
    if target := headers.get("x-amz-target", ""):
        return not target.rsplit(".", 1)[-1].startswith(READS + DATA)
    if bytes(body[:7]) == b"Action=" or b"&Action=" in body[:2000]:
        action = body.split(b"Action=", 1)[1].split(b"&", 1)[0].decode(errors="replace")
        return not action.startswith(READS + DATA)
    return method not in ("GET", "HEAD")


_saving = threading.Lock()


def _run() -> None:
    pause = PAUSE_SECONDS
    while not _stopping.wait(pause):
        started = time.monotonic()
        with _saving:
            _mark_queues()
            save_marked()
        pause = max(PAUSE_SECONDS, COST_FACTOR * (time.monotonic() - started))


def _mark_queues() -> None:
    """Mark the queues if any has another length or another last message than when they were last looked at."""
    found = {}
    for queue in list(sqs._queues._data.values()):
        messages = queue["messages"]
        last = messages[-1:]
        found[queue["url"]] = (len(messages), str(last[0].get("id")) if last else "")
    if found != _queued:
        _queued.clear()
        _queued.update(found)
        mark("sqs")


def save_marked() -> None:
    """Save the services that changed since the last call; one that changes meanwhile is saved next time."""
    services = set(_dirty)
    _dirty.difference_update(services)
    registry = app.SERVICE_REGISTRY
    modules = {
        module
        for service in services
        if service in registry
        for module in (registry[service]["module"], *registry[service].get("sub_modules", ()))
    }
    for name, get_state in app._build_persistence_save_dict().items():
        if app._state_map[name] not in modules or _stopping.is_set():
            continue
        try:
            state = get_state()
        except RuntimeError as error:  # changed while it was copied
            log.info("State of %s: %s; saved again soon", name, error)
            _dirty.update(services)
            continue
        if state is not None:
            persistence.save_state(name, state)
