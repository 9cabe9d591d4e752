"""The Glue job: a backfill by Spark, started by Dagster, which hears of it by Dagster Pipes through S3.

A run that Glue's own workflow starts has no Dagster: its arguments say what to do, and its log what was done.
"""

import logging
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import boto3
from dagster_pipes import (
    PipesCliArgsParamsLoader,
    PipesS3ContextLoader,
    PipesS3MessageWriter,
    open_dagster_pipes,
)

from iot_pipeline.lake.catalog import Catalog
from iot_pipeline.lake.lake import Lake
from iot_pipeline.lake.objects import Objects
from iot_pipeline.spark.building import backfill
from iot_pipeline.spark.engine import SparkEngine
from iot_pipeline.spark.order import Order
from iot_pipeline.spark.scans import Scans
from iot_pipeline.spark.session import start_session

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# How often messages are put into S3; each is a request.
MESSAGE_SECONDS = 5.0
log = logging.getLogger(__name__)


def main() -> None:
    """Do what the run says. Raises, so that the run fails, whatever the backfill raises."""
    s3 = boto3.client("s3")
    params = PipesCliArgsParamsLoader()  # type: ignore[no-untyped-call]  # dagster_pipes types no __init__
    if not params.is_dagster_pipes_process():
        logging.basicConfig(level=logging.INFO, format="%(message)s")
        _build(Order.recent(sys.argv[1:], datetime.now(UTC)), s3, log.info)
        return
    with open_dagster_pipes(
        context_loader=PipesS3ContextLoader(s3),
        message_writer=PipesS3MessageWriter(s3, interval=MESSAGE_SECONDS),
        params_loader=params,
    ) as pipes:
        _build(Order.of(pipes.extras), s3, pipes.log.info)


def _build(order: Order, s3: "S3Client", progress: Callable[[str], None]) -> None:
    catalog, objects = Catalog(boto3.client("glue"), order.database), Objects(s3)
    spark = start_session("backfill")
    try:
        engine = SparkEngine(spark, Scans(order.bucket, catalog, objects, order.contract))
        lake = Lake(order.bucket, catalog, engine, order.contract, progress, s3)
        backfill(lake, objects, order.arrivals)
    finally:
        spark.stop()


if __name__ == "__main__":
    main()
