"""Opening the edge's alerts, and the export of them."""

from collections.abc import Callable

import boto3

from iot_pipeline.alert_history.export import Exporter
from iot_pipeline.alert_history.progress import Progress
from iot_pipeline.alerting.table import AlertsTable
from iot_pipeline.connections.lake import open_catalog
from iot_pipeline.lake.publishing import Publisher
from iot_pipeline.settings import deployment, edge


def open_alerts() -> AlertsTable:
    """The table of alerts. Raises pydantic.ValidationError naming each variable that is missing or wrong."""
    return AlertsTable(boto3.client("dynamodb"), edge().alerts_table)


def open_exporter(progress: Callable[[str], None] = lambda _: None) -> Exporter:
    """The export of this deployment's alerts into its lake; `progress` is told of each day. Raises as `open_alerts`."""
    dynamodb, table = boto3.client("dynamodb"), edge().alerts_table
    return Exporter(
        AlertsTable(dynamodb, table),
        lambda: Progress(dynamodb, table),
        boto3.client("s3"),
        Publisher(deployment().lake_bucket, open_catalog(), progress),
    )
