"""Dagster's own database: Aurora PostgreSQL Serverless v2, to which its processes sign in by IAM."""

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_rds as rds
from aws_cdk import custom_resources as cr

from infra.stacks.aurora import Aurora, add_aurora
from infra.stacks.base import PlatformStack
from infra.stacks.nag import accept, accept_role_dependency
from infra.stacks.network.found import isolated_vpc
from infra.stacks.parameters import read

DATABASE = USER = "dagster"
ADMIN = "dagster_admin"

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
    group = ec2.SecurityGroup.from_security_group_id(
        stack, "Access", read(stack, config, "dagster-database-access"), mutable=False
    )
    database = Aurora(
        "Database",
        name=config.dagster_name,
        database=DATABASE,
        administrator=ADMIN,
        admits="Dagster",
        capacity=(config.dagster_min_acu, config.dagster_max_acu),
        data_api=True,
        spare=config.service_zones > 1,
    )
    cluster = add_aurora(stack, database, isolated_vpc(stack), group, key)
    _make_user(stack, cluster, key)
    return cluster


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
