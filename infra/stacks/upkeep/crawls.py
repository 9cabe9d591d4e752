"""The crawls as one workflow of Glue, for who starts them by hand or from outside of Dagster."""

from aws_cdk import aws_glue as glue

from infra.stacks.base import PlatformStack


def add_crawl_workflow(stack: PlatformStack) -> None:
    """Raw first, and curated once that has succeeded; a job between the two takes a trigger of its own here.

    Nothing starts it by itself: Dagster starts the crawlers one by one and waits for each (schedule `daily_crawl`).
    """
    config = stack.config
    workflow = glue.CfnWorkflow(
        stack,
        "Crawls",
        name=f"{config.name}-crawls",
        description="Looks at the raw zone, then at the curated zone",
        max_concurrent_runs=1,
    )
    raw, curated = f"{config.name}-raw", f"{config.name}-curated"
    first = glue.CfnTrigger(
        stack,
        "CrawlRaw",
        name=f"{config.name}-crawl-raw",
        type="ON_DEMAND",
        workflow_name=workflow.ref,
        actions=[glue.CfnTrigger.ActionProperty(crawler_name=raw)],
    )
    then = glue.CfnTrigger(
        stack,
        "CrawlCurated",
        name=f"{config.name}-crawl-curated",
        type="CONDITIONAL",
        workflow_name=workflow.ref,
        start_on_creation=True,
        predicate=glue.CfnTrigger.PredicateProperty(
            logical="AND",
            conditions=[
                glue.CfnTrigger.ConditionProperty(logical_operator="EQUALS", crawler_name=raw, crawl_state="SUCCEEDED")
            ],
        ),
        actions=[glue.CfnTrigger.ActionProperty(crawler_name=curated)],
    )
    # Glue wants the first trigger of a workflow before those that follow it.
    then.node.add_dependency(first)
