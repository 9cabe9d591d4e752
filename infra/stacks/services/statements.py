"""Statements of policies, each with its id, and the roles that are made of them."""

from collections.abc import Iterable, Mapping

from aws_cdk import aws_iam as iam

from infra.stacks.base import PlatformStack
from infra.stacks.nag import accept_wildcards

Statements = Mapping[str, iam.PolicyStatement]

# Of a table's key DynamoDB makes use in the name of whoever calls it (DynamoDB guide, "Using IAM permissions with
# customer managed keys").
_TABLE_KEY: tuple[str, ...] = (
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:ReEncryptFrom",
)
_TABLE_KEY += ("kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptTo")


def allow(resources: Iterable[str], *actions: str) -> iam.PolicyStatement:
    """Some actions on some resources."""
    return iam.PolicyStatement(actions=list(actions), resources=list(resources))


def via(stack: PlatformStack, service: str, keys: Iterable[str], *actions: str) -> iam.PolicyStatement:
    """The use of keys through one service only."""
    return iam.PolicyStatement(
        actions=list(actions),
        resources=list(keys),
        conditions={"StringEquals": {"kms:ViaService": f"{service}.{stack.config.region}.amazonaws.com"}},
    )


def table_keys(stack: PlatformStack, keys: Iterable[str]) -> iam.PolicyStatement:
    """The use of tables' keys by whoever calls DynamoDB."""
    return via(stack, "dynamodb", keys, *_TABLE_KEY)


def listing(bucket: str, prefixes: Iterable[str], *actions: str) -> iam.PolicyStatement:
    """Listing a bucket below some prefixes alone."""
    return iam.PolicyStatement(
        actions=list(actions) or ["s3:ListBucket"],
        resources=[bucket],
        conditions={"StringLike": {"s3:prefix": [f"{prefix}*" for prefix in prefixes]}},
    )


def task_role(
    stack: PlatformStack, construct_id: str, description: str, statements: Statements, wildcards: str
) -> iam.Role:
    """The role of a task's own process. `wildcards` is the reason why resources end in `*`, where some do.

    ECS takes it on for tasks of this account alone (ECS guide, "Amazon ECS task IAM role", confused deputy).
    """
    role = iam.Role(stack, construct_id, description=description, assumed_by=tasks_of(stack))
    add_statements(role, statements, wildcards)
    return role


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


def tasks_of(stack: PlatformStack) -> iam.ServicePrincipal:
    """ECS, for the tasks of this account and region."""
    return iam.ServicePrincipal(
        "ecs-tasks.amazonaws.com",
        conditions={
            "StringEquals": {"aws:SourceAccount": stack.config.account},
            "ArnLike": {"aws:SourceArn": stack.format_arn(service="ecs", resource="*")},
        },
    )
