"""What an environment may not be: what AWS or one of the stacks would refuse, told before anything is synthesised."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from infra.stacks.producers.declared import producer_problems

if TYPE_CHECKING:
    from infra.stacks.config import PlatformConfig

# The formats in which Firehose writes the raw zone.
JSON, PARQUET = "json", "parquet"
_PARTITIONS = ("", "tenant")
# Firehose's least buffer with conversion or dynamic partitioning (Firehose guide, "Configure buffering hints").
_LEAST_CONVERTED_MIB = 64
# Glue bills a crawl as ten minutes at least (AWS Glue pricing page, "Data Catalog crawlers").
LEAST_CRAWL_MINUTES = 10
# What an account has once in each region (infra/stacks/security/account.py).
ACCOUNT_GUARDS = ("management-events", "recorder", "rules", "guardduty", "analyzer")
MINUTES_A_DAY = 1440
# As `IOT_BUILD_INTERVAL_MINUTES` has it (iot_pipeline/settings.py).
LONGEST_BUILD_INTERVAL = 30
# An export may change the alerts' history for 91 days (iot_pipeline/settings.py).
LEAST_KEPT_DAYS = 91
# Redshift Serverless bills at least a minute each time it wakes up (Redshift guide, "Billing for Amazon Redshift
# Serverless").
LEAST_BILLED_SECONDS = 60
# A shorter window than a few seconds only makes small files; the batch is there before a longer one.
LEAST_WINDOW_SECONDS, LONGEST_WINDOW_SECONDS = 10, 900
# One drives, one works.
LEAST_STREAMING_WORKERS = 2
_QUICKSIGHT_OWNER = re.compile("arn:aws[a-z-]*:quicksight:[a-z0-9-]+:[0-9]{12}:(user|group)/.+")
# A bucket's name may have 63 characters, of which account and region take up to 36; a database no capitals.
_NAME = re.compile("[a-z][a-z0-9]{1,15}")
# Redshift Serverless wants three (Redshift guide, "Considerations when using Amazon Redshift Serverless").
_LEAST_ZONES = 3


def problems(config: "PlatformConfig") -> Iterator[str]:
    """A sentence for each: the field, what it is, what was expected."""
    yield from _of_names(config)
    yield from _of_data(config)
    yield from _of_arrival(config)
    yield from _of_streaming(config)
    yield from _of_services(config)
    yield from producer_problems(config.producers, has_stream=config.parts.stream)


def _of_names(config: "PlatformConfig") -> Iterator[str]:
    if not _NAME.fullmatch(config.name):
        yield f"environment {config.name!r} must be 2 to 16 lower-case letters and digits, a letter first"
    if len(set(config.zones)) != len(config.zones) or (config.parts.databases and len(config.zones) < _LEAST_ZONES):
        yield (
            f"zones = {config.zones!r}: expected at least {_LEAST_ZONES} letters, each once. A region with fewer "
            "(us-west-1) cannot have a warehouse: take another region, or size prototype"
        )
    if config.quicksight_owner and not _QUICKSIGHT_OWNER.fullmatch(config.quicksight_owner):
        yield (
            f"quicksight_owner {config.quicksight_owner!r} must be the ARN of a user or a group of QuickSight: "
            "arn:<partition>:quicksight:<region>:<account>:user/default/<name>"
        )
    if config.vendors and not config.parts.customer_keys:
        yield f"vendors = {config.vendors!r}: expected none at this size; size team or production pulls from vendors"
    if len(set(config.vendors)) != len(config.vendors):
        yield f"vendors = {config.vendors!r}: expected each name once"
    if unknown := sorted(set(config.account_guards) - set(ACCOUNT_GUARDS)):
        yield f"account_guards: there is no {', '.join(unknown)}; there are {', '.join(ACCOUNT_GUARDS)}"


def _of_data(config: "PlatformConfig") -> Iterator[str]:
    if not (config.lateness_days > 0 and config.future_hours >= 0):
        found = f"{config.lateness_days}, {config.future_hours}"
        yield f"lateness_days must be above 0 and future_hours at least 0: {found}"
    if config.retention_days and config.retention_days < LEAST_KEPT_DAYS:
        yield f"retention_days must be 0 or at least {LEAST_KEPT_DAYS}: {config.retention_days}"
    if not 0 <= config.object_lock_days <= config.noncurrent_days:
        yield (
            f"object_lock_days must be 0 to noncurrent_days, {config.noncurrent_days}: {config.object_lock_days}; "
            "S3 could not remove a replaced version when its time has come"
        )


def _of_arrival(config: "PlatformConfig") -> Iterator[str]:
    if config.firehose_format not in (JSON, PARQUET):
        yield f"firehose_format = {config.firehose_format!r}: expected {JSON} or {PARQUET}"
    if config.firehose_partition not in _PARTITIONS:
        yield (
            f"firehose_partition = {config.firehose_partition!r}: expected tenant, or nothing. A record does not say "
            "its device's class, which is the registry's"
        )
    if config.firehose_partition and config.firehose_format != PARQUET:
        yield f"firehose_partition is for firehose_format = {PARQUET}, and the format is {config.firehose_format!r}"
    if config.firehose_format == PARQUET and not config.parts.stream:
        yield f"firehose_format = {PARQUET}: size {config.size} has no Firehose; the rule writes its objects"
    if config.firehose_format == PARQUET and config.firehose_buffer_mib < _LEAST_CONVERTED_MIB:
        yield (
            f"firehose_buffer_mib must be at least {_LEAST_CONVERTED_MIB} where Firehose converts records: "
            f"{config.firehose_buffer_mib}"
        )
    if config.crawl_on_events_minutes and not LEAST_CRAWL_MINUTES <= config.crawl_on_events_minutes <= MINUTES_A_DAY:
        yield (
            f"crawl_on_events_minutes must be 0, for none, or {LEAST_CRAWL_MINUTES} to {MINUTES_A_DAY}: "
            f"{config.crawl_on_events_minutes}"
        )


def _of_streaming(config: "PlatformConfig") -> Iterator[str]:
    window = config.streaming_window_seconds
    if window and not LEAST_WINDOW_SECONDS <= window <= LONGEST_WINDOW_SECONDS:
        yield f"streaming_window_seconds must be 0, or {LEAST_WINDOW_SECONDS} to {LONGEST_WINDOW_SECONDS}: {window}"
    if window and not config.parts.stream:
        yield f"streaming_window_seconds = {window}: the size {config.size} has no stream; set it to 0"
    if config.streaming_max_workers < LEAST_STREAMING_WORKERS:
        yield f"streaming_max_workers must be at least {LEAST_STREAMING_WORKERS}: {config.streaming_max_workers}"


def _of_services(config: "PlatformConfig") -> Iterator[str]:
    if not 1 <= config.canary_minutes <= MINUTES_A_DAY:
        yield f"canary_minutes must be 1 to {MINUTES_A_DAY}: {config.canary_minutes}"
    if not 1 <= config.build_interval_minutes <= LONGEST_BUILD_INTERVAL:
        yield f"build_interval_minutes must be 1 to {LONGEST_BUILD_INTERVAL}: {config.build_interval_minutes}"
    if config.warehouse_seconds_a_build < LEAST_BILLED_SECONDS:
        yield (
            f"warehouse_seconds_a_build must be at least {LEAST_BILLED_SECONDS}, which Redshift Serverless bills: "
            f"{config.warehouse_seconds_a_build}"
        )
    if bool(config.domain) != bool(config.hosted_zone):
        yield f"set domain and hosted_zone, or neither: {config.domain!r}, {config.hosted_zone!r}"
    if not 1 <= config.service_zones <= len(config.zones):
        yield f"service_zones must be 1 to {len(config.zones)}: {config.service_zones}"
    if not 1 <= config.service_tasks <= config.service_max_tasks:
        yield f"service_tasks must be 1 to service_max_tasks: {config.service_tasks}, {config.service_max_tasks}"
