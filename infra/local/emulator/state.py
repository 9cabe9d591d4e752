"""The services' state on disk within seconds of a change, and not only after a graceful stop.

Stock ministack saves its state on SIGTERM alone; a killed process would come back with its objects but without
buckets' configuration, certificates, streams, tables or queues. Here what may have changed is marked, and a thread
saves the marked services, for at most a tenth of its time. A change is noticed in one of three ways:

- A request that may have changed something marks its service.
- What devices do over MQTT (provision themselves, report to shadows and jobs, publish retained messages) is no
  request; the functions that do it mark their service.
- Messages come to queues, and leave them, by so many ways inside ministack (S3, SNS, rules, failure destinations, event
  source mappings, redrives) that the queues themselves are compared with what they were. AWS keeps a message until it
  is deleted; here it survives a kill once it is saved, with its receive count and its visibility timeout.

What a kill can still cost: the last seconds of changes; metrics and new log streams, which are saved when their service
changes otherwise. A stream's records and a log stream's lines are in files of their own (`file_log.py`). The files are
replaced as a whole but not synced to the disk: they survive the process, not a power cut (`state_file.py`).
"""

import asyncio
import logging
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from ministack import app
from ministack.services import iot, sqs

from infra.local.emulator.state_file import save_state, share_what_is_saved, uncopied

PAUSE_SECONDS = 0.5
COST_FACTOR = 10
READS = ("Get", "List", "Describe", "BatchGet", "Query", "Scan", "Search", "Select", "Receive", "Head", "Lookup")
DATA = ("PutRecord", "SendMessage", "ChangeMessageVisibility", "PutMetric", "PutLogEvents", "Publish", "Invoke")
# These work on other services' resources; CloudFormation in the background, and it is polled until it is done.
OF_ALL_SERVICES = ("cloudformation", "cloudcontrol", "tagging")

log = logging.getLogger("local_aws.state")
_dirty: set[str] = set()
_stopping = threading.Event()


def install() -> None:
    """Watch every service's requests, and start saving once the saved state is loaded."""
    for service, handler in list(app.SERVICE_HANDLERS.items()):
        app.SERVICE_HANDLERS[service] = _watched(service, handler)
    _watch_devices()
    share_what_is_saved()
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
            if service in OF_ALL_SERVICES:
                _dirty.update(app.SERVICE_REGISTRY)
            elif _may_change(service, method, path, headers, body):
                mark(service)

    return handle


def _watch_devices() -> None:
    """Mark what devices change; their requests over HTTP end in the same functions."""
    changes = ("update_thing_shadow", "delete_thing_shadow", "jobs_start_next_execution", "jobs_update_execution")
    for name in changes:
        setattr(iot, name, _marking("iot", getattr(iot, name)))
    iot._dispatch_rule_dynamodb = _marking("dynamodb", iot._dispatch_rule_dynamodb)
    stock_provision, stock_publish = iot._fleet_provisioning_reply, iot.broker_publish

    def provision(*arguments: Any) -> Awaitable[Any]:
        return _then_mark("iot", stock_provision(*arguments))

    def publish(*arguments: Any, retain: bool = False, **named: Any) -> Awaitable[Any]:
        published = stock_publish(*arguments, retain=retain, **named)
        return _then_mark("iot", published) if retain else published

    iot._fleet_provisioning_reply, iot.broker_publish = provision, publish


def _marking(service: str, stock: Callable[..., Any]) -> Callable[..., Any]:
    def change(*args: Any, **kwargs: Any) -> Any:
        try:
            return stock(*args, **kwargs)
        finally:
            mark(service)

    return change


async def _then_mark(service: str, work: Coroutine[Any, Any, Any]) -> Any:
    try:
        return await work
    finally:
        mark(service)


def _may_change(service: str, method: str, path: str, headers: Any, body: Any) -> bool:
    if service == "s3":
        return method in ("PUT", "POST", "DELETE") and "/" not in path.strip("/")  # objects are files already
    if service in ("iot-data", "iot-jobs-data") or "/invocations" in path:  # `_watch_devices` sees what they change
        return False
    if target := headers.get("x-amz-target", ""):
        return not target.rsplit(".", 1)[-1].startswith(READS + DATA)
    if bytes(body[:7]) == b"Action=" or b"&Action=" in body[:2000]:
        action = body.split(b"Action=", 1)[1].split(b"&", 1)[0].decode(errors="replace")
        return not action.startswith(READS + DATA)
    return method not in ("GET", "HEAD")


_saving = threading.Lock()


def _run() -> None:
    pause, seen = PAUSE_SECONDS, _queued()
    while not _stopping.wait(pause):
        started = time.monotonic()
        if (queued := _queued()) != seen:
            mark("sqs")
            seen = queued
        with _saving:
            save_marked()
        pause = max(PAUSE_SECONDS, COST_FACTOR * (time.monotonic() - started))


def _queued() -> int:
    """A number that changes when a message comes, is received, is hidden or goes."""
    queues = list(sqs._queues._data.items())
    return hash(
        tuple(
            (queue, message.get("id"), message.get("visible_at"), message.get("receive_count"))
            for queue, record in queues
            for message in list(record["messages"])
        )
    )


def save_marked() -> None:
    """Save the services that changed since the last call; one that could not be saved is tried again next time."""
    services = set(_dirty)
    _dirty.difference_update(services)
    getters = app._build_persistence_save_dict()
    for service in services & set(app.SERVICE_REGISTRY):
        registered = app.SERVICE_REGISTRY[service]
        modules = {registered["module"], *registered.get("sub_modules", ())}
        for name, get_state in getters.items():
            if app._state_map[name] not in modules or _stopping.is_set():
                continue
            try:
                with uncopied():
                    save_state(name, get_state())
            except RuntimeError as error:  # changed while it was read
                log.info("State of %s: %s; saved again soon", name, error)
                mark(service)
            except Exception:
                log.exception("State of %s is not saved; tried again soon", name)
                mark(service)
