"""A backfill by Spark: Glue judges, quarantines and curates; Dagster follows it and reports each hour."""

from dataclasses import replace
from typing import Any

import dagster as dg

from iot_pipeline.defs.common import JUDGE_POOL, NOTHING_FOLLOWS_TAG
from iot_pipeline.defs.metadata import query_cost
from iot_pipeline.defs.scattered_hours import report
from iot_pipeline.defs.spark_backfill.standing import standing
from iot_pipeline.lake.hours import hours_between
from iot_pipeline.partitions import hour_of
from iot_pipeline.resources import LakeResource, SparkJob
from iot_pipeline.resources.spark_job import SUCCEEDED, JobRun
from iot_pipeline.spark.order import Order

# Glue pricing page: US dollars a DPU-hour of Spark, in most regions (eu-west-1 among them).
DOLLARS_PER_DPU_HOUR = 0.44


class ArrivalHours(dg.Config):
    """The partition keys of the first and the last arrival hour, both included."""

    first: str
    last: str


@dg.op(pool=JUDGE_POOL)
def backfill_by_spark(
    context: dg.OpExecutionContext, config: ArrivalHours, lake: LakeResource, spark_job: SparkJob
) -> None:
    """Build what is not built yet of these arrival hours, and of the event hours that follow from them.

    What was published is reported even if the run fails, and by the next run over these hours if this step is ended.
    """
    opened = lake.open(context.log.info)
    arrivals = hours_between(hour_of(config.first), hour_of(config.last))
    if not arrivals:
        raise dg.Failure(f"the last hour, {config.last}, is before the first, {config.first}")
    order = Order(opened.bucket, opened.catalog.database, opened.contract, tuple(arrivals))
    # Also those of which these arrival hours had valid readings before, and have none any more.
    before = opened.touched(arrivals)
    run = spark_job.run_backfill(context, order.extras)
    built = standing(context.instance, opened, arrivals, {*before, *opened.touched(arrivals)})
    report(context, replace(built, metadata={**built.metadata, **_of_run(run), **query_cost(opened.athena)}))
    if run.state != SUCCEEDED:
        raise dg.Failure(
            f"run {run.id} of the Glue job ended {run.state}: {run.error or 'no reason given'}. What it published "
            "stands and is reported; run these hours again for the rest"
        )


@dg.job(
    description=(
        "Judges and curates a range of arrival hours by Spark, as a run of the Glue job, for backfills that are larger "
        "than Athena is cheap for (docs/spark.md). Safe to run again after whatever ended it."
    ),
    tags={NOTHING_FOLLOWS_TAG: "true"},
)
def spark_backfill() -> None:
    """One step, which follows one run of the Glue job."""
    backfill_by_spark()


def _of_run(run: JobRun) -> dict[str, Any]:
    return {
        "Glue run": run.id,
        "seconds": run.seconds,
        "DPU-hours": round(run.dpu_hours, 4),
        "USD for Glue, about": round(run.dpu_hours * DOLLARS_PER_DPU_HOUR, 4),
    }
