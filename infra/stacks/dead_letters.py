"""Queues of what a service could not deliver: rules of EventBridge, topics."""

from collections.abc import Iterable

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs

from infra.stacks.base import PlatformStack
from infra.stacks.nag import accept


def dead_letters(stack: PlatformStack, construct_id: str, of: str, service: str, senders: list[str]) -> sqs.Queue:
    """A queue for a fortnight, to which the service sends for these ARNs alone.

    SSE-SQS, which SNS and EventBridge need no key's permission for.
    """
    queue = sqs.Queue(
        stack,
        construct_id,
        queue_name=stack.config.dead_letters(of),
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=True,
        retention_period=cdk.Duration.days(14),
    )
    queue.add_to_resource_policy(
        iam.PolicyStatement(
            sid="SendersOfDeadLetters",
            principals=[iam.ServicePrincipal(service)],
            actions=["sqs:SendMessage"],
            resources=[queue.queue_arn],
            conditions={
                "ArnEquals": {"aws:SourceArn": senders},
                "StringEquals": {"aws:SourceAccount": stack.config.account},
            },
        )
    )
    accept(queue, "AwsSolutions-SQS3", "This is a dead-letter queue")
    return queue


def uncalled(stack: PlatformStack, of: str, rules: Iterable[str]) -> sqs.Queue:
    """Events whose target these rules, by their names, could not call, each with the reason in its attributes.

    EventBridge guide, "Using dead-letter queues to process undelivered events".
    """
    senders = [stack.format_arn(service="events", resource="rule", resource_name=name) for name in rules]
    return dead_letters(stack, "DeadLetters", of, "events.amazonaws.com", senders)
