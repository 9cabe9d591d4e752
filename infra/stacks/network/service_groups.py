"""The security groups of the services: who opens a connection to whom, and to what outside."""

from dataclasses import dataclass

from aws_cdk import aws_ec2 as ec2

from infra.stacks.base import PlatformStack
from infra.stacks.nag import accept
from infra.stacks.network.vpc import REGISTRY_PORT, WAREHOUSE_PORT
from infra.stacks.parameters import read
from infra.stacks.services.ports import CODE_PORT, CONSOLE_PORT, WEBSERVER_PORT

HTTPS = 443


@dataclass(frozen=True)
class Groups:
    """`dagster` is worn by all of its tasks, runs included."""

    dagster: ec2.SecurityGroup
    dagster_database: ec2.SecurityGroup
    console: ec2.SecurityGroup
    entrance: ec2.SecurityGroup
    endpoints: ec2.ISecurityGroup


def add_groups(stack: PlatformStack, vpc: ec2.IVpc) -> Groups:
    """The groups. Nothing may open a connection that is not among these."""
    groups = Groups(
        dagster=_group(stack, "Dagster", vpc, "Dagster: webserver, daemon, code location, runs, watcher"),
        dagster_database=_group(stack, "DagsterDatabase", vpc, "The database of Dagster: its tasks only"),
        console=_group(stack, "Console", vpc, "The console"),
        entrance=_group(stack, "Entrance", vpc, "The load balancer"),
        endpoints=_known(stack, "EndpointAccess", "endpoint-access"),
    )
    registry, warehouse = _known(stack, "Registry", "registry-access"), _known(stack, "Warehouse", "warehouse-access")
    for service in (groups.dagster, groups.console):
        _connect(service, registry, REGISTRY_PORT)
        _connect(service, warehouse, WAREHOUSE_PORT)
        _connect(service, groups.endpoints, HTTPS)
    _connect(groups.dagster, groups.dagster_database, REGISTRY_PORT)
    _connect(groups.dagster, groups.dagster, CODE_PORT)
    _connect(groups.entrance, groups.dagster, WEBSERVER_PORT)
    _connect(groups.entrance, groups.console, CONSOLE_PORT)
    # The private subnets have no other way to any public address.
    anywhere, https = ec2.Peer.any_ipv4(), ec2.Port.tcp(HTTPS)
    groups.dagster.add_egress_rule(anywhere, https, "S3 and DynamoDB, by the gateway endpoints")
    groups.console.add_egress_rule(anywhere, https, "Cognito and AWS IoT, and S3 and DynamoDB")
    groups.entrance.add_egress_rule(anywhere, https, "Cognito, which the balancer asks for tokens")
    groups.entrance.add_ingress_rule(anywhere, https, "People")
    for finding in (
        "AwsSolutions-EC23",
        f"Platform::nothing_comes_in_from_anywhere[admits 0.0.0.0/0 on tcp {HTTPS}-{HTTPS}]",
    ):
        accept(groups.entrance, finding, "People come from anywhere, and get no further without signing in")
    return groups


def _connect(client: ec2.SecurityGroup, server: ec2.ISecurityGroup, port: int) -> None:
    """Let one open connections to the other: a rule at each end."""
    server.add_ingress_rule(client, ec2.Port.tcp(port))
    client.add_egress_rule(server, ec2.Port.tcp(port))


def _group(stack: PlatformStack, name: str, vpc: ec2.IVpc, description: str) -> ec2.SecurityGroup:
    return ec2.SecurityGroup(stack, f"{name}Group", vpc=vpc, description=description, allow_all_outbound=False)


def _known(stack: PlatformStack, construct_id: str, parameter: str) -> ec2.ISecurityGroup:
    return ec2.SecurityGroup.from_security_group_id(stack, construct_id, read(stack, stack.config, parameter))
