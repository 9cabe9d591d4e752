"""A record of several payloads of a device: one after another into an aggregate, up to a size."""

from collections.abc import Iterable, Sequence

from iot_pipeline.contract.aggregation import UserRecord, aggregated
from iot_pipeline.producer.put import Entry

# The Kinesis Producer Library's own default for an aggregate (awslabs/amazon-kinesis-producer,
# `default_config.properties`, AggregationMaxSize). Kinesis bills a record in steps of 25 KB.
AGGREGATE_BYTES = 51_200
# What the format adds to a payload and to an aggregate, no more than.
_OVERHEAD = 32


def fitting(payloads: Iterable[bytes]) -> tuple[int, int]:
    """How many of the first payloads go into one record, one at least, and at most how many bytes that has."""
    count, size = 0, _OVERHEAD
    for payload in payloads:
        more = len(payload) + _OVERHEAD
        if count and size + more > AGGREGATE_BYTES:
            break
        count, size = count + 1, size + more
    return count, size


def packed(device: str, payloads: Sequence[bytes]) -> Entry:
    """The record of a device's payloads: the one itself, or an aggregate of several."""
    if len(payloads) == 1:
        return Entry(device, payloads[0])
    return Entry(device, aggregated([UserRecord(device, payload) for payload in payloads]))
