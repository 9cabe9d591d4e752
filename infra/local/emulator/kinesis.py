"""Kinesis: an append that does not rescan the stream, and bounded memory.

Stock ministack filters every record of a stream by age on every put (53 ms at half a million records).
"""

import base64
import time
from typing import Any

from ministack.core.concurrency import esm_wake
from ministack.services import kinesis

SWEEP_SECONDS = 60.0
_stock_expire = kinesis._expire_records
_last_sweep: dict[str, float] = {}


class KinesisPutError(RuntimeError):
    """A record that the stream did not take."""


def install() -> None:
    """Replace the retention sweep."""
    kinesis._expire_records = _expire_records


def append(stream_name: str, partition_key: str, data: bytes) -> None:
    """Append a record in the current request scope, and hand it to the delivery streams that read the stream.

    Raises KinesisPutError when the stream does not exist, is not active, or a limit is passed.
    """
    stream = kinesis._streams.get(stream_name)
    if stream is None or stream["StreamStatus"] != "ACTIVE":
        state = "does not exist" if stream is None else f"is {stream['StreamStatus']}"
        msg = f"Kinesis PutRecord: stream {stream_name} {state}"
        raise KinesisPutError(msg)
    if not 1 <= len(partition_key) <= 256 or len(data) > 1_048_576:
        sizes = f"{len(partition_key)} characters and {len(data)} bytes"
        msg = f"Kinesis PutRecord: a partition key has 1 to 256 characters and data up to 1 MiB, here {sizes}"
        raise KinesisPutError(msg)
    from infra.local.emulator import firehose

    _expire_records(stream)
    now = round(time.time(), 3)
    shard_id = kinesis._route_to_shard(kinesis._partition_key_to_hash(partition_key), stream)
    stream["shards"][shard_id]["records"].append(
        {
            "SequenceNumber": kinesis._next_sequence_number(),
            "ApproximateArrivalTimestamp": now,
            "Data": data,
            "PartitionKey": partition_key,
        }
    )
    firehose.ingest(stream["StreamARN"], [data], now)
    esm_wake.set()


def record_bytes(record: Any) -> bytes:
    """A stored record's data; ministack keeps base64 text, `append` bytes."""
    data = record["Data"]
    return data if isinstance(data, bytes) else base64.b64decode(data)


def _expire_records(stream: Any) -> None:
    arn = stream["StreamARN"]
    now = time.monotonic()
    if now - _last_sweep.get(arn, -SWEEP_SECONDS) >= SWEEP_SECONDS:
        _last_sweep[arn] = now
        _stock_expire(stream)
