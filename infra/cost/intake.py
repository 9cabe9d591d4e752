"""IoT Core, Kinesis and Firehose: what the way of a message into the raw zone uses."""

from collections.abc import Iterator

from infra.cost.design import Design, Landing, Publishing
from infra.cost.fleet import DAYS_A_MONTH, HOURS_A_MONTH, MINUTES_A_MONTH, SECONDS_A_MONTH, Fleet
from infra.cost.metering import GIGABYTE, firehose_bytes, iot_steps, kinesis_bytes, steps
from infra.cost.usage import Usage
from infra.cost.volumes import (
    BASIC_INGEST_PREFIX_BYTES,
    RAW_PARQUET_LINES_SHARE,
    RAW_PARQUET_SHARE,
    TOPIC_BYTES,
    gzip_bytes,
    line_bytes,
    over_kinds,
)
from infra.stacks.config import PlatformConfig

# Assumed: a session is ended by network or broker once a day, and each CONNECT is metered as a message.
CONNECTS_A_DAY = 1
FREE_RETENTION_HOURS = 24
# What Firehose is to hand to its function at once, and the function's memory: infra/stacks/ingest/record_conversion.py.
_HANDED_BYTES, _FUNCTION_GB = 1024**2, 0.5
# 1 MB of lines took 0.07 s of one CPU here; 512 MB have 0.29 of one (AWS Lambda guide, "Configure Lambda function
# memory"). A call's own milliseconds are assumed.
_HANDED_SECONDS, _CALL_SECONDS = 0.25, 0.005
# Assumed: the tenants that send in each minute.
_TENANTS = 10


def iot_core(fleet: Fleet, design: Design) -> Iterator[Usage]:
    """Connections, messages, rules and actions."""
    if design.publishing is Publishing.KINESIS:
        return
    topic = TOPIC_BYTES
    connects = fleet.devices * CONNECTS_A_DAY * DAYS_A_MONTH
    yield Usage("iot-connection", fleet.devices * MINUTES_A_MONTH, "connections", "each device is connected always")
    if design.publishing is Publishing.BROKER:
        metered = over_kinds(fleet.pack, lambda payload: iot_steps(payload, TOPIC_BYTES))
        size = over_kinds(fleet.pack, lambda payload: payload + TOPIC_BYTES)
        yield Usage(
            "iot-message",
            fleet.messages * metered + connects,
            "messages and CONNECTs",
            f"payload and topic, {size:,.0f} bytes on average, are {metered:.3g} of 5 KB; a CONNECT a device and day",
        )
    else:
        topic += BASIC_INGEST_PREFIX_BYTES
        yield Usage("iot-message", connects, "CONNECTs", "Basic Ingest: published messages are not billed")
    # Of the two rules one takes each message. AWS does not say whether one whose condition is false is billed too.
    metered = over_kinds(fleet.pack, lambda payload: iot_steps(payload, topic))
    yield Usage("iot-rule", fleet.messages * metered, "rules", "of the two rules the one that takes the message")
    yield Usage("iot-action", fleet.messages * metered, "actions", "one a rule; error actions are none")


def stream(fleet: Fleet, config: PlatformConfig, design: Design) -> Iterator[Usage]:
    """Kinesis on demand and Firehose."""
    if not design.stream:
        return
    line = over_kinds(fleet.pack, line_bytes)
    written = written_gigabytes(fleet)
    billed = written * GIGABYTE / fleet.messages
    yield Usage("kinesis-stream", HOURS_A_MONTH, "the stream")
    yield Usage(
        "kinesis-in",
        written,
        "records in",
        f"lines of {line:,.0f} bytes on average, billed as {billed:,.0f}",
    )
    standard = 1 if config.edge_fan_out else 2
    yield Usage("kinesis-out", written * standard, "records out", "Firehose, and the edge unless it reads by fan-out")
    if config.edge_fan_out:
        yield Usage("kinesis-fan-out", written, "records out to the edge")
    beyond = max(0, config.stream_retention_hours - FREE_RETENTION_HOURS)
    if beyond:
        kept = written / HOURS_A_MONTH * beyond
        yield Usage("kinesis-retention", kept, "records kept", f"{config.stream_retention_hours} hours")
    billed = over_kinds(fleet.pack, lambda payload: firehose_bytes(line_bytes(payload)))
    taken = fleet.messages * billed / GIGABYTE
    yield Usage("firehose-in", taken, "records in", f"lines billed as {billed:,.0f} bytes on average")
    if design.landing is Landing.FIREHOSE_PARQUET:
        yield from _conversion(fleet, config, taken)


def written_gigabytes(fleet: Fleet) -> float:
    """What Kinesis bills of a month's lines as written, and again for each that reads them."""
    return fleet.messages * over_kinds(fleet.pack, lambda payload: kinesis_bytes(line_bytes(payload))) / GIGABYTE


def _conversion(fleet: Fleet, config: PlatformConfig, taken: float) -> Iterator[Usage]:
    """What Firehose bills for Parquet, and the function that it hands each record to."""
    yield Usage("firehose-format", taken, "records converted")
    handed = fleet.messages * over_kinds(fleet.pack, line_bytes) / _HANDED_BYTES
    # Firehose hands over what it has of a shard once a minute, if it is less.
    calls = max(handed, shards(fleet) * MINUTES_A_MONTH)
    seconds = calls * _CALL_SECONDS + handed * _HANDED_SECONDS
    yield Usage("lambda-request", calls, "raw columns", "a call for each 1 MB, or for each shard and minute")
    yield Usage("lambda-compute", seconds * _FUNCTION_GB, "raw columns", "0.25 s for 1 MB, by what is measured locally")
    if config.firehose_partition:
        delivered = gzip_bytes(fleet.messages, fleet.readings) * RAW_PARQUET_SHARE / GIGABYTE
        yield Usage("firehose-partition", delivered, "records partitioned", "as delivered: Parquet")
        objects = _TENANTS * SECONDS_A_MONTH / config.firehose_interval_seconds
        yield Usage("firehose-partition-object", objects, "objects", f"{_TENANTS} tenants that send always, assumed")


def raw_objects(fleet: Fleet, config: PlatformConfig, design: Design) -> float:
    """Objects of a month in the raw zone: Firehose's buffers, or one a message that a rule writes."""
    if not design.stream:
        return fleet.messages
    buffer = config.firehose_buffer_mib * 1024**2
    flushes = SECONDS_A_MONTH / config.firehose_interval_seconds
    if design.landing is Landing.FIREHOSE_PARQUET and config.firehose_partition:
        flushes *= _TENANTS
    return min(fleet.messages, max(flushes, fleet.messages * over_kinds(fleet.pack, line_bytes) / buffer))


def raw_bytes(fleet: Fleet, design: Design) -> float:
    """Bytes of a month's raw objects. What a rule writes is one line, not compressed."""
    if design.landing is Landing.RULE_TO_S3:
        return fleet.messages * over_kinds(fleet.pack, line_bytes)
    if design.landing is Landing.FIREHOSE_PARQUET:
        return gzip_bytes(fleet.messages, fleet.readings) * RAW_PARQUET_SHARE
    return gzip_bytes(fleet.messages, fleet.readings)


def raw_bytes_read(fleet: Fleet, design: Design) -> float:
    """Bytes that judging a month's raw objects once reads: whole objects, or of Parquet the column of lines."""
    if design.landing is Landing.FIREHOSE_PARQUET:
        return gzip_bytes(fleet.messages, fleet.readings) * RAW_PARQUET_LINES_SHARE
    return raw_bytes(fleet, design)


def shards(fleet: Fleet) -> int:
    """Shards of the on-demand stream.

    Kinesis guide, "Choose the data stream capacity mode": it begins with four and keeps room for twice the peak; a
    shard takes 1,000 records and 1 MB a second.
    """
    rate = fleet.messages_a_second
    return max(4, steps(2 * rate, 1000), steps(2 * rate * over_kinds(fleet.pack, line_bytes), 1024**2))
