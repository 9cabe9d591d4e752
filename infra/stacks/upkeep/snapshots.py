"""A snapshot of the warehouse each night."""

import json

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler

from infra.stacks.alarming import add_alarm, metric
from infra.stacks.base import PlatformStack
from infra.stacks.nag import accept_wildcards
from infra.stacks.principals import for_this_account


def add_snapshots(stack: PlatformStack) -> None:
    """A schedule that calls CreateSnapshot itself, since CloudFormation's resource is one snapshot, not one a night.

    Redshift Serverless keeps recovery points for a day by itself (Redshift guide, "Snapshots and recovery points"); a
    snapshot is kept as long as it says. The universal target: EventBridge Scheduler guide, "Using universal targets".
    """
    config = stack.config
    name = f"{config.name}-warehouse-snapshots"
    group = scheduler.CfnScheduleGroup(stack, "Schedules", name=name)
    role = _role(stack)
    schedule = scheduler.CfnSchedule(
        stack,
        "Snapshots",
        name=name,
        group_name=group.ref,
        description=f"Takes a snapshot of the warehouse, which is kept for {config.warehouse_snapshot_days} days",
        schedule_expression="cron(15 4 * * ? *)",
        schedule_expression_timezone="UTC",
        flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
        target=scheduler.CfnSchedule.TargetProperty(
            arn=f"arn:{stack.partition}:scheduler:::aws-sdk:redshiftserverless:createSnapshot",
            role_arn=role.role_arn,
            input=json.dumps(
                {
                    "NamespaceName": config.name,
                    "SnapshotName": f"{config.name}-<aws.scheduler.execution-id>",
                    "RetentionPeriod": config.warehouse_snapshot_days,
                }
            ),
            retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                maximum_event_age_in_seconds=3600, maximum_retry_attempts=5
            ),
        ),
    )
    schedule.node.add_dependency(role.node.find_child("DefaultPolicy"))
    # EventBridge Scheduler guide, "Monitoring Amazon EventBridge Scheduler with Amazon CloudWatch".
    failed = metric("AWS/Scheduler", "InvocationDroppedCount", {"ScheduleGroup": name}, "Sum", cdk.Duration.minutes(5))
    add_alarm(
        stack, "SnapshotFails", "The night's snapshot of the warehouse could not be taken, nor on retries", failed, 1
    )


def _role(stack: PlatformStack) -> iam.Role:
    role = iam.Role(
        stack,
        "SnapshotRole",
        assumed_by=for_this_account("scheduler.amazonaws.com", stack.config),
    )
    resources = [
        stack.format_arn(service="redshift-serverless", resource=kind, resource_name="*")
        for kind in ("namespace", "snapshot")
    ]
    role.add_to_policy(
        iam.PolicyStatement(sid="Snapshot", actions=["redshift-serverless:CreateSnapshot"], resources=resources)
    )
    accept_wildcards(role, resources, "Namespaces and snapshots have ids of AWS's making in their ARNs")
    return role
