"""The network that the databases stand in, as its stack has published it."""

from dataclasses import dataclass

from aws_cdk import aws_ec2 as ec2

from infra.stacks.base import PlatformStack
from infra.stacks.nag import accept
from infra.stacks.parameters import read


@dataclass(frozen=True)
class Network:
    """The VPC with its isolated subnets, and the security group of each database."""

    vpc: ec2.IVpc
    registry: ec2.ISecurityGroup
    warehouse: ec2.ISecurityGroup


def find_network(stack: PlatformStack) -> Network:
    """The environment's network. Who may reach the databases is decided there: the groups are not changed here."""
    config = stack.config
    vpc = ec2.Vpc.from_vpc_attributes(
        stack,
        "Vpc",
        # Its subnets and groups say all; nothing asks for the id, and a parameter that nobody reads is a finding.
        vpc_id=config.stack("Network"),
        availability_zones=config.availability_zones,
        isolated_subnet_ids=[read(stack, config, f"subnet-{zone}") for zone in config.zones],
    )

    accept(vpc, "Annotation::@aws-cdk/aws-ec2:noSubnetRouteTableId", "No route is added from this stack")

    def group(construct_id: str, name: str) -> ec2.ISecurityGroup:
        return ec2.SecurityGroup.from_security_group_id(stack, construct_id, read(stack, config, name), mutable=False)

    return Network(vpc, group("RegistryAccess", "registry-access"), group("WarehouseAccess", "warehouse-access"))
