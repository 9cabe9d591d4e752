"""The workflow of the crawlers, and the nightly snapshot of the warehouse."""

import json

from infra.stacks.config import PlatformConfig
from iot_pipeline_tests.support.templates import of_type, template

STACK = "TelemetryUpkeep"


def test_curated_is_crawled_once_raw_has_been_by_crawlers_that_there_are() -> None:
    crawlers = {c["Properties"]["Name"] for c in of_type(template("TelemetryQueries"), "AWS::Glue::Crawler").values()}
    triggers = {
        t["Properties"]["Type"]: t["Properties"] for t in of_type(template(STACK), "AWS::Glue::Trigger").values()
    }
    (first,), (then,) = triggers["ON_DEMAND"]["Actions"], triggers["CONDITIONAL"]["Actions"]
    assert [first["CrawlerName"], then["CrawlerName"]] == ["telemetry-raw", "telemetry-curated"]
    assert {first["CrawlerName"], then["CrawlerName"]} == crawlers
    (condition,) = triggers["CONDITIONAL"]["Predicate"]["Conditions"]
    assert (condition["CrawlerName"], condition["CrawlState"]) == ("telemetry-raw", "SUCCEEDED")


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
