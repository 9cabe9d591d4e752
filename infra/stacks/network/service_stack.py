"""What services need of the network beside the databases' part: endpoints of AWS, groups, and a public edge."""

import ipaddress

from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from infra.stacks.base import PlatformStack
from infra.stacks.config import PlatformConfig
from infra.stacks.nag import accept_lint
from infra.stacks.network.endpoints import add_endpoints
from infra.stacks.network.service_groups import add_groups
from infra.stacks.parameters import publish, read

# Of the range's end; the databases' subnets are at its beginning.
_PUBLIC_PREFIX = 24


class ServiceNetworkStack(PlatformStack):
    """The private subnets are the databases'. Public ones hold the load balancer and the console.

    The console asks Cognito for tokens, and a user pool with a domain cannot be reached by AWS PrivateLink (Cognito
    guide, "Access Amazon Cognito using an interface endpoint"). A public address costs 3.65 dollars a month (VPC
    pricing page, 0.005 an hour), a NAT gateway 33 and its traffic; nothing reaches the console but the load balancer.
    """

    def __init__(self, scope: Construct, config: PlatformConfig) -> None:
        super().__init__(scope, "ServiceNetwork", config, holds_data=False)
        vpc_id = read(self, config, "vpc")
        vpc = ec2.Vpc.from_vpc_attributes(
            self,
            "Vpc",
            vpc_id=vpc_id,
            vpc_cidr_block=config.vpc_cidr,
            availability_zones=config.availability_zones,
        )
        groups = add_groups(self, vpc)
        add_endpoints(self, vpc, groups.endpoints)
        publish(
            self,
            config,
            {
                "dagster-access": groups.dagster.security_group_id,
                "dagster-database-access": groups.dagster_database.security_group_id,
            },
        )
        if config.domain:
            public = _public_subnets(self, vpc_id)
            subnets = {f"public-{zone}": subnet for zone, subnet in zip(config.zones, public, strict=True)}
            access = {
                "console-access": groups.console.security_group_id,
                "entrance-access": groups.entrance.security_group_id,
            }
            publish(self, config, {**subnets, **access})


def _public_subnets(stack: PlatformStack, vpc_id: str) -> list[str]:
    """A subnet in each zone with a way to the internet and back. The ids."""
    config = stack.config
    gateway = ec2.CfnInternetGateway(stack, "InternetGateway")
    attached = ec2.CfnVPCGatewayAttachment(stack, "Attached", vpc_id=vpc_id, internet_gateway_id=gateway.ref)
    table = ec2.CfnRouteTable(stack, "PublicRoutes", vpc_id=vpc_id)
    out = ec2.CfnRoute(
        stack,
        "ToTheInternet",
        route_table_id=table.ref,
        destination_cidr_block="0.0.0.0/0",
        gateway_id=gateway.ref,
    )
    out.add_resource_dependency(attached)
    free = list(ipaddress.ip_network(config.vpc_cidr).subnets(new_prefix=_PUBLIC_PREFIX))[-len(config.zones) :]
    found = []
    for zone, name, block in zip(config.zones, config.availability_zones, free, strict=True):
        subnet = ec2.CfnSubnet(
            stack,
            f"Public{zone.upper()}",
            vpc_id=vpc_id,
            availability_zone=name,
            cidr_block=str(block),
            map_public_ip_on_launch=False,
        )
        accept_lint(subnet, "W3010", "The zones are the configuration's, so that they stay")
        ec2.CfnSubnetRouteTableAssociation(
            stack, f"Public{zone.upper()}Routes", subnet_id=subnet.ref, route_table_id=table.ref
        )
        found.append(subnet.ref)
    return found
