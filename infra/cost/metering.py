"""How AWS meters: the steps that sizes and times are rounded up to before they are billed."""

import math

from iot_pipeline.lake.pricing import MEGABYTE, MINIMUM_BYTES

KILOBYTE = 1024
GIGABYTE = 1024**3
TERABYTE = 1024**4
# AWS IoT Core pricing, "Additional metering details": messages are metered by 5 KB; Amazon Data Firehose pricing,
# "Direct PUT and KDS as a source ingestion": records too, whether Kinesis is the source or not.
FIVE_KILOBYTES = 5 * KILOBYTE
# Amazon Redshift pricing, "Amazon Redshift Serverless": per second, at least 60 s.
WAREHOUSE_SECONDS = 60
# Snowflake documentation, "Understanding compute cost": per second, at least 60 s each time a warehouse is resumed.
SNOWFLAKE_SECONDS = 60
# AWS Glue pricing: a crawl is billed per second, at least ten minutes.
CRAWL_SECONDS = 600
# AWS names no size of a crawler; two DPUs are what people report.
CRAWLER_DPUS = 2


def steps(size: float, step: int) -> int:
    """How many begun steps a size is billed as; at least one, since an empty message is one too."""
    return max(1, math.ceil(size / step))


def iot_steps(payload: float, topic: float) -> int:
    """Messages that a publish counts as: payload and topic together, by begun 5 KB.

    AWS IoT Core pricing, "Additional metering details": a PUBLISH is metered on the size of the payload and topic.
    """
    return steps(payload + topic, FIVE_KILOBYTES)


def kinesis_bytes(record: float) -> int:
    """Bytes that a record counts as when it is written (Kinesis Data Streams pricing: 4.5 KB are 5 KB)."""
    return steps(record, KILOBYTE) * KILOBYTE


def put_units(record: float) -> int:
    """PUT payload units of a record that is put to a provisioned shard (Kinesis Data Streams pricing: by 25 KB)."""
    return steps(record, 25 * KILOBYTE)


def firehose_bytes(record: float) -> int:
    """Bytes that a record counts as when Firehose takes it in (3 KB are 5 KB, 12 KB are 15 KB)."""
    return steps(record, FIVE_KILOBYTES) * FIVE_KILOBYTES


def athena_bytes(scanned: float) -> int:
    """Bytes that a statement is billed for (Athena pricing page, by `iot_pipeline/lake/pricing.py`); DDL scans none."""
    return 0 if scanned <= 0 else max(MINIMUM_BYTES, math.ceil(scanned / MEGABYTE) * MEGABYTE)


def write_units(item: float) -> int:
    """Write request units of a standard write (DynamoDB guide, "Read and write operations": a unit a begun KB)."""
    return steps(item, KILOBYTE)


def billed_seconds(seconds: float, minimum: int) -> float:
    """Seconds that an activity is billed for, if nothing else is active beside it; 0 if there is none."""
    return 0.0 if seconds <= 0 else max(float(minimum), seconds)
