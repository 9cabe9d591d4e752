"""The lake's buckets: the lake itself, people's query results, and the access logs of both."""

from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs

from infra.stacks.base import PlatformStack
from infra.stacks.lake.lifecycle import expire, lake_lifecycle
from infra.stacks.nag import accept

# Removals are told of so that a person hears of them: nothing in the platform removes what devices sent.
_EVENTS = ("s3:ObjectCreated:*", "s3:ObjectRemoved:*")


@dataclass(frozen=True)
class Buckets:
    """The lake, and what people asked it."""

    lake: s3.Bucket
    results: s3.Bucket


def add_buckets(stack: PlatformStack, key: kms.Key | None, queue: sqs.Queue, raw_prefix: str) -> Buckets:
    """Encrypted, private and logged buckets; `queue` is told of every object under `raw_prefix` that is new or removed.

    The lake is versioned: raw is the only copy of what devices sent, and everything else is made from it. A mistaken
    delete or overwrite can be undone for `noncurrent_days`; so can the removal of an old version of a partition.
    """
    config = stack.config
    logs = _access_logs(stack)
    lake = _bucket(
        stack,
        "Lake",
        config.lake_bucket,
        key,
        logs,
        rules=lake_lifecycle(config),
        versioned=True,
    )
    _notify(lake, queue, raw_prefix)
    results = _bucket(
        stack,
        "Results",
        config.results_bucket,
        key,
        logs,
        rules=[expire("query-results", None, config.query_results_days)],
        versioned=False,
    )
    return Buckets(lake, results)


def _bucket(
    stack: PlatformStack,
    construct_id: str,
    name: str,
    key: kms.Key | None,
    logs: s3.Bucket,
    *,
    rules: list[s3.LifecycleRule],
    versioned: bool,
) -> s3.Bucket:
    return s3.Bucket(
        stack,
        construct_id,
        bucket_name=name,
        encryption=s3.BucketEncryption.KMS if key else s3.BucketEncryption.S3_MANAGED,
        encryption_key=key,
        bucket_key_enabled=key is not None,
        enforce_ssl=True,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        versioned=versioned,
        server_access_logs_bucket=logs,
        server_access_logs_prefix=f"{construct_id.lower()}/",
        lifecycle_rules=rules,
        removal_policy=cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    )


def _access_logs(stack: PlatformStack) -> s3.Bucket:
    logs = s3.Bucket(
        stack,
        "AccessLogs",
        # The log delivery service cannot write to a bucket whose default encryption uses a customer key.
        encryption=s3.BucketEncryption.S3_MANAGED,
        enforce_ssl=True,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        lifecycle_rules=[expire("logs", None, stack.config.log_days)],
        removal_policy=cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    )
    accept(logs, "AwsSolutions-S1", "This bucket takes the access logs; logging itself would never end")
    return logs


def _notify(bucket: s3.Bucket, queue: sqs.Queue, prefix: str) -> None:
    """Set the notification as a property: the construct's own way is a Lambda that edits the bucket."""
    resource = bucket.node.default_child
    if not isinstance(resource, s3.CfnBucket):
        raise TypeError(f"the bucket's resource is {type(resource).__name__}, expected CfnBucket")
    resource.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
        queue_configurations=[
            s3.CfnBucket.QueueConfigurationProperty(
                event=event,
                queue=queue.queue_arn,
                filter=s3.CfnBucket.NotificationFilterProperty(
                    s3_key=s3.CfnBucket.S3KeyFilterProperty(
                        rules=[s3.CfnBucket.FilterRuleProperty(name="prefix", value=prefix)]
                    )
                ),
            )
            for event in _EVENTS
        ]
    )
    bucket.node.add_dependency(queue.node.find_child("Policy"))
