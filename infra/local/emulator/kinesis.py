"""Kinesis: records in files, an append that does not rescan the stream, and bounded disk.

Stock ministack keeps a stream's records in memory, and filters all of them by age on every put (53 ms at half a million
records). Here records are in files (`streams/record_log.py`) and swept every few seconds: those older than the
retention go, and so do those beyond `KEPT_BYTES` a shard that every event source mapping has done with (delivery
streams write records to their own journal as they arrive). A consumer that calls GetRecords and lags by more than that
loses the oldest records, where AWS would keep them for the retention.
"""

import json
import time
from bisect import bisect_left
from collections.abc import Callable
from typing import Any

from ministack import app
from ministack.services import kinesis

from infra.local.emulator.settings import EmulatorSettings
from infra.local.emulator.streams import fan_out, reading, shards, stored_records, writing
from infra.local.emulator.streams.limits import RefusedRequestError
from infra.local.emulator.streams.record_log import RecordLog, records_lock

SWEEP_SECONDS = 5.0
# Of files; their index in memory takes 8 bytes a record.
KEPT_BYTES = 256 << 20

_last_sweep: dict[str, float] = {}


def _nobody_reads(_stream_arn: str, _shard_id: str) -> str | None:
    return None


consumed_up_to: Callable[[str, str], str | None] = _nobody_reads


class KinesisPutError(RuntimeError):
    """A record that the stream did not take."""


def install(settings: EmulatorSettings) -> None:
    """Replace the records' lists, the retention sweep, resharding, and the requests that write and read."""
    kinesis._expire_records = _sweep
    stored_records.install(settings.streams_dir)
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


def _sweep(stream: Any) -> None:
    now = time.monotonic()
    arn = stream["StreamARN"]
    if now - _last_sweep.get(arn, -SWEEP_SECONDS) < SWEEP_SECONDS:
        return
    _last_sweep[arn] = now
    cutoff = time.time() - stream["RetentionPeriodHours"] * 3600
    shards.forget_expired(stream, time.time())
    stored_records.remove_orphans()
    for shard_id in list(stream["shards"]):
        records = stored_records.records_of(stream, shard_id)
        with records_lock:
            old = bisect_left(records, cutoff, key=lambda record: record["ApproximateArrivalTimestamp"])
            count = max(old, _trimmable(records, arn, shard_id))
            records.drop(count)
        if count:
            _shift_iterators(arn, shard_id, count)


def _trimmable(records: RecordLog, stream_arn: str, shard_id: str) -> int:
    beyond = records.beyond(KEPT_BYTES)
    consumed = consumed_up_to(stream_arn, shard_id)
    if not beyond or consumed is None:
        return beyond
    return min(beyond, records.after(consumed))


def _shift_iterators(stream_arn: str, shard_id: str, count: int) -> None:
    """Iterators hold an index into the records; stock ministack leaves them pointing past what was removed."""
    for iterator in kinesis._shard_iterators.all_values():
        if iterator["stream_arn"] == stream_arn and iterator["shard_id"] == shard_id:
            iterator["position"] = max(0, iterator["position"] - count)
