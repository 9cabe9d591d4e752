"""Where the records of who did what are kept, under a key of their own."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from infra.stacks.base import PlatformStack
from infra.stacks.lake.lifecycle import expire
from infra.stacks.nag import accept
from infra.stacks.private_bucket import private_bucket

TRAIL_PREFIX, CONFIG_PREFIX = "trail", "config"


def trail_arn(stack: PlatformStack) -> str:
    """The trail's ARN, by its name: bucket and key must name it before there is one."""
    return stack.format_arn(service="cloudtrail", resource="trail", resource_name=stack.config.name)


def add_audit_bucket(stack: PlatformStack, key: kms.Key) -> s3.Bucket:
    """The bucket, versioned, so that whoever can write to it still removes nothing for good."""
    config = stack.config
    replaced = s3.LifecycleRule(
        id="deleted-and-overwritten",
        noncurrent_version_expiration=cdk.Duration.days(config.noncurrent_days),
        expired_object_delete_marker=True,
    )
    rules = [expire("records", None, config.audit_days), replaced]
    bucket = private_bucket(stack, "Audit", key, rules, name=config.audit_bucket, versioned=True)
    accept(bucket, "AwsSolutions-S1", "Whoever reads here is in the trail itself: data events of this bucket's reads")
    for statement in _trail_statements(stack, bucket):
        bucket.add_to_resource_policy(statement)
    for statement in _key_statements(stack):
        key.add_to_resource_policy(statement)
    return bucket


def _trail_statements(stack: PlatformStack, bucket: s3.Bucket) -> list[iam.PolicyStatement]:
    """CloudTrail guide, "Amazon S3 bucket policy for CloudTrail"."""
    trail = iam.ServicePrincipal("cloudtrail.amazonaws.com")
    this_trail = {"aws:SourceArn": trail_arn(stack), "aws:SourceAccount": stack.config.account}
    return [
        iam.PolicyStatement(
            sid="TrailLooks",
            principals=[trail],
            actions=["s3:GetBucketAcl"],
            resources=[bucket.bucket_arn],
            conditions={"StringEquals": this_trail},
        ),
        iam.PolicyStatement(
            sid="TrailWrites",
            principals=[trail],
            actions=["s3:PutObject"],
            resources=[bucket.arn_for_objects(f"{TRAIL_PREFIX}/AWSLogs/{stack.config.account}/*")],
            conditions={"StringEquals": this_trail | {"s3:x-amz-acl": "bucket-owner-full-control"}},
        ),
    ]


def _key_statements(stack: PlatformStack) -> list[iam.PolicyStatement]:
    """CloudTrail guide, "Configure AWS KMS key policies for CloudTrail": without them no record is delivered.

    `kms:Decrypt` is for making a trail over a bucket with an S3 Bucket Key. CloudTrail recommends `aws:SourceArn` and
    advises against `aws:SourceAccount` in a key's policy; the account is in the ARN.
    """
    trail = iam.ServicePrincipal("cloudtrail.amazonaws.com")
    this_trail = {"StringEquals": {"aws:SourceArn": trail_arn(stack)}}
    trails = stack.format_arn(service="cloudtrail", region="*", resource="trail", resource_name="*")
    of_trails = {"StringLike": {"kms:EncryptionContext:aws:cloudtrail:arn": trails}}
    return [
        iam.PolicyStatement(
            sid="TrailEncrypts",
            principals=[trail],
            actions=["kms:GenerateDataKey*"],
            resources=["*"],
            conditions=this_trail | of_trails,
        ),
        iam.PolicyStatement(
            sid="TrailLooks",
            principals=[trail],
            actions=["kms:DescribeKey", "kms:Decrypt"],
            resources=["*"],
            conditions=this_trail,
        ),
    ]
