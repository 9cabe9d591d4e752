"""The stream, its delivery, and what IoT Core knows."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from infra.local.deploy.readback.clients import Clients
from infra.local.deploy.readback.setting import Setting, document
from infra.local.deploy.resources import Resource


def stream(resource: Resource, clients: Clients) -> Iterator[Setting]:
    """AWS::Kinesis::Stream."""
    kinesis, name, asked = clients.kinesis, resource.physical_id, resource.properties

    def summary() -> Any:
        return kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]

    yield Setting("StreamModeDetails", asked["StreamModeDetails"], lambda: summary()["StreamModeDetails"], needed=True)
    yield Setting(
        "RetentionPeriodHours", asked["RetentionPeriodHours"], lambda: summary()["RetentionPeriodHours"], needed=True
    )
    if "ShardCount" in asked:
        yield Setting("ShardCount", asked["ShardCount"], lambda: summary()["OpenShardCount"], needed=True)
    if "StreamEncryption" in asked:
        encryption = asked["StreamEncryption"]
        yield Setting(
            "StreamEncryption",
            encryption,
            lambda: {name: summary().get(name) for name in ("EncryptionType", "KeyId")},
            lambda: kinesis.start_stream_encryption(StreamName=name, **encryption),
        )


def consumer(resource: Resource, clients: Clients) -> Iterator[Setting]:
    """AWS::Kinesis::StreamConsumer, which reads by enhanced fan-out."""

    def field(name: str) -> Any:
        answer: Any = clients.kinesis.describe_stream_consumer(ConsumerARN=resource.physical_id)
        return answer["ConsumerDescription"].get(name)

    for name, value in resource.properties.items():
        yield Setting(name, value, partial(field, name), needed=True)


def delivery(resource: Resource, clients: Clients) -> Iterator[Setting]:
    """AWS::KinesisFirehose::DeliveryStream. All of it decides where and in which form the telemetry lands."""
    asked = resource.properties

    def described() -> Any:
        answer = clients.firehose.describe_delivery_stream(DeliveryStreamName=resource.physical_id)
        return answer["DeliveryStreamDescription"]

    yield Setting(
        "DeliveryStreamType", asked["DeliveryStreamType"], lambda: described()["DeliveryStreamType"], needed=True
    )
    yield Setting(
        "KinesisStreamSourceConfiguration",
        asked["KinesisStreamSourceConfiguration"],
        lambda: described().get("Source", {}).get("KinesisStreamSourceDescription"),
        needed=True,
    )
    yield Setting(
        "ExtendedS3DestinationConfiguration",
        asked["ExtendedS3DestinationConfiguration"],
        lambda: described()["Destinations"][0].get("ExtendedS3DestinationDescription"),
        needed=True,
    )


def rule(resource: Resource, clients: Clients) -> Iterator[Setting]:
    """AWS::IoT::TopicRule."""
    asked = resource.properties

    def read() -> Any:
        return clients.iot.get_topic_rule(ruleName=resource.physical_id)["rule"]

    yield Setting("RuleName", asked["RuleName"], lambda: read()["ruleName"], needed=True)
    yield Setting("TopicRulePayload", _lower_camel(asked["TopicRulePayload"]), read, needed=True)


def policy(resource: Resource, clients: Clients) -> Iterator[Setting]:
    """AWS::IoT::Policy. Without it no device may connect; with a wider one every device may speak for another."""
    asked = resource.properties

    def read() -> Any:
        return clients.iot.get_policy(policyName=resource.physical_id)

    yield Setting("PolicyName", asked["PolicyName"], lambda: read()["policyName"], needed=True)
    yield Setting("PolicyDocument", asked["PolicyDocument"], lambda: document(read()["policyDocument"]), needed=True)


def thing_type(resource: Resource, clients: Clients) -> Iterator[Setting]:
    """AWS::IoT::ThingType."""
    asked = resource.properties

    def read() -> Any:
        return clients.iot.describe_thing_type(thingTypeName=resource.physical_id)

    yield Setting("ThingTypeName", asked["ThingTypeName"], lambda: read()["thingTypeName"], needed=True)
    yield Setting(
        "ThingTypeProperties",
        _lower_camel(asked["ThingTypeProperties"]),
        lambda: read().get("thingTypeProperties"),
    )


def provisioning_template(resource: Resource, clients: Clients) -> Iterator[Setting]:
    """AWS::IoT::ProvisioningTemplate."""
    asked = resource.properties

    def read() -> Any:
        return clients.iot.describe_provisioning_template(templateName=resource.physical_id)

    def field(name: str) -> Any:
        return read().get(name)

    fields = {"TemplateType": "type", **{name: name[0].lower() + name[1:] for name in asked if name != "TemplateType"}}
    for name, value in asked.items():
        if name == "TemplateBody":
            yield Setting(name, document(value), lambda: document(read()["templateBody"]))
        else:
            yield Setting(name, _lower_camel(value), partial(field, fields[name]))


def _lower_camel(node: Any) -> Any:
    """CloudFormation's property names as the IoT API writes them."""
    if isinstance(node, dict):
        return {key[0].lower() + key[1:]: _lower_camel(value) for key, value in node.items()}
    return [_lower_camel(item) for item in node] if isinstance(node, list) else node
