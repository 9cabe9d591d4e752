"""Dagster's objects of backfills by Spark."""

import dagster as dg

from iot_pipeline.defs.spark.jobs import spark_backfill

defs = dg.Definitions(jobs=[spark_backfill])
