"""The network's VPC, in the stacks that stand in it."""

from aws_cdk import aws_ec2 as ec2

from infra.stacks.base import PlatformStack
from infra.stacks.nag import accept
from infra.stacks.parameters import read


def nameless_vpc(stack: PlatformStack) -> ec2.IVpc:
    """The VPC of constructs whose subnets and groups say all, though they want one.

    Nothing asks for its id, so that there is none here: a parameter that nobody reads is a finding.
    """
    return ec2.Vpc.from_vpc_attributes(
        stack, "Vpc", vpc_id=stack.config.stack("Network"), availability_zones=stack.config.availability_zones
    )


def isolated_vpc(stack: PlatformStack) -> ec2.IVpc:
    """As `nameless_vpc`, with the isolated subnets that the databases stand in."""
    config = stack.config
    vpc = ec2.Vpc.from_vpc_attributes(
        stack,
        "Vpc",
        vpc_id=config.stack("Network"),
        availability_zones=config.availability_zones,
        isolated_subnet_ids=[read(stack, config, f"subnet-{zone}") for zone in config.zones],
    )
    accept(vpc, "Annotation::@aws-cdk/aws-ec2:noSubnetRouteTableId", "No route is added from this stack")
    return vpc
