"""Fleet provisioning by claim: a device from the factory gets a certificate of its own by itself."""

import json
import re
from dataclasses import dataclass
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_iot as iot

from infra.stacks.base import PlatformStack
from infra.stacks.config import PlatformConfig
from infra.stacks.ingest.claim_hook import PERMISSION, add_claim_hook
from infra.stacks.nag import accept
from infra.stacks.principals import for_this_account

_CREATE_TOPICS = ("$aws/certificates/create/json", "$aws/certificates/create-from-csr/json")
# What AWSIoTThingsRegistration allows beside: templates may also have certificates from requests or of other
# authorities, policies by their text, thing groups and billing groups (AWS IoT developer guide, "Provisioning
# templates").
NOT_IN_THE_TEMPLATE = (
    *("CreateCertificateFromCsr", "RegisterCertificate", "CreatePolicy"),
    *("AddThingToThingGroup", "RemoveThingFromThingGroup", "UpdateThingGroupsForThing"),
    *("AddThingToBillingGroup", "RemoveThingFromBillingGroup"),
)


@dataclass(frozen=True)
class Provisioning:
    """The template, and the policy of claim certificates."""

    template: iot.CfnProvisioningTemplate
    claim_policy: iot.CfnPolicy


def add_provisioning(
    stack: PlatformStack, config: PlatformConfig, thing_type: iot.CfnThingType, device_policy: iot.CfnPolicy
) -> Provisioning:
    """A template for the devices' thing type and policy, and a policy that allows nothing but using it.

    Tenant and site are what the device says: whoever holds a claim certificate can register new devices for any tenant.
    They count when the registry adopts the thing.
    """
    name = config.claim
    role = iam.Role(
        stack,
        "ProvisioningRole",
        assumed_by=for_this_account("iot.amazonaws.com", config),
        managed_policies=[iam.ManagedPolicy.from_aws_managed_policy_name("service-role/AWSIoTThingsRegistration")],
    )
    accept(
        role,
        "AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSIoTThingsRegistration]",
        "AWS's own policy for this role: what RegisterThing calls is written down nowhere else",
    )
    # It is for templates of all kinds. Ours makes no policy, no group and no certificate (the device's is there).
    role.add_to_policy(
        iam.PolicyStatement(
            sid="NotInTheTemplate",
            effect=iam.Effect.DENY,
            actions=[f"iot:{name}" for name in NOT_IN_THE_TEMPLATE],
            resources=["*"],
        )
    )
    # By name: the template wants the function's permission first, and the permission names the template.
    hook = add_claim_hook(stack, stack.format_arn(service="iot", resource="provisioningtemplate", resource_name=name))
    template = iot.CfnProvisioningTemplate(
        stack,
        "FleetProvisioning",
        template_name=name,
        template_type="FLEET_PROVISIONING",
        description="A device with a claim certificate becomes a thing with a certificate of its own",
        enabled=True,
        provisioning_role_arn=role.role_arn,
        pre_provisioning_hook=iot.CfnProvisioningTemplate.ProvisioningHookProperty(
            payload_version="2020-04-01", target_arn=hook.function_arn
        ),
        template_body=json.dumps(template_body(str(thing_type.thing_type_name), str(device_policy.policy_name))),
    )
    for needed in (thing_type, device_policy, hook.node.find_child(PERMISSION), role.node.find_child("DefaultPolicy")):
        template.node.add_dependency(needed)
    return Provisioning(template, _claim_policy(stack, config, name))


def template_body(thing_type: str, policy: str) -> dict[str, Any]:
    """The template (AWS IoT developer guide, "Provisioning templates").

    Serial numbers are unique within a model, so a thing is named by both. The attributes are those that the registry
    gives. A thing that exists with others is left as it is: the request fails.
    """
    parameters = ("SerialNumber", "DeviceModel", "Tenant", "Site", "AWS::IoT::Certificate::Id")
    return {
        "Parameters": {parameter: {"Type": "String"} for parameter in parameters},
        "Resources": {
            "thing": {
                "Type": "AWS::IoT::Thing",
                "OverrideSettings": {"AttributePayload": "FAIL", "ThingTypeName": "FAIL"},
                "Properties": {
                    "ThingName": {"Fn::Join": ["-", [{"Ref": "DeviceModel"}, {"Ref": "SerialNumber"}]]},
                    "ThingTypeName": thing_type,
                    "AttributePayload": {
                        "tenant": {"Ref": "Tenant"},
                        "site": {"Ref": "Site"},
                        "model": {"Ref": "DeviceModel"},
                    },
                },
            },
            "certificate": {
                "Type": "AWS::IoT::Certificate",
                "Properties": {"CertificateId": {"Ref": "AWS::IoT::Certificate::Id"}, "Status": "Active"},
            },
            "policy": {"Type": "AWS::IoT::Policy", "Properties": {"PolicyName": policy}},
        },
    }


def is_for_claims(resource: str) -> bool:
    """Whether an IoT policy's resource (an ARN) is one that a claim certificate needs and a device does not."""
    kind, _, rest = resource.rsplit(":", maxsplit=1)[-1].partition("/")
    if kind == "client":
        return re.fullmatch(r"([a-z0-9]+-)?claim-\*", rest) is not None
    return rest.startswith(("$aws/certificates/create", "$aws/provisioning-templates/"))


def _claim_policy(stack: Stack, config: PlatformConfig, template: str) -> iot.CfnPolicy:
    requests = [*_CREATE_TOPICS, f"$aws/provisioning-templates/{template}/provision/json"]
    replies = [f"{topic}/{reply}" for topic in requests for reply in ("accepted", "rejected")]

    def statement(action: str, kind: str, names: list[str]) -> dict[str, Any]:
        resources = [stack.format_arn(service="iot", resource=kind, resource_name=name) for name in names]
        return {"Effect": "Allow", "Action": action, "Resource": resources}

    return iot.CfnPolicy(
        stack,
        "ClaimPermissions",
        policy_name=config.claim,
        policy_document={
            "Version": "2012-10-17",
            "Statement": [
                statement("iot:Connect", "client", [f"{config.claim_client}*"]),
                statement("iot:Publish", "topic", requests),
                statement("iot:Receive", "topic", replies),
                statement("iot:Subscribe", "topicfilter", replies),
            ],
        },
    )
