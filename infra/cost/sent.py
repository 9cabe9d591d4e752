"""What a number of messages becomes on its way: the model's quantities, to be held against what was truly made."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from infra.cost.edge_calls import calls_at, state_writes
from infra.cost.metering import firehose_bytes, kinesis_bytes
from infra.cost.volumes import CURATED_BYTES, JUDGED_BYTES, gzip_bytes, line_bytes, over_kinds
from infra.stacks.config import PlatformConfig
from iot_pipeline.backfill.plan import STATEMENTS, Zone


@dataclass(frozen=True)
class Sent:
    """Messages of `pack` readings each, sent by so many devices within so many seconds."""

    messages: int
    pack: int
    devices: int
    seconds: float


def on_the_way(sent: Sequence[Sent]) -> dict[str, float]:
    """Bytes of lines as they are, as Kinesis and as Firehose bill them, and in the raw, judged and curated zones."""
    readings = sum(each.messages * each.pack for each in sent)
    messages = sum(each.messages for each in sent)
    return {
        "bytes on the stream": _sum(sent, line_bytes),
        "bytes that Kinesis bills": _sum(sent, lambda payload: kinesis_bytes(line_bytes(payload))),
        "bytes that Firehose bills": _sum(sent, lambda payload: firehose_bytes(line_bytes(payload))),
        "bytes in raw": gzip_bytes(messages, readings),
        "bytes in judged": readings * JUDGED_BYTES,
        "bytes in curated": readings * CURATED_BYTES,
    }


def at_the_edge(sent: Iterable[Sent], shards: int, config: PlatformConfig) -> dict[str, float]:
    """Calls of the handler, and writes of device states."""
    calls, writes = 0.0, 0.0
    for each in sent:
        made = calls_at(each.messages / each.seconds, shards, config) * each.seconds
        calls += made
        writes += state_writes(each.messages, made, each.devices / shards)
    return {"calls of the edge's handler": calls, "writes of device states": writes}


def statements_of(judged_batches: int, curated_batches: int) -> int:
    """Statements of Athena that so many builds send."""
    return judged_batches * STATEMENTS[Zone.JUDGED] + curated_batches * STATEMENTS[Zone.CURATED]


def _sum(sent: Iterable[Sent], measure: Callable[[float], float]) -> float:
    return sum(each.messages * over_kinds(each.pack, measure) for each in sent)
