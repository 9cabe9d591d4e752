"""The watcher of Dagster's daemon, which lives outside of it: a task that EventBridge starts."""

import aws_cdk as cdk
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sqs as sqs

from infra.stacks.dead_letters import uncalled
from infra.stacks.orchestration.roles import allow_calling
from infra.stacks.orchestration.serving import Serving

# Fargate bills a minute at least, so that looking each minute costs as much as a task that never ends. Dagster's sensor
# misses a watcher that has not looked for five (docs/pipeline-alerts.md, `dead_watcher`).
EVERY = cdk.Duration.minutes(2)


def add_watcher(serving: Serving, definition: ecs.FargateTaskDefinition) -> None:
    """Looks once each time. One that cannot be started is missed by the sensor; the queue keeps the reason."""
    stack = serving.stack
    name = f"{stack.config.dagster_name}-watch"
    dead = uncalled(stack, "watch", [name])
    rule = events.Rule(
        stack,
        "Watch",
        rule_name=name,
        description="Looks from outside whether Dagster's daemon lives",
        schedule=events.Schedule.rate(EVERY),
    )
    rule.add_target(
        targets.EcsTask(
            cluster=serving.cluster,
            task_definition=definition,
            # As it is: the target would add what it takes for needed.
            role=allow_calling(stack, definition).without_policy_updates(),
            subnet_selection=serving.subnets,
            security_groups=[serving.group],
            assign_public_ip=False,
            max_event_age=EVERY,
            retry_attempts=0,
            # By its ARN: otherwise the target would write a policy of its own, without the account.
            dead_letter_queue=sqs.Queue.from_queue_arn(stack, "Uncalled", dead.queue_arn),
            propagate_tags=ecs.PropagatedTagSource.TASK_DEFINITION,
        )
    )
