"""A backfill by Spark: Glue judges, quarantines and curates; Dagster follows it and reports each hour."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import dagster as dg

from iot_pipeline.defs.common import JUDGE_POOL, NOTHING_FOLLOWS_TAG
from iot_pipeline.defs.curated.assets import curated_checks, curated_materialization
from iot_pipeline.defs.judged.assets import judged_of, quarantined_of
from iot_pipeline.defs.metadata import query_cost
from iot_pipeline.defs.scattered_hours import Built, report
from iot_pipeline.lake.balances import ArrivalHourBalance, EventHourBalance
from iot_pipeline.lake.hours import Hour, hours_between
from iot_pipeline.lake.lake import Lake
from iot_pipeline.lake.notes import Counts
from iot_pipeline.lake.plan import batches
from iot_pipeline.partitions import hour_of
from iot_pipeline.resources import LakeResource, SparkJob
from iot_pipeline.resources.spark_job import SUCCEEDED, JobRun
from iot_pipeline.spark.building import CURATED, JUDGED, QUARANTINED
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

    What was published is reported even if the run fails; the next run goes on from there.
    """
    opened = lake.open(context.log.info)
    arrivals = hours_between(hour_of(config.first), hour_of(config.last))
    if not arrivals:
        raise dg.Failure(f"the last hour, {config.last}, is before the first, {config.first}")
    order = Order(opened.bucket, opened.catalog.database, opened.contract, tuple(arrivals))
    run = spark_job.run_backfill(context, order.extras)
    report(context, _built(opened, run))
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


def _built(lake: Lake, run: JobRun) -> Built:
    """What the run has published, as events of its hours. Athena asks the curated hours for their checks."""
    balances = [_event_balance(row) for message in _of(run, CURATED) for row in message["balances"]]
    checks = [check for batch in batches(it.hour for it in balances) for check in curated_checks(lake, batch)]
    quarantined = _quarantined(_of(run, QUARANTINED))
    return Built(
        [
            *_judged(_of(run, JUDGED)),
            *(quarantined.materializations if quarantined else ()),
            *(curated_materialization(balance) for balance in balances),
        ],
        [*(quarantined.checks if quarantined else ()), *checks],
        {
            "Glue run": run.id,
            "seconds": run.seconds,
            "DPU-hours": round(run.dpu_hours, 4),
            "USD for Glue, about": round(run.dpu_hours * DOLLARS_PER_DPU_HOUR, 4),
            "event hours": len(balances),
            **query_cost(lake.athena),
        },
    )


def _of(run: JobRun, zone: str) -> list[Mapping[str, Any]]:
    return [message for message in run.messages if message["zone"] == zone]


def _judged(messages: Iterable[Mapping[str, Any]]) -> Iterator[dg.AssetMaterialization]:
    for message in messages:
        judged = judged_of(_hours(message["hours"]), message["outcomes"], _hours(message["touched"]))
        yield from judged.materializations()


def _quarantined(messages: Sequence[Mapping[str, Any]]) -> Built | None:
    if not messages:
        return None
    wanted = [hour for message in messages for hour in _hours(message["hours"])]
    reasons = [row for message in messages for row in message["reasons"]]
    balances = [
        ArrivalHourBalance(Hour.from_values(row[:4]), *row[4:]) for message in messages for row in message["balances"]
    ]
    return quarantined_of(wanted, reasons, balances)


def _event_balance(row: Sequence[Any]) -> EventHourBalance:
    return EventHourBalance(Hour.from_values(row[:4]), row[4], Counts(*row[5:]))


def _hours(values: Iterable[Sequence[str]]) -> list[Hour]:
    return [Hour.from_values(each) for each in values]
