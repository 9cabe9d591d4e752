"""Functions that the clock calls."""

from dataclasses import dataclass

from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_

from infra.stacks.base import PlatformStack


@dataclass(frozen=True)
class Scheduled:
    """A function and the rule that calls it: its role, which ids are made of; the rule's name; what people read."""

    role: str
    rule: str
    description: str
    function: lambda_.Function
    retries: int


def add_schedule(stack: PlatformStack, called: Scheduled, minutes: int, dead_letters: str) -> None:
    """Call a function each so many minutes, by a rule that can be paused alone; `dead_letters` is a queue's ARN.

    A call is tried again within a minute and no longer: then the next does the same.
    """
    rule = events.CfnRule(
        stack,
        f"{called.role.capitalize()}Schedule",
        name=called.rule,
        description=called.description,
        schedule_expression="rate(1 minute)" if minutes == 1 else f"rate({minutes} minutes)",
        state="ENABLED",
        targets=[
            events.CfnRule.TargetProperty(
                id=called.role,
                arn=called.function.function_arn,
                dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=dead_letters),
                retry_policy=events.CfnRule.RetryPolicyProperty(
                    maximum_event_age_in_seconds=60, maximum_retry_attempts=called.retries
                ),
            )
        ],
    )
    called.function.add_permission(
        "Schedule",
        principal=iam.ServicePrincipal("events.amazonaws.com"),
        source_arn=rule.attr_arn,
        source_account=stack.config.account,
    )
