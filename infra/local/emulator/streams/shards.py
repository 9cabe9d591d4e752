"""Resharding: a shard that is split or merged is closed, and stays readable to its end until its records expire.

Kinesis Data Streams developer guide, "After resharding": parent shards go from OPEN to CLOSED and, after the retention
period, to EXPIRED; their children get all later records. API reference: SplitShard, MergeShards, UpdateShardCount.
Stock ministack deletes the parents with their records. On AWS the stream is UPDATING meanwhile; here it is ACTIVE.
"""

import time
from collections.abc import Callable
from typing import Any

from ministack.core.responses import json_response
from ministack.services import kinesis

from infra.local.emulator.streams import limits
from infra.local.emulator.streams.limits import RefusedRequestError, invalid

DAY_SECONDS = 86_400


def install() -> None:
    """Replace the three requests, and where records go."""
    kinesis._route_to_shard = route
    kinesis._split_shard = answering(_split_shard)
    kinesis._merge_shards = answering(_merge_shards)
    kinesis._update_shard_count = answering(_update_shard_count)


def answering(handle: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A handler as ministack calls it, from one that raises RefusedRequestError."""

    def answer(data: Any) -> Any:
        try:
            return json_response(handle(data))
        except RefusedRequestError as error:
            return error.response

    return answer


def stream_of(data: Any) -> Any:
    """The stream that a request names. Raises RefusedRequestError when there is none."""
    name, stream = kinesis._resolve_stream(data)
    if stream is None:
        raise RefusedRequestError("ResourceNotFoundException", f"Stream {name} not found")
    return stream


def is_open(shard: Any) -> bool:
    """Whether a shard takes records."""
    return "ending_sequence_number" not in shard


def open_shards(stream: Any) -> dict[str, Any]:
    """The shards that take records, by id, in the order of their hash keys."""
    found = [(shard_id, shard) for shard_id, shard in stream["shards"].items() if is_open(shard)]
    return dict(sorted(found, key=lambda item: int(item[1]["starting_hash_key"])))


def parents(shard: Any) -> list[str]:
    """The ids of a shard's parents, which may have expired."""
    return [shard[key] for key in ("parent_shard_id", "adjacent_parent_shard_id") if shard.get(key)]


def children(stream: Any, shard_id: str) -> list[dict[str, Any]]:
    """A closed shard's children, as GetRecords and SubscribeToShard tell of them."""
    return [
        {
            "ShardId": child_id,
            "ParentShards": parents(child),
            "HashKeyRange": {
                "StartingHashKey": child["starting_hash_key"],
                "EndingHashKey": child["ending_hash_key"],
            },
        }
        for child_id, child in sorted(stream["shards"].items())
        if shard_id in parents(child)
    ]


def route(hash_key: int, stream: Any) -> str:
    """The shard that takes records of a hash key."""
    for shard_id, shard in stream["shards"].items():
        if is_open(shard) and int(shard["starting_hash_key"]) <= hash_key <= int(shard["ending_hash_key"]):
            return str(shard_id)
    raise invalid(f"ExplicitHashKey {hash_key} is not between 0 and {limits.LARGEST_HASH_KEY}")


def forget_expired(stream: Any, now: float) -> None:
    """Remove the closed shards whose records have all expired, `now` being the time in seconds since 1970."""
    kept = stream["RetentionPeriodHours"] * 3600
    for shard_id, shard in list(stream["shards"].items()):
        if not is_open(shard) and now - shard["closed_at"] > kept:
            del stream["shards"][shard_id]


def _split(stream: Any, shard_id: str, hash_key: int) -> list[str]:
    """Close a shard and open two, the second of which begins at a hash key; their ids."""
    shard = stream["shards"][shard_id]
    start, end = int(shard["starting_hash_key"]), int(shard["ending_hash_key"])
    _close(shard)
    return [_open(stream, start, hash_key - 1, shard_id), _open(stream, hash_key, end, shard_id)]


def _merge(stream: Any, shard_id: str, adjacent_id: str) -> str:
    """Close two shards and open one; its id."""
    both = [stream["shards"][shard_id], stream["shards"][adjacent_id]]
    for shard in both:
        _close(shard)
    start = min(int(shard["starting_hash_key"]) for shard in both)
    end = max(int(shard["ending_hash_key"]) for shard in both)
    return _open(stream, start, end, shard_id, adjacent_id)


def _close(shard: Any) -> None:
    shard["ending_sequence_number"] = kinesis._next_sequence_number()
    shard["closed_at"] = time.time()


def _open(stream: Any, start: int, end: int, parent: str, adjacent: str | None = None) -> str:
    shard_id = f"shardId-{kinesis._max_shard_index(stream) + 1:012d}"
    stream["shards"][shard_id] = {
        "records": [],
        "starting_hash_key": str(start),
        "ending_hash_key": str(end),
        "starting_sequence_number": kinesis._next_sequence_number(),
        "parent_shard_id": parent,
        "adjacent_parent_shard_id": adjacent,
        "opened_at": time.time(),
    }
    return shard_id


def _provisioned(stream: Any) -> None:
    if (stream.get("StreamModeDetails") or {}).get("StreamMode") == "ON_DEMAND":
        text = f"Request is invalid. Stream {stream['StreamName']} is in On-Demand mode, which scales by itself."
        raise RefusedRequestError("ValidationException", text)


def _open_shard(stream: Any, shard_id: Any) -> Any:
    shard = stream["shards"].get(shard_id)
    if shard is None:
        text = f"Could not find shard {shard_id} in stream {stream['StreamName']}."
        raise RefusedRequestError("ResourceNotFoundException", text)
    if not is_open(shard):
        raise invalid(f"Shard {shard_id} in stream {stream['StreamName']} has already been merged or split.")
    return shard


def _split_shard(data: Any) -> dict[str, Any]:
    stream = stream_of(data)
    _provisioned(stream)
    shard_id, text = data.get("ShardToSplit"), str(data.get("NewStartingHashKey") or "")
    shard = _open_shard(stream, shard_id)
    if not text.isascii() or not text.isdigit():
        raise unmet_hash_key()
    start, end = int(shard["starting_hash_key"]), int(shard["ending_hash_key"])
    # "The hash key range value must be in the range of hash keys being mapped into the shard", and leave both children
    # a key.
    if not start < int(text) <= end:
        raise invalid(
            f"NewStartingHashKey {text} is not above {start} and at most {end}, the range of shard {shard_id}."
        )
    _split(stream, shard_id, int(text))
    return {}


def unmet_hash_key() -> RefusedRequestError:
    """A hash key that is none (the model's pattern)."""
    return limits.unmet("newStartingHashKey", "a value that satisfies the pattern 0|([1-9]\\d{0,38})")


def _merge_shards(data: Any) -> dict[str, Any]:
    stream = stream_of(data)
    _provisioned(stream)
    ids = [data.get("ShardToMerge"), data.get("AdjacentShardToMerge")]
    first, second = (_open_shard(stream, shard_id) for shard_id in ids)
    lower, upper = sorted((first, second), key=lambda shard: int(shard["starting_hash_key"]))
    if int(lower["ending_hash_key"]) + 1 != int(upper["starting_hash_key"]):
        raise invalid(f"Shards {ids[0]} and {ids[1]} in stream {stream['StreamName']} are not adjacent.")
    _merge(stream, *ids)
    return {}


def _update_shard_count(data: Any) -> dict[str, Any]:
    stream, target = stream_of(data), data.get("TargetShardCount")
    _provisioned(stream)
    if data.get("ScalingType") != "UNIFORM_SCALING":
        raise limits.unmet("scalingType", "the value UNIFORM_SCALING")
    if not isinstance(target, int) or target < 1:
        raise limits.unmet("targetShardCount", "a value of at least 1")
    count = len(open_shards(stream))
    _may_scale(stream, count, target)
    stream["scalings"] = [*stream.get("scalings", []), time.time()]
    _scale(stream, target)
    return {
        "StreamName": stream["StreamName"],
        "StreamARN": stream["StreamARN"],
        "CurrentShardCount": count,
        "TargetShardCount": target,
    }


def _may_scale(stream: Any, count: int, target: int) -> None:
    now = time.time()
    stream["scalings"] = [scaled for scaled in stream.get("scalings", []) if now - scaled < DAY_SECONDS]
    how, counts = "", f"Current open shard count: {count} Target shard count: {target}"
    if target > limits.LARGEST_SHARD_COUNT:
        how = f"up over {limits.LARGEST_SHARD_COUNT} shards"
    elif target > 2 * count:
        how = "up over double your current open shard count"
    elif 2 * target < count:
        how = "down below half your current open shard count"
    elif len(stream["scalings"]) >= limits.SCALINGS_A_DAY:
        how = f"a stream more than {limits.SCALINGS_A_DAY} times in 24 hours"
    if how:
        raise RefusedRequestError("LimitExceededException", f"UpdateShardCount cannot scale {how}. {counts}")


def _scale(stream: Any, target: int) -> None:
    """Split where a border of the new shards is, merge where one of the old is left; as AWS, by short-lived shards."""
    old = [int(shard["starting_hash_key"]) for shard in open_shards(stream).values()]
    # A border that is another's but for the rounding of the division is no new one.
    borders = {
        next((border for border in old if abs(border - int(start)) <= target), int(start))
        for start, _end in kinesis._compute_hash_ranges(target)
    }
    for border in sorted(borders):
        shard_id = route(border, stream)
        if int(stream["shards"][shard_id]["starting_hash_key"]) != border:
            _split(stream, shard_id, border)
    left = ""
    for shard_id, shard in open_shards(stream).items():
        left = shard_id if int(shard["starting_hash_key"]) in borders else _merge(stream, left, shard_id)
