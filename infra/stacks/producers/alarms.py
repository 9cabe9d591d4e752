"""Alarms on the intake, to the pipeline's topic of alerts."""

import aws_cdk as cdk

from infra.stacks.alarming import MINUTE, add_alarm, metric
from infra.stacks.base import PlatformStack

# A producer that keeps sending what is refused is told of once an hour, and not once a minute.
_HOUR = cdk.Duration.hours(1)


def add_alarms(stack: PlatformStack) -> None:
    """Of the function. Metrics: AWS Lambda guide, "Types of metrics for Lambda functions"; the intake's own."""
    config = stack.config
    function = {"FunctionName": config.intake_function}
    alarms = (
        ("IntakeLags", "Producers' records wait for over a minute", "IteratorAge", "Maximum", 60_000),
        ("IntakeFails", "Batches of producers' records fail; see the log of the function", "Errors", "Sum", 1),
        ("IntakeThrottled", "The account's concurrency is used up", "Throttles", "Sum", 1),
    )
    for construct_id, why, name, statistic, threshold in alarms:
        add_alarm(
            stack, construct_id, why, metric("AWS/Lambda", name, function, statistic, MINUTE), threshold, periods=3
        )
    of = {"function": "intake"}
    for name, what in (
        ("refused", f"Records were refused: s3://{config.intake_bucket}/refused/ has them, with the reason"),
        ("unreadable", "Payloads could not be decoded: they are in quarantine as malformed_json; the log says why"),
    ):
        watched = metric(config.intake_metrics, name, of, "Sum", _HOUR)
        add_alarm(stack, f"Intake{name.capitalize()}", what, watched, 1)


def add_stream_alarms(stack: PlatformStack, construct_id: str, stream: str, mapping: str) -> None:
    """Of a producer's stream and its mapping. Kinesis guide, "Monitor the Amazon Kinesis Data Streams service with
    Amazon CloudWatch"; AWS Lambda guide, "Event source mapping metrics".
    """
    config = stack.config
    throttled = metric("AWS/Kinesis", "WriteProvisionedThroughputExceeded", {"StreamName": stream}, "Sum", MINUTE)
    why = f"The producer sends more than the shards of {construct_id} take; it waits and repeats: give it more shards"
    add_alarm(stack, f"{construct_id}Throttled", why, throttled, 1, periods=15)
    of = {"EventSourceMappingUUID": mapping, "FunctionName": config.intake_function}
    for name, what in (
        ("OnFailureDestinationDeliveredEventCount", f"Records were given up: they are in {config.intake_bucket}"),
        ("DroppedEventCount", "Records were given up and are in no bucket: the producer has to send them again"),
    ):
        watched = metric("AWS/Lambda", name, of, "Sum", MINUTE)
        short = "GivenUp" if name.startswith("On") else "Dropped"
        add_alarm(stack, f"{construct_id}{short}", what, watched, 1)
