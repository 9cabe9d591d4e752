"""Opening the edge's alerts, the export of them, and the dead letters."""

from collections.abc import Callable

import boto3

from iot_pipeline.alert_history.export import Exporter
from iot_pipeline.alert_history.progress import Progress
from iot_pipeline.alerting.channels.channel_letters import Letters
from iot_pipeline.alerting.channels.source import ChannelsSource
from iot_pipeline.alerting.lifecycle import Severity
from iot_pipeline.alerting.notifications import Publish, sns_publisher
from iot_pipeline.alerting.table import AlertsTable
from iot_pipeline.alerting.trackers import TrackerStore
from iot_pipeline.connections.lake import open_catalog
from iot_pipeline.edge.dead_letters import DeadLetters, Places
from iot_pipeline.edge.replay import Replayer
from iot_pipeline.edge.rules_source import RulesSource
from iot_pipeline.edge.state_store import StateStore
from iot_pipeline.lake.publishing import Publisher
from iot_pipeline.settings import deployment, edge


def open_alerts() -> AlertsTable:
    """The table of alerts. Raises pydantic.ValidationError naming each variable that is missing or wrong."""
    return AlertsTable(boto3.client("dynamodb"), edge().alerts_table)


def open_topics() -> Publish:
    """Publishes to the topics of this deployment. Raises as `open_alerts`."""
    where = edge()
    topics = {Severity.WARNING: where.topic_warning, Severity.CRITICAL: where.topic_critical}
    return sns_publisher(boto3.client("sns"), topics)


def channels_secret() -> str:
    """The secret with the channels of this deployment. Raises ValueError if the environment names none."""
    secret = edge().channels_secret
    if not secret:
        raise ValueError("set IOT_CHANNELS_SECRET: the output ChannelsSecret of the stack EdgeData")
    return secret


def open_channels() -> ChannelsSource:
    """The channels of this deployment. Raises as `open_alerts` and `channels_secret`."""
    return ChannelsSource(boto3.client("secretsmanager"), channels_secret())


def write_channels(document: str) -> None:
    """Put a document in force, which has been checked. Raises as `channels_secret`, and botocore's errors."""
    boto3.client("secretsmanager").put_secret_value(SecretId=channels_secret(), SecretString=document)


def open_trackers() -> TrackerStore:
    """What the watchers of the pipeline know, kept with the alerts. Raises as `open_alerts`."""
    return TrackerStore(boto3.client("dynamodb"), edge().alerts_table)


def open_exporter(progress: Callable[[str], None] = lambda _: None) -> Exporter:
    """The export of this deployment's alerts into its lake; `progress` is told of each day. Raises as `open_alerts`."""
    dynamodb, table = boto3.client("dynamodb"), edge().alerts_table
    return Exporter(
        AlertsTable(dynamodb, table),
        lambda: Progress(dynamodb, table),
        boto3.client("s3"),
        Publisher(deployment().lake_bucket, open_catalog(), progress),
    )


def open_dead_letters() -> DeadLetters:
    """The dead letters of this deployment. Raises as `open_alerts`."""
    where = edge()
    places = Places(
        rule_errors=where.rule_errors_url,
        invocations=where.edge_dead_letters_url,
        notifications=where.alert_dead_letters_url,
        lake=deployment().lake_bucket,
        failures=where.edge_failure_bucket,
    )
    return DeadLetters(boto3.client("sqs"), boto3.client("s3"), places)


def open_states() -> StateStore:
    """The device states of this deployment. Raises as `open_alerts`."""
    where = edge()
    return StateStore(boto3.client("dynamodb"), where.device_state_table, where.alerts_table)


def open_replayer() -> Replayer:
    """What replays the dead letters of this deployment, by the rules in force. Raises as `open_alerts`."""
    where = edge()
    rules = RulesSource(boto3.client("s3"), where.rules_bucket).current()
    letters = Letters(boto3.client("dynamodb"), where.alerts_table)
    return Replayer(open_dead_letters(), open_states(), letters, boto3.client, where.stream, rules)
