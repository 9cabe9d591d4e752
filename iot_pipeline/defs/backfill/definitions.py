"""Dagster's objects of backfills."""

import dagster as dg

from iot_pipeline.defs.backfill.jobs import backfill

defs = dg.Definitions(jobs=[backfill])
