"""The lake as tiles look at it, and the hours that they look at."""

from datetime import datetime

import boto3

from iot_pipeline.connections.lake import open_catalog
from iot_pipeline.console.bounded_athena import BoundedAthena, Meter
from iot_pipeline.console.health.findings import GRACE
from iot_pipeline.lake.hours import HOUR, Hour, hours_between
from iot_pipeline.lake.lake import Lake
from iot_pipeline.settings import deployment, policy


def open_lake(meter: Meter, seconds: float) -> Lake:
    """The lake, to be read: its queries are counted, and stopped after so many seconds."""
    return Lake(
        bucket=deployment().lake_bucket,
        catalog=open_catalog(),
        athena=BoundedAthena(meter, seconds),
        contract=policy().contract,
        s3=boto3.client("s3"),
    )


def last_hours(now: datetime, count: int) -> list[Hour]:
    """So many hours, the present one last, in order; none before the first of this deployment."""
    last = Hour.of(now)
    first = max(last + (1 - count), Hour.of(policy().partitions_start))
    return hours_between(first, last)


def is_recent(hour: Hour, now: datetime) -> bool:
    """Whether an hour is open, or closed so lately that what follows from it may still be under way."""
    return now < hour.start + HOUR + GRACE
