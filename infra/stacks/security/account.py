"""Guards of which an account has one in each region: AWS Config, GuardDuty, IAM Access Analyzer."""

from aws_cdk import aws_accessanalyzer as accessanalyzer
from aws_cdk import aws_config
from aws_cdk import aws_guardduty as guardduty
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from infra.stacks.base import PlatformStack
from infra.stacks.nag import accept, accept_wildcards
from infra.stacks.principals import for_this_account
from infra.stacks.security.audit_bucket import CONFIG_PREFIX

# Managed rules, each with why it is here (AWS Config guide, "List of AWS Config Managed Rules").
RULES = {
    "S3_BUCKET_LEVEL_PUBLIC_ACCESS_PROHIBITED": "Somebody has opened a bucket by hand",
    "S3_BUCKET_SSL_REQUESTS_ONLY": "A bucket takes requests in clear text",
    "CLOUDTRAIL_S3_DATAEVENTS_ENABLED": "Nobody records who reads the lake",
    "CLOUD_TRAIL_LOG_FILE_VALIDATION_ENABLED": "Records of the trail could be changed unnoticed",
    "KMS_CMK_NOT_SCHEDULED_FOR_DELETION": "With a key goes all that it has encrypted",
    "CMK_BACKING_KEY_ROTATION_ENABLED": "A key is not rotated",
    "IAM_POLICY_NO_STATEMENTS_WITH_ADMIN_ACCESS": "A policy allows everything",
    "IAM_ROOT_ACCESS_KEY_CHECK": "The root user has an access key",
    "ROOT_ACCOUNT_MFA_ENABLED": "The root user signs in with a password alone",
    "RDS_CLUSTER_DELETION_PROTECTION_ENABLED": "The registry could be deleted",
    "DYNAMODB_PITR_ENABLED": "A table cannot be brought back to a point in time",
    "LAMBDA_FUNCTION_PUBLIC_ACCESS_PROHIBITED": "Anybody may call a function",
    "KINESIS_STREAM_ENCRYPTED": "A stream holds clear text",
    "SNS_ENCRYPTED_KMS": "A topic holds clear text",
}
# What these rules look at; of other types nothing is recorded, since AWS Config bills each recorded change.
RECORDED = (
    "AWS::CloudTrail::Trail",
    "AWS::DynamoDB::Table",
    "AWS::IAM::Policy",
    "AWS::KMS::Key",
    "AWS::Kinesis::Stream",
    "AWS::Lambda::Function",
    "AWS::RDS::DBCluster",
    "AWS::S3::Bucket",
    "AWS::SNS::Topic",
)


def add_account_guards(stack: PlatformStack, bucket: s3.Bucket, key: kms.Key) -> None:
    """Those that the environment is in charge of, by its configuration."""
    chosen = stack.config.account_guards
    recorder = _recorder(stack, bucket, key) if "recorder" in chosen else []
    if "rules" in chosen:
        for rule in _rules(stack):
            # A rule without a recorder is refused (AWS Config API reference, PutConfigRule).
            for needed in recorder:
                rule.node.add_dependency(needed)
    if "guardduty" in chosen:
        guardduty.CfnDetector(
            stack,
            "GuardDuty",
            enable=True,
            finding_publishing_frequency="FIFTEEN_MINUTES",
            features=[guardduty.CfnDetector.CFNFeatureConfigurationProperty(name="S3_DATA_EVENTS", status="ENABLED")],
        )
    if "analyzer" in chosen:
        # Of what outsiders may reach; free of charge, unlike the analyzers of unused access (IAM pricing page).
        accessanalyzer.CfnAnalyzer(stack, "Analyzer", type="ACCOUNT", analyzer_name=stack.config.name)


def _recorder(
    stack: PlatformStack, bucket: s3.Bucket, key: kms.Key
) -> list[aws_config.CfnConfigurationRecorder | aws_config.CfnDeliveryChannel]:
    """The recorder and where it delivers to.

    A role of its own: the service-linked one cannot be made by CloudFormation where it is there already.
    """
    role = _recorder_role(stack, bucket, key)
    recorder = aws_config.CfnConfigurationRecorder(
        stack,
        "Recorder",
        name=stack.config.name,
        role_arn=role.role_arn,
        recording_group=aws_config.CfnConfigurationRecorder.RecordingGroupProperty(
            all_supported=False, include_global_resource_types=False, resource_types=list(RECORDED)
        ),
    )
    channel = aws_config.CfnDeliveryChannel(
        stack,
        "Delivery",
        name=stack.config.name,
        s3_bucket_name=bucket.bucket_name,
        s3_key_prefix=CONFIG_PREFIX,
        s3_kms_key_arn=key.key_arn,
        config_snapshot_delivery_properties=aws_config.CfnDeliveryChannel.ConfigSnapshotDeliveryPropertiesProperty(
            delivery_frequency="TwentyFour_Hours"
        ),
    )
    for resource in (recorder, channel):
        resource.node.add_dependency(role.node.find_child("DefaultPolicy"))
    return [recorder, channel]


def _recorder_role(stack: PlatformStack, bucket: s3.Bucket, key: kms.Key) -> iam.Role:
    """AWS Config guide, "Permissions for the IAM Role Assigned to AWS Config"."""
    managed = "service-role/AWS_ConfigRole"
    role = iam.Role(
        stack,
        "RecorderRole",
        assumed_by=for_this_account("config.amazonaws.com", stack.config),
        managed_policies=[iam.ManagedPolicy.from_aws_managed_policy_name(managed)],
    )
    audit = stack.config.bucket_arn(stack.config.audit_bucket)
    written = f"{audit}/{CONFIG_PREFIX}/AWSLogs/{stack.config.account}/Config/*"
    statements = {
        "Look": iam.PolicyStatement(actions=["s3:GetBucketAcl", "s3:ListBucket"], resources=[bucket.bucket_arn]),
        "Deliver": iam.PolicyStatement(
            actions=["s3:PutObject"],
            resources=[written],
            conditions={"StringLike": {"s3:x-amz-acl": "bucket-owner-full-control"}},
        ),
        "Encrypt": iam.PolicyStatement(actions=["kms:Decrypt", "kms:GenerateDataKey"], resources=[key.key_arn]),
    }
    for sid, statement in statements.items():
        statement.sid = sid
        role.add_to_policy(statement)
    accept(
        role,
        f"AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/{managed}]",
        "AWS keeps the list of what a recorder reads; it holds descriptions alone, and no data",
    )
    accept_wildcards(role, [written], "AWS Config names its files itself, under this prefix")
    return role


def _rules(stack: PlatformStack) -> list[aws_config.CfnConfigRule]:
    return [
        aws_config.CfnConfigRule(
            stack,
            "".join(word.capitalize() for word in identifier.split("_")),
            config_rule_name=f"{stack.config.name}-{identifier.lower().replace('_', '-')}",
            description=why,
            source=aws_config.CfnConfigRule.SourceProperty(owner="AWS", source_identifier=identifier),
        )
        for identifier, why in RULES.items()
    ]
