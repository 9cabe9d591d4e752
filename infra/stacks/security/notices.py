"""Which findings people are told of at once, by the pipeline's topic of alerts."""

from collections.abc import Mapping

from infra.stacks.base import PlatformStack
from infra.stacks.noticing import Notice, add_notices

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


def add_security_notices(stack: PlatformStack) -> None:
    """A rule of EventBridge for each guard that there is, and an alarm on a rule that cannot tell."""
    told = [notice for guard, notice in _notices(stack).items() if guard in stack.config.account_guards]
    if told:
        add_notices(stack, "security", told)


def _notices(stack: PlatformStack) -> Mapping[str, Notice]:
    """By the guard that finds."""
    return {
        # AWS hands these events to EventBridge only while a trail records them (EventBridge guide, "AWS service events
        # delivered via AWS CloudTrail").
        "management-events": Notice(
            "Tampering",
            "Somebody has made a call that blinds or destroys the platform",
            {"detail-type": ["AWS API Call via CloudTrail"], "detail": {"eventName": list(TAMPERING)}},
        ),
        "rules": Notice(
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
        "guardduty": Notice(
            "Threat",
            "GuardDuty has found something of medium or high severity",
            {
                "source": ["aws.guardduty"],
                "detail-type": ["GuardDuty Finding"],
                "detail": {"severity": [{"numeric": [">=", _MEDIUM]}]},
            },
        ),
        "analyzer": Notice(
            "OpenToOutsiders",
            "A policy lets somebody outside of the account in",
            {
                "source": ["aws.access-analyzer"],
                "detail-type": ["Access Analyzer Finding"],
                "detail": {"status": ["ACTIVE"]},
            },
        ),
    }
