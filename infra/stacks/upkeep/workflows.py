"""Workflows of Glue, for who orchestrates there: the crawls alone, and the crawls around the job that builds.

Nothing starts one by itself: Dagster starts the crawlers one by one and waits for each (schedule `daily_crawl`), and
builds by Athena. AWS Glue guide, "Overview of workflows in AWS Glue".
"""

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import aws_glue as glue

from infra.stacks.base import PlatformStack
from infra.stacks.config import PlatformConfig

# Arrival hours, back from the last that has closed, of which the job builds what is not built: a run a day is enough,
# and one that was missed is made up for.
BUILT_HOURS = 48


@dataclass(frozen=True)
class _Step:
    """What a trigger starts, and how the trigger is called that waits for it to succeed."""

    construct_id: str
    name: str
    action: glue.CfnTrigger.ActionProperty
    succeeded: glue.CfnTrigger.ConditionProperty


def add_workflows(stack: PlatformStack) -> None:
    """Raw, then curated; and raw, the job, then curated. Each begins once what is before it has succeeded."""
    config = stack.config
    crawls = (_crawl(config, "CrawlRaw", "raw"), _crawl(config, "CrawlCurated", "curated"))
    _add(stack, "Crawls", f"{config.name}-crawls", "Looks at the raw zone, then at the curated zone", crawls)
    around = (
        _crawl(config, "BuildCrawlRaw", "raw"),
        _build(config),
        _crawl(config, "BuildCrawlCurated", "curated"),
    )
    said = f"Looks at the raw zone, builds the last {BUILT_HOURS} hours by Spark, then looks at the curated zone"
    _add(stack, "BuildBySpark", config.build_workflow, said, around)


def _crawl(config: PlatformConfig, construct_id: str, zone: str) -> _Step:
    crawler = f"{config.name}-{zone}"
    return _Step(
        construct_id,
        f"crawl-{zone}",
        glue.CfnTrigger.ActionProperty(crawler_name=crawler),
        glue.CfnTrigger.ConditionProperty(logical_operator="EQUALS", crawler_name=crawler, crawl_state="SUCCEEDED"),
    )


def _build(config: PlatformConfig) -> _Step:
    """The job by itself: `Order.recent` of iot_pipeline/spark/order.py reads these arguments."""
    arguments = {
        "--bucket": config.lake_bucket,
        "--database": config.database,
        "--lateness-days": f"{config.lateness_days:g}",
        "--future-hours": f"{config.future_hours:g}",
        "--arrival-hours": str(BUILT_HOURS),
    }
    job = config.spark_job
    return _Step(
        "BuildJob",
        "job",
        glue.CfnTrigger.ActionProperty(job_name=job, arguments=arguments),
        glue.CfnTrigger.ConditionProperty(logical_operator="EQUALS", job_name=job, state="SUCCEEDED"),
    )


def _add(stack: PlatformStack, construct_id: str, name: str, description: str, steps: Sequence[_Step]) -> None:
    workflow = glue.CfnWorkflow(stack, construct_id, name=name, description=description, max_concurrent_runs=1)
    before: tuple[_Step, glue.CfnTrigger] | None = None
    for step in steps:
        trigger = glue.CfnTrigger(
            stack,
            step.construct_id,
            name=f"{name}-{step.name}",
            type="CONDITIONAL" if before else "ON_DEMAND",
            workflow_name=workflow.ref,
            start_on_creation=True if before else None,
            predicate=_after(before[0]) if before else None,
            actions=[step.action],
        )
        if before:
            # Glue wants the first trigger of a workflow before those that follow it.
            trigger.node.add_dependency(before[1])
        before = (step, trigger)


def _after(step: _Step) -> glue.CfnTrigger.PredicateProperty:
    return glue.CfnTrigger.PredicateProperty(logical="AND", conditions=[step.succeeded])
