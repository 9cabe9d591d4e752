"""Which findings people are told of at once, by the pipeline's topic of alerts."""

from collections.abc import Mapping
from typing import Any

from aws_cdk import aws_events as events

from infra.stacks.alarming import add_alarm, metric
from infra.stacks.base import PlatformStack
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


def add_notices(stack: PlatformStack) -> None:
    """A rule of EventBridge for each guard that there is, and an alarm on a rule that cannot tell."""
    chosen = stack.config.account_guards
    if "management-events" in chosen:
        # AWS hands these events to EventBridge only while a trail records them (EventBridge guide, "AWS service events
        # delivered via AWS CloudTrail").
        _notice(
            stack,
            "Tampering",
            "Somebody has made a call that blinds or destroys the platform",
            {"detail-type": ["AWS API Call via CloudTrail"], "detail": {"eventName": list(TAMPERING)}},
        )
    if "rules" in chosen:
        detail = {"messageType": ["ComplianceChangeNotification"], "newEvaluationResult": _not_compliant()}
        detail["configRuleName"] = [{"prefix": f"{stack.config.name}-"}]
        _notice(
            stack,
            "RuleBroken",
            "A resource breaks a rule of AWS Config",
            {"source": ["aws.config"], "detail-type": ["Config Rules Compliance Change"], "detail": detail},
        )
    if "guardduty" in chosen:
        severe = {"severity": [{"numeric": [">=", _MEDIUM]}]}
        _notice(
            stack,
            "Threat",
            "GuardDuty has found something of medium or high severity",
            {"source": ["aws.guardduty"], "detail-type": ["GuardDuty Finding"], "detail": severe},
        )
    if "analyzer" in chosen:
        active = {"status": ["ACTIVE"]}
        _notice(
            stack,
            "OpenToOutsiders",
            "A policy lets somebody outside of the account in",
            {"source": ["aws.access-analyzer"], "detail-type": ["Access Analyzer Finding"], "detail": active},
        )


def _not_compliant() -> Any:
    return {"complianceType": ["NON_COMPLIANT"]}


def _notice(stack: PlatformStack, construct_id: str, what: str, pattern: Mapping[str, Any]) -> None:
    """Topic and key let EventBridge in (infra/stacks/lake/alerts.py); were that not enough, the alarm would say so."""
    name = f"{stack.config.name}-{construct_id.lower()}"
    events.CfnRule(
        stack,
        construct_id,
        name=name,
        description=what,
        event_pattern=pattern,
        state="ENABLED",
        targets=[events.CfnRule.TargetProperty(id="alerts", arn=read(stack, stack.config, "alerts-topic"))],
    )
    # EventBridge guide, "Monitoring Amazon EventBridge": FailedInvocations by RuleName.
    failed = metric("AWS/Events", "FailedInvocations", {"RuleName": name}, "Sum")
    add_alarm(stack, f"{construct_id}Untold", f"{what}, and EventBridge could not tell the topic of alerts", failed, 1)
