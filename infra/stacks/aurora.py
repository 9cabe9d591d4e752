"""Aurora PostgreSQL Serverless v2, as every database of the platform is of it."""

from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_rds as rds

from infra.stacks.base import PlatformStack
from infra.stacks.nag import accept
from infra.stacks.network.vpc import REGISTRY_PORT

# The major version of the PostgreSQL that stands in for it locally.
_VERSION = rds.AuroraPostgresEngineVersion.VER_16_11


@dataclass(frozen=True)
class Aurora:
    """What differs between clusters. `admits` is whom the security group lets in, `capacity` the least and the most
    capacity units; `spare` is a reader in another zone, which takes over within a minute.
    """

    construct_id: str
    name: str
    database: str
    administrator: str
    admits: str
    capacity: tuple[float, float]
    data_api: bool = False
    spare: bool = False


def add_aurora(
    stack: PlatformStack, aurora: Aurora, vpc: ec2.IVpc, group: ec2.ISecurityGroup, key: kms.IKey
) -> rds.DatabaseCluster:
    """The cluster in the network's isolated subnets, and its log.

    RDS itself makes the administrator's password, keeps it in Secrets Manager and rotates it every seven days (RDS
    guide, "Password management with Amazon RDS and AWS Secrets Manager"): a client asks for it on each connection.
    """
    config = stack.config
    log = logs.LogGroup(
        stack,
        f"{aurora.construct_id}Log",
        # RDS makes the group itself otherwise, and keeps it for ever.
        log_group_name=f"/aws/rds/cluster/{aurora.name}/postgresql",
        retention=logs.RetentionDays.THREE_MONTHS,
        # Not on creation: with its fixed name it would stand in the way of the next attempt.
        removal_policy=cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    )
    least, most = aurora.capacity
    cluster = rds.DatabaseCluster(
        stack,
        aurora.construct_id,
        cluster_identifier=aurora.name,
        engine=rds.DatabaseClusterEngine.aurora_postgres(version=_VERSION),
        default_database_name=aurora.database,
        port=REGISTRY_PORT,
        credentials=rds.Credentials.from_username(aurora.administrator, encryption_key=key),
        manage_master_user_password=True,
        iam_authentication=True,
        # Where it is not wanted the property is left out.
        enable_data_api=aurora.data_api or None,
        # Clear text connections are refused (RDS guide, "Requiring an SSL/TLS connection to a PostgreSQL DB instance").
        parameters={"rds.force_ssl": "1"},
        writer=rds.ClusterInstance.serverless_v2("Writer", publicly_accessible=False),
        readers=[_spare()] if aurora.spare else None,
        serverless_v2_min_capacity=least,
        serverless_v2_max_capacity=most,
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
    accept(
        cluster, "AwsSolutions-RDS11", f"A hidden port hides nothing: the security group admits {aurora.admits} only"
    )
    if not config.deletion_protection:
        accept(
            cluster, "AwsSolutions-RDS10", "The environment's configuration lets it be destroyed, with a last snapshot"
        )
    return cluster


def _spare() -> rds.IClusterInstance:
    return rds.ClusterInstance.serverless_v2("Spare", publicly_accessible=False, scale_with_writer=True)
