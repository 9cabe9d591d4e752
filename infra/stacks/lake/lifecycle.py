"""How long the lake keeps what, and in which storage class.

S3 removes nothing current of the lake's tables, however old: it knows neither legal holds nor books. What is past its
retention the platform removes itself (docs/retention.md, `IOT_RETENTION_...`), and here what it has removed then goes
for good.
"""

import math

from aws_cdk import Duration, Size
from aws_cdk import aws_s3 as s3

from infra.stacks.config import PlatformConfig
from iot_pipeline.contract.layout import (
    CURATED,
    DAILY,
    FAILED_DELIVERY,
    JUDGED,
    QUARANTINE,
    QUERY_RESULTS,
    RAW,
    TEMPORARY,
    UNLOAD,
)

# Smaller objects are billed as if they had this size in the colder classes (S3 user guide, "Understanding and managing
# Amazon S3 storage classes"), and a move costs more than it saves: they stay. Of the curated zone they become large
# ones by the daily compaction; raw has at most one a minute and prefix, which is 69 GB a year.
SMALLEST_MOVED = Size.kibibytes(128)
# S3 moves nothing to Standard-IA sooner, and bills each object there for as long (same guide, "Transitioning objects
# using Amazon S3 Lifecycle").
_IA_DAYS = 30
# Glacier Instant Retrieval bills at least so many days.
_GLACIER_DAYS = 90


def lake_lifecycle(config: PlatformConfig) -> list[s3.LifecycleRule]:
    """The rules of the lake bucket.

    Superseded versions of a curated partition lie beside the live ones, and age does not tell them apart: the
    platform's clean-up deletes them, and here the deleted objects then expire for good.

    Objects under 128 KB stay in S3 Standard, which is S3's default and is left so: the colder classes bill each object
    as 128 KB at least, and each move as a request (S3 user guide, "Transitioning objects using Amazon S3 Lifecycle").
    Raw objects are that small only of a fleet whose minute compresses below 128 KB; in Standard each of them costs less
    than 0.000003 dollars a month.
    """
    return [
        _raw_to_colder_storage(config),
        *(_tiered(zone, prefix, config) for zone, prefix in _REBUILT.items()),
        expire("query-results", QUERY_RESULTS, config.query_results_days),
        expire("temporary", TEMPORARY, 1),
        expire("failed-delivery", FAILED_DELIVERY, config.failed_delivery_days),
        expire("unloaded", UNLOAD, config.unload_days),
        s3.LifecycleRule(
            id="deleted-and-overwritten",
            noncurrent_version_expiration=Duration.days(config.noncurrent_days),
            expired_object_delete_marker=True,
        ),
        s3.LifecycleRule(id="abandoned-uploads", abort_incomplete_multipart_upload_after=Duration.days(2)),
    ]


def expire(rule: str, prefix: str | None, days: int) -> s3.LifecycleRule:
    """Objects under a prefix, or all of a bucket's, go after so many days."""
    return s3.LifecycleRule(id=rule, prefix=prefix, expiration=Duration.days(days))


def settled_days(config: PlatformConfig) -> int:
    """After how many days an hour is settled: no late reading is let in any more, and nothing is built from it again.

    At least the 30 days that S3 asks for.
    """
    return max(_IA_DAYS, math.ceil(config.lateness_days + config.future_hours / 24) + 2)


def _raw_to_colder_storage(config: PlatformConfig) -> s3.LifecycleRule:
    """Raw is written once and read again only for a change of the contract or a loss, of which both classes are read
    without a restore. Where it is to go before it would have paid for Glacier, it stays in Standard-IA.
    """
    settled = settled_days(config)
    transitions = [
        s3.Transition(storage_class=s3.StorageClass.INFREQUENT_ACCESS, transition_after=Duration.days(settled))
    ]
    glacier = settled + 2 * _IA_DAYS
    if not config.retention_days or config.retention_days >= glacier + _GLACIER_DAYS:
        transitions.append(
            s3.Transition(
                storage_class=s3.StorageClass.GLACIER_INSTANT_RETRIEVAL, transition_after=Duration.days(glacier)
            )
        )
    return s3.LifecycleRule(
        id="raw-to-colder-storage", prefix=RAW, transitions=transitions, object_size_greater_than=_SMALLEST_BYTES
    )


def _tiered(zone: str, prefix: str, config: PlatformConfig) -> s3.LifecycleRule:
    """A zone that is rebuilt and queried: nobody knows when, so S3 watches each object and moves it to and fro.

    Intelligent-Tiering bills no retrieval and has no least time, unlike the other colder classes.
    """
    return s3.LifecycleRule(
        id=f"{zone}-tiered",
        prefix=prefix,
        transitions=[
            s3.Transition(
                storage_class=s3.StorageClass.INTELLIGENT_TIERING, transition_after=Duration.days(settled_days(config))
            )
        ],
        object_size_greater_than=_SMALLEST_BYTES,
    )


_REBUILT = {"judged": JUDGED, "quarantine": QUARANTINE, "curated": CURATED, "daily": DAILY}
_SMALLEST_BYTES = SMALLEST_MOVED.to_bytes()
