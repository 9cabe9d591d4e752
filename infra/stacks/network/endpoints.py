"""AWS's services inside the network: those that Dagster's tasks call, and no other."""

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam

from infra.stacks.base import PlatformStack
from infra.stacks.network.vpc import own_principals
from infra.stacks.parameters import read
from infra.stacks.services.tasks import subnets

_Service = ec2.InterfaceVpcEndpointAwsService

# By the prefix of its actions. Secrets Manager's and S3's are the databases', in the stack Network. A test compares
# them with what the tasks' roles allow. A task fetches its image by ECR's two, its layers by S3's, and its log goes to
# CloudWatch's (ECS guide, "Amazon ECS interface VPC endpoints"; "Migrating to Linux platform version 1.4.0").
ENDPOINTS: dict[str, dict[str, ec2.InterfaceVpcEndpointAwsService]] = {
    "athena": {"Athena": _Service.ATHENA},
    "cloudwatch": {"Metrics": _Service.CLOUDWATCH_MONITORING},
    "ecr": {"ImageApi": _Service.ECR, "ImageLayers": _Service.ECR_DOCKER},
    "ecs": {"Tasks": _Service.ECS},
    "glue": {"Glue": _Service.GLUE},
    # Erasures remove devices. `IOT_CORE` is the devices' own endpoint.
    "iot": {"Devices": ec2.InterfaceVpcEndpointAwsService("iot.api")},
    "kinesis": {"Stream": _Service.KINESIS_STREAMS},
    # These two are for the replay of dead letters.
    "lambda": {"Functions": _Service.LAMBDA_},
    "sns": {"Topics": _Service.SNS},
    "logs": {"Logs": _Service.CLOUDWATCH_LOGS},
    "sqs": {"Queues": _Service.SQS},
}


def add_endpoints(stack: PlatformStack, vpc: ec2.IVpc, group: ec2.ISecurityGroup) -> None:
    """The endpoints in the services' zones, each for this account's principals alone; and DynamoDB's, which is free."""
    config = stack.config
    ids = [read(stack, config, f"subnet-{zone}") for zone in config.zones[: config.service_zones]]
    private = subnets(stack, ids, "Private")
    for prefix, services in ENDPOINTS.items():
        for name, service in services.items():
            endpoint = ec2.InterfaceVpcEndpoint(
                stack,
                name,
                vpc=vpc,
                service=service,
                subnets=private,
                security_groups=[group],
                open=False,
                private_dns_enabled=True,
            )
            endpoint.add_to_policy(own_principals(config, prefix))
    ec2.CfnVPCEndpoint(
        stack,
        "Tables",
        vpc_id=vpc.vpc_id,
        service_name=f"com.amazonaws.{config.region}.dynamodb",
        vpc_endpoint_type="Gateway",
        route_table_ids=[read(stack, config, f"routes-{zone}") for zone in config.zones],
        policy_document=iam.PolicyDocument(statements=[own_principals(config, "dynamodb")]),
    )
