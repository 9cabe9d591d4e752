"""The VPC, and who may reach the databases in it."""

from dataclasses import dataclass

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs

from infra.stacks.config import PlatformConfig
from infra.stacks.nag import accept_lint

REGISTRY_PORT = 5432
WAREHOUSE_PORT = 5439
_HTTPS = 443


@dataclass(frozen=True)
class Network:
    """The VPC and its security groups. Whoever wears `client` reaches both databases and AWS's endpoints."""

    vpc: ec2.Vpc
    client: ec2.SecurityGroup
    registry: ec2.SecurityGroup
    warehouse: ec2.SecurityGroup
    endpoints: ec2.SecurityGroup


def add_vpc(stack: Stack, config: PlatformConfig) -> Network:
    """Isolated subnets in the configured zones: no way in from the internet, and none out to it.

    S3 is reached by its gateway endpoint (COPY and UNLOAD under enhanced VPC routing, and clients), Secrets Manager by
    an interface endpoint (clients fetch the databases' credentials there).
    """
    vpc = ec2.Vpc(
        stack,
        "Vpc",
        ip_addresses=ec2.IpAddresses.cidr(config.vpc_cidr),
        availability_zones=config.availability_zones,
        nat_gateways=0,
        subnet_configuration=[
            ec2.SubnetConfiguration(name="databases", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=22)
        ],
        gateway_endpoints={"S3": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.S3)},
        flow_logs={
            "Flows": ec2.FlowLogOptions(
                destination=ec2.FlowLogDestination.to_cloud_watch_logs(
                    logs.LogGroup(
                        stack,
                        "FlowLog",
                        retention=logs.RetentionDays.THREE_MONTHS,
                        removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
                    )
                ),
                traffic_type=ec2.FlowLogTrafficType.REJECT,
            )
        },
    )
    for subnet in vpc.isolated_subnets:
        accept_lint(subnet.node.find_child("Subnet"), "W3010", "The zones are the configuration's, so that they stay")
    # It removes the rules of the VPC's default group, which would let its members reach each other.
    provider = stack.node.find_child("Custom::VpcRestrictDefaultSGCustomResourceProvider")
    accept_lint(provider.node.find_child("Handler"), "W3005", "The construct's own dependency")
    client = _group(stack, "Client", vpc, "Wear this to reach the registry and the warehouse")
    registry = _group(stack, "RegistryAccess", vpc, "The registry: clients only")
    warehouse = _group(stack, "WarehouseAccess", vpc, "The warehouse: clients only")
    endpoints = _group(stack, "EndpointAccess", vpc, "AWS endpoints: clients only")
    for group, port in ((registry, REGISTRY_PORT), (warehouse, WAREHOUSE_PORT), (endpoints, _HTTPS)):
        group.add_ingress_rule(client, ec2.Port.tcp(port))
        client.add_egress_rule(group, ec2.Port.tcp(port))
    # Its addresses are public ones, which no group can name; the subnets have no other way to any.
    client.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(_HTTPS), "S3, by the gateway endpoint")
    # Under enhanced VPC routing the workgroup itself calls S3.
    warehouse.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(_HTTPS), "S3, by the gateway endpoint")
    secrets = vpc.add_interface_endpoint(
        "SecretsManager",
        service=ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER,
        security_groups=[endpoints],
        open=False,
    )
    secrets.add_to_policy(own_principals(config, "secretsmanager"))
    _let_through(vpc, config)
    return Network(vpc, client, registry, warehouse, endpoints)


def own_principals(config: PlatformConfig, service: str) -> iam.PolicyStatement:
    """What an endpoint lets through: calls of a service in the name of this account's principals.

    Credentials of another account, brought into the network, can carry nothing out of it (VPC guide, "Control access to
    VPC endpoints using endpoint policies").
    """
    return iam.PolicyStatement(
        sid="OwnPrincipals",
        principals=[iam.AnyPrincipal()],
        actions=[f"{service}:*"],
        resources=["*"],
        conditions={"StringEquals": {"aws:PrincipalAccount": config.account}},
    )


def _let_through(vpc: ec2.Vpc, config: PlatformConfig) -> None:
    """S3's endpoint leads to this account's buckets, and to the layers of images, which are in ECR's own (ECR guide,
    "Amazon ECR interface VPC endpoints", minimum permissions for the S3 gateway).
    """
    endpoint = vpc.node.find_child("S3")
    if not isinstance(endpoint, ec2.GatewayVpcEndpoint):
        raise TypeError(f"the VPC's S3 is {type(endpoint).__name__}, expected GatewayVpcEndpoint")
    own = iam.PolicyStatement(
        sid="OwnBuckets",
        principals=[iam.AnyPrincipal()],
        actions=["s3:*"],
        resources=["*"],
        conditions={"StringEquals": {"aws:ResourceAccount": config.account}},
    )
    layers = iam.PolicyStatement(
        sid="LayersOfImages",
        principals=[iam.AnyPrincipal()],
        actions=["s3:GetObject"],
        resources=[f"arn:aws:s3:::prod-{config.region}-starport-layer-bucket/*"],
    )
    for statement in (own, layers):
        endpoint.add_to_policy(statement)


def _group(stack: Stack, name: str, vpc: ec2.Vpc, description: str) -> ec2.SecurityGroup:
    return ec2.SecurityGroup(stack, name, vpc=vpc, description=description, allow_all_outbound=False)
