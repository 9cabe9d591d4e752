"""The registry's database: Aurora PostgreSQL Serverless v2."""

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_rds as rds

from infra.stacks.config import PlatformConfig
from infra.stacks.nag import accept
from infra.stacks.network.vpc import REGISTRY_PORT
from infra.stacks.warehouse.published_network import Network

DATABASE = "registry"
ADMIN = "registry_admin"
# The major version of the PostgreSQL that stands in for it locally.
_VERSION = rds.AuroraPostgresEngineVersion.VER_16_11


def add_registry(stack: cdk.Stack, config: PlatformConfig, network: Network, key: kms.IKey) -> rds.DatabaseCluster:
    """One writer, no reader: a failed writer is replaced within minutes, in which nothing but onboarding waits.

    RDS itself makes the administrator's password, keeps it in Secrets Manager and rotates it every seven days (RDS
    guide, "Password management with Amazon RDS and AWS Secrets Manager"): a client asks for it on each connection.
    """
    name = f"{config.name}-registry"
    log = logs.LogGroup(
        stack,
        "RegistryLog",
        # RDS makes the group itself otherwise, and keeps it for ever.
        log_group_name=f"/aws/rds/cluster/{name}/postgresql",
        retention=logs.RetentionDays.THREE_MONTHS,
        # Not on creation: with its fixed name it would stand in the way of the next attempt.
        removal_policy=cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    )
    cluster = rds.DatabaseCluster(
        stack,
        "Registry",
        cluster_identifier=name,
        engine=rds.DatabaseClusterEngine.aurora_postgres(version=_VERSION),
        default_database_name=DATABASE,
        port=REGISTRY_PORT,
        credentials=rds.Credentials.from_username(ADMIN, encryption_key=key),
        manage_master_user_password=True,
        iam_authentication=True,
        # Clear text connections are refused (RDS guide, "Requiring an SSL/TLS connection to a PostgreSQL DB instance").
        parameters={"rds.force_ssl": "1"},
        writer=rds.ClusterInstance.serverless_v2("Writer", publicly_accessible=False),
        serverless_v2_min_capacity=config.registry_min_acu,
        serverless_v2_max_capacity=config.registry_max_acu,
        vpc=network.vpc,
        vpc_subnets=ec2.SubnetSelection(subnets=network.vpc.isolated_subnets),
        security_groups=[network.registry],
        storage_encrypted=True,
        storage_encryption_key=key,
        backup=rds.BackupProps(retention=cdk.Duration.days(config.registry_backup_days)),
        copy_tags_to_snapshot=True,
        deletion_protection=config.deletion_protection,
        cloudwatch_logs_exports=["postgresql"],
        removal_policy=cdk.RemovalPolicy.SNAPSHOT,
    )
    cluster.node.add_dependency(log)
    accept(cluster, "AwsSolutions-RDS11", "A hidden port hides nothing: the security group admits clients only")
    if not config.deletion_protection:
        accept(
            cluster, "AwsSolutions-RDS10", "The environment's configuration lets it be destroyed, with a last snapshot"
        )
    return cluster
