"""Opening the planner of backfills."""

from collections.abc import Callable

import boto3

from iot_pipeline.backfill.planner import Planner
from iot_pipeline.connections.lake import open_lake, open_objects
from iot_pipeline.connections.warehouse import open_loader


def open_planner(progress: Callable[[str], None] = lambda _: None) -> Planner:
    """The planner of this deployment. Raises as `open_lake` and `open_loader`."""
    return Planner(open_lake(progress), open_objects(), boto3.client("s3"), open_loader)
