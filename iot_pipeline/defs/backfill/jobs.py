"""Carrying out a plan of a backfill: batch by batch, each in its zone's pool, so that live hours have their turn."""

from collections.abc import Iterable, Iterator, Sequence

import dagster as dg

from iot_pipeline.backfill.plan import BUDGET, PlanError, Step, Why, Zone
from iot_pipeline.defs.common import CURATE_POOL, JUDGE_POOL, LOAD_POOL, NOTHING_FOLLOWS_TAG
from iot_pipeline.defs.curated.assets import build_curated
from iot_pipeline.defs.judged.assets import judge_arrivals, quarantine_arrivals
from iot_pipeline.defs.metadata import markdown_table, query_cost
from iot_pipeline.defs.scattered_hours import Built, report
from iot_pipeline.defs.warehouse.assets import load_into_warehouse
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.plan import batches
from iot_pipeline.partitions import hours_of, partition_key
from iot_pipeline.resources import BackfillResource, LakeResource, WarehouseResource

Keys = list[str]


class PlanToRun(dg.Config):
    """The id of a plan, as `plan` printed it, and what it may cost at most, in US dollars."""

    plan_id: str
    budget_usd: float = BUDGET


@dg.op
def read_plan(context: dg.OpExecutionContext, config: PlanToRun, backfill: BackfillResource) -> str:
    """The plan, if it keeps to its budget; its table is this step's metadata."""
    try:
        plan = backfill.planner().read(config.plan_id)
        plan.check_budget(config.budget_usd)
    except PlanError as error:
        raise dg.Failure(str(error)) from error
    head = ("zone", "why", "hours", "which", "bytes", "USD")
    context.add_output_metadata(
        {
            "plan": markdown_table(head, plan.rows()),
            "hours": len(plan.steps),
            "USD, about": round(plan.dollars, 4),
            "minutes, about": round(plan.minutes, 1),
        }
    )
    return config.plan_id


@dg.op(out=dg.DynamicOut())
def batches_to_judge(plan_id: str, backfill: BackfillResource) -> Iterator[dg.DynamicOutput[Keys]]:
    """The arrival hours of the plan, as many together as one statement builds."""
    plan = backfill.planner().read(plan_id)
    yield from _outputs([step.hour for step in plan.of(Zone.JUDGED)])


@dg.op(pool=JUDGE_POOL)
def judge_batch(
    context: dg.OpExecutionContext, plan_id: str, keys: Keys, backfill: BackfillResource, lake: LakeResource
) -> Keys:
    """Judge and quarantine those of these hours that are still to be judged; the event hours that all of them touch."""
    wanted, opened = _left(backfill, plan_id, Zone.JUDGED, keys), lake.open(context.log.info)
    events: list[dg.AssetMaterialization] = []
    if wanted:
        events += judge_arrivals(opened, wanted).materializations()
    # Also of hours that a run has judged which ended before their quarantine.
    if behind := opened.unquarantined(hours_of(keys)):
        quarantined = quarantine_arrivals(opened, behind)
        report(
            context,
            Built(
                [*events, *quarantined.materializations],
                quarantined.checks,
                {**quarantined.metadata, **query_cost(opened.athena)},
            ),
        )
    return [partition_key(hour) for hour in opened.touched(hours_of(keys))]


@dg.op(out=dg.DynamicOut())
def batches_to_curate(
    plan_id: str, touched: list[Keys], backfill: BackfillResource
) -> Iterator[dg.DynamicOutput[Keys]]:
    """The event hours of the plan, and those that turned out to be touched by what was judged."""
    planned = [step.hour for step in backfill.planner().read(plan_id).of(Zone.CURATED)]
    if planned or touched:
        yield from _outputs({*planned, *hours_of(key for keys in touched for key in keys)})


@dg.op(pool=CURATE_POOL)
def curate_batch(
    context: dg.OpExecutionContext, plan_id: str, keys: Keys, backfill: BackfillResource, lake: LakeResource
) -> Keys:
    """Build those of these event hours that are still to be built."""
    wanted = _left(backfill, plan_id, Zone.CURATED, keys)
    if wanted:
        report(context, build_curated(lake.open(context.log.info), wanted))
    return keys


@dg.op(out=dg.DynamicOut())
def batches_to_load(plan_id: str, curated: list[Keys], backfill: BackfillResource) -> Iterator[dg.DynamicOutput[Keys]]:
    """The event hours of the plan, and those that were curated."""
    planned = [step.hour for step in backfill.planner().read(plan_id).of(Zone.WAREHOUSE)]
    yield from _outputs({*planned, *hours_of(key for keys in curated for key in keys)})


@dg.op(pool=LOAD_POOL)
def load_batch(
    context: dg.OpExecutionContext, plan_id: str, keys: Keys, backfill: BackfillResource, warehouse: WarehouseResource
) -> None:
    """Load those of these event hours that are not loaded."""
    wanted = _left(backfill, plan_id, Zone.WAREHOUSE, keys)
    if wanted:
        with warehouse.loader(context.log.info) as loader:
            built = load_into_warehouse(context.instance, loader, wanted)
        report(context, built)


@dg.job(
    description=(
        "Carries out a plan of a backfill (`python -m iot_pipeline.backfill plan`): judges, curates and loads what the "
        "plan names and is not done yet. Safe to run again after whatever ended it."
    ),
    # A process for each batch would cost more than a batch.
    executor_def=dg.in_process_executor,
    # It builds itself what would follow.
    tags={NOTHING_FOLLOWS_TAG: "true"},
)
def backfill() -> None:
    """Zone by zone."""
    plan_id = read_plan()
    touched = batches_to_judge(plan_id).map(lambda keys: judge_batch(plan_id, keys))
    curated = batches_to_curate(plan_id, touched.collect()).map(lambda keys: curate_batch(plan_id, keys))
    batches_to_load(plan_id, curated.collect()).map(lambda keys: load_batch(plan_id, keys))


def _left(backfill: BackfillResource, plan_id: str, zone: Zone, keys: Keys) -> Sequence[Hour]:
    planner, wanted = backfill.planner(), hours_of(keys)
    plan = planner.read(plan_id)
    planned = {step.hour: step for step in plan.of(zone)}
    return planner.left(plan, [planned.get(hour) or Step(zone, hour, Why.FOLLOWS, 0) for hour in wanted])


def _outputs(hours: Iterable[Hour]) -> Iterator[dg.DynamicOutput[Keys]]:
    for batch in batches(hours):
        yield dg.DynamicOutput([partition_key(hour) for hour in batch], mapping_key=f"{batch[0].start:%Y%m%d_%H}")
