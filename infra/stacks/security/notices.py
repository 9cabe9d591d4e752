"""Which findings people are told of at once, by the pipeline's topic of alerts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events

from infra.stacks.alarming import MINUTE, add_alarm, metric
from infra.stacks.base import PlatformStack
from infra.stacks.dead_letters import uncalled
from infra.stacks.parameters import read

# Below 4 GuardDuty calls a finding low (GuardDuty guide, "Severity levels of GuardDuty findings").
_MEDIUM = 4
# Calls that no deployment of this platform makes, and that would blind or destroy it.
TAMPERING = (
    "StopLogging",
    "DeleteTrail",
    "ScheduleKeyDeletion",
    "DisableKey",
    "DeleteDetector",
    "StopConfigurationRecorder",
    "DeleteBucketPublicAccessBlock",
)


@dataclass(frozen=True)
class _Notice:
    """What a guard tells: the construct's id, what people read, and the events."""

    construct_id: str
    what: str
    pattern: Mapping[str, Any]


def add_notices(stack: PlatformStack) -> None:
    """A rule of EventBridge for each guard that there is, and an alarm on a rule that cannot tell."""
    told = [notice for guard, notice in _notices(stack).items() if guard in stack.config.account_guards]
    if told:
        dead = uncalled(stack, "security", [_name(stack, notice) for notice in told])
        for notice in told:
            _tell(stack, notice, dead.queue_arn)


def _notices(stack: PlatformStack) -> Mapping[str, _Notice]:
    """By the guard that finds."""
    return {
        # AWS hands these events to EventBridge only while a trail records them (EventBridge guide, "AWS service events
        # delivered via AWS CloudTrail").
        "management-events": _Notice(
            "Tampering",
            "Somebody has made a call that blinds or destroys the platform",
            {"detail-type": ["AWS API Call via CloudTrail"], "detail": {"eventName": list(TAMPERING)}},
        ),
        "rules": _Notice(
            "RuleBroken",
            "A resource breaks a rule of AWS Config",
            {
                "source": ["aws.config"],
                "detail-type": ["Config Rules Compliance Change"],
                "detail": {
                    "messageType": ["ComplianceChangeNotification"],
                    "newEvaluationResult": {"complianceType": ["NON_COMPLIANT"]},
                    "configRuleName": [{"prefix": f"{stack.config.name}-"}],
                },
            },
        ),
        "guardduty": _Notice(
            "Threat",
            "GuardDuty has found something of medium or high severity",
            {
                "source": ["aws.guardduty"],
                "detail-type": ["GuardDuty Finding"],
                "detail": {"severity": [{"numeric": [">=", _MEDIUM]}]},
            },
        ),
        "analyzer": _Notice(
            "OpenToOutsiders",
            "A policy lets somebody outside of the account in",
            {
                "source": ["aws.access-analyzer"],
                "detail-type": ["Access Analyzer Finding"],
                "detail": {"status": ["ACTIVE"]},
            },
        ),
    }


def _name(stack: PlatformStack, notice: _Notice) -> str:
    return f"{stack.config.name}-{notice.construct_id.lower()}"


def _tell(stack: PlatformStack, notice: _Notice, dead_letters: str) -> None:
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
        f"{notice.what}, and EventBridge could not tell the topic of alerts: {stack.config.dead_letters('security')}",
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
        label="findings that nobody was told of",
        period=MINUTE,
    )
