"""The workflows of Glue, and the nightly snapshot of the warehouse."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from infra.stacks.config import PlatformConfig
from infra.stacks.upkeep.workflows import BUILT_HOURS
from iot_pipeline.spark.order import Order
from iot_pipeline_tests.support.templates import of_type, template

STACK = "TelemetryUpkeep"


def triggers_of(workflow: str) -> list[dict[str, Any]]:
    """The triggers of a workflow, by the name that it is given, in the order in which each waits for the one before."""
    made = template(STACK)
    (home,) = (n for n, w in of_type(made, "AWS::Glue::Workflow").items() if w["Properties"]["Name"] == workflow)
    found = {
        n: t for n, t in of_type(made, "AWS::Glue::Trigger").items() if t["Properties"]["WorkflowName"]["Ref"] == home
    }
    chain = [name for name, trigger in found.items() if trigger["Properties"]["Type"] == "ON_DEMAND"]
    while after := [name for name, trigger in found.items() if chain[-1] in trigger.get("DependsOn", ())]:
        chain += after
    assert len(chain) == len(found)
    return [found[name]["Properties"] for name in chain]


def waits_for(trigger: dict[str, Any]) -> str:
    """The crawler or job that a trigger wants to have succeeded."""
    (condition,) = trigger["Predicate"]["Conditions"]
    assert {condition.get("CrawlState"), condition.get("State")} == {"SUCCEEDED", None}
    return str(condition.get("CrawlerName") or condition["JobName"])


def test_curated_is_crawled_once_raw_has_been_by_crawlers_that_there_are() -> None:
    crawlers = {c["Properties"]["Name"] for c in of_type(template("TelemetryQueries"), "AWS::Glue::Crawler").values()}
    first, then = triggers_of("telemetry-crawls")
    assert [trigger["Actions"][0]["CrawlerName"] for trigger in (first, then)] == ["telemetry-raw", "telemetry-curated"]
    assert crawlers == {"telemetry-raw", "telemetry-curated"}
    assert waits_for(then) == "telemetry-raw"


def test_a_workflow_crawls_builds_and_crawls_again() -> None:
    first, build, then = triggers_of("telemetry-build")
    (job,) = of_type(template("TelemetrySpark"), "AWS::Glue::Job").values()
    (action,) = build["Actions"]
    assert action["JobName"] == job["Properties"]["Name"] == waits_for(then)
    assert waits_for(build) == first["Actions"][0]["CrawlerName"] == "telemetry-raw"
    assert then["Actions"][0]["CrawlerName"] == "telemetry-curated"


def test_the_job_understands_what_the_workflow_tells_it() -> None:
    (action,) = triggers_of("telemetry-build")[1]["Actions"]
    order = Order.recent([part for pair in action["Arguments"].items() for part in pair], datetime.now(UTC))
    config = PlatformConfig()
    assert (order.bucket, order.database) == (config.lake_bucket, config.database)
    assert order.contract.lateness_bound == timedelta(days=config.lateness_days)
    assert len(order.arrivals) == BUILT_HOURS


def test_a_snapshot_is_taken_each_night_of_the_namespace_that_there_is_and_expires() -> None:
    (schedule,) = of_type(template(STACK), "AWS::Scheduler::Schedule").values()
    target = schedule["Properties"]["Target"]
    asked = json.loads(target["Input"])
    (namespace,) = of_type(template("TelemetryWarehouse"), "AWS::RedshiftServerless::Namespace").values()
    assert asked["NamespaceName"] == namespace["Properties"]["NamespaceName"]
    assert asked["RetentionPeriod"] == PlatformConfig().warehouse_snapshot_days
    assert target["Arn"] == "arn:aws:scheduler:::aws-sdk:redshiftserverless:createSnapshot"


def test_only_the_scheduler_of_this_account_may_take_one() -> None:
    (role,) = of_type(template(STACK), "AWS::IAM::Role").values()
    (trust,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "scheduler.amazonaws.com"}
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": "000000000000"}}
    (policy,) = of_type(template(STACK), "AWS::IAM::Policy").values()
    (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Action"] == "redshift-serverless:CreateSnapshot"
