"""The queues: what tells of new raw objects, and what the IoT rules could not deliver."""

from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs

from infra.stacks.base import PlatformStack
from infra.stacks.nag import accept

# A message is one object of Firehose: five receptions mean that it cannot be handled, not that it was unlucky.
MAX_RECEIVES = 5


@dataclass(frozen=True)
class RawQueues:
    """What tells of new raw objects, and where notifications go that nobody can read."""

    objects: sqs.Queue
    dead_letters: sqs.Queue


def add_raw_queues(stack: PlatformStack) -> RawQueues:
    """The queue that the lake bucket sends to, with its dead-letter queue.

    SSE-SQS and not the lake's key: key, bucket and queue would each need the other first.
    """
    dead = _queue(stack, "RawDeadLetters")
    queue = sqs.Queue(
        stack,
        "RawObjects",
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=True,
        # Longer than one tick of the sensor that drains it, which deletes only after it has reported.
        visibility_timeout=Duration.minutes(5),
        retention_period=Duration.days(14),
        dead_letter_queue=sqs.DeadLetterQueue(queue=dead, max_receive_count=MAX_RECEIVES),
    )
    queue.add_to_resource_policy(
        iam.PolicyStatement(
            sid="LakeBucketSends",
            principals=[iam.ServicePrincipal("s3.amazonaws.com")],
            actions=["sqs:SendMessage"],
            resources=[queue.queue_arn],
            conditions={
                "ArnEquals": {"aws:SourceArn": stack.config.bucket_arn(stack.config.lake_bucket)},
                "StringEquals": {"aws:SourceAccount": stack.config.account},
            },
        )
    )
    return RawQueues(queue, dead)


def add_rule_errors(stack: PlatformStack) -> sqs.Queue:
    """Where a message goes that a rule could not hand to Kinesis, with its payload (base64) and the failure."""
    queue = _queue(stack, "RuleErrors")
    accept(queue, "AwsSolutions-SQS3", "This is a dead-letter queue: of the IoT rules, by their error action")
    return queue


def _queue(stack: PlatformStack, construct_id: str) -> sqs.Queue:
    return sqs.Queue(
        stack,
        construct_id,
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=True,
        retention_period=Duration.days(14),
    )
