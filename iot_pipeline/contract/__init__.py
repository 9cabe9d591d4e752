"""The telemetry contract and what derives from it. Pure: no boto3, no Dagster."""

from iot_pipeline.contract.contract import (
    CONTRACT,
    MAX_MESSAGE_BYTES,
    TOPIC_ROOT,
    Contract,
    topic,
    topic_filter,
    topic_of,
)
from iot_pipeline.contract.json_schema import message_schema
from iot_pipeline.contract.metrics import METRICS, Metric, Unit
from iot_pipeline.contract.reasons import Reason
from iot_pipeline.contract.tables import (
    PARTITION_KEYS,
    Column,
    Format,
    Table,
    Tables,
    former_ledger,
    raw_as_parquet,
    tables,
)

__all__ = [
    "CONTRACT",
    "MAX_MESSAGE_BYTES",
    "METRICS",
    "PARTITION_KEYS",
    "TOPIC_ROOT",
    "Column",
    "Contract",
    "Format",
    "Metric",
    "Reason",
    "Table",
    "Tables",
    "Unit",
    "former_ledger",
    "message_schema",
    "raw_as_parquet",
    "tables",
    "topic",
    "topic_filter",
    "topic_of",
]
