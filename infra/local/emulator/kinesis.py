"""Kinesis: an append that does not rescan the stream, and bounded memory.

Stock ministack filters every record of a stream by age on every put (53 ms at half a million records). Here records
are swept every few seconds: those older than the retention go, and so do those beyond `KEPT_BYTES` a shard that
every event source mapping has done with (delivery streams write records to their own journal as they arrive). A
consumer that calls GetRecords and lags by more than that loses the oldest records, where AWS would keep them for
the retention.
"""

import base64
import json
import threading
import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from typing import Any

from ministack import app
from ministack.services import kinesis

from infra.local.emulator.streams import fan_out, reading, shards, writing
from infra.local.emulator.streams.limits import RefusedRequestError

SWEEP_SECONDS = 5.0
KEPT_BYTES = 32 << 20

records_lock = threading.Lock()
_last_sweep: dict[str, float] = {}


def _nobody_reads(_stream_arn: str, _shard_id: str) -> str | None:
    return None


consumed_up_to: Callable[[str, str], str | None] = _nobody_reads


class KinesisPutError(RuntimeError):
    """A record that the stream did not take."""


def install() -> None:
    """Replace the retention sweep, resharding, and the requests that write and read."""
    kinesis._expire_records = _sweep
    shards.install()
    writing.install()
    reading.install()
    fan_out.install()
    stock = app.SERVICE_HANDLERS["kinesis"]

    async def handle(method: str, path: str, headers: Any, body: Any, query: Any) -> Any:
        action = headers.get("x-amz-target", "").rpartition(".")[2]
        if action in writing.MORE_REQUESTS and "cbor" not in headers.get("content-type", ""):
            return writing.MORE_REQUESTS[action](json.loads(body or b"{}"))
        return await stock(method, path, headers, body, query)

    app.SERVICE_HANDLERS["kinesis"] = handle


def append(stream_name: str, partition_key: str, data: bytes) -> None:
    """Append a record in the current request scope, and hand it to the delivery streams that read the stream.

    Raises KinesisPutError when the stream does not exist, is not active, or a limit is passed.
    """
    stream = kinesis._streams.get(stream_name)
    if stream is None or stream["StreamStatus"] != "ACTIVE":
        state = "does not exist" if stream is None else f"is {stream['StreamStatus']}"
        msg = f"Kinesis PutRecord: stream {stream_name} {state}"
        raise KinesisPutError(msg)
    try:
        writing.check_record(stream, partition_key, data)
    except RefusedRequestError as error:
        msg = f"Kinesis PutRecord: {error}"
        raise KinesisPutError(msg) from error
    writing.put(stream, partition_key, data)


def record_bytes(record: Any) -> bytes:
    """A stored record's data; ministack keeps base64 text, `append` bytes."""
    data = record["Data"]
    return data if isinstance(data, bytes) else base64.b64decode(data)


def _sweep(stream: Any) -> None:
    now = time.monotonic()
    arn = stream["StreamARN"]
    if now - _last_sweep.get(arn, -SWEEP_SECONDS) < SWEEP_SECONDS:
        return
    _last_sweep[arn] = now
    cutoff = time.time() - stream["RetentionPeriodHours"] * 3600
    shards.forget_expired(stream, time.time())
    for shard_id, shard in stream["shards"].items():
        with records_lock:
            records = shard["records"]
            old = bisect_left(records, cutoff, key=lambda record: record["ApproximateArrivalTimestamp"])
            count = max(old, _trimmable(records, arn, shard_id))
            del records[:count]
        if count:
            _shift_iterators(arn, shard_id, count)


def _trimmable(records: list[Any], stream_arn: str, shard_id: str) -> int:
    kept = 0
    index = len(records)
    while index and kept < KEPT_BYTES:
        index -= 1
        kept += reading.record_size(records[index])
    consumed = consumed_up_to(stream_arn, shard_id)
    if consumed is None:
        return index
    return min(index, bisect_right(records, consumed, key=lambda record: record["SequenceNumber"]))


def _shift_iterators(stream_arn: str, shard_id: str, count: int) -> None:
    """Iterators hold an index into the records; stock ministack leaves them pointing past what was removed."""
    for iterator in kinesis._shard_iterators.all_values():
        if iterator["stream_arn"] == stream_arn and iterator["shard_id"] == shard_id:
            iterator["position"] = max(0, iterator["position"] - count)
