"""A role for each of Dagster's processes, and for the two kinds of runs that may do more."""

from dataclasses import dataclass

from aws_cdk import ArnFormat
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam

from infra.stacks.base import PlatformStack
from infra.stacks.orchestration.database import USER
from infra.stacks.orchestration.permissions import (
    building,
    looking,
    rebuilding,
    removing,
    replaying,
    watching,
)
from infra.stacks.parameters import read
from infra.stacks.principals import for_this_account
from infra.stacks.services.places import Places
from infra.stacks.services.task_roles import task_role
from infra.stacks.statements import Statements, add_managed_statements, add_statements, allow, listing, via
from iot_pipeline.contract import Contract

# As the image's dagster.yaml has it.
_PRINTED = "dagster/compute-logs/"
_WIDE = "Zones hold objects by hour, builds name tables and versions themselves, and AWS ends names with ids of its own"


@dataclass(frozen=True)
class Roles:
    """Each is its processes' alone."""

    code: iam.Role
    run: iam.Role
    removal: iam.Role
    replay: iam.Role
    webserver: iam.Role
    daemon: iam.Role
    watcher: iam.Role


def add_roles(stack: PlatformStack, places: Places, contract: Contract) -> Roles:
    """The roles, but for what the daemon needs to start runs, which are not there yet."""
    sign_in, printing, printed = _storage(stack), _printing(stack), _printed(stack)
    always = {**sign_in, **printing}

    def role(name: str, description: str, statements: Statements) -> iam.Role:
        return task_role(stack, f"{name}Role", description, statements, _WIDE)

    rebuilds = {**always, **rebuilding(places, contract)}
    removal = role("Removal", "Runs of retention and erasures: they remove", rebuilds)
    add_managed_statements(removal, "Removes", removing(places, contract), _WIDE)
    return Roles(
        code=role("Code", "Dagsters code location: its sensors look", {**always, **looking(places)}),
        run=role("Run", "A run of Dagsters: it builds", {**always, **building(places, contract)}),
        removal=removal,
        replay=role("Replay", "Runs that replay dead letters", {**always, **replaying(places)}),
        webserver=role("Webserver", "Dagsters webserver", {**sign_in, **printed}),
        daemon=role("Daemon", "Dagsters daemon", sign_in),
        watcher=role("Watcher", "The watcher of Dagsters daemon", {**sign_in, **watching(places)}),
    )


def allow_starting(stack: PlatformStack, roles: Roles, run: ecs.FargateTaskDefinition, log: str) -> None:
    """Let the daemon start runs and look after them, and the webserver end them at a person's word."""
    tasks = stack.format_arn(service="ecs", resource="task", resource_name=f"{stack.config.dagster_name}/*")
    family = stack.format_arn(service="ecs", resource="task-definition", resource_name=f"{run.family}:*")
    passed = [it.role_arn for it in (roles.run, roles.removal, roles.replay, run.obtain_execution_role())]
    following: Statements = {
        # ECS has no resources for reading definitions (service authorization reference, Amazon ECS).
        "Definition": allow(["*"], "ecs:DescribeTaskDefinition"),
        "Follow": allow([tasks], "ecs:DescribeTasks", "ecs:StopTask"),
    }
    starting: Statements = {
        "Start": iam.PolicyStatement(
            actions=["ecs:RunTask"],
            resources=[family],
            conditions={"ArnEquals": {"ecs:cluster": _cluster(stack)}},
        ),
        "Tag": iam.PolicyStatement(
            actions=["ecs:TagResource"],
            resources=[tasks],
            conditions={"StringEquals": {"ecs:CreateAction": "RunTask"}},
        ),
        "PassRoles": iam.PolicyStatement(
            actions=["iam:PassRole"],
            resources=passed,
            conditions={"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
        ),
        "LastWords": allow([log], "logs:GetLogEvents"),
    }
    for role, statements in ((roles.daemon, {**following, **starting}), (roles.webserver, following)):
        add_statements(role, statements, "Tasks and revisions have ids of ECS's making")


def allow_calling(stack: PlatformStack, task: ecs.FargateTaskDefinition) -> iam.Role:
    """The role by which EventBridge starts a scheduled task."""
    family = stack.format_arn(service="ecs", resource="task-definition", resource_name=f"{task.family}:*")
    role = iam.Role(stack, "ScheduleRole", assumed_by=for_this_account("events.amazonaws.com", stack.config))
    statements: Statements = {
        "Start": iam.PolicyStatement(
            actions=["ecs:RunTask"],
            resources=[family],
            conditions={"ArnEquals": {"ecs:cluster": _cluster(stack)}},
        ),
        "PassRoles": iam.PolicyStatement(
            actions=["iam:PassRole"],
            resources=[task.task_role.role_arn, task.obtain_execution_role().role_arn],
            conditions={"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
        ),
    }
    add_statements(role, statements, "Each deployment makes a revision")
    return role


def _cluster(stack: PlatformStack) -> str:
    return stack.format_arn(service="ecs", resource="cluster", resource_name=stack.config.dagster_name)


def _storage(stack: PlatformStack) -> Statements:
    """Signing in to Dagster's database (RDS guide, "Creating and using an IAM policy for IAM database access")."""
    cluster = read(stack, stack.config, "dagster-database-id")
    users = stack.format_arn(
        service="rds-db", resource="dbuser", resource_name=f"{cluster}/{USER}", arn_format=ArnFormat.COLON_RESOURCE_NAME
    )
    return {"Storage": allow([users], "rds-db:connect")}


def _printing(stack: PlatformStack) -> Statements:
    """Keeping what runs and sensors print. While they print, they look whether the last of it is there already: that it
    is not, S3 says to those alone who may list (S3 API reference, HeadObject, "Permissions").
    """
    return {
        "Print": allow([_printed_objects(stack)], "s3:PutObject", "s3:GetObject", "s3:AbortMultipartUpload"),
        "Find": listing(stack.config.bucket_arn(stack.config.compute_log_bucket), [_PRINTED]),
        "PrintKey": via(stack, "s3", [read(stack, stack.config, "dagster-key")], "kms:GenerateDataKey", "kms:Decrypt"),
    }


def _printed(stack: PlatformStack) -> Statements:
    """Showing what runs printed."""
    return {
        "Show": allow([_printed_objects(stack)], "s3:GetObject"),
        "Find": listing(stack.config.bucket_arn(stack.config.compute_log_bucket), [_PRINTED]),
        "PrintKey": via(stack, "s3", [read(stack, stack.config, "dagster-key")], "kms:Decrypt"),
    }


def _printed_objects(stack: PlatformStack) -> str:
    return f"{stack.config.bucket_arn(stack.config.compute_log_bucket)}/{_PRINTED}*"
