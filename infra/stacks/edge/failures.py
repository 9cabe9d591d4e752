"""Where everything goes that the edge could not handle: records, invocations, notifications."""

from dataclasses import dataclass

from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs

from infra.stacks.base import PlatformStack
from infra.stacks.dead_letters import dead_letters
from infra.stacks.edge.names import INVOKED, SEVERITIES
from infra.stacks.lake.lifecycle import expire
from infra.stacks.nag import accept
from infra.stacks.private_bucket import private_bucket


@dataclass(frozen=True)
class DeadLetters:
    """Invocations that failed or that no rule could make, and notifications that SNS could not deliver."""

    invocations: sqs.Queue
    notifications: sqs.Queue


def add_failure_bucket(stack: PlatformStack, key: kms.Key) -> s3.Bucket:
    """The destination of the records that a mapping gives up on; of all kinds S3 alone gets the records themselves."""
    bucket = private_bucket(
        stack,
        "Failures",
        key,
        [expire("failed-records", None, stack.config.edge_failure_days)],
        name=stack.config.failure_bucket,
    )
    accept(bucket, "AwsSolutions-S1", "Lambda writes here, one operator reads; both are in CloudTrail's data events")
    return bucket


def add_dead_letters(stack: PlatformStack) -> DeadLetters:
    """The queues."""
    config = stack.config
    rules = [
        stack.format_arn(service="events", resource="rule", resource_name=config.edge_function(role))
        for role in INVOKED
    ]
    topics = [stack.format_arn(service="sns", resource=config.alert_topic(severity)) for severity in SEVERITIES]
    return DeadLetters(
        dead_letters(stack, "EdgeDeadLetters", "edge", "events.amazonaws.com", rules),
        dead_letters(stack, "AlertDeadLetters", "alert", "sns.amazonaws.com", topics),
    )
