"""The edge as a Dagster resource: its alerts to export, and how it is."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

import boto3
import dagster as dg

from iot_pipeline.alert_history.export import Exporter
from iot_pipeline.alerting.table import AlertsTable, first_covering
from iot_pipeline.alerting.trackers import TrackerStore
from iot_pipeline.connections.edge import open_alerts, open_dead_letters, open_exporter, open_replayer, open_trackers
from iot_pipeline.edge import stream_lag
from iot_pipeline.edge.replay import Replayer
from iot_pipeline.settings import edge

# More notifications than these are not counted: what waits is read to see whether planned work holds it back.
COUNTED = 1000
# How far back the sweep's last run is looked for, in CloudWatch, by the minute.
LOOKED_BACK = timedelta(hours=3)


@dataclass(frozen=True)
class Waiting:
    """Episodes of which people are still to be told, COUNTED at most: how many, and since when the oldest waits.

    `held_back` are those that planned work covers, which wait on purpose and are not among the others.
    """

    episodes: int
    oldest: datetime | None
    held_back: int


class EdgeResource(dg.ConfigurableResource["EdgeResource"]):
    """Opens the edge's parts anew for each use. Every method raises botocore's errors, and pydantic.ValidationError."""

    def alerts(self) -> AlertsTable:
        """As `open_alerts`."""
        return open_alerts()

    def trackers(self) -> TrackerStore:
        """As `open_trackers`."""
        return open_trackers()

    def exporter(self, progress: Callable[[str], None] = lambda _: None) -> Exporter:
        """As `open_exporter`."""
        return open_exporter(progress)

    def waiting(self, now: datetime) -> Waiting:
        """What the outbox holds. Half a read unit where it is empty."""
        alerts, now_ms = open_alerts(), _milliseconds(now)
        pending = list(islice(alerts.pending(), COUNTED))
        silences = alerts.silences() if pending else []
        wanted = [item["pending_at"] for item in pending if first_covering(silences, item, now_ms) is None]
        oldest = datetime.fromisoformat(wanted[0]) if wanted else None
        return Waiting(len(wanted), oldest, len(pending) - len(wanted))

    def lag(self, now: datetime) -> timedelta:
        """For how long the oldest record that the handler has not taken has waited."""
        clients = boto3.client("kinesis"), boto3.client("dynamodb")
        where = edge()
        return timedelta(milliseconds=stream_lag.lag_ms(*clients, where.stream, where.alerts_table, _milliseconds(now)))

    def dead_letters(self) -> dict[str, int]:
        """How many there are of each source."""
        return open_dead_letters().counts()

    def replayer(self) -> Replayer:
        """As `open_replayer`."""
        return open_replayer()

    def last_sweep(self, now: datetime) -> datetime | None:
        """The minute in which the sweep last ran to its end; None if it did not in LOOKED_BACK.

        CloudWatch has it from Lambda, a minute or two after it happened (AWS Lambda developer guide, "Types of metrics
        for Lambda functions").
        """
        client, found = boto3.client("cloudwatch"), {}
        for metric in ("Invocations", "Errors"):
            answer = client.get_metric_statistics(
                Namespace="AWS/Lambda",
                MetricName=metric,
                Dimensions=[{"Name": "FunctionName", "Value": edge().sweep_function}],
                StartTime=now - LOOKED_BACK,
                EndTime=now + timedelta(minutes=1),
                Period=60,
                Statistics=["Sum"],
            )
            found[metric] = {point["Timestamp"].astimezone(UTC): point["Sum"] for point in answer["Datapoints"]}
        failed = found["Errors"]
        return max((at for at, ran in found["Invocations"].items() if ran > failed.get(at, 0)), default=None)


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
