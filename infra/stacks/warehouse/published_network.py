"""The network that the databases stand in, as its stack has published it."""

from dataclasses import dataclass

from aws_cdk import aws_ec2 as ec2

from infra.stacks.base import PlatformStack
from infra.stacks.network.found import isolated_vpc
from infra.stacks.parameters import read


@dataclass(frozen=True)
class Network:
    """The VPC with its isolated subnets, and the security group of each database."""

    vpc: ec2.IVpc
    registry: ec2.ISecurityGroup
    warehouse: ec2.ISecurityGroup


def find_network(stack: PlatformStack) -> Network:
    """The environment's network. Who may reach the databases is decided there: the groups are not changed here."""

    def group(construct_id: str, name: str) -> ec2.ISecurityGroup:
        return ec2.SecurityGroup.from_security_group_id(
            stack, construct_id, read(stack, stack.config, name), mutable=False
        )

    return Network(
        isolated_vpc(stack), group("RegistryAccess", "registry-access"), group("WarehouseAccess", "warehouse-access")
    )
