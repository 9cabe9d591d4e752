"""What the load balancer sends where: each service has a host, and adds its own rule."""

from collections.abc import Callable

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elb

from infra.stacks.base import PlatformStack
from infra.stacks.parameters import read

CONSOLE_PRIORITY, DAGSTER_PRIORITY = 10, 20
# Requests under way when a task is replaced have so long; a stream of events is begun anew by its page.
_DRAINING = cdk.Duration.seconds(30)


def route(
    stack: PlatformStack,
    service: str,
    priority: int,
    port: int,
    health: str,
    before: Callable[[elb.ListenerAction], elb.ListenerAction] = lambda forward: forward,
) -> elb.ApplicationTargetGroup:
    """Send a service's host to a new group of targets, by way of `before`. The group, to which tasks are added."""
    config = stack.config
    vpc = ec2.Vpc.from_vpc_attributes(
        stack,
        f"{service.capitalize()}Vpc",
        vpc_id=read(stack, config, "vpc"),
        availability_zones=config.availability_zones,
    )
    group = elb.ApplicationTargetGroup(
        stack,
        f"{service.capitalize()}Targets",
        vpc=vpc,
        port=port,
        protocol=elb.ApplicationProtocol.HTTP,
        target_type=elb.TargetType.IP,
        deregistration_delay=_DRAINING,
        health_check=elb.HealthCheck(
            path=health,
            interval=cdk.Duration.seconds(15),
            timeout=cdk.Duration.seconds(10),
            healthy_threshold_count=2,
            unhealthy_threshold_count=4,
        ),
    )
    listener = elb.ApplicationListener.from_application_listener_attributes(
        stack,
        "Listener",
        listener_arn=read(stack, config, "entrance-listener"),
        # Who reaches whom is the network's; nothing asks for the id.
        security_group=ec2.SecurityGroup.from_security_group_id(
            stack, "EntranceAccess", config.stack("Entrance"), mutable=False
        ),
    )
    elb.ApplicationListenerRule(
        stack,
        f"{service.capitalize()}Host",
        listener=listener,
        priority=priority,
        conditions=[elb.ListenerCondition.host_headers([config.host(service)])],
        action=before(elb.ListenerAction.forward([group])),
    )
    return group
