"""An edge for tests: messages as the stream holds them, and the handler on tables of its own in the local AWS."""

import base64
import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from infra.local.bench.edge_tables import make_tables
from iot_pipeline.alerting.lifecycle import Severity
from iot_pipeline.alerting.notifications import Publish, sns_publisher
from iot_pipeline.alerting.table import AlertsTable
from iot_pipeline.contract.judge import Judge
from iot_pipeline.edge.device_state import DeviceState
from iot_pipeline.edge.environment import EdgeSettings
from iot_pipeline.edge.handler import Handler
from iot_pipeline.edge.state_store import StateStore
from iot_pipeline.edge.sweep import Sweep
from iot_pipeline_tests.support.emulator import REGION, LocalAws

# 2026-11-21 12:00 UTC.
NOON_MS = 1_795_262_400_000
SHARD = "shardId-000000000000"


def reading(at_ms: int, seq: int, **values: Any) -> dict[str, Any]:
    """A reading; a metric's value by its name."""
    return {"ts": at_ms, "seq": seq, **values}


def line(
    readings: Sequence[Any],
    arrival_ms: int,
    *,
    device: str = "d1",
    site: str = "berlin",
    tenant: str = "acme",
    **fields: Any,
) -> bytes:
    """A line of the stream as the IoT rule makes it."""
    message = {"v": 1, "device_id": device, "readings": list(readings), **fields}
    envelope = {
        "iot_tenant": tenant,
        "iot_site": site,
        "iot_device": device,
        "iot_received_at": arrival_ms,
        "iot_client": device,
        "iot_trace": f"trace-{device}-{arrival_ms}",
    }
    return json.dumps(message | envelope).encode()


def event(lines: Iterable[tuple[int | str, bytes]], shard: str = SHARD) -> dict[str, Any]:
    """An event of the mapping, of lines with their sequence numbers."""
    return {
        "Records": [
            {
                "eventID": f"{shard}:{sequence}",
                "kinesis": {"sequenceNumber": str(sequence), "data": base64.b64encode(data).decode()},
            }
            for sequence, data in lines
        ]
    }


@dataclass
class Edge:
    """The edge's parts over tables, a bucket and topics of its own."""

    aws: LocalAws
    settings: EdgeSettings
    clients: Mapping[str, Any] = field(repr=False)

    def handler(self) -> Handler:
        """A handler as a cold start makes it."""
        clients = self.clients
        return Handler(self.settings, clients["dynamodb"], clients["s3"], clients["lambda"], Judge())

    def sweep(self) -> Sweep:
        """A sweep as a cold start makes it."""
        clients = self.clients
        return Sweep(self.settings, clients["dynamodb"], clients["s3"], clients["kinesis"])

    @property
    def alerts(self) -> AlertsTable:
        """The table of alerts."""
        return AlertsTable(self.clients["dynamodb"], self.settings.alerts_table)

    @property
    def states(self) -> StateStore:
        """The table of states."""
        return StateStore(self.clients["dynamodb"], self.settings.device_state_table, self.settings.alerts_table)

    def state(self, device: str) -> DeviceState:
        """One device's state."""
        return self.states.load([device])[device]

    @property
    def publish(self) -> Publish:
        """Publishes to the topics."""
        topics = {Severity.WARNING: self.settings.topic_warning, Severity.CRITICAL: self.settings.topic_critical}
        return sns_publisher(self.clients["sns"], topics)

    def episodes(self) -> list[dict[str, Any]]:
        """All episodes, by their start."""
        found = [item for item in self.alerts.everything() if "rule" in item]
        return sorted(found, key=lambda item: (item["opened_ms"], item["id"]))


def make_edge(aws: LocalAws) -> Edge:
    """Tables, a bucket, a stream and topics under names of their own."""
    name = f"edge-{uuid.uuid4().hex[:8]}"
    clients = {each: aws.client(each) for each in ("dynamodb", "s3", "lambda", "kinesis", "sns", "sqs")}
    make_tables(clients["dynamodb"], f"{name}-state", f"{name}-alerts")
    clients["s3"].create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    clients["kinesis"].create_stream(StreamName=name, ShardCount=1)
    clients["kinesis"].get_waiter("stream_exists").wait(StreamName=name)
    letters = clients["sqs"].create_queue(QueueName=f"{name}-dead-letters")["QueueUrl"]
    topics = [clients["sns"].create_topic(Name=f"{name}-{each}")["TopicArn"] for each in ("warning", "critical")]
    settings = EdgeSettings(
        device_state_table=f"{name}-state",
        alerts_table=f"{name}-alerts",
        rules_bucket=name,
        topic_warning=topics[0],
        topic_critical=topics[1],
        stream=name,
        notify_function=f"{name}-notify",
        deliver_function=f"{name}-deliver",
        alert_dead_letters_url=letters,
        edge_function=name,
        metric_namespace="Test",
    )
    return Edge(aws, settings, clients)
