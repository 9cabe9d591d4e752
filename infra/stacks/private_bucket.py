"""A bucket under a domain's own key, as all but the lake's are."""

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from infra.stacks.base import PlatformStack


def private_bucket(
    stack: PlatformStack,
    construct_id: str,
    key: kms.IKey,
    rules: list[s3.LifecycleRule],
    *,
    name: str | None = None,
    versioned: bool = False,
) -> s3.Bucket:
    """Encrypted by the key, by TLS alone, closed to the public, kept when its stack goes. Without a name AWS gives one.

    It has no access log: whoever makes it accepts that, with the reason (AwsSolutions-S1).
    """
    return s3.Bucket(
        stack,
        construct_id,
        bucket_name=name,
        encryption=s3.BucketEncryption.KMS,
        encryption_key=key,
        bucket_key_enabled=True,
        enforce_ssl=True,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        versioned=versioned,
        lifecycle_rules=rules,
        removal_policy=cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    )
