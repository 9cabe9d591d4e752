"""Alarms on what pulls, to the topic of alerts: a vendor that fails, lags, or gives too little or nothing."""

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch

from infra.stacks.alarming import add_alarm, metric
from infra.stacks.base import PlatformStack
from infra.stacks.pull.pull_function import construct_name
from iot_pipeline.pull.vendor import Vendor

_HOUR = cdk.Duration.hours(1)
# A vendor's short outage wakes nobody: the next call goes on where it stopped.
_CALLS_IN_VAIN = 3
_LEAST_BEHIND_MS = 3_600_000


def add_pull_alarms(stack: PlatformStack, vendor: Vendor) -> None:
    """Metrics of the function's own (iot_pipeline/pull/scheduled_pull.py), and AWS Lambda guide, "Types of metrics for
    Lambda functions".
    """
    config, name = stack.config, construct_name(vendor)
    function, every = config.pull_function(vendor.name), cdk.Duration.minutes(vendor.every_minutes)
    longest_ms = max(each.window.length_ms for each in vendor.resources)

    def own(of: str, statistic: str, period: cdk.Duration) -> cloudwatch.IMetric:
        return metric(config.pull_metrics, of, {"function": f"pull-{vendor.name}"}, statistic, period)

    add_alarm(
        stack,
        f"{name}Stops",
        f"{vendor.name} does not answer as it should: the log of {function} says which resource, and why",
        own("failed", "Maximum", every),
        1,
        periods=_CALLS_IN_VAIN,
    )
    add_alarm(
        stack,
        f"{name}Behind",
        f"What {vendor.name} has measured waits too long: too much for the schedule, or the vendor fails",
        own("behind_ms", "Minimum", every),
        max(_LEAST_BEHIND_MS, 2 * longest_ms) + 2 * vendor.every_minutes * 60_000,
    )
    for of, why in (
        ("gaps", "gave another number of readings than it said; the log names the windows, to be back-filled"),
        ("unplaced", "gave readings of devices that its file does not name: they are quarantined, not_from_ingest"),
    ):
        add_alarm(stack, f"{name}{of.capitalize()}", f"{vendor.name} {why}", own(of, "Sum", every), 1)
    add_alarm(
        stack,
        f"{name}NoData",
        f"Of {vendor.name} nothing has come for hours, or {function} does not run",
        own("readings", "Sum", _HOUR),
        1,
        periods=min(24, 2 + 2 * -(-longest_ms // 3_600_000)),
        below=True,
        silence_is_bad=True,
    )
    add_alarm(
        stack,
        f"{name}Fails",
        f"{function} fails by itself: its log has the traceback, the queue of dead letters the call",
        metric("AWS/Lambda", "Errors", {"FunctionName": function}, "Sum", every),
        1,
    )


def add_queue_alarms(stack: PlatformStack) -> None:
    """SQS guide, "Available CloudWatch metrics for Amazon SQS"."""
    queue = {"QueueName": stack.config.dead_letters("pull")}
    add_alarm(
        stack,
        "DeadLettersFilled",
        f"In {queue['QueueName']}: calls of functions that pull failed for good",
        metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", queue, "Maximum"),
        1,
    )
    add_alarm(
        stack,
        "DeadLettersAge",
        f"Nobody has looked at {queue['QueueName']} for a day; SQS drops what is 14 days old",
        metric("AWS/SQS", "ApproximateAgeOfOldestMessage", queue, "Maximum"),
        86_400,
    )
