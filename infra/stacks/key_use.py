"""The use of a key by whoever works on what a service keeps under it."""

from aws_cdk import aws_iam as iam

from infra.stacks.config import PlatformConfig


def used_via(config: PlatformConfig, service: str, key: str, *actions: str) -> iam.PolicyStatement:
    """The use of a key through one service of the environment's region, and not by calls of one's own.

    KMS guide, "AWS KMS condition keys", `kms:ViaService`. `actions` are those of KMS.
    """
    return iam.PolicyStatement(
        actions=list(actions),
        resources=[key],
        conditions={"StringEquals": {"kms:ViaService": f"{service}.{config.region}.amazonaws.com"}},
    )
