"""Statements of policies, each with its id, and giving them to roles."""

from collections.abc import Iterable, Mapping

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from infra.stacks.nag import accept_wildcards

Statements = Mapping[str, iam.PolicyStatement]

# Of a table's key DynamoDB makes use in the name of whoever calls it (DynamoDB guide, "Using IAM permissions with
# customer managed keys"); `kms:CreateGrant` is for whoever makes the table.
_TABLE_KEY = (
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)
# Finding a stream's shards, and reading them.
READ_STREAM = (
    "kinesis:DescribeStreamSummary",
    "kinesis:GetRecords",
    "kinesis:GetShardIterator",
    "kinesis:ListShards",
)


def allow(resources: Iterable[str], *actions: str) -> iam.PolicyStatement:
    """Some actions on some resources."""
    return iam.PolicyStatement(actions=list(actions), resources=list(resources))


def via(stack: cdk.Stack, service: str, keys: Iterable[str], *actions: str) -> iam.PolicyStatement:
    """The use of keys through one service of the stack's region, and not by calls of one's own.

    KMS guide, "AWS KMS condition keys", `kms:ViaService`. `actions` are those of KMS.
    """
    return iam.PolicyStatement(
        actions=list(actions),
        resources=list(keys),
        conditions={"StringEquals": {"kms:ViaService": f"{service}.{stack.region}.amazonaws.com"}},
    )


def table_keys(stack: cdk.Stack, keys: Iterable[str]) -> iam.PolicyStatement:
    """The use of tables' keys by whoever calls DynamoDB."""
    return via(stack, "dynamodb", keys, *_TABLE_KEY)


def listing(bucket: str, prefixes: Iterable[str]) -> iam.PolicyStatement:
    """Listing a bucket below some prefixes alone."""
    return iam.PolicyStatement(
        actions=["s3:ListBucket"],
        resources=[bucket],
        conditions={"StringLike": {"s3:prefix": [f"{prefix}*" for prefix in prefixes]}},
    )


def add_statements(role: iam.Role, statements: Statements, wildcards: str) -> None:
    """Give a role statements, each under its id. A statement may be given to several roles: each gets a copy."""
    for sid, statement in statements.items():
        own = statement.copy(sid=sid)
        role.add_to_policy(own)
        accept_wildcards(role, [it for it in own.resources if "*" in it], wildcards)


def add_managed_statements(role: iam.Role, name: str, statements: Statements, wildcards: str) -> None:
    """As `add_statements`, as a managed policy of the role's own.

    A role's inline policies may have 10,240 characters together, and each managed policy 6,144 of its own (IAM user
    guide, "IAM and AWS STS quotas").
    """
    made = [statement.copy(sid=sid) for sid, statement in statements.items()]
    role.add_managed_policy(iam.ManagedPolicy(role, name, statements=made))
    for statement in made:
        accept_wildcards(role, [it for it in statement.resources if "*" in it], wildcards)
