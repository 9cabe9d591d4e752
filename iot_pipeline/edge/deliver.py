"""The Lambda function that sends: called by `notify` for one channel at a time, side by side for several channels."""

import json
import time
from collections.abc import Callable
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from iot_pipeline.alerting.channels.channel_letters import Letters
from iot_pipeline.alerting.channels.channel_state import ChannelStates
from iot_pipeline.alerting.channels.delivery import Deliverer
from iot_pipeline.alerting.channels.senders import SECONDS, sender
from iot_pipeline.alerting.channels.source import ChannelsSource
from iot_pipeline.edge import telemetry
from iot_pipeline.edge.environment import EdgeSettings, edge_settings
from iot_pipeline.edge.notify import topics_publisher

# Nothing new is begun after so long: what is begun then is over before the function's 50 seconds are.
BUDGET_MS = 35_000


def now_ms() -> int:
    """Epoch milliseconds UTC."""
    return time.time_ns() // 1_000_000


def make_deliverer(
    settings: EdgeSettings,
    clients: Callable[[str], Any],
    seconds: float = SECONDS,
    clock: Callable[[], int] = now_ms,
) -> Deliverer:
    """A deliverer over a deployment's parts; `clients` gives a boto3 client by its service's name."""
    dynamodb, sqs = clients("dynamodb"), clients("sqs")

    def keep(dead: dict[str, Any]) -> None:
        sqs.send_message(QueueUrl=settings.alert_dead_letters_url, MessageBody=json.dumps(dead))

    return Deliverer(
        Letters(dynamodb, settings.alerts_table),
        ChannelStates(dynamodb, settings.alerts_table),
        sender(topics_publisher(settings, clients("sns")), seconds),
        keep,
        clock,
    )


@cache
def _parts() -> tuple[ChannelsSource, Deliverer]:
    settings = edge_settings()
    # A topic is a channel too, and may not take longer than another.
    config = Config(connect_timeout=3, read_timeout=SECONDS, retries={"total_max_attempts": 2})
    clients: dict[str, Any] = {
        "dynamodb": boto3.client("dynamodb", config=config),
        "sns": boto3.client("sns", config=config),
        "sqs": boto3.client("sqs", config=config),
    }
    deliverer = make_deliverer(settings, clients.__getitem__)
    return ChannelsSource(boto3.client("secretsmanager"), settings.channels_secret), deliverer


def handle(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """What AWS Lambda calls, with the name of a channel; nothing happens for one that is not configured any more."""
    source, deliverer = _parts()
    document = source.current()
    channel = document and document.channel(str(event["channel"]))
    if not channel:
        return {}
    counts = vars(deliverer.run(channel, BUDGET_MS))
    telemetry.emit(edge_settings().metric_namespace, "deliver", counts, channel=channel.name, kind=channel.kind)
    return counts
