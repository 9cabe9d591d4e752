"""How long the lake keeps what, and in which storage class."""

from aws_cdk import Duration
from aws_cdk import aws_s3 as s3

from infra.stacks.config import PlatformConfig
from iot_pipeline.contract.layout import FAILED_DELIVERY, QUERY_RESULTS, TEMPORARY, UNLOAD


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
        s3.LifecycleRule(
            id="raw-to-colder-storage",
            prefix="raw/",
            transitions=[
                # Late data re-reads raw for 30 days (the lateness bound); both classes read without a restore.
                s3.Transition(storage_class=s3.StorageClass.INFREQUENT_ACCESS, transition_after=Duration.days(30)),
                s3.Transition(
                    storage_class=s3.StorageClass.GLACIER_INSTANT_RETRIEVAL, transition_after=Duration.days(90)
                ),
            ],
        ),
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
