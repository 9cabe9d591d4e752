"""The Lambda function that tells people: called after each alert, and every minute for what a crash left behind.

Where channels are configured it decides what each of them is told and when, and has `deliver` do the sending, a call a
channel; it talks to no channel itself, so that none can hold it up. Where none are, it publishes to the SNS topics.
"""

import json
import logging
import time
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from iot_pipeline.alerting.channels.channel_letters import Letters
from iot_pipeline.alerting.channels.channel_state import ChannelStates
from iot_pipeline.alerting.channels.clockwork import Clockwork
from iot_pipeline.alerting.channels.document import Document
from iot_pipeline.alerting.channels.routing import Router
from iot_pipeline.alerting.channels.source import ChannelsSource
from iot_pipeline.alerting.lifecycle import Severity
from iot_pipeline.alerting.notifications import Publish, Told, empty_outbox, sns_publisher
from iot_pipeline.alerting.table import AlertsTable
from iot_pipeline.edge import telemetry
from iot_pipeline.edge.environment import EdgeSettings, edge_settings

log = logging.getLogger(__name__)


def ask_to_notify(functions: Any, name: str) -> None:
    """Have people told at once. If that cannot be asked, the schedule does it within a minute."""
    _ask(functions, name, {})


def _ask(functions: Any, name: str, event: dict[str, Any]) -> None:
    try:
        functions.invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps(event).encode())
    except (ClientError, BotoCoreError):
        log.warning("%s cannot be invoked; what waits is sent within a minute", name, exc_info=True)


@dataclass(frozen=True)
class Notifier:
    """The parts of one process."""

    settings: EdgeSettings
    alerts: AlertsTable
    letters: Letters
    states: ChannelStates
    source: ChannelsSource
    publish: Publish
    functions: Any

    def run(self, now_ms: int) -> dict[str, int]:
        """Tell people of what waits. Raises the first error once all else is done, ChannelsError, botocore's errors."""
        document = self.source.current()
        counts = {"channels_broken": int(self.source.is_broken), "held_in_quiet_hours": 0}
        if document is None:
            return counts | _counts(empty_outbox(self.alerts, self.publish, now_ms))
        router = Router(self.letters, document, now_ms)
        try:
            clockwork = Clockwork(self.letters, self.states, self.alerts, now_ms)
            for channel in document.channels:
                clockwork.tick(channel)
            told = empty_outbox(self.alerts, router.publish, now_ms)
        finally:
            self._have_delivered(document, now_ms)
        return counts | _counts(told) | {"held_in_quiet_hours": router.held}

    def _have_delivered(self, document: Document, now_ms: int) -> None:
        for channel in document.channels:
            if self.states.get(channel.name).not_before_ms <= now_ms and self.letters.has_due(channel.name, now_ms):
                _ask(self.functions, self.settings.deliver_function, {"channel": channel.name})


def _counts(told: Told) -> dict[str, int]:
    return {"notifications": told.notifications, "episodes": told.episodes, "held_back": told.held_back}


@cache
def _notifier() -> Notifier:
    settings, dynamodb = edge_settings(), boto3.client("dynamodb")
    return Notifier(
        settings,
        AlertsTable(dynamodb, settings.alerts_table),
        Letters(dynamodb, settings.alerts_table),
        ChannelStates(dynamodb, settings.alerts_table),
        ChannelsSource(boto3.client("secretsmanager"), settings.channels_secret),
        topics_publisher(settings, boto3.client("sns")),
        boto3.client("lambda"),
    )


def topics_publisher(settings: EdgeSettings, sns: Any) -> Publish:
    """Publishes to this deployment's topics."""
    topics = {Severity.WARNING: settings.topic_warning, Severity.CRITICAL: settings.topic_critical}
    return sns_publisher(sns, topics)


def handle(_event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """What AWS Lambda calls, one at a time (reserved concurrency 1), so that nothing is sent by two at once."""
    counts = _notifier().run(int(time.time() * 1000))
    telemetry.emit(edge_settings().metric_namespace, "notify", counts)
    return counts
