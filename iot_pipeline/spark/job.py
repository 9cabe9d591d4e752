"""The Glue job: a backfill by Spark, started by Dagster, which hears of it by Dagster Pipes through S3."""

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

# How often messages are put into S3; each is a request.
MESSAGE_SECONDS = 5.0


def main() -> None:
    """Do what the run says. Raises, so that the run fails, whatever the backfill raises."""
    s3 = boto3.client("s3")
    with open_dagster_pipes(
        context_loader=PipesS3ContextLoader(s3),
        message_writer=PipesS3MessageWriter(s3, interval=MESSAGE_SECONDS),
        params_loader=PipesCliArgsParamsLoader(),  # type: ignore[no-untyped-call]  # dagster_pipes types no __init__
    ) as pipes:
        order = Order.of(pipes.extras)
        catalog, objects = Catalog(boto3.client("glue"), order.database), Objects(s3)
        spark = start_session("backfill")
        try:
            engine = SparkEngine(spark, Scans(order.bucket, catalog, objects, order.contract))
            lake = Lake(order.bucket, catalog, engine, order.contract, pipes.log.info, s3)
            backfill(lake, objects, order.arrivals)
        finally:
            spark.stop()


if __name__ == "__main__":
    main()
