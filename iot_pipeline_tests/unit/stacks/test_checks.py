"""Static checks of the templates, and proof that each of them finds a planted mistake."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_sns as sns
from cfnlint.api import lint

from infra.stacks.assembly import build
from infra.stacks.checks import CHECKS, findings
from infra.stacks.config import PlatformConfig
from infra.stacks.sizes import QUANTITIES, Size
from iot_pipeline_tests.support.templates import STACKS, nag_findings, of_type, template, whole

Template = dict[str, Any]


def linted(made: Template) -> list[str]:
    return [f"{match.rule.id} {match.message}" for match in lint(json.dumps(made), regions=["eu-west-1"])]


def first(made: Template, resource_type: str) -> Any:
    return next(iter(of_type(made, resource_type).values()))["Properties"]


@pytest.mark.parametrize("stack", STACKS)
def test_cfn_lint_finds_nothing(stack: str) -> None:
    assert linted(template(stack)) == []


def test_cfn_lint_finds_a_planted_mistake() -> None:
    made = template("TelemetryLake")
    first(made, "AWS::Kinesis::Stream")["RetentionPeriodHour"] = 48
    assert any("RetentionPeriodHour" in line for line in linted(made))


def test_cdk_nag_finds_nothing(tmp_path: Path) -> None:
    assert nag_findings(build(tmp_path, whole())) == []


def test_cdk_nag_finds_nothing_in_production_nor_without_a_domain(tmp_path: Path) -> None:
    production: dict[str, Any] = {"size": Size.PRODUCTION, **QUANTITIES[Size.PRODUCTION]}
    assert nag_findings(build(tmp_path / "production", whole(**production))) == []
    assert nag_findings(build(tmp_path / "headless", PlatformConfig())) == []


def test_cdk_nag_finds_a_planted_mistake(tmp_path: Path) -> None:
    app = build(tmp_path, PlatformConfig())
    ingest = app.node.find_child("TelemetryIngest")
    assert isinstance(ingest, cdk.Stack)
    sns.Topic(ingest, "Unencrypted")
    assert set(nag_findings(app)) == {"AwsSolutions-SNS3"}


@pytest.mark.parametrize("stack", STACKS)
def test_own_checks_find_nothing(stack: str) -> None:
    assert findings(template(stack)) == []


def _no_error_action(made: Template) -> None:
    del first(made, "AWS::IoT::TopicRule")["TopicRulePayload"]["ErrorAction"]


def _any_action(made: Template) -> None:
    first(made, "AWS::IoT::Policy")["PolicyDocument"]["Statement"][0]["Action"] = ["iot:*"]


def _any_device(made: Template) -> None:
    statement = first(made, "AWS::IoT::Policy")["PolicyDocument"]["Statement"][1]
    statement["Resource"] = [statement["Resource"], "arn:aws:iot:eu-west-1:000000000000:topic/dt/*"]


def _claim_that_publishes_telemetry(made: Template) -> None:
    policy = made["Resources"]["ClaimPermissions"]["Properties"]["PolicyDocument"]
    policy["Statement"][1]["Resource"].append("arn:aws:iot:eu-west-1:000000000000:topic/dt/*")


def _device_that_provisions(made: Template) -> None:
    statement = made["Resources"]["DevicePermissions"]["Properties"]["PolicyDocument"]["Statement"][1]
    topic = "arn:aws:iot:eu-west-1:000000000000:topic/$aws/certificates/create/json"
    statement["Resource"] = [statement["Resource"], topic]


def _any_tenant(made: Template) -> None:
    statement = made["Resources"]["DevicePermissions"]["Properties"]["PolicyDocument"]["Statement"][1]
    statement["Resource"] = statement["Resource"].replace("${iot:Connection.Thing.Attributes[tenant]}", "*")


def _plain_http_allowed(kind: str) -> Callable[[Template], None]:
    def plant(made: Template) -> None:
        for policy in of_type(made, kind).values():
            statements = policy["Properties"]["PolicyDocument"]["Statement"]
            statements[:] = [s for s in statements if s["Effect"] != "Deny"]

    return plant


def _tls_condition_reversed(made: Template) -> None:
    for policy in of_type(made, "AWS::S3::BucketPolicy").values():
        policy["Properties"]["PolicyDocument"]["Statement"][0]["Condition"]["Bool"]["aws:SecureTransport"] = "true"


def _no_redrive(made: Template) -> None:
    for queue in of_type(made, "AWS::SQS::Queue").values():
        queue["Properties"].pop("RedrivePolicy", None)


def _no_error_prefix(made: Template) -> None:
    del _destination(made)["ErrorOutputPrefix"]


def _errors_among_the_data(made: Template) -> None:
    _destination(made)["ErrorOutputPrefix"] = "raw/telemetry/errors/"


def _destination(made: Template) -> Any:
    return first(made, "AWS::KinesisFirehose::DeliveryStream")["ExtendedS3DestinationConfiguration"]


PLANTED = [
    ("TelemetryIngest", _no_error_action, "iot_rule_has_error_action"),
    ("TelemetryIngest", _any_action, "iot_policy_is_bound_to_the_thing"),
    ("TelemetryIngest", _any_device, "iot_policy_is_bound_to_the_thing"),
    ("TelemetryIngest", _any_tenant, "iot_policy_is_bound_to_the_thing"),
    ("TelemetryIngest", _claim_that_publishes_telemetry, "iot_policy_is_bound_to_the_thing"),
    ("TelemetryIngest", _device_that_provisions, "iot_policy_is_bound_to_the_thing"),
    ("TelemetryLake", _plain_http_allowed("AWS::S3::BucketPolicy"), "plain_http_is_denied"),
    ("TelemetryLake", _plain_http_allowed("AWS::SQS::QueuePolicy"), "plain_http_is_denied"),
    ("TelemetryLake", _plain_http_allowed("AWS::SNS::TopicPolicy"), "plain_http_is_denied"),
    ("TelemetryLake", _tls_condition_reversed, "plain_http_is_denied"),
    ("TelemetryLake", _no_redrive, "queue_has_dead_letter_queue"),
    ("TelemetryIngest", _no_error_prefix, "firehose_has_error_prefix"),
    ("TelemetryIngest", _errors_among_the_data, "firehose_has_error_prefix"),
]


@pytest.mark.parametrize(("stack", "plant", "check"), PLANTED, ids=[p[1].__name__.strip("_") + p[0] for p in PLANTED])
def test_own_checks_find_each_planted_mistake(stack: str, plant: Callable[[Template], None], check: str) -> None:
    made = template(stack)
    plant(made)
    assert {finding.check for finding in findings(made)} == {check}


def test_every_own_check_has_a_planted_mistake() -> None:
    assert {check.__name__ for check in CHECKS} == {check for _, _, check in PLANTED}
