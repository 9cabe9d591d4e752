"""How a service is replaced, and how many tasks it has."""

import aws_cdk as cdk
from aws_cdk import aws_ecs as ecs

from infra.stacks.base import PlatformStack

# A service that cannot start a task is set back to what ran before, and the deployment fails (ECS guide, "How the
# Amazon ECS deployment circuit breaker detects failures"). For rolling updates only.
BREAKER = ecs.DeploymentCircuitBreaker(rollback=True)


def scale(service: ecs.FargateService, stack: PlatformStack) -> None:
    """More tasks where the processors of those there are have been busy for minutes, up to the configured number."""
    tasks = service.auto_scale_task_count(
        min_capacity=stack.config.service_tasks, max_capacity=stack.config.service_max_tasks
    )
    tasks.scale_on_cpu_utilization(
        "Busy",
        target_utilization_percent=60,
        scale_in_cooldown=cdk.Duration.minutes(10),
        scale_out_cooldown=cdk.Duration.minutes(1),
    )
