"""Who did what, and the guards of the account: with none of the account's guards, and with all of them."""

import json
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import aws_cdk as cdk
import pytest
from cfnlint.api import lint

from infra.stacks.config import PlatformConfig
from infra.stacks.environments import environment, environments
from infra.stacks.feature_flags import RECOMMENDED
from infra.stacks.security.account import RECORDED, RULES
from infra.stacks.security.stack import SecurityStack
from infra.stacks.validity import ACCOUNT_GUARDS
from iot_pipeline_tests.support.templates import nag_findings, of_type, template

TRAIL = "arn:aws:cloudtrail:eu-west-1:000000000000:trail/telemetry"
LAKE = "arn:aws:s3:::telemetry-lake-000000000000-eu-west-1"


@cache
def with_all_guards() -> str:
    app = cdk.App(outdir=mkdtemp(), context=dict(RECOMMENDED), analytics_reporting=False)
    SecurityStack(app, PlatformConfig(account_guards=ACCOUNT_GUARDS))
    assert nag_findings(app) == []
    return (Path(app.outdir) / "TelemetrySecurity.template.json").read_text()


def guarded() -> dict[str, Any]:
    made: dict[str, Any] = json.loads(with_all_guards())
    return made


def selectors(made: dict[str, Any]) -> dict[str, dict[str, list[str]]]:
    (trail,) = of_type(made, "AWS::CloudTrail::Trail").values()
    return {
        selector["Name"]: {
            field["Field"]: field.get("Equals", field.get("StartsWith")) for field in selector["FieldSelectors"]
        }
        for selector in trail["Properties"]["AdvancedEventSelectors"]
    }


def statements(policy: dict[str, Any], service: str) -> dict[str, dict[str, Any]]:
    return {s["Sid"]: s for s in policy["Statement"] if s["Principal"] == {"Service": service}}


def test_the_trail_has_every_read_and_write_of_raw_and_curated_and_of_failed_records() -> None:
    (recorded,) = (s for s in selectors(template("TelemetrySecurity")).values() if "readOnly" not in s)
    assert recorded == {
        "eventCategory": ["Data"],
        "resources.type": ["AWS::S3::Object"],
        "resources.ARN": [
            f"{LAKE}/raw/telemetry/",
            f"{LAKE}/curated/telemetry/",
            f"{LAKE}/removals/",
            "arn:aws:s3:::telemetry-edge-failures-000000000000-eu-west-1/",
        ],
    }


def test_of_the_audit_bucket_the_trail_has_reads_alone() -> None:
    """A record of what CloudTrail itself writes there would be written there, and so on without end."""
    made = template("TelemetrySecurity")
    audit = [s for s in selectors(made).values() if "Fn::Join" in str(s.get("resources.ARN"))]
    assert [s["readOnly"] for s in audit] == [["true"]]


def test_the_trail_is_let_into_its_bucket_and_its_key_and_no_other_trail_is() -> None:
    made = template("TelemetrySecurity")
    (key,) = of_type(made, "AWS::KMS::Key").values()
    granted = statements(key["Properties"]["KeyPolicy"], "cloudtrail.amazonaws.com")
    assert granted["TrailEncrypts"]["Action"] == "kms:GenerateDataKey*"
    assert granted["TrailLooks"]["Action"] == ["kms:Decrypt", "kms:DescribeKey"]
    for statement in granted.values():
        assert statement["Condition"]["StringEquals"] == {"aws:SourceArn": TRAIL}
    (policy,) = of_type(made, "AWS::S3::BucketPolicy").values()
    granted = statements(policy["Properties"]["PolicyDocument"], "cloudtrail.amazonaws.com")
    assert {sid: s["Action"] for sid, s in granted.items()} == {
        "TrailLooks": "s3:GetBucketAcl",
        "TrailWrites": "s3:PutObject",
    }
    assert granted["TrailWrites"]["Condition"]["StringEquals"] == {
        "aws:SourceArn": TRAIL,
        "aws:SourceAccount": "000000000000",
        "s3:x-amz-acl": "bucket-owner-full-control",
    }
    (trail,) = of_type(made, "AWS::CloudTrail::Trail").values()
    prefix = trail["Properties"]["S3KeyPrefix"]
    assert granted["TrailWrites"]["Resource"]["Fn::Join"][1][-1] == f"/{prefix}/AWSLogs/000000000000/*"
    assert trail["DependsOn"] == list(of_type(made, "AWS::S3::BucketPolicy"))
    assert trail["Properties"]["EnableLogFileValidation"] is True


def test_records_are_kept_as_long_as_the_size_says() -> None:
    for made, days in ((template("TelemetrySecurity"), 365), (guarded(), PlatformConfig().audit_days)):
        (bucket,) = of_type(made, "AWS::S3::Bucket").values()
        rules = {r["Id"]: r for r in bucket["Properties"]["LifecycleConfiguration"]["Rules"]}
        assert rules["records"]["ExpirationInDays"] == days
    assert environment("production").audit_days == 1830


def test_without_the_account_s_guards_nothing_of_the_account_is_touched() -> None:
    made = template("TelemetrySecurity")
    kinds = {resource["Type"].split("::")[1] for resource in made["Resources"].values()}
    assert kinds.isdisjoint({"Config", "GuardDuty", "AccessAnalyzer", "Events"})
    (trail,) = of_type(made, "AWS::CloudTrail::Trail").values()
    assert not trail["Properties"]["IsMultiRegionTrail"]


def test_one_environment_of_the_file_guards_the_account() -> None:
    guarding = [name for name in environments() if environment(name).account_guards]
    assert guarding == ["production"]


def test_with_all_guards_lint_and_nag_find_nothing() -> None:
    assert [str(match) for match in lint(with_all_guards(), regions=["eu-west-1"])] == []


def test_a_rule_waits_for_the_recorder_which_records_what_rules_look_at() -> None:
    made = guarded()
    rules = of_type(made, "AWS::Config::ConfigRule").values()
    assert {r["Properties"]["Source"]["SourceIdentifier"] for r in rules} == set(RULES)
    needed = {*of_type(made, "AWS::Config::ConfigurationRecorder"), *of_type(made, "AWS::Config::DeliveryChannel")}
    assert all(set(r["DependsOn"]) == needed for r in rules)
    (recorder,) = of_type(made, "AWS::Config::ConfigurationRecorder").values()
    assert recorder["Properties"]["RecordingGroup"]["ResourceTypes"] == list(RECORDED)


@pytest.mark.parametrize("guard", [g for g in ACCOUNT_GUARDS if g != "recorder"])
def test_each_guard_tells_the_topic_of_alerts_and_an_alarm_watches_that_it_can(guard: str) -> None:
    notices = {
        "management-events": "telemetry-tampering",
        "rules": "telemetry-rulebroken",
        "guardduty": "telemetry-threat",
        "analyzer": "telemetry-opentooutsiders",
    }
    made = guarded()
    (rule,) = (
        r["Properties"]
        for r in of_type(made, "AWS::Events::Rule").values()
        if r["Properties"]["Name"] == notices[guard]
    )
    topic = rule["Targets"][0]["Arn"]
    (parameter,) = (p for name, p in made["Parameters"].items() if topic == {"Ref": name})
    assert parameter["Default"] == "/telemetry/alerts-topic"
    watched = [a["Properties"] for a in of_type(made, "AWS::CloudWatch::Alarm").values()]
    (alarm,) = (a for a in watched if json.dumps({"Name": "RuleName", "Value": rule["Name"]}) in json.dumps(a))
    assert alarm["AlarmActions"] == [topic]
    counted = {m["MetricStat"]["Metric"]["MetricName"] for m in alarm["Metrics"] if "MetricStat" in m}
    assert counted == {"FailedInvocations", "InvocationsSentToDlq", "InvocationsFailedToBeSentToDlq"}


def test_what_the_topic_does_not_take_is_kept_of_these_rules_alone() -> None:
    made = guarded()
    ((name, queue),) = of_type(made, "AWS::SQS::Queue").items()
    assert queue["Properties"]["QueueName"] == "telemetry-security-dead-letters"
    rules = [rule["Properties"] for rule in of_type(made, "AWS::Events::Rule").values()]
    assert all(r["Targets"][0]["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": [name, "Arn"]}} for r in rules)
    (policy,) = of_type(made, "AWS::SQS::QueuePolicy").values()
    (sending,) = (s for s in policy["Properties"]["PolicyDocument"]["Statement"] if s["Effect"] == "Allow")
    assert sending["Condition"]["StringEquals"] == {"aws:SourceAccount": "000000000000"}
    senders = json.dumps(sending["Condition"]["ArnEquals"]["aws:SourceArn"])
    assert all(f":rule/{rule['Name']}" in senders for rule in rules)
