"""The topics of the devices' alerts, by severity, and who is subscribed to them."""

from dataclasses import dataclass

from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs

from infra.stacks.base import PlatformStack


@dataclass(frozen=True)
class Topics:
    """One topic a severity."""

    warning: sns.Topic
    critical: sns.Topic


def add_topics(stack: PlatformStack, key: kms.IKey, undelivered: sqs.Queue) -> Topics:
    """The topics, under the key of all alerts. Only the function that notifies publishes to them.

    A delivery that fails for good goes to `undelivered`: that is a setting of each subscription, so a subscription made
    by hand wants it too (SNS guide, "Amazon SNS dead-letter queues").
    """
    return Topics(
        _topic(stack, "warning", stack.config.warning_endpoints, key, undelivered),
        _topic(stack, "critical", stack.config.critical_endpoints, key, undelivered),
    )


def _topic(
    stack: PlatformStack, severity: str, endpoints: tuple[str, ...], key: kms.IKey, undelivered: sqs.Queue
) -> sns.Topic:
    construct_id = severity.capitalize()
    topic = sns.Topic(
        stack, construct_id, topic_name=stack.config.alert_topic(severity), master_key=key, enforce_ssl=True
    )
    for number, endpoint in enumerate(endpoints):
        protocol, address = _subscription(endpoint)
        sns.CfnSubscription(
            stack,
            f"{construct_id}Subscription{number}",
            topic_arn=topic.topic_arn,
            protocol=protocol,
            endpoint=address,
            redrive_policy={"deadLetterTargetArn": undelivered.queue_arn},
        )
    return topic


def _subscription(endpoint: str) -> tuple[str, str]:
    """SNS's protocol and address of a URL. Raises ValueError for one that no alert is sent to."""
    if endpoint.startswith("mailto:"):
        return "email", endpoint.removeprefix("mailto:")
    if endpoint.startswith("https://"):
        return "https", endpoint
    raise ValueError(f"an alert is sent to `mailto:` or `https://`, not to {endpoint!r}")
