"""The roles of tasks on ECS."""

from aws_cdk import aws_iam as iam

from infra.stacks.base import PlatformStack
from infra.stacks.statements import Statements, add_statements


def task_role(
    stack: PlatformStack, construct_id: str, description: str, statements: Statements, wildcards: str
) -> iam.Role:
    """The role of a task's own process. `wildcards` is the reason why resources end in `*`, where some do.

    ECS takes it on for tasks of this account alone (ECS guide, "Amazon ECS task IAM role", confused deputy).
    """
    role = iam.Role(stack, construct_id, description=description, assumed_by=tasks_of(stack))
    add_statements(role, statements, wildcards)
    return role


def tasks_of(stack: PlatformStack) -> iam.ServicePrincipal:
    """ECS, for the tasks of this account and region."""
    return iam.ServicePrincipal(
        "ecs-tasks.amazonaws.com",
        conditions={
            "StringEquals": {"aws:SourceAccount": stack.config.account},
            "ArnLike": {"aws:SourceArn": stack.format_arn(service="ecs", resource="*")},
        },
    )
