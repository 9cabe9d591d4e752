"""What the edge's functions work on: known by name, or read from what other stacks have published."""

from collections.abc import Mapping
from dataclasses import dataclass

from infra.stacks.base import PlatformStack
from infra.stacks.config import FUTURE_VARIABLE, LATENESS_VARIABLE
from infra.stacks.edge.names import DELIVER, NOTIFY, SEVERITIES
from infra.stacks.parameters import read


@dataclass(frozen=True)
class Places:
    """ARNs, but for the stream's name and the environment by which the functions are told of all this."""

    stream_name: str
    stream: str
    state: str
    alerts: str
    topics: Mapping[str, str]
    notify: str
    deliver: str
    dead_letters: str
    alert_dead_letters: str
    channels: str
    failures: str
    edge_key: str
    lake_key: str
    alerts_key: str
    environment: Mapping[str, str]


def places(stack: PlatformStack) -> Places:
    """The places of the stack's environment."""
    config = stack.config

    def arn(service: str, resource: str, name: str | None = None) -> str:
        return stack.format_arn(service=service, resource=resource, resource_name=name)

    stream = read(stack, config, "stream")
    topics = {severity: arn("sns", config.alert_topic(severity)) for severity in SEVERITIES}
    return Places(
        stream_name=stream,
        stream=arn("kinesis", "stream", stream),
        state=arn("dynamodb", "table", config.device_state_table),
        alerts=arn("dynamodb", "table", config.alerts_table),
        topics=topics,
        notify=f"{arn('lambda', 'function')}:{config.edge_function(NOTIFY)}",
        deliver=f"{arn('lambda', 'function')}:{config.edge_function(DELIVER)}",
        dead_letters=arn("sqs", config.dead_letters("edge")),
        alert_dead_letters=arn("sqs", config.dead_letters("alert")),
        # Secrets Manager puts six characters behind the name (its guide, "What's in a Secrets Manager secret?").
        channels=f"{arn('secretsmanager', 'secret')}:{config.channels_secret}-??????",
        failures=config.bucket_arn(config.failure_bucket),
        edge_key=read(stack, config, "edge-key"),
        lake_key=read(stack, config, "lake-key"),
        alerts_key=read(stack, config, "alerts-key"),
        environment={
            "IOT_DEVICE_STATE_TABLE": config.device_state_table,
            "IOT_ALERTS_TABLE": config.alerts_table,
            "IOT_RULES_BUCKET": config.lake_bucket,
            **{f"IOT_TOPIC_{severity.upper()}": topic for severity, topic in topics.items()},
            "IOT_STREAM": stream,
            "IOT_EDGE_FUNCTION": config.edge_function(),
            "IOT_NOTIFY_FUNCTION": config.edge_function(NOTIFY),
            "IOT_DELIVER_FUNCTION": config.edge_function(DELIVER),
            "IOT_CHANNELS_SECRET": config.channels_secret,
            "IOT_ALERT_DEAD_LETTERS_URL": read(stack, config, "alert-dead-letters"),
            "IOT_METRIC_NAMESPACE": config.metrics,
            LATENESS_VARIABLE: f"{config.lateness_days:g}",
            FUTURE_VARIABLE: f"{config.future_hours:g}",
        },
    )
