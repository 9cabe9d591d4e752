"""The edge: what its functions and its tables use, and how many calls and writes a rate of messages makes."""

import math
from collections.abc import Iterator

from infra.cost.design import Design
from infra.cost.fleet import MINUTES_A_MONTH, SECONDS_A_MONTH, Fleet
from infra.cost.intake import shards
from infra.cost.metering import GIGABYTE, KILOBYTE, write_units
from infra.cost.usage import Usage
from infra.cost.volumes import STATE_BYTES
from infra.stacks.config import PlatformConfig

# Assumed, since nothing has run on AWS: a handler's call takes this and, for each 500 readings, what
# `make bench-edge` measures (docs/edge-latency.md: some 10 ms); a write takes single-digit milliseconds
# (DynamoDB guide, "What is Amazon DynamoDB?"), 16 at a time (iot_pipeline/edge/handler.py).
_CALL_SECONDS, _READING_SECONDS, _WRITE_SECONDS, _WRITERS = 0.02, 0.010 / 500, 0.005, 16
# `make bench-alerts`: 4.5 to 7.9 s over 10,000 devices (docs/edge-latency.md).
_SWEEP_SECONDS, _SWEEP_DEVICES, _NOTIFY_SECONDS, _NOTIFY_GB = 0.2, 10_000 / 8, 0.2, 0.5
# Assumed: an alert a device and month; opened, told of and resolved it is written three times, each time about 1 KB
# with four indexes to be changed, two units each (docs/operations.md, "The history of the alerts").
_ALERTS_A_DEVICE, _WRITES_AN_ALERT = 1, 3 * (1 + 4 * 2)
# Lambda's environment is polled once a second (Lambda guide, "Process Amazon Kinesis Data Streams records").
_POLLS_A_SECOND = 1


def handler_calls(fleet: Fleet, config: PlatformConfig) -> float:
    """Calls of a month."""
    return calls_at(fleet.messages_a_second, shards(fleet), config) * SECONDS_A_MONTH


def calls_at(messages_a_second: float, count: int, config: PlatformConfig) -> float:
    """Calls a second at a rate of messages over so many shards.

    Each poll of a shard that finds something is a call, and more where a batch is full. By enhanced fan-out a record is
    a call of its own, until they come faster than calls end.
    """
    found = messages_a_second / count / _POLLS_A_SECOND
    if found >= config.edge_batch_size:
        return messages_a_second / config.edge_batch_size
    if config.edge_fan_out:
        return messages_a_second if found < 1 else float(count)
    return count * _POLLS_A_SECOND * (1 - math.exp(-found))


def state_writes(messages: float, calls: float, devices_a_shard: float) -> float:
    """Writes of device states: one a call and device, so that two messages of a device in a batch are one write.

    Devices that send in even intervals: a call of n messages is of n devices, as long as the shard has as many.
    """
    return calls * min(messages / calls, max(1.0, devices_a_shard)) if calls else 0.0


def edge(fleet: Fleet, config: PlatformConfig, design: Design, state_bytes: int = STATE_BYTES) -> Iterator[Usage]:
    """Lambda and DynamoDB."""
    if not design.stream:
        return
    calls = handler_calls(fleet, config)
    writes = state_writes(fleet.messages, calls, fleet.devices / shards(fleet))
    memory = config.edge_memory_mib / 1024
    handled = calls * _CALL_SECONDS + fleet.readings * _READING_SECONDS + writes * _WRITE_SECONDS / _WRITERS
    swept = MINUTES_A_MONTH * (_SWEEP_SECONDS + fleet.devices / _SWEEP_DEVICES)
    yield Usage("lambda-request", calls + 2 * MINUTES_A_MONTH, "handler, and sweep and notify each minute")
    yield Usage(
        "lambda-compute", handled * memory, "the handler", f"{handled / calls:.3f} s a call of {memory:.2f} GB, assumed"
    )
    yield Usage("lambda-compute", swept * memory, "the sweep", "8 s for 10,000 devices, as measured locally")
    yield Usage("lambda-compute", MINUTES_A_MONTH * _NOTIFY_SECONDS * _NOTIFY_GB, "notify")
    yield Usage(
        "dynamodb-write",
        writes * write_units(state_bytes),
        "device states",
        f"{writes:,.0f} writes of {state_bytes:,} bytes, one a device and call",
    )
    yield Usage("dynamodb-write", calls, "how far each batch came")
    alerts = fleet.devices * _ALERTS_A_DEVICE
    yield Usage("dynamodb-write", alerts * _WRITES_AN_ALERT, "alerts", "one a device and month, assumed")
    # Eventually consistent: half a unit for 4 KB. Each page is rounded up alone, which is left out.
    scanned = MINUTES_A_MONTH * fleet.devices * state_bytes / (4 * KILOBYTE) / 2
    yield Usage("dynamodb-read", scanned, "the sweep's scan each minute")
    held = fleet.devices * state_bytes / GIGABYTE
    yield Usage("dynamodb-storage", held, "device states")
    yield Usage("dynamodb-recovery", held, "device states, point-in-time recovery")
