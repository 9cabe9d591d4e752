"""The topic of alerts, which AWS's own services may publish to."""

from dataclasses import dataclass

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns

from infra.stacks.base import PlatformStack

# Alarms and rules of this account. Both encrypt for the topic, so its key must let them in as well (SNS guide,
# "Managing Amazon SNS encryption keys and costs", "Enable compatibility between event sources from AWS
# services and encrypted topics"); a topic or key that does not would drop every alarm without a trace here.
_PUBLISHERS = ("cloudwatch.amazonaws.com", "events.amazonaws.com")


@dataclass(frozen=True)
class Alerts:
    """The topic of the pipeline's own alerts, and the key of all topics of alerts, where there are keys."""

    topic: sns.Topic
    key: kms.Key | None


def add_alerts(stack: PlatformStack) -> Alerts:
    """The topic, with a key of its own: whoever may raise an alert need not be let into the lake's data."""
    keys = stack.config.parts.customer_keys
    key = stack.key("AlertsKey", "alerts", f"Alerts of {stack.config.name}") if keys else None
    topic = sns.Topic(stack, "Alerts", master_key=key, enforce_ssl=True)
    principals = [iam.ServicePrincipal(name) for name in _PUBLISHERS]
    this_account = {"StringEquals": {"aws:SourceAccount": stack.config.account}}
    if key:
        key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="ServicesEncryptAlerts",
                principals=list(principals),
                actions=["kms:Decrypt", "kms:GenerateDataKey*"],
                resources=["*"],
                conditions=this_account,
            )
        )
    topic.add_to_resource_policy(
        iam.PolicyStatement(
            sid="ServicesPublishAlerts",
            principals=list(principals),
            actions=["sns:Publish"],
            resources=[topic.topic_arn],
            conditions=this_account,
        )
    )
    return Alerts(topic, key)
