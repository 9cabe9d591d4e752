"""Raw objects for the benchmark: what the simulator's fleet would have sent, as Firehose would have landed it."""

import base64
import gzip
import uuid
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime

import boto3
import numpy as np
import orjson

from iot_pipeline.contract import tables
from iot_pipeline.lake.hours import Hour
from simulator.faults import choose_faults
from simulator.fleet import Device, make_fleet
from simulator.generator import Generator
from simulator.plan import Plan
from simulator.state import State

DEVICES, TENANTS, SITES = 200, 4, 5
OBJECTS_PER_HOUR = 4


def put_raw(bucket: str, first: Hour, hours: int, readings: int, pack: int) -> tuple[list[Hour], int]:
    """Write so many readings, `pack` a message, with the simulator's default faults; (arrival hours, bytes written).

    The readings are taken evenly over `hours` hours from `first` on and sent when their message is complete.
    """
    total = 0
    by_hour = lines_of(first, hours, readings, pack)
    for hour, lines in by_hour.items():
        lines.sort(key=lambda line: line[0])
        size = -(-len(lines) // OBJECTS_PER_HOUR)
        for part in range(0, len(lines), size):
            body = gzip.compress(b"".join(line + b"\n" for _, line in lines[part : part + size]), 6)
            put_object(bucket, hour, str(part // size), body)
            total += len(body)
    return sorted(by_hour), total


def put_object(bucket: str, hour: Hour, name: str, body: bytes) -> None:
    """Write one gzipped object of an arrival hour."""
    key = f"{tables().raw_lines.prefix}{hour.path}bench-{name}.gz"
    boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=body)


def lines_of(
    first: Hour, hours: float, readings: int, pack: int, faults: Mapping[str, float] | None = None
) -> dict[Hour, list[tuple[int, bytes]]]:
    """Per arrival hour the lines with their times of arrival, epoch milliseconds."""
    fleet = make_fleet(DEVICES, TENANTS, SITES)
    each = readings // DEVICES
    start_ms = round(first.start.timestamp() * 1000)
    plan = Plan(DEVICES, start_ms, hours * 3_600_000 / each, each, pack, paced=True)
    generator = Generator(fleet, plan, choose_faults("all", []) if faults is None else faults, State.start(fleet))
    rng = np.random.default_rng(1)
    by_hour: dict[Hour, list[tuple[int, bytes]]] = defaultdict(list)
    while not generator.finished:
        for message in generator.next_batch().messages:
            received_ms = message.due_ms + int(rng.integers(20, 300))
            line = iot_line(message.payload, fleet.devices[message.device], received_ms, rng.bytes(16))
            by_hour[Hour.of(datetime.fromtimestamp(received_ms / 1000, first.start.tzinfo))].append((received_ms, line))
    return by_hour


def iot_line(payload: bytes, device: Device, received_ms: int, trace: bytes) -> bytes:
    """What the two IoT rules make of a payload (infra/stacks/ingest/rules.py)."""
    added = orjson.dumps(
        {
            "iot_tenant": device.tenant,
            "iot_site": device.site,
            "iot_device": device.device_id,
            "iot_received_at": received_ms,
            "iot_client": device.device_id,
            "iot_trace": str(uuid.UUID(bytes=trace)),
        }
    )
    try:
        content = orjson.loads(payload)
    except orjson.JSONDecodeError:
        content = None
    if isinstance(content, dict) and "readings" in content:
        return payload.strip()[:-1] + b"," + added[1:]
    return b'{"iot_payload":"' + base64.b64encode(payload) + b'",' + added[1:]
