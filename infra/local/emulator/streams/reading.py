"""Reading a stream by the API: closed shards to their end, pages within Kinesis' limits, and filtered lists of shards.

API reference: GetRecords ("If the shard has been closed, the shard iterator can't return more data and GetRecords
returns null in NextShardIterator"; ChildShards "only when the end of the current shard is reached"), ListShards
(ShardFilter, NextToken), DescribeStreamSummary (OpenShardCount).
Stock ministack has no closed shards, and no filter of the list of shards.
"""

import base64
import binascii
import json
import time
from collections.abc import Iterable, Sequence
from typing import Any

from ministack.core.responses import new_uuid
from ministack.services import kinesis

from infra.local.emulator.streams import limits, shards
from infra.local.emulator.streams.limits import RefusedRequestError, invalid
from infra.local.emulator.streams.record_log import Record, record_bytes, records_lock
from infra.local.emulator.streams.stored_records import records_of

_stock_shard_out = kinesis._shard_out


def install() -> None:
    """Replace the requests that read."""
    kinesis._get_records = shards.answering(_get_records)
    kinesis._list_shards = shards.answering(_list_shards)
    kinesis._describe_stream_summary = shards.answering(_describe_stream_summary)
    kinesis._shard_out = _shard_out


def _shard_out(shard_id: str, shard: Any) -> dict[str, Any]:
    told: dict[str, Any] = _stock_shard_out(shard_id, shard)
    if not shards.is_open(shard):
        told["SequenceNumberRange"]["EndingSequenceNumber"] = shard["ending_sequence_number"]
    return told


def _describe_stream_summary(data: Any) -> dict[str, Any]:
    stream = shards.stream_of(data)
    kinesis._ensure_active(stream)
    consumers = [c for c in kinesis._consumers.values() if c["StreamARN"] == stream["StreamARN"]]
    told = {
        "StreamName": stream["StreamName"],
        "StreamARN": stream["StreamARN"],
        "StreamStatus": stream["StreamStatus"],
        "StreamModeDetails": stream.get("StreamModeDetails", {"StreamMode": "PROVISIONED"}),
        "RetentionPeriodHours": stream["RetentionPeriodHours"],
        "StreamCreationTimestamp": stream["CreationTimestamp"],
        "EnhancedMonitoring": [{"ShardLevelMetrics": stream.get("ShardLevelMetrics", [])}],
        "EncryptionType": stream.get("EncryptionType", "NONE"),
        "OpenShardCount": len(shards.open_shards(stream)),
        "ConsumerCount": len(consumers),
        "MaxRecordSizeInKiB": limits.maximum_record_bytes(stream) // limits.KIB,
    }
    return {"StreamDescriptionSummary": told | ({"KeyId": stream["KeyId"]} if stream.get("KeyId") else {})}


def _get_records(data: Any) -> dict[str, Any]:
    limit = data.get("Limit", limits.RECORDS_PER_GET)
    if not 1 <= limit <= limits.RECORDS_PER_GET:
        raise invalid(f"Limit is 1 to {limits.RECORDS_PER_GET}, not {limit}")
    place = kinesis._shard_iterators.get(data.get("ShardIterator"))
    if place is None or time.time() - place["created_at"] > kinesis.ITERATOR_EXPIRY_SECONDS:
        raise RefusedRequestError("ExpiredIteratorException", "Iterator has expired or is invalid")
    stream = kinesis._streams.get(place["stream"])
    shard = stream["shards"].get(place["shard_id"]) if stream else None
    if stream is None or shard is None:
        text = f"Stream {place['stream']} or its shard {place['shard_id']} not found"
        raise RefusedRequestError("ResourceNotFoundException", text)
    kinesis._expire_records(stream)
    records, encryption = records_of(stream, place["shard_id"]), stream.get("EncryptionType", "NONE")
    with records_lock:
        start = min(place["position"], len(records))
        found = fitting(records.between(start, start + limit))
        end = start + len(found)
        behind = behind_ms(records, end)
    answer: dict[str, Any] = {
        "Records": [record_out(record, encryption) for record in found],
        "MillisBehindLatest": behind,
    }
    if end < len(records) or shards.is_open(shard):
        following = new_uuid()
        kinesis._shard_iterators[following] = {**place, "position": end, "created_at": time.time()}
        answer["NextShardIterator"] = following
    else:
        answer["ChildShards"] = shards.children(stream, place["shard_id"])
    return answer


def fitting(records: Iterable[Record]) -> list[Record]:
    """As many of the first records as one answer has room for; at least one, if there is one."""
    found: list[Record] = []
    size = 0
    for record in records:
        size += len(record_bytes(record))
        if size > limits.BYTES_PER_GET and found:
            break
        found.append(record)
    return found


def behind_ms(records: Sequence[Record], end: int) -> int:
    """For how long the record at `end` has waited, 0 when there is none."""
    if end >= len(records):
        return 0
    return max(0, int((time.time() - records[end]["ApproximateArrivalTimestamp"]) * 1000))


def record_out(record: Any, encryption: str) -> dict[str, Any]:
    """A record as an answer tells it."""
    return {
        "SequenceNumber": record["SequenceNumber"],
        "ApproximateArrivalTimestamp": record["ApproximateArrivalTimestamp"],
        "Data": kinesis._ensure_base64(record["Data"]),
        "PartitionKey": record["PartitionKey"],
        "EncryptionType": encryption,
    }


def _list_shards(data: Any) -> dict[str, Any]:
    token, after = data.get("NextToken"), data.get("ExclusiveStartShardId")
    shard_filter = data.get("ShardFilter")
    if token is not None:
        if data.get("StreamName") or data.get("StreamARN") or after:
            raise invalid("NextToken and StreamName, StreamARN or ExclusiveStartShardId cannot be provided together.")
        arn, after, shard_filter = _read_token(token)
        data = {"StreamARN": arn}
    stream = shards.stream_of(data)
    kinesis._ensure_active(stream)
    most = min(data.get("MaxResults") or limits.SHARDS_PER_PAGE, limits.LARGEST_PAGE)
    found = [shard_id for shard_id in _filtered(stream, shard_filter) if after is None or shard_id > after]
    answer: dict[str, Any] = {"Shards": [_shard_out(shard_id, stream["shards"][shard_id]) for shard_id in found[:most]]}
    if len(found) > most:
        answer["NextToken"] = _token(stream["StreamARN"], found[most - 1], shard_filter)
    return answer


def _filtered(stream: Any, shard_filter: Any) -> list[str]:
    """The ids of the shards that a ShardFilter means (API reference, ShardFilter)."""
    every = sorted(stream["shards"])
    kind = (shard_filter or {}).get("Type")
    moment = float((shard_filter or {}).get("Timestamp") or 0)
    if kind in (None, "FROM_TRIM_HORIZON"):
        return every
    if kind == "AFTER_SHARD_ID":
        return [shard_id for shard_id in every if shard_id > str(shard_filter.get("ShardId") or "")]
    if kind == "AT_LATEST":
        return [shard_id for shard_id in every if shards.is_open(stream["shards"][shard_id])]
    horizon = time.time() - stream["RetentionPeriodHours"] * 3600
    if kind == "AT_TRIM_HORIZON":
        return [shard_id for shard_id in every if _was_open(stream["shards"][shard_id], horizon, stream)]
    if kind == "AT_TIMESTAMP":
        return [shard_id for shard_id in every if _was_open(stream["shards"][shard_id], moment, stream)]
    if kind == "FROM_TIMESTAMP":
        return [shard_id for shard_id in every if stream["shards"][shard_id].get("closed_at", moment) >= moment]
    raise limits.unmet("shardFilter.type", "one of the values of ShardFilterType")


def _was_open(shard: Any, moment: float, stream: Any) -> bool:
    """Whether a shard was open at a moment; those of a stream's beginning were open at every moment before it too."""
    begun = shard.get("opened_at", 0.0) if shards.parents(shard) else 0.0
    return bool(begun <= max(moment, stream["CreationTimestamp"]) < shard.get("closed_at", float("inf")))


def _token(arn: str, after: str, shard_filter: Any) -> str:
    content = json.dumps({"arn": arn, "after": after, "filter": shard_filter, "at": time.time()})
    return base64.urlsafe_b64encode(content.encode()).decode()


def _read_token(token: str) -> tuple[str, str, Any]:
    try:
        content = json.loads(base64.urlsafe_b64decode(token.encode()))
        arn, after, shard_filter, at = (content[key] for key in ("arn", "after", "filter", "at"))
    except (binascii.Error, ValueError, KeyError, TypeError) as error:
        raise invalid("NextToken is not one that ListShards has given.") from error
    if time.time() - at > limits.TOKEN_SECONDS:
        raise RefusedRequestError("ExpiredNextTokenException", f"NextToken is older than {limits.TOKEN_SECONDS} s.")
    return arn, after, shard_filter
