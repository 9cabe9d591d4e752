"""The lake's buckets: the lake itself, people's query results, and the access logs of both and of the entrance."""

from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs

from infra.stacks.base import PlatformStack
from infra.stacks.config import PlatformConfig
from infra.stacks.lake.lifecycle import expire, lake_lifecycle
from infra.stacks.nag import accept

# Removals are told of so that a person hears of them: nothing in the platform removes what devices sent.
_EVENTS = ("s3:ObjectCreated:*", "s3:ObjectRemoved:*")

# The prefix of the load balancer's access logs.
BALANCER_LOGS = "entrance"


@dataclass(frozen=True)
class Buckets:
    """The lake, what people asked it, and the access logs."""

    lake: s3.Bucket
    results: s3.Bucket
    logs: s3.Bucket


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
        lock=_lock(config),
    )
    accept(lake, "CloudFormation-Validate::W9003", "The construct writes the sizes of the lifecycle rules as numbers")
    _notify(lake, queue, raw_prefix, to_event_bridge=bool(config.crawl_on_events_minutes))
    results = _bucket(
        stack,
        "Results",
        config.results_bucket,
        key,
        logs,
        rules=[expire("query-results", None, config.query_results_days)],
        versioned=False,
    )
    return Buckets(lake, results, logs)


def _bucket(
    stack: PlatformStack,
    construct_id: str,
    name: str,
    key: kms.Key | None,
    logs: s3.Bucket,
    *,
    rules: list[s3.LifecycleRule],
    versioned: bool,
    lock: s3.ObjectLockRetention | None = None,
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
        object_lock_default_retention=lock,
        server_access_logs_bucket=logs,
        server_access_logs_prefix=f"{construct_id.lower()}/",
        lifecycle_rules=rules,
        removal_policy=cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    )


def _lock(config: PlatformConfig) -> s3.ObjectLockRetention | None:
    """Governance and not compliance: an erasure that the law asks for must not depend on the lock's end.

    A lock is of the whole bucket (S3 user guide, "Locking objects with Object Lock"): replaced versions of all zones
    are kept as long, and whoever erases needs `s3:BypassGovernanceRetention`.
    """
    days = config.object_lock_days
    return s3.ObjectLockRetention.governance(cdk.Duration.days(days)) if days else None


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
    if stack.config.domain:
        _let_the_balancer_log(stack, logs)
    return logs


def _let_the_balancer_log(stack: PlatformStack, logs: s3.Bucket) -> None:
    """Elastic Load Balancing guide, "Enable access logs for your Application Load Balancer".

    The account in the path is what keeps others' load balancers out; the service sends no source.
    """
    logs.add_to_resource_policy(
        iam.PolicyStatement(
            sid="BalancerLogs",
            principals=[iam.ServicePrincipal("logdelivery.elasticloadbalancing.amazonaws.com")],
            actions=["s3:PutObject"],
            resources=[logs.arn_for_objects(f"{BALANCER_LOGS}/AWSLogs/{stack.config.account}/*")],
        )
    )


def _notify(bucket: s3.Bucket, queue: sqs.Queue, prefix: str, *, to_event_bridge: bool) -> None:
    """Set the notification as a property: the construct's own way is a Lambda that edits the bucket."""
    resource = bucket.node.default_child
    if not isinstance(resource, s3.CfnBucket):
        raise TypeError(f"the bucket's resource is {type(resource).__name__}, expected CfnBucket")
    # A second queue of the same prefix and event S3 refuses (S3 user guide, "Configuring event notifications using
    # object key name filtering"); EventBridge is told beside all of them.
    events = s3.CfnBucket.EventBridgeConfigurationProperty(event_bridge_enabled=True) if to_event_bridge else None
    resource.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
        event_bridge_configuration=events,
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
        ],
    )
    bucket.node.add_dependency(queue.node.find_child("Policy"))
