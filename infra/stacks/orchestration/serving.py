"""The services that always run: the code location, changed blue to green; webserver and daemon, which roll."""

from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_logs as logs

from infra.stacks.alarming import add_alarm
from infra.stacks.base import PlatformStack
from infra.stacks.nag import accept
from infra.stacks.services.ports import CODE_PORT
from infra.stacks.services.processes import CODE
from infra.stacks.services.releases import BREAKER, scale
from infra.stacks.services.tasks import Tasks

# What Dagster's code server says when it cannot load the code, as it then ends: code that raises, a module that is not
# there.
CANNOT_LOAD = ("DagsterUserCodeLoadError", "DagsterImportError")
_BAKE = cdk.Duration.minutes(5)


@dataclass(frozen=True)
class Serving:
    """Where the services run."""

    stack: PlatformStack
    cluster: ecs.Cluster
    subnets: ec2.SubnetSelection
    group: ec2.ISecurityGroup


def add_code_location(serving: Serving, definition: ecs.FargateTaskDefinition, tasks: Tasks) -> ecs.FargateService:
    """A new release is started beside the one that serves; when its tasks are healthy, all calls go to them at once,
    and for five minutes back again if the alarm goes off (ECS guide, "Amazon ECS blue/green deployments").

    The name `code` is Service Connect's, whose proxies would end a call after 15 seconds (ECS API,
    ServiceConnectServiceResource); a sensor may take a minute.
    """
    stack = serving.stack
    alarm = _cannot_load(stack, tasks.logs[CODE.name])
    service = ecs.FargateService(
        stack,
        "CodeService",
        service_name=CODE.name,
        cluster=serving.cluster,
        task_definition=definition,
        desired_count=stack.config.service_tasks,
        vpc_subnets=serving.subnets,
        security_groups=[serving.group],
        deployment_strategy=ecs.DeploymentStrategy.BLUE_GREEN,
        bake_time=_BAKE,
        deployment_alarms=ecs.DeploymentAlarmConfig(
            alarm_names=[alarm.alarm_name], behavior=ecs.AlarmBehavior.ROLLBACK_ON_ALARM
        ),
        min_healthy_percent=100,
        max_healthy_percent=200,
        service_connect_configuration=ecs.ServiceConnectProps(
            services=[
                ecs.ServiceConnectService(
                    port_mapping_name=CODE.name,
                    dns_name=CODE.name,
                    port=CODE_PORT,
                    per_request_timeout=cdk.Duration.seconds(0),
                )
            ]
        ),
        propagate_tags=ecs.PropagatedTagSource.SERVICE,
    )
    accept(
        service,
        "Annotation::@aws-cdk/aws-ecs:shouldUseCircuitBreaker",
        "The breaker is for rolling updates only; the alarm sets a blue/green deployment back",
    )
    return service


def add_webserver(serving: Serving, definition: ecs.FargateTaskDefinition) -> ecs.FargateService:
    """As many webservers as are busy; each answers for itself, and all know what the database does."""
    service = _rolling(serving, "WebserverService", definition, serving.stack.config.service_tasks)
    scale(service, serving.stack)
    return service


def add_daemon(serving: Serving, definition: ecs.FargateTaskDefinition) -> ecs.FargateService:
    """One and never two, which would run a job twice: the old one is gone before the new one starts."""
    return _rolling(serving, "DaemonService", definition, 1, min_healthy=0, max_healthy=100)


def _rolling(
    serving: Serving,
    construct_id: str,
    definition: ecs.FargateTaskDefinition,
    count: int,
    *,
    min_healthy: int = 100,
    max_healthy: int = 200,
) -> ecs.FargateService:
    return ecs.FargateService(
        serving.stack,
        construct_id,
        cluster=serving.cluster,
        task_definition=definition,
        desired_count=count,
        vpc_subnets=serving.subnets,
        security_groups=[serving.group],
        circuit_breaker=BREAKER,
        min_healthy_percent=min_healthy,
        max_healthy_percent=max_healthy,
        # To find the code location; it offers nothing itself.
        service_connect_configuration=ecs.ServiceConnectProps(),
        propagate_tags=ecs.PropagatedTagSource.SERVICE,
    )


def _cannot_load(stack: PlatformStack, log: logs.LogGroup) -> cloudwatch.Alarm:
    """Goes off in the minute in which a code server cannot load the code."""
    metric = log.add_metric_filter(
        "CannotLoad",
        filter_pattern=logs.FilterPattern.any_term(*CANNOT_LOAD),
        metric_namespace=stack.config.dagster_metrics,
        metric_name="CodeCannotLoad",
        metric_value="1",
    ).metric(period=cdk.Duration.minutes(1), statistic="Sum")
    return add_alarm(
        stack,
        "CodeCannotLoad",
        "A code location of Dagster's cannot load its code; a deployment is rolled back",
        metric,
        1,
        # The deployment knows its alarm by this name.
        name=f"{stack.config.dagster_name}-cannot-load",
    )
