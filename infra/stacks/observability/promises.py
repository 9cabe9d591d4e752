"""The promises of docs/observability.md that CloudWatch can see, each with its metric and the point at which it breaks.

Metrics and dimensions are those of the services' guides: AWS IoT developer guide, "AWS IoT metrics and dimensions";
Firehose guide, "Monitor Amazon Data Firehose with CloudWatch metrics"; SQS guide, "Available CloudWatch metrics for
Amazon SQS"; Kinesis guide, "Monitor the Amazon Kinesis Data Streams service with Amazon CloudWatch".
"""

from collections.abc import Iterator
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch

from infra.stacks.alarming import MINUTE, metric
from infra.stacks.base import PlatformStack
from infra.stacks.config import PlatformConfig
from infra.stacks.parameters import read

_FIVE_MINUTES = cdk.Duration.minutes(5)
# Beyond the time for which Firehose waits for a buffer to fill: it writes, and tries again where S3 does not answer.
_DELIVERY_SECONDS = 300
# Dagster's sensor asks every ten seconds, and a restart of its daemon takes minutes.
_DRAINED_SECONDS = 900
_A_DAY_SECONDS = 86_400


@dataclass(frozen=True)
class Promise:
    """What holds as long as the metric stays under the threshold (with `below`, at or above it).

    `name` is the alarm's in its stack, `broken` what its reader is told.
    """

    name: str
    broken: str
    metric: cloudwatch.IMetric
    threshold: float
    periods: int = 1
    below: bool = False
    silence_is_bad: bool = False


def of_ingestion(stack: PlatformStack) -> Iterator[Promise]:
    """From the broker to the lake: no message is lost, and each is in the lake after minutes."""
    config = stack.config
    yield from _of_rules(config)
    yield from _of_rule_errors(stack)
    stream = {"StreamName": read(stack, config, "stream")}
    yield Promise(
        "StreamRefuses",
        "The stream has refused records for five minutes; the rules put them aside in the queue of their errors",
        metric("AWS/Kinesis", "WriteProvisionedThroughputExceeded", stream, "Sum"),
        1,
        periods=5,
    )
    yield Promise(
        "NothingArrives",
        "Not one record in 15 minutes, though the canary sends: broker, rules or stream are out of order",
        metric("AWS/Kinesis", "IncomingRecords", stream, "Sum", _FIVE_MINUTES),
        1,
        periods=3,
        below=True,
        silence_is_bad=True,
    )
    delivery = {"DeliveryStreamName": read(stack, config, "delivery-stream")}
    yield Promise(
        "DeliveryLags",
        f"Firehose holds records that are over {config.firehose_interval_seconds + _DELIVERY_SECONDS} s old: the lake "
        "is behind",
        metric("AWS/Firehose", "DeliveryToS3.DataFreshness", delivery, "Maximum"),
        config.firehose_interval_seconds + _DELIVERY_SECONDS,
        periods=3,
    )
    yield Promise(
        "DeliveryFails",
        "S3 takes not all that Firehose delivers; what it gives up on lies under failed-delivery/",
        metric("AWS/Firehose", "DeliveryToS3.Success", delivery, "Average", _FIVE_MINUTES),
        1,
        periods=3,
        below=True,
    )


def of_orchestration(stack: PlatformStack) -> Iterator[Promise]:
    """What Dagster cannot say itself when it stands still: nobody fetches what S3 tells of."""
    raw = _queue(stack, "raw-queue-arn")
    yield Promise(
        "RawNotDrained",
        f"Notifications of raw objects wait for over {_DRAINED_SECONDS // 60} minutes: Dagster's daemon or its sensor "
        "raw_objects stands still, and nothing new reaches the lake's tables",
        metric("AWS/SQS", "ApproximateAgeOfOldestMessage", raw, "Maximum", _FIVE_MINUTES),
        _DRAINED_SECONDS,
    )
    dead = _queue(stack, "raw-dead-letters-arn")
    yield Promise(
        "RawUnreadable",
        "Notifications of raw objects could not be read: build the ledger of the hours that they name",
        metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", dead, "Maximum", _FIVE_MINUTES),
        1,
    )


def of_services(config: PlatformConfig) -> Iterator[Promise]:
    """Every service of Dagster's cluster and of the console's, whatever it is called, has a task that runs.

    A query of CloudWatch Metrics Insights over what Container Insights writes (CloudWatch guide, "Amazon ECS Container
    Insights metrics"). Without a domain there is no console.
    """
    yield _runs("ServiceDown", config.dagster_name)
    if config.domain:
        yield _runs("ConsoleDown", config.console_cluster)


def _runs(name: str, cluster: str) -> Promise:
    running = cloudwatch.MathExpression(
        expression=(
            'SELECT MIN(RunningTaskCount) FROM SCHEMA("ECS/ContainerInsights", ClusterName, ServiceName) '
            f"WHERE ClusterName = '{cluster}'"
        ),
        label="fewest tasks of a service",
        period=MINUTE,
        using_metrics={},
    )
    return Promise(
        name,
        f"A service of the cluster {cluster} has had no task for ten minutes, or the cluster tells nothing",
        running,
        1,
        periods=10,
        below=True,
        silence_is_bad=True,
    )


def of_canary(config: PlatformConfig) -> Iterator[Promise]:
    """What a device sends is in the live state within seconds, whether or not any customer's device sends."""
    own, every = {"function": "canary"}, cdk.Duration.minutes(config.canary_minutes)
    yield Promise(
        "CanaryLost",
        "Three messages of the canary in a row did not reach the live state in time, or the canary does not run",
        metric(config.metrics, "arrived", own, "Minimum", every),
        1,
        periods=3,
        below=True,
        silence_is_bad=True,
    )
    yield Promise(
        "CanarySlow",
        "The canary's messages take over 5 s to the live state, the promise of docs/edge-latency.md",
        metric(config.metrics, "arrival_ms", own, "Average", cdk.Duration.minutes(15)),
        5_000,
    )


def _of_rules(config: PlatformConfig) -> Iterator[Promise]:
    rules = {"Rule": config.name, "MalformedRule": f"{config.name}_malformed"}
    for name, rule in rules.items():
        # By a query, since these metrics also have the kind of the action as a dimension.
        lost = cloudwatch.MathExpression(
            expression=f"SELECT SUM(ErrorActionFailure) FROM \"AWS/IoT\" WHERE RuleName = '{rule}'",
            label="messages lost",
            period=MINUTE,
            using_metrics={},
        )
        yield Promise(
            f"{name}Loses", f"The rule {rule} could neither deliver a message nor put it aside: it is lost", lost, 1
        )
        yield Promise(
            f"{name}Throttled",
            f"AWS IoT ignores messages for the rule {rule}, for there are too many",
            metric("AWS/IoT", "RuleMessageThrottled", {"RuleName": rule}, "Sum"),
            1,
        )


def _of_rule_errors(stack: PlatformStack) -> Iterator[Promise]:
    errors = _queue(stack, "rule-errors-arn")
    yield Promise(
        "RuleErrors",
        "Messages that a rule could not deliver wait to be replayed: python -m iot_pipeline.edge dead-letters",
        metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", errors, "Maximum", _FIVE_MINUTES),
        1,
    )
    yield Promise(
        "RuleErrorsAge",
        "Nobody has looked at what rules could not deliver for a day; SQS drops what is 14 days old",
        metric("AWS/SQS", "ApproximateAgeOfOldestMessage", errors, "Maximum", _FIVE_MINUTES),
        _A_DAY_SECONDS,
    )


def _queue(stack: PlatformStack, parameter: str) -> dict[str, str]:
    """The dimensions of a queue whose ARN is published: its name stands last in that."""
    return {"QueueName": cdk.Fn.select(5, cdk.Fn.split(":", read(stack, stack.config, parameter)))}
