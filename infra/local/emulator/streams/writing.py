"""PutRecord and PutRecords within Kinesis' limits, and streams of large records.

API reference: PutRecord, PutRecords, CreateStream, UpdateMaxRecordSize; developer guide, "Handle large records". Stock
ministack knows no large records, counts no partition key, and takes any ExplicitHashKey for the first shard's.
"""

import base64
import binascii
import time
from collections.abc import Callable, Sequence
from itertools import compress
from typing import Any

from ministack.core.concurrency import esm_wake
from ministack.services import kinesis

from infra.local.emulator.firehose import delivery
from infra.local.emulator.streams import limits, shards, throttling
from infra.local.emulator.streams.limits import RefusedRequestError
from infra.local.emulator.streams.record_log import Record
from infra.local.emulator.streams.stored_records import records_of

_stock_create = kinesis._create_stream


def install() -> None:
    """Replace the requests that write."""
    kinesis._put_record = shards.answering(_put_record)
    kinesis._put_records = shards.answering(_put_records)
    kinesis._create_stream = _create_stream


def put(stream: Any, partition_key: str, data: bytes, *, hash_key: int | None = None) -> tuple[str, str]:
    """Append a record, whose sizes were checked, to a stream of the current request scope; its shard and number."""
    (place,) = put_all(stream, [(partition_key, data, hash_key)])
    return place


def put_all(stream: Any, records: Sequence[tuple[str, bytes, int | None]]) -> list[tuple[str, str]]:
    """Append records (partition key, data, explicit hash key) as `put`; shard and number of each.

    What reads the stream is told once for all of them: a delivery stream writes to its journal at every telling.
    """
    kinesis._expire_records(stream)
    keyed = [(kinesis._partition_key_to_hash(key) if hashed is None else hashed) for key, _data, hashed in records]
    shard_ids = [shards.route(hash_key, stream) for hash_key in keyed]
    now, places = round(time.time(), 3), []
    taken: dict[str, list[Record]] = {}
    for shard_id, (partition_key, data, _hash_key) in zip(shard_ids, records, strict=True):
        sequence = kinesis._next_sequence_number()
        taken.setdefault(shard_id, []).append(
            {
                "SequenceNumber": sequence,
                "ApproximateArrivalTimestamp": now,
                "Data": data,
                "PartitionKey": partition_key,
            }
        )
        places.append((shard_id, sequence))
    for shard_id, of_shard in taken.items():
        records_of(stream, shard_id).extend(of_shard)
    if places:
        delivery.ingest(stream["StreamARN"], [data for _key, data, _hash_key in records], now)
        esm_wake.set()
    return places


def check_record(stream: Any, partition_key: str, data: bytes, where: str = "") -> None:
    """Raise RefusedRequestError unless a stream takes a record; `where` is the record's place in its request."""
    limits.at_most(len(partition_key), limits.PARTITION_KEY_CHARACTERS, f"{where}partitionKey", least=1)
    most = limits.maximum_record_bytes(stream)
    limits.at_most(len(data), most, f"{where}data")
    # "When the data blob is added to the partition key size, the total size must not exceed the maximum record size."
    limits.at_most(len(data) + len(partition_key.encode()), most, f"{where}data and partitionKey")


def _active(data: Any) -> Any:
    stream = shards.stream_of(data)
    if stream["StreamStatus"] != "ACTIVE":
        text = f"Stream {stream['StreamName']} is {stream['StreamStatus']}"
        raise RefusedRequestError("ResourceInUseException", text)
    return stream


def _read(record: Any, where: str = "") -> tuple[str, bytes, int | None]:
    try:
        data = base64.b64decode(record.get("Data") or "", validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise RefusedRequestError("SerializationException", f"{where}data is not base64") from error
    text = record.get("ExplicitHashKey")
    hash_key = None
    if text is not None:
        if not str(text).isascii() or not str(text).isdigit() or int(text) > limits.LARGEST_HASH_KEY:
            raise limits.invalid(f"{where}ExplicitHashKey {text} is not between 0 and {limits.LARGEST_HASH_KEY}")
        hash_key = int(text)
    return str(record.get("PartitionKey") or ""), data, hash_key


def _put_record(data: Any) -> dict[str, Any]:
    stream = _active(data)
    partition_key, body, hash_key = _read(data)
    check_record(stream, partition_key, body)
    shard_id, sequence = put(stream, partition_key, body, hash_key=hash_key)
    return {"ShardId": shard_id, "SequenceNumber": sequence, "EncryptionType": stream.get("EncryptionType", "NONE")}


def _put_records(data: Any) -> dict[str, Any]:
    """All records are checked before the first is put: one that is too large refuses the request."""
    stream, records = _active(data), data.get("Records") or []
    limits.at_most(len(records), limits.RECORDS_PER_PUT, "records", least=1)
    read = [_read(record, f"records.{n}.member.") for n, record in enumerate(records, 1)]
    for n, (partition_key, body, _hash_key) in enumerate(read, 1):
        check_record(stream, partition_key, body, f"records.{n}.member.")
    if sum(len(body) + len(partition_key.encode()) for partition_key, body, _hash_key in read) > limits.BYTES_PER_PUT:
        raise limits.invalid(f"Records size exceeds {limits.BYTES_PER_PUT // limits.MIB} MB limit")
    share = throttling.share_of(stream)
    taken = [not throttling.hits(share) for _ in read]
    places = iter(put_all(stream, list(compress(read, taken))))
    results = [_put_result(next(places)) if each else throttling.refusal(stream) for each in taken]
    return {
        "FailedRecordCount": sum("ErrorCode" in result for result in results),
        "EncryptionType": stream.get("EncryptionType", "NONE"),
        "Records": results,
    }


def _put_result(shard_and_sequence: tuple[str, str]) -> dict[str, str]:
    shard_id, sequence = shard_and_sequence
    return {"ShardId": shard_id, "SequenceNumber": sequence}


def _create_stream(data: Any) -> Any:
    maximum = data.get("MaxRecordSizeInKiB")
    try:
        kib = limits.maximum_record_kib(maximum) if maximum is not None else limits.SMALLEST_MAXIMUM_KIB
    except RefusedRequestError as error:
        return error.response
    response = _stock_create(data)
    if response[0] < 400:
        kinesis._streams[data["StreamName"]]["MaxRecordSizeInKiB"] = kib
    return response


def update_max_record_size(data: Any) -> dict[str, Any]:
    """The request UpdateMaxRecordSize, which stock ministack lacks. Raises RefusedRequestError."""
    stream = _active(data)
    stream["MaxRecordSizeInKiB"] = limits.maximum_record_kib(data.get("MaxRecordSizeInKiB"))
    return {}


MORE_REQUESTS: dict[str, Callable[[Any], Any]] = {
    "UpdateMaxRecordSize": shards.answering(update_max_record_size),
}
