"""Dagster's own database: Aurora PostgreSQL Serverless v2, to which its processes sign in by IAM."""

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_rds as rds
from aws_cdk import custom_resources as cr

from infra.stacks.base import PlatformStack
from infra.stacks.nag import accept, accept_role_dependency
from infra.stacks.network.vpc import REGISTRY_PORT
from infra.stacks.parameters import read

DATABASE = USER = "dagster"
ADMIN = "dagster_admin"
_VERSION = rds.AuroraPostgresEngineVersion.VER_16_11

# One statement, as the Data API takes it, and safe to repeat. `rds_iam` lets its members sign in by a token (RDS guide,
# "Creating a database account using IAM authentication").
MAKE_USER = f"""DO $$ BEGIN
IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{USER}') THEN CREATE ROLE {USER} LOGIN; END IF;
GRANT rds_iam TO {USER};
GRANT CONNECT, TEMPORARY ON DATABASE {DATABASE} TO {USER};
GRANT USAGE, CREATE ON SCHEMA public TO {USER};
END $$"""


def add_database(stack: PlatformStack, key: kms.IKey) -> rds.DatabaseCluster:
    """A cluster apart from the registry's: Dagster asks several times a second and logs each step, and its history may
    be set back to yesterday without the devices'. At half a capacity unit it costs 44 dollars a month more (Aurora
    pricing page, 0.12 a unit-hour); it never pauses, since the daemon never stops asking.
    """
    config = stack.config
    vpc = ec2.Vpc.from_vpc_attributes(
        stack,
        "Vpc",
        # Its subnets and groups say all; nothing asks for the id.
        vpc_id=config.stack("Network"),
        availability_zones=config.availability_zones,
        isolated_subnet_ids=[read(stack, config, f"subnet-{zone}") for zone in config.zones],
    )
    accept(vpc, "Annotation::@aws-cdk/aws-ec2:noSubnetRouteTableId", "No route is added from this stack")
    group = ec2.SecurityGroup.from_security_group_id(
        stack, "Access", read(stack, config, "dagster-database-access"), mutable=False
    )
    log = logs.LogGroup(
        stack,
        "DatabaseLog",
        # RDS makes the group itself otherwise, and keeps it for ever.
        log_group_name=f"/aws/rds/cluster/{config.dagster_name}/postgresql",
        retention=logs.RetentionDays.THREE_MONTHS,
        removal_policy=cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    )
    cluster = rds.DatabaseCluster(
        stack,
        "Database",
        cluster_identifier=config.dagster_name,
        engine=rds.DatabaseClusterEngine.aurora_postgres(version=_VERSION),
        default_database_name=DATABASE,
        port=REGISTRY_PORT,
        credentials=rds.Credentials.from_username(ADMIN, encryption_key=key),
        manage_master_user_password=True,
        iam_authentication=True,
        enable_data_api=True,
        parameters={"rds.force_ssl": "1"},
        writer=rds.ClusterInstance.serverless_v2("Writer", publicly_accessible=False),
        readers=_spare(stack),
        serverless_v2_min_capacity=config.dagster_min_acu,
        serverless_v2_max_capacity=config.dagster_max_acu,
        vpc=vpc,
        vpc_subnets=ec2.SubnetSelection(subnets=vpc.isolated_subnets),
        security_groups=[group],
        storage_encrypted=True,
        storage_encryption_key=key,
        backup=rds.BackupProps(retention=cdk.Duration.days(config.registry_backup_days)),
        copy_tags_to_snapshot=True,
        deletion_protection=config.deletion_protection,
        cloudwatch_logs_exports=["postgresql"],
        removal_policy=cdk.RemovalPolicy.SNAPSHOT,
    )
    cluster.node.add_dependency(log)
    accept(cluster, "AwsSolutions-RDS11", "A hidden port hides nothing: the security group admits Dagster only")
    _make_user(stack, cluster, key)
    return cluster


def _spare(stack: PlatformStack) -> list[rds.IClusterInstance] | None:
    """Where services stand in more than one zone, a reader in another, which takes over within a minute."""
    if stack.config.service_zones == 1:
        return None
    return [rds.ClusterInstance.serverless_v2("Spare", publicly_accessible=False, scale_with_writer=True)]


def _make_user(stack: PlatformStack, cluster: rds.DatabaseCluster, key: kms.IKey) -> None:
    """The user, made at deployment by the administrator's secret and the Data API: nobody has to reach the network."""
    if cluster.secret is None:
        raise TypeError("Dagster's cluster has no secret: manage_master_user_password must be set")
    role = iam.Role(stack, "MakeUserRole", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    secret = cluster.secret.secret_arn
    statements = {
        "Execute": (["rds-data:ExecuteStatement"], [cluster.cluster_arn]),
        "Secret": (["secretsmanager:GetSecretValue"], [secret]),
        "SecretKey": (["kms:Decrypt"], [key.key_arn]),
    }
    for sid, (actions, resources) in statements.items():
        role.add_to_policy(iam.PolicyStatement(sid=sid, actions=actions, resources=resources))
    call = cr.AwsSdkCall(
        service="RDSDataService",
        action="executeStatement",
        parameters={"resourceArn": cluster.cluster_arn, "secretArn": secret, "database": DATABASE, "sql": MAKE_USER},
        physical_resource_id=cr.PhysicalResourceId.of(USER),
    )
    made = cr.AwsCustomResource(
        stack,
        "MakeUser",
        resource_type="Custom::DatabaseUser",
        role=role,
        install_latest_aws_sdk=False,
        on_create=call,
        on_update=call,
    )
    # A cluster answers by its instances.
    made.node.add_dependency(cluster.node.find_child("Writer"))
    _log_of(stack, role)
    accept_role_dependency(stack.node.find_child(f"AWS{cr.AwsCustomResource.PROVIDER_FUNCTION_UUID.replace('-', '')}"))


def _log_of(stack: PlatformStack, role: iam.Role) -> None:
    """The log of the function, whose name CloudFormation makes. The stack makes the group, the function does not."""
    groups = stack.format_arn(service="logs", resource=f"log-group:/aws/lambda/{stack.stack_name}-*")
    role.add_to_policy(
        iam.PolicyStatement(sid="Log", actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[groups])
    )
    accept(role, f"AwsSolutions-IAM5[Resource::{groups}]", "CloudFormation names the function")
