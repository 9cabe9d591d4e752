"""How far the edge is behind: what waits in the stream now, and how long readings took in the last hour."""

from datetime import datetime, timedelta
from typing import Any

import boto3
from pydantic import BaseModel

from iot_pipeline.console.dependencies import asking
from iot_pipeline.console.health.findings import Finding, State
from iot_pipeline.console.health.shared import Look
from iot_pipeline.edge.stream_lag import lag_ms
from iot_pipeline.edge.sweep import MAX_LAG_MS
from iot_pipeline.settings import Edge, edge

# Beyond this, alerts are no longer about now.
CRITICAL_MS = 300_000
PERIOD = timedelta(minutes=5)
_STATISTICS = {"p50": "p50", "p99": "p99", "greatest": "Maximum"}


class Latency(BaseModel):
    """From the broker to the device's state, in milliseconds, of five minutes."""

    at: datetime
    p50_ms: float
    p99_ms: float
    greatest_ms: float


class EdgeLatency(BaseModel):
    """`waiting_ms`: for how long the oldest record has waited that the handler has not taken; 0 if it has taken all.

    `last_hour` is empty where nothing came through; the newest last.
    """

    waiting_ms: int
    last_hour: list[Latency]


def open_look() -> Look:
    """Asks Kinesis for one record a shard and DynamoDB for the handler's progress, and CloudWatch for its metrics."""
    kinesis, dynamodb, cloudwatch = boto3.client("kinesis"), boto3.client("dynamodb"), boto3.client("cloudwatch")
    where = edge()
    return lambda now: look(kinesis, dynamodb, cloudwatch, where, now)


def look(kinesis: Any, dynamodb: Any, cloudwatch: Any, where: Edge, now: datetime) -> Finding:
    """How far behind it is."""
    with asking("Kinesis or DynamoDB"):
        waiting = lag_ms(kinesis, dynamodb, where.stream, where.alerts_table, round(now.timestamp() * 1000))
    with asking("CloudWatch"):
        latencies = _latencies(cloudwatch, where.metric_namespace, now)
    data = EdgeLatency(waiting_ms=waiting, last_hour=latencies)
    if waiting > MAX_LAG_MS:
        state = State.CRITICAL if waiting > CRITICAL_MS else State.WARNING
        return Finding(state, f"the oldest record in the stream has waited for {waiting / 1000:,.0f} s", data)
    if not latencies:
        return Finding(State.OK, "the handler has taken all there is; nothing came through in the last hour", data)
    last = latencies[-1]
    return Finding(State.OK, f"half within {last.p50_ms:,.0f} ms, 99 of 100 within {last.p99_ms:,.0f} ms", data)


def _latencies(cloudwatch: Any, namespace: str, now: datetime) -> list[Latency]:
    metric = {
        "Namespace": namespace,
        "MetricName": "lag_ms",
        "Dimensions": [{"Name": "function", "Value": "edge"}],
    }
    answer = cloudwatch.get_metric_data(
        MetricDataQueries=[
            {
                "Id": name,
                "MetricStat": {"Metric": metric, "Period": int(PERIOD.total_seconds()), "Stat": statistic},
            }
            for name, statistic in _STATISTICS.items()
        ],
        StartTime=now - timedelta(hours=1),
        EndTime=now,
        ScanBy="TimestampAscending",
    )
    found = {
        each["Id"]: dict(zip(each["Timestamps"], each["Values"], strict=True)) for each in answer["MetricDataResults"]
    }
    times = sorted(set.intersection(*(set(found.get(name, ())) for name in _STATISTICS)))
    return [Latency(at=at, **{f"{name}_ms": found[name][at] for name in _STATISTICS}) for at in times]
