"""The VPC, and who may reach the databases in it."""

from dataclasses import dataclass

from aws_cdk import CfnResource, RemovalPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs

from infra.stacks.config import PlatformConfig
from infra.stacks.nag import accept, accept_lint
from infra.stacks.principals import for_this_account

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
        flow_logs={
            "Flows": ec2.FlowLogOptions(
                destination=ec2.FlowLogDestination.to_cloud_watch_logs(
                    _log(stack, "FlowLog"),
                    iam.Role(stack, "FlowLogRole", assumed_by=for_this_account("vpc-flow-logs.amazonaws.com", config)),
                ),
                traffic_type=ec2.FlowLogTrafficType.REJECT,
            )
        },
    )
    for subnet in vpc.isolated_subnets:
        accept_lint(subnet.node.find_child("Subnet"), "W3010", "The zones are the configuration's, so that they stay")
    _log_the_group_restriction(stack)
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
    """What an endpoint lets through: a service's calls by this account's principals, on this account's resources.

    The default policy would let credentials of another account, brought into the network, carry data out of it (VPC
    guide, "Control access to VPC endpoints using endpoint policies"). What a principal may do, its own policies say.
    """
    return iam.PolicyStatement(
        sid="OwnPrincipals",
        principals=[iam.AnyPrincipal()],
        actions=[f"{service}:*"],
        resources=["*"],
        conditions={
            "StringEquals": {"aws:PrincipalAccount": config.account, "aws:ResourceAccount": config.account},
        },
    )


def _let_through(vpc: ec2.Vpc, config: PlatformConfig) -> None:
    """S3's endpoint leads this account's principals to its buckets, and anybody to the layers of images, which are in
    ECR's own (ECR guide, "Amazon ECR interface VPC endpoints", minimum permissions for the S3 gateway).

    A layer's address is signed by an account of ECR's, which is nowhere published (data perimeter policy examples of
    AWS's, "VPC endpoint policy examples"): a condition on ours would stop every image.
    """
    endpoint = vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3)
    layers = iam.PolicyStatement(
        sid="LayersOfImages",
        principals=[iam.AnyPrincipal()],
        actions=["s3:GetObject"],
        resources=[f"{config.bucket_arn(f'prod-{config.region}-starport-layer-bucket')}/*"],
    )
    for statement in (own_principals(config, "s3"), layers):
        endpoint.add_to_policy(statement)
    accept(
        endpoint,
        "Platform::no_policy_is_open_to_all[LayersOfImages allows everyone (Principal *) without a condition on "
        "account or organisation]",
        "ECR signs the layers' addresses itself; they can be read alone, and in ECR's bucket alone",
    )


def _log_the_group_restriction(stack: Stack) -> None:
    """Give a log group to the CDK's function that removes the rules of the VPC's default group.

    These would let the group's members reach each other. Without a group Lambda would make one, and keep it for ever;
    the construct's role could write to those of all functions.
    """
    provider = stack.node.find_child("Custom::VpcRestrictDefaultSGCustomResourceProvider")
    handler, role = (provider.node.find_child(name) for name in ("Handler", "Role"))
    accept_lint(handler, "W3005", "The construct's own dependency")
    if not (isinstance(handler, CfnResource) and isinstance(role, CfnResource)):
        raise TypeError(f"function and role are {type(handler).__name__}, {type(role).__name__}, expected CfnResource")
    log = _log(stack, "DefaultGroupLog")
    handler.add_property_override("LoggingConfig.LogGroup", log.log_group_name)
    role.add_property_deletion_override("ManagedPolicyArns")
    written = {
        "Sid": "Log",
        "Effect": "Allow",
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": log.log_group_arn,
    }
    # The first is the construct's own.
    role.add_property_override(
        "Policies.1", {"PolicyName": "Log", "PolicyDocument": {"Version": "2012-10-17", "Statement": [written]}}
    )


def _log(stack: Stack, name: str) -> logs.LogGroup:
    return logs.LogGroup(
        stack,
        name,
        retention=logs.RetentionDays.THREE_MONTHS,
        removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    )


def _group(stack: Stack, name: str, vpc: ec2.Vpc, description: str) -> ec2.SecurityGroup:
    return ec2.SecurityGroup(stack, name, vpc=vpc, description=description, allow_all_outbound=False)
