"""What a device is and what it may do."""

from aws_cdk import Stack
from aws_cdk import aws_iot as iot

from infra.stacks.config import PlatformConfig

THING_NAME = "${iot:Connection.Thing.ThingName}"


def add_thing_type(stack: Stack, config: PlatformConfig) -> iot.CfnThingType:
    """The type of all sensors; tenant and site are attributes that the fleet can be searched by."""
    return iot.CfnThingType(
        stack,
        "Sensor",
        thing_type_name=f"{config.name}-sensor",
        thing_type_properties=iot.CfnThingType.ThingTypePropertiesProperty(
            thing_type_description="A sensor that publishes telemetry",
            searchable_attributes=["tenant", "site"],
        ),
    )


def add_device_policy(stack: Stack, config: PlatformConfig) -> iot.CfnPolicy:
    """The policy of every device's certificate: connect as its own thing, publish its own telemetry, nothing else.

    The thing's name is a variable that only a certificate attached to that thing fills (AWS IoT developer guide,
    "Thing policy variables"). Tenant and site are open: the emulator's policy engine does not know
    `${iot:Connection.Thing.Attributes[...]}`, and both environments run the same template.
    """
    return iot.CfnPolicy(
        stack,
        "DevicePermissions",
        policy_name=f"{config.name}-device",
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
                        service="iot", resource="topic", resource_name=f"dt/*/*/{THING_NAME}/telemetry"
                    ),
                },
            ],
        },
    )
