"""The private network, for the databases and for whatever is to reach them."""

from constructs import Construct

from infra.stacks.base import PlatformStack
from infra.stacks.config import PlatformConfig
from infra.stacks.network.vpc import add_vpc
from infra.stacks.parameters import publish


class NetworkStack(PlatformStack):
    """The VPC, its endpoints and its security groups."""

    def __init__(self, scope: Construct, config: PlatformConfig) -> None:
        super().__init__(scope, "Network", config, holds_data=False)
        network = add_vpc(self, config)
        subnets = {
            f"subnet-{zone}": subnet.subnet_id
            for zone, subnet in zip(config.zones, network.vpc.isolated_subnets, strict=True)
        }
        if config.parts.services:
            routes = {
                f"routes-{zone}": subnet.route_table.route_table_id
                for zone, subnet in zip(config.zones, network.vpc.isolated_subnets, strict=True)
            }
            access = {"vpc": network.vpc.vpc_id, "endpoint-access": network.endpoints.security_group_id}
            publish(self, config, {**routes, **access})
        publish(
            self,
            config,
            {
                "registry-access": network.registry.security_group_id,
                "warehouse-access": network.warehouse.security_group_id,
                **subnets,
            },
        )
        self.outputs(ClientSecurityGroup=network.client.security_group_id)
