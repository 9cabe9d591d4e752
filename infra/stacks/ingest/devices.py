"""What a device is and what it may do."""

from aws_cdk import Stack
from aws_cdk import aws_iot as iot

from infra.stacks.config import PlatformConfig
from iot_pipeline.contract import topic_of

# What only the thing fills that the connection's certificate is attached to; an attribute that the thing lacks denies.
THING_NAME = "${iot:Connection.Thing.ThingName}"
TENANT = "${iot:Connection.Thing.Attributes[tenant]}"
SITE = "${iot:Connection.Thing.Attributes[site]}"


def add_thing_type(stack: Stack, config: PlatformConfig) -> iot.CfnThingType:
    """The type of all sensors; tenant and site are attributes that the fleet can be searched by, and that bind it."""
    return iot.CfnThingType(
        stack,
        "Sensor",
        thing_type_name=config.thing_type,
        thing_type_properties=iot.CfnThingType.ThingTypePropertiesProperty(
            thing_type_description="A sensor that publishes telemetry",
            searchable_attributes=["tenant", "site"],
        ),
    )


def add_device_policy(stack: Stack, config: PlatformConfig) -> iot.CfnPolicy:
    """The policy of every device's certificate: connect as its own thing, publish its own telemetry, nothing else.

    Name, tenant and site are variables that only a certificate attached to that thing fills (AWS IoT developer guide,
    "Thing policy variables"; without the attribute the publish is denied, "Thing policy examples"). So no device
    speaks for another, for another tenant or for a site it does not stand at. The registry keeps the attributes: after
    a move the device publishes under its new site and no longer under its old one.
    """
    return iot.CfnPolicy(
        stack,
        "DevicePermissions",
        policy_name=config.device_policy,
        policy_document={
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": "ConnectAsItself",
                    "Effect": "Allow",
                    "Action": "iot:Connect",
                    "Resource": stack.format_arn(service="iot", resource="client", resource_name=THING_NAME),
                    "Condition": {"Bool": {"iot:Connection.Thing.IsAttached": "true"}},
                },
                {
                    "Sid": "PublishItsOwnTelemetry",
                    "Effect": "Allow",
                    "Action": "iot:Publish",
                    "Resource": stack.format_arn(
                        service="iot", resource="topic", resource_name=telemetry_topic(config.topic_root)
                    ),
                },
            ],
        },
    )


def telemetry_topic(root: str) -> str:
    """The one topic that a device may publish on, in the variables of its policy."""
    return topic_of(TENANT, SITE, THING_NAME, root)
