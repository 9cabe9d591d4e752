"""S3: event notifications leave in order, after the object is on disk, and are not lost on shutdown.

Stock ministack starts a thread for each notification inside PutObject, before the object's file is written. Readers
of the data folder (the local Athena) would then be told of an object that is not there yet.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar, copy_context
from typing import Any

from ministack import app
from ministack.core.responses import request_scope
from ministack.services import s3

from infra.local.emulator import sorted_objects, version_history
from infra.local.emulator.packed_record import PackedRecord

PUT_SECONDS = 60.0
_pending: ContextVar[list[tuple[tuple[Any, ...], dict[str, Any]]] | None] = ContextVar(
    "pending_s3_events", default=None
)
_sender = ThreadPoolExecutor(max_workers=1, thread_name_prefix="s3-events")
_stock_handle = s3.handle_request
_stock_persist = s3._persist_object


class S3PutError(RuntimeError):
    """The local S3 refused an object that another service put."""


def install() -> None:
    """Replace the functions that order an object's write and its notification, and that keep bytes in memory."""
    s3._persist_object = _persist_object
    s3._fire_s3_event_async = _fire_later
    s3.handle_request = _handle_request
    version_history.install()
    sorted_objects.install()
    _pack_what_was_loaded()


def put_object(account_id: str, region: str, bucket: str, key: str, body: bytes) -> None:
    """Put an object as a service of `account_id` does, from another thread than the server's; raises S3PutError.

    The put itself runs on the server's loop, because ministack's S3 handlers iterate their dictionaries unlocked.
    """
    put = put_object_async(account_id, region, bucket, key, body)
    asyncio.run_coroutine_threadsafe(put, app._MAIN_LOOP).result(PUT_SECONDS)


async def put_object_async(account_id: str, region: str, bucket: str, key: str, body: bytes) -> None:
    """The same on the server's event loop."""
    headers = {
        "content-type": "application/octet-stream",
        "content-length": str(len(body)),
        "host": f"s3.{region}.amazonaws.com",
    }
    with request_scope(account_id, region):
        status, _headers, text = await s3.handle_request("PUT", f"/{bucket}/{key}", headers, body, {}, internal=True)
    if status >= 400:
        msg = f"S3 PutObject s3://{bucket}/{key} failed with {status}: {text[:300]!r}"
        raise S3PutError(msg)


def drain_events(timeout: float) -> None:
    """Wait until the notifications of all finished requests are sent (at most `timeout` seconds)."""
    _sender.submit(lambda: None).result(timeout)


def _fire_later(
    bucket: str,
    key: str,
    event_name: str,
    size: int = 0,
    etag: str = "",
    deletion_type: str | None = None,
    **extra: Any,
) -> None:
    if bucket not in s3._bucket_notifications:
        return
    extra["sequencer"] = s3._next_event_sequencer(event_name)
    call = ((bucket, key, event_name, size, etag, deletion_type), extra)
    pending = _pending.get()
    if pending is None:
        _send(*call)
    else:
        pending.append(call)


def _send(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    _sender.submit(copy_context().run, s3._fire_s3_event, *args, **kwargs)


async def _handle_request(*args: Any, **kwargs: Any) -> Any:
    token = _pending.set([])
    try:
        return await _stock_handle(*args, **kwargs)
    finally:
        events = _pending.get() or []
        _pending.reset(token)
        for call in events:
            _send(*call)


def _persist_object(bucket: str, key: str, record: Any) -> None:
    """Write an object's file, and keep no second copy in memory: stock ministack does for each version."""
    if isinstance(record, PackedRecord):
        record = dict(record)  # stock ministack takes another type for an object's bytes
    _stock_persist(bucket, key, record)
    versions = s3._object_versions.get((bucket, key))
    if versions and record["body"] is None and versions[-1]["version_id"] == record.get("version_id"):
        versions[-1] = PackedRecord({**versions[-1], "data": None})
    objects = sorted_objects.keep_sorted(s3._buckets[bucket])
    if key in objects:
        objects[key] = PackedRecord(record)


def _pack_what_was_loaded() -> None:
    for bucket in s3._buckets._data.values():
        objects = sorted_objects.keep_sorted(bucket)
        objects.update({key: PackedRecord(record) for key, record in objects.items()})
    for versions in s3._object_versions._data.values():
        versions[:] = map(PackedRecord, versions)
