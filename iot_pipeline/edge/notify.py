"""The Lambda function that tells people: called after each alert, and every minute for what a crash left behind."""

import logging
import time
from functools import cache
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from iot_pipeline.alerting.lifecycle import Severity
from iot_pipeline.alerting.notifications import Publish, empty_outbox, sns_publisher
from iot_pipeline.alerting.table import AlertsTable
from iot_pipeline.edge import telemetry
from iot_pipeline.edge.environment import edge_settings

log = logging.getLogger(__name__)


def ask_to_notify(functions: Any, name: str) -> None:
    """Have people told at once. If that cannot be asked, the schedule does it within a minute."""
    try:
        functions.invoke(FunctionName=name, InvocationType="Event", Payload=b"{}")
    except (ClientError, BotoCoreError):
        log.warning("%s cannot be invoked; its schedule will send what waits", name, exc_info=True)


@cache
def _parts() -> tuple[AlertsTable, Publish]:
    settings = edge_settings()
    topics = {Severity.WARNING: settings.topic_warning, Severity.CRITICAL: settings.topic_critical}
    table = AlertsTable(boto3.client("dynamodb"), settings.alerts_table)
    return table, sns_publisher(boto3.client("sns"), topics)


def handle(_event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """What AWS Lambda calls, one at a time (reserved concurrency 1), so that nothing is sent by two at once."""
    table, publish = _parts()
    told = empty_outbox(table, publish, int(time.time() * 1000))
    counts = {"notifications": told.notifications, "episodes": told.episodes, "held_back": told.held_back}
    telemetry.emit(edge_settings().metric_namespace, "notify", counts)
    return counts
