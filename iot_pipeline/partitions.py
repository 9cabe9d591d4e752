"""The partitions: raw and its ledger by arrival hour, curated by event hour, compacted by event day; all of UTC."""

import math
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import dagster as dg

from iot_pipeline.lake.hours import Day, Hour
from iot_pipeline.settings import policy

_FORMAT = "%Y-%m-%d-%H:%M"

# The open hour is a partition too, since its data is wanted before it closes, and so are the hours by which a device's
# clock may be ahead. One definition for both partitionings lets one run build a closed hour from raw to curated.
hours = dg.HourlyPartitionsDefinition(
    start_date=policy().partitions_start,
    end_offset=1 + math.ceil(policy().contract.future_bound / timedelta(hours=1)),
)

# Days that are over.
days = dg.DailyPartitionsDefinition(start_date=Day.of(policy().partitions_start).start)


def day_of(key: str) -> Day:
    """The day of a Dagster partition key. Raises ValueError if it is none."""
    return Day(datetime.strptime(key, days.fmt).replace(tzinfo=UTC))


def partition_key(hour: Hour) -> str:
    """The Dagster partition key of an hour."""
    return hour.start.strftime(_FORMAT)


def hour_of(key: str) -> Hour:
    """The hour of a Dagster partition key. Raises ValueError if it is none."""
    return Hour(datetime.strptime(key, _FORMAT).replace(tzinfo=UTC))


def hours_of(keys: Iterable[str]) -> list[Hour]:
    """The hours of Dagster partition keys, in order."""
    return sorted(hour_of(key) for key in keys)
