"""Events that people are told of at once, by the pipeline's topic of alerts, and an alarm on what could not be told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events

from infra.stacks.alarming import MINUTE, add_alarm, metric
from infra.stacks.base import PlatformStack
from infra.stacks.dead_letters import uncalled
from infra.stacks.parameters import read


@dataclass(frozen=True)
class Notice:
    """What is told: the construct's id, what people read, and the events."""

    construct_id: str
    what: str
    pattern: Mapping[str, Any]


def add_notices(stack: PlatformStack, of: str, notices: Sequence[Notice]) -> None:
    """A rule of EventBridge for each, and an alarm on a rule that cannot tell; `of` names their dead letters."""
    dead = uncalled(stack, of, [_name(stack, notice) for notice in notices])
    for notice in notices:
        _tell(stack, notice, of, dead.queue_arn)


def _name(stack: PlatformStack, notice: Notice) -> str:
    return f"{stack.config.name}-{notice.construct_id.lower()}"


def _tell(stack: PlatformStack, notice: Notice, of: str, dead_letters: str) -> None:
    """Topic and key let EventBridge in (infra/stacks/lake/alerts.py); were that not enough, the alarm would say so."""
    name = _name(stack, notice)
    events.CfnRule(
        stack,
        notice.construct_id,
        name=name,
        description=notice.what,
        event_pattern=notice.pattern,
        state="ENABLED",
        targets=[
            events.CfnRule.TargetProperty(
                id="alerts",
                arn=read(stack, stack.config, "alerts-topic"),
                dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=dead_letters),
            )
        ],
    )
    add_alarm(
        stack,
        f"{notice.construct_id}Untold",
        f"{notice.what}, and EventBridge could not tell the topic of alerts: {stack.config.dead_letters(of)}",
        _untold(name),
        1,
    )


def _untold(rule: str) -> cloudwatch.MathExpression:
    """What a rule has given up, whether it was set aside or lost (EventBridge guide, "Monitoring Amazon EventBridge").

    The guide does not say that what is set aside counts as failed; a metric is there only while it is not zero.
    """
    names = {"failed": "FailedInvocations", "kept": "InvocationsSentToDlq", "lost": "InvocationsFailedToBeSentToDlq"}
    return cloudwatch.MathExpression(
        expression=" + ".join(f"FILL({it}, 0)" for it in names),
        using_metrics={
            it: metric("AWS/Events", metric_name, {"RuleName": rule}, "Sum") for it, metric_name in names.items()
        },
        label="events that nobody was told of",
        period=MINUTE,
    )
