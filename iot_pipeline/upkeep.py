"""Opening what erases, and what retention removes, of this deployment.

It stands above the connections, since it needs the registry's own functions besides its database.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

import boto3
from botocore.config import Config

from iot_pipeline.connections.backfill import open_planner
from iot_pipeline.connections.edge import open_exporter
from iot_pipeline.connections.lake import open_compaction, open_lake
from iot_pipeline.connections.registry import open_registry
from iot_pipeline.connections.streaming import open_batches
from iot_pipeline.connections.warehouse import (
    open_episodes_loader,
    open_loader,
    open_snapshot_loader,
    open_warehouse,
)
from iot_pipeline.contract import tables
from iot_pipeline.erasure.bucket_search import READERS, RESULTS
from iot_pipeline.erasure.eraser import Eraser
from iot_pipeline.erasure.history import History, NoHistory
from iot_pipeline.erasure.platform import Platform
from iot_pipeline.erasure.stored import Bucket
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.retention import Retention
from iot_pipeline.registry.holds import held_tenants
from iot_pipeline.settings import console_table, deployment, edge, policy, pull, retention

# A plan of a backfill that is older was given up.
_PLANS_COUNT_FOR = timedelta(days=14)


def open_eraser(
    history: History | None = None,
    since: datetime | None = None,
    progress: Callable[[str], None] = lambda _: None,
    at_step: Callable[[int, int, str], None] = lambda _number, _all, _name: None,
) -> Eraser:
    """What erases from this deployment. Raises pydantic.ValidationError naming each variable that is missing."""
    s3, where, parts = boto3.client("s3", config=Config(max_pool_connections=READERS)), edge(), deployment()
    buckets = [Bucket(s3, parts.lake_bucket), Bucket(s3, where.edge_failure_bucket)]
    if parts.intake_bucket:
        buckets.append(Bucket(s3, parts.intake_bucket))
    if parts.results_bucket:
        buckets.append(Bucket(s3, parts.results_bucket, RESULTS))
    platform = Platform(
        registry=open_registry,
        lake=open_lake(progress),
        buckets=tuple(buckets),
        iot=boto3.client("iot"),
        dynamodb=boto3.client("dynamodb"),
        sqs=boto3.client("sqs"),
        logs=boto3.client("logs"),
        states=where.device_state_table,
        alerts=where.alerts_table,
        console=console_table(),
        pull=parts.pull_table,
        queues={
            "rule errors": where.rule_errors_url,
            "invocations": where.edge_dead_letters_url,
            "notifications": where.alert_dead_letters_url,
        },
        lambda_=boto3.client("lambda"),
        functions=(
            *(where.edge_function, where.sweep_function, where.notify_function, where.deliver_function),
            *([parts.intake_function] if parts.intake_function else []),
            # Of pulls there is one a vendor, whose names begin alike.
            f"{pull().pull_function_prefix}*",
        ),
        batches=open_batches,
        exporter=open_exporter,
        compaction=partial(open_compaction, progress),
        warehouse=open_warehouse,
        loading=partial(open_loader, progress),
        loading_snapshot=open_snapshot_loader,
        loading_episodes=open_episodes_loader,
    )
    return Eraser(platform, history or NoHistory(), since, progress, at_step)


def open_retention(progress: Callable[[str], None] = lambda _: None) -> Retention:
    """What removes from this deployment's lake what is past its retention, with the legal holds of this moment.

    Raises as `open_lake`, `open_registry` and `settings.retention`.
    """
    zones, kept = tables(policy().contract), retention()
    by_table = {
        zones.raw_telemetry.name: kept.raw,
        zones.judged_telemetry.name: kept.judged,
        zones.quarantined_telemetry.name: kept.quarantine,
        zones.ledger.name: kept.ledger,
        zones.curated_telemetry.name: kept.curated,
        zones.daily_telemetry.name: kept.curated,
        zones.alert_history.name: kept.alert_history,
    }
    with open_registry() as connection:
        held = held_tenants(connection)

    def needed(hours: Sequence[Hour]) -> Mapping[Hour, str]:
        return open_planner().needed(hours, datetime.now(UTC) - _PLANS_COUNT_FOR)

    times = {name: time for name, time in by_table.items() if time is not None}
    return Retention(open_lake(progress), boto3.client("s3"), times, held, needed)
