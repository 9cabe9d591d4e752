"""Dagster's objects of backfills by Spark."""

import dagster as dg

from iot_pipeline.defs.spark_backfill.jobs import spark_backfill

defs = dg.Definitions(jobs=[spark_backfill])
