"""The parts of one deployment that an erasure searches and changes."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
from redshift_connector.core import Connection

from iot_pipeline.alert_history.export import Exporter
from iot_pipeline.erasure.stored import Bucket
from iot_pipeline.lake.compaction import Compaction
from iot_pipeline.lake.lake import Lake
from iot_pipeline.streaming.batches import Batches
from iot_pipeline.warehouse.alerts_load import EpisodesLoader
from iot_pipeline.warehouse.load import Loader
from iot_pipeline.warehouse.snapshot import SnapshotLoader

if TYPE_CHECKING:
    from mypy_boto3_iot import IoTClient


@dataclass(frozen=True)
class Platform:
    """Everything that may hold something of a device: the parts of one deployment. `buckets`: the lake's is first.

    `states`, `alerts`, `console` and `pull` are tables of DynamoDB; `batches` opens those of the streaming job.
    `functions` are names of Lambda functions, or how names begin, with `*` at the end.
    """

    registry: Callable[[], AbstractContextManager[psycopg.Connection[Any]]]
    lake: Lake
    buckets: tuple[Bucket, ...]
    iot: "IoTClient"
    dynamodb: Any
    sqs: Any
    logs: Any
    lambda_: Any
    states: str
    alerts: str
    console: str
    pull: str | None
    queues: dict[str, str]
    functions: tuple[str, ...]
    batches: Callable[[], Batches]
    exporter: Callable[[], Exporter]
    compaction: Callable[[], Compaction]
    warehouse: Callable[[], AbstractContextManager[Connection]]
    loading: Callable[[], AbstractContextManager[Loader]]
    loading_snapshot: Callable[[], AbstractContextManager[SnapshotLoader]]
    loading_episodes: Callable[[], AbstractContextManager[EpisodesLoader]]
