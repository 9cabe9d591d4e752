"""What holds data cannot go by mistake: with a stack, with a replacement, with a call."""

from infra.stacks.checks.finding import Problems
from infra.stacks.checks.synthesised import Synthesised

# The types of resources that hold what could not be made again.
STATEFUL = frozenset(
    {
        "AWS::Cognito::UserPool",
        "AWS::DynamoDB::Table",
        "AWS::EFS::FileSystem",
        "AWS::KMS::Key",
        "AWS::Kinesis::Stream",
        "AWS::RDS::DBCluster",
        "AWS::RDS::DBInstance",
        "AWS::RedshiftServerless::Namespace",
        "AWS::S3::Bucket",
        "AWS::SecretsManager::Secret",
    }
)
# What lies on another, which is held to it.
_WITHIN = frozenset({"AWS::RDS::DBInstance"})
_KEEPING = frozenset({"Retain", "RetainExceptOnCreate", "Snapshot"})
_BACKUP_DAYS = 7


def what_holds_data_outlives_its_stack(environment: Synthesised) -> Problems:
    """Kept when its stack goes, and when an update would replace it.

    CloudFormation guide, "DeletionPolicy attribute" and "UpdateReplacePolicy attribute".
    """
    for resource in environment.resources:
        if resource.type not in STATEFUL - _WITHIN:
            continue
        if not environment.config.deletion_protection and resource.type == "AWS::RedshiftServerless::Namespace":
            # The lake can rebuild it.
            continue
        for policy in ("DeletionPolicy", "UpdateReplacePolicy"):
            if resource.body.get(policy) not in _KEEPING:
                yield resource, f"{policy} is {resource.body.get(policy, 'Delete')}: it goes with its data"


def a_failed_creation_leaves_nothing_behind(environment: Synthesised) -> Problems:
    """What has a fixed name and is kept after a failed creation stands in the way of the next attempt."""
    for resource in environment.resources:
        named = any(isinstance(resource.properties.get(key), str) for key in _NAMES)
        if named and resource.body.get("DeletionPolicy") == "Retain":
            yield resource, "is kept after a failed creation: RetainExceptOnCreate lets the next one pass"


_NAMES = (
    "AliasName",
    "BucketName",
    "DBClusterIdentifier",
    "LogGroupName",
    "Name",
    "NamespaceName",
    "QueueName",
    "TableName",
    "TopicName",
    "UserPoolName",
)


def stacks_with_data_are_protected(environment: Synthesised) -> Problems:
    """A stack that holds data has termination protection.

    CloudFormation guide, "Protect CloudFormation stacks from being deleted".
    """
    if environment.protected is None or not environment.config.deletion_protection:
        return
    for resource in environment.of_type(*STATEFUL):
        if resource.stack not in environment.protected:
            yield resource, f"is in {resource.stack}, which has no termination protection"


def databases_are_protected(environment: Synthesised) -> Problems:
    """Deletion by a call is refused, and every table and database can go back to an earlier moment."""
    guarded = environment.config.deletion_protection
    for cluster in environment.of_type("AWS::RDS::DBCluster"):
        if guarded and cluster.properties.get("DeletionProtection") is not True:
            yield cluster, "can be deleted by a call (DeletionProtection)"
        if int(cluster.properties.get("BackupRetentionPeriod", 1)) < _BACKUP_DAYS:
            yield cluster, f"can go back less than {_BACKUP_DAYS} days (BackupRetentionPeriod)"
    for table in environment.of_type("AWS::DynamoDB::Table"):
        if guarded and table.properties.get("DeletionProtectionEnabled") is not True:
            yield table, "can be deleted by a call (DeletionProtectionEnabled)"
        recovery = table.properties.get("PointInTimeRecoverySpecification", {})
        if recovery.get("PointInTimeRecoveryEnabled") is not True:
            yield table, "has no past (PointInTimeRecoveryEnabled)"
    for pool in environment.of_type("AWS::Cognito::UserPool"):
        if guarded and pool.properties.get("DeletionProtection") != "ACTIVE":
            yield pool, "can be deleted by a call (DeletionProtection)"


def spending_has_an_end(environment: Synthesised) -> Problems:
    """A warehouse that grows by itself has a ceiling."""
    for workgroup in environment.of_type("AWS::RedshiftServerless::Workgroup"):
        if not workgroup.properties.get("MaxCapacity"):
            yield workgroup, "has no MaxCapacity"
    for cluster in environment.of_type("AWS::RDS::DBCluster"):
        scaling = cluster.properties.get("ServerlessV2ScalingConfiguration", {})
        if not scaling.get("MaxCapacity"):
            yield cluster, "has no MaxCapacity"
