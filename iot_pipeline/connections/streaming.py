"""Opening the micro-batches of the streaming job, and what reconciles them."""

from collections.abc import Callable

import boto3

from iot_pipeline.connections.lake import open_lake
from iot_pipeline.settings import deployment, edge
from iot_pipeline.streaming.batches import Batches
from iot_pipeline.streaming.reconciling import Reconciliation


def open_batches() -> Batches:
    """The micro-batches of this deployment. Raises pydantic.ValidationError naming each variable that is missing."""
    where = deployment()
    return Batches(
        boto3.client("s3"),
        boto3.client("glue"),
        where.glue_database,
        where.lake_bucket,
        edge().edge_failure_bucket,
    )


def open_reconciliation(progress: Callable[[str], None] = lambda _: None) -> Reconciliation:
    """What compares them with the batch result, and replaces them. Raises as `open_batches`."""
    return Reconciliation(open_lake(progress), open_batches())
