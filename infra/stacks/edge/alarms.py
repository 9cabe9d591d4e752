"""Alarms on the edge itself, to the pipeline's topic of alerts: devices' alerts are worth what this is worth."""

from collections.abc import Mapping

from aws_cdk import aws_cloudwatch as cloudwatch

from infra.stacks.alarming import add_alarm, metric
from infra.stacks.base import PlatformStack
from infra.stacks.edge.names import DELIVER, INVOKED, NOTIFY


def add_alarms(stack: PlatformStack, mapping_id: str) -> None:
    """Metrics and dimensions: AWS Lambda guide, "Types of metrics for Lambda functions"; SQS guide, "Available
    CloudWatch metrics for Amazon SQS".
    """
    config = stack.config
    handler = config.edge_function()

    def alarm(construct_id: str, why: str, watched: cloudwatch.IMetric, threshold: float, minutes: int = 1) -> None:
        add_alarm(stack, construct_id, why, watched, threshold, periods=minutes)

    alarm(
        "HandlerLags",
        "Records wait for over a minute before the edge sees them: alerts are late, and silence is not looked for",
        _lambda("IteratorAge", handler, "Maximum"),
        60_000,
        minutes=3,
    )
    alarm(
        "HandlerFails",
        "Batches fail; those that keep failing end in the failure bucket",
        _lambda("Errors", handler, "Sum"),
        1,
        minutes=3,
    )
    alarm(
        "HandlerThrottled",
        f"More shards than the handler's {config.edge_concurrency} places, or the account's concurrency is used up",
        _lambda("Throttles", handler, "Sum"),
        1,
        minutes=3,
    )
    mapping = {"EventSourceMappingUUID": mapping_id, "FunctionName": handler}
    alarm(
        "RecordsGivenUp",
        f"Records were given up: they are in the bucket {config.failure_bucket}, to be replayed",
        metric("AWS/Lambda", "OnFailureDestinationDeliveredEventCount", mapping, "Sum"),
        1,
    )
    alarm(
        "RecordsDropped",
        "Records were given up and are in no bucket: the raw zone of the lake still has them",
        metric("AWS/Lambda", "DroppedEventCount", mapping, "Sum"),
        1,
    )
    alarm(
        "DeliverFails",
        "A channel's letters cannot be read or noted; what waits is sent when it works again",
        _lambda("Errors", config.edge_function(DELIVER), "Sum"),
        1,
        minutes=3,
    )
    alarm(
        "ChannelLags",
        "A channel has not taken for 15 minutes what it was sent: the log of the function says which, and why",
        metric(config.metrics, "oldest_ms", {"function": DELIVER}, "Maximum"),
        900_000,
    )
    alarm(
        "ChannelsBroken",
        f"What was last written into {config.channels_secret} cannot be taken: the version before it is in force",
        metric(config.metrics, "channels_broken", {"function": NOTIFY}, "Maximum"),
        1,
        minutes=3,
    )
    for role in INVOKED:
        name = config.edge_function(role)
        alarm(
            f"{role.capitalize()}Fails", f"{name} fails again and again", _lambda("Errors", name, "Sum"), 1, minutes=3
        )
        add_alarm(
            stack,
            f"{role.capitalize()}DoesNotRun",
            f"{name} has not run for five minutes: its schedule is off, or it is throttled",
            _lambda("Invocations", name, "Sum"),
            1,
            periods=5,
            below=True,
            silence_is_bad=True,
        )
    for of, what in (("edge", "calls of the edge's functions failed for good"), ("alert", "an alert reached nobody")):
        queue = {"QueueName": config.dead_letters(of)}
        name = f"{of.capitalize()}DeadLetters"
        alarm(name, f"In {queue['QueueName']}: {what}", _sqs("ApproximateNumberOfMessagesVisible", queue), 1)
        alarm(
            f"{name}Age",
            f"Nobody has looked at {queue['QueueName']} for a day; SQS drops what is 14 days old",
            _sqs("ApproximateAgeOfOldestMessage", queue),
            86_400,
        )


def _lambda(name: str, function: str, statistic: str) -> cloudwatch.Metric:
    return metric("AWS/Lambda", name, {"FunctionName": function}, statistic)


def _sqs(name: str, dimensions: Mapping[str, str]) -> cloudwatch.Metric:
    return metric("AWS/SQS", name, dimensions, "Maximum")
