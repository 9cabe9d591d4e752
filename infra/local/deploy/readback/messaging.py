"""Queues and topics."""

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

from infra.local.deploy.readback.clients import Clients
from infra.local.deploy.readback.setting import Setting, document
from infra.local.deploy.resources import Resource


def queue(resource: Resource, clients: Clients) -> Iterator[Setting]:
    """AWS::SQS::Queue: its properties are the API's attributes by the same names."""
    for name, value in resource.properties.items():
        if name == "QueueName":
            continue
        yield _queue_attribute(clients, resource.physical_id, name, value, needed=name == "RedrivePolicy")


def queue_policy(resource: Resource, clients: Clients) -> Iterator[Setting]:
    """AWS::SQS::QueuePolicy. Without it S3 may not send to the queue."""
    for url in resource.properties["Queues"]:
        yield _queue_attribute(clients, url, "Policy", resource.properties["PolicyDocument"], needed=True)


def topic(resource: Resource, clients: Clients) -> Iterator[Setting]:
    """AWS::SNS::Topic."""
    for name, value in resource.properties.items():
        if name == "TopicName":
            continue
        yield _topic_attribute(clients, resource.physical_id, name, value)


def topic_policy(resource: Resource, clients: Clients) -> Iterator[Setting]:
    """AWS::SNS::TopicPolicy."""
    for arn in resource.properties["Topics"]:
        yield _topic_attribute(clients, arn, "Policy", resource.properties["PolicyDocument"])


def subscription(resource: Resource, clients: Clients) -> Iterator[Setting]:
    """AWS::SNS::Subscription: its properties are the API's attributes by the same names."""
    arn = resource.physical_id

    def attribute(name: str) -> Any:
        return document_or_text(clients.sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"].get(name))

    for name, value in resource.properties.items():
        yield Setting(name, value, partial(attribute, name))


def document_or_text(value: Any) -> Any:
    """An attribute that holds JSON, parsed; any other as it is."""
    return json.loads(value) if isinstance(value, str) and value.startswith("{") else value


def _queue_attribute(clients: Clients, url: str, name: str, wanted: Any, *, needed: bool) -> Setting:
    def read() -> Any:
        answer: Any = clients.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
        value = answer["Attributes"].get(name)
        return document(value) if isinstance(wanted, dict) else value

    attributes: Any = {name: json.dumps(wanted) if isinstance(wanted, (dict, bool)) else str(wanted)}
    return Setting(
        name, wanted, read, lambda: clients.sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes), needed
    )


def _topic_attribute(clients: Clients, arn: str, name: str, wanted: Any) -> Setting:
    def read() -> Any:
        value = clients.sns.get_topic_attributes(TopicArn=arn)["Attributes"].get(name)
        return document(value) if isinstance(wanted, dict) else value

    text = json.dumps(wanted) if isinstance(wanted, dict) else str(wanted)
    return Setting(
        name,
        wanted,
        read,
        lambda: clients.sns.set_topic_attributes(TopicArn=arn, AttributeName=name, AttributeValue=text),
    )
