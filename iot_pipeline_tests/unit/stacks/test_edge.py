"""The edge's stacks: every limit of the mapping, what holds data, and who may do what."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra.stacks.assembly import build
from infra.stacks.config import PlatformConfig
from infra.stacks.environments import from_process
from iot_pipeline.alerting.channels.document import MAX_CHANNELS
from iot_pipeline.contract.layout import EDGE_RULES
from iot_pipeline_tests.support.templates import nag_findings, of_type, template

DATA, SERVICES = "TelemetryEdgeData", "TelemetryEdge"
FUNCTIONS = {
    "telemetry-edge": "Handler",
    "telemetry-edge-sweep": "Sweep",
    "telemetry-edge-notify": "Notify",
    "telemetry-edge-deliver": "Deliver",
}
PLACES = {"telemetry-edge": 20, "telemetry-edge-deliver": MAX_CHANNELS}


def functions() -> dict[str, Any]:
    found = of_type(template(SERVICES), "AWS::Lambda::Function").values()
    return {f["Properties"]["FunctionName"]: f["Properties"] for f in found}


def statements(role: str) -> dict[str, Any]:
    """A role's statements by their name."""
    for policy in of_type(template(SERVICES), "AWS::IAM::Policy").values():
        if policy["Properties"]["Roles"][0]["Ref"].startswith(f"{role}Role"):
            return {s["Sid"]: s for s in policy["Properties"]["PolicyDocument"]["Statement"]}
    raise AssertionError(f"no policy of {role}")


def actions(role: str, service: str) -> set[str]:
    found: set[str] = set()
    for statement in statements(role).values():
        listed = statement["Action"]
        found |= {a for a in ([listed] if isinstance(listed, str) else listed) if a.startswith(f"{service}:")}
    return found


def test_every_limit_of_the_mapping_is_set() -> None:
    """Both retries and record age are endless by default: a poison record would block its shard until it expires."""
    (mapping,) = of_type(template(SERVICES), "AWS::Lambda::EventSourceMapping").values()
    made = mapping["Properties"]
    assert made | {"EventSourceArn": None, "FunctionName": None} == {
        "EventSourceArn": None,
        "FunctionName": None,
        "StartingPosition": "LATEST",
        "BatchSize": 500,
        "MaximumBatchingWindowInSeconds": 0,
        "ParallelizationFactor": 1,
        "BisectBatchOnFunctionError": True,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "MaximumRetryAttempts": 20,
        "MaximumRecordAgeInSeconds": 6 * 3600,
        "DestinationConfig": {
            "OnFailure": {"Destination": "arn:aws:s3:::telemetry-edge-failures-000000000000-eu-west-1"}
        },
        "MetricsConfig": {"Metrics": ["EventCount"]},
    }
    assert made["MaximumRecordAgeInSeconds"] < PlatformConfig().stream_retention_hours * 3600
    assert of_type(template(SERVICES), "AWS::Kinesis::StreamConsumer") == {}


def test_fan_out_is_an_option(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IOT_EDGE_FAN_OUT", "true")
    assert nag_findings(build(tmp_path, from_process())) == []
    made = json.loads((tmp_path / f"{SERVICES}.template.json").read_text())
    (consumer,) = of_type(made, "AWS::Kinesis::StreamConsumer")
    (mapping,) = of_type(made, "AWS::Lambda::EventSourceMapping").values()
    source = {"Fn::GetAtt": [consumer, "ConsumerARN"]}
    assert mapping["Properties"]["EventSourceArn"] == source
    granted = [
        s
        for policy in of_type(made, "AWS::IAM::Policy").values()
        for s in policy["Properties"]["PolicyDocument"]["Statement"]
        if s["Sid"] == "FanOut"
    ]
    assert [(s["Action"], s["Resource"]) for s in granted] == [
        (["kinesis:DescribeStreamConsumer", "kinesis:SubscribeToShard"], source)
    ]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_are_traced_bounded_and_log_json(name: str) -> None:
    made = functions()[name]
    assert (made["Runtime"], made["Architectures"]) == ("python3.14", ["arm64"])
    assert made["Handler"] == f"iot_pipeline.edge.{FUNCTIONS[name].lower()}.handle"
    assert made["TracingConfig"] == {"Mode": "Active"}
    assert made["LoggingConfig"]["LogFormat"] == "JSON"
    assert made["ReservedConcurrentExecutions"] == PLACES.get(name, 1)
    log = template(SERVICES)["Resources"][made["LoggingConfig"]["LogGroup"]["Ref"]]
    assert log["Properties"]["RetentionInDays"] == 90
    assert set(made["Environment"]["Variables"]) == {
        "IOT_DEVICE_STATE_TABLE",
        "IOT_ALERTS_TABLE",
        "IOT_RULES_BUCKET",
        "IOT_TOPIC_WARNING",
        "IOT_TOPIC_CRITICAL",
        "IOT_STREAM",
        "IOT_EDGE_FUNCTION",
        "IOT_NOTIFY_FUNCTION",
        "IOT_DELIVER_FUNCTION",
        "IOT_CHANNELS_SECRET",
        "IOT_ALERT_DEAD_LETTERS_URL",
        "IOT_METRIC_NAMESPACE",
        "IOT_LATENESS_DAYS",
        "IOT_FUTURE_HOURS",
    }


def test_the_deployment_s_bounds_reach_the_functions(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    variables = functions()["telemetry-edge"]["Environment"]["Variables"]
    assert (variables["IOT_LATENESS_DAYS"], variables["IOT_FUTURE_HOURS"]) == ("30", "1")
    monkeypatch.setenv("IOT_LATENESS_DAYS", "90.5")
    monkeypatch.setenv("IOT_FUTURE_HOURS", "0")
    config = from_process()
    assert (config.lateness_days, config.future_hours) == (90.5, 0)
    build(tmp_path, config).synth()
    made = json.loads((tmp_path / "TelemetryEdge.template.json").read_text())
    found = [each["Properties"] for each in of_type(made, "AWS::Lambda::Function").values()]
    (handler,) = (each for each in found if each["FunctionName"] == "telemetry-edge")
    assert handler["Environment"]["Variables"]["IOT_LATENESS_DAYS"] == "90.5"


@pytest.mark.parametrize(("days", "hours"), [(0, 1), (-1, 1), (30, -1)])
def test_bounds_that_cannot_be_are_refused(days: float, hours: float) -> None:
    with pytest.raises(ValueError, match="lateness_days must be above 0"):
        PlatformConfig(lateness_days=days, future_hours=hours)


@pytest.mark.parametrize("role", ["sweep", "notify"])
def test_the_clock_calls_each_minute_and_what_fails_is_kept(role: str) -> None:
    made, name = template(SERVICES), f"telemetry-edge-{role}"
    (rule,) = (r["Properties"] for r in of_type(made, "AWS::Events::Rule").values() if r["Properties"]["Name"] == name)
    assert (rule["ScheduleExpression"], rule["State"]) == ("rate(1 minute)", "ENABLED")
    (target,) = rule["Targets"]
    function = made["Resources"][target["Arn"]["Fn::GetAtt"][0]]["Properties"]
    assert function["FunctionName"] == name
    assert function["Timeout"] < 60, "the next call would be throttled"
    queue = "arn:aws:sqs:eu-west-1:000000000000:telemetry-edge-dead-letters"
    assert target["DeadLetterConfig"] == {"Arn": queue}
    (config,) = (
        c["Properties"]
        for c in of_type(made, "AWS::Lambda::EventInvokeConfig").values()
        if c["Properties"]["FunctionName"]["Ref"] == target["Arn"]["Fn::GetAtt"][0]
    )
    # What `notify` has to send stays in the outbox, whatever becomes of a call.
    kept = {"OnFailure": {"Destination": queue}} if role == "sweep" else None
    assert config.get("DestinationConfig") == kept
    tried = (config["MaximumRetryAttempts"], config["MaximumEventAgeInSeconds"])
    assert tried == ((2, 300) if role == "sweep" else (0, 60))
    (permission,) = (
        p["Properties"]
        for p in of_type(made, "AWS::Lambda::Permission").values()
        if p["Properties"]["FunctionName"] == target["Arn"]
    )
    assert permission["SourceAccount"] == "000000000000"


def test_tables_are_on_demand_recoverable_encrypted_and_expire() -> None:
    tables = {t["Properties"]["TableName"]: t for t in of_type(template(DATA), "AWS::DynamoDB::Table").values()}
    assert set(tables) == {"telemetry-device-state", "telemetry-alerts"}
    for table in tables.values():
        made = table["Properties"]
        assert made["BillingMode"] == "PAY_PER_REQUEST"
        assert made["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
        assert made["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
        assert (made["SSESpecification"]["SSEEnabled"], made["SSESpecification"]["SSEType"]) == (True, "KMS")
        assert made["DeletionProtectionEnabled"] is True
        assert table["DeletionPolicy"] == "RetainExceptOnCreate"
    indexes = {
        index["IndexName"]: [key["AttributeName"] for key in index["KeySchema"]]
        for index in tables["telemetry-alerts"]["Properties"]["GlobalSecondaryIndexes"]
    }
    assert indexes == {
        "subject": ["subject", "opened_at"],
        "open": ["open", "opened_at"],
        "pending": ["pending", "pending_at"],
        "written": ["written_day", "written_at"],
    }


def test_each_function_may_do_what_it_does_and_nothing_else() -> None:
    items = {f"dynamodb:{name}" for name in ("GetItem", "BatchGetItem", "PutItem", "UpdateItem", "ConditionCheckItem")}
    assert actions("Handler", "dynamodb") == items | {"dynamodb:Query"}
    assert actions("Sweep", "dynamodb") == items | {"dynamodb:Query", "dynamodb:Scan"}
    told = {f"dynamodb:{n}" for n in ("GetItem", "UpdateItem", "Query")}
    assert actions("Deliver", "dynamodb") == told
    assert actions("Notify", "dynamodb") == told | {"dynamodb:PutItem", "dynamodb:Scan"}
    assert statements("Notify")["OpenEpisodes"]["Resource"].endswith("/index/open")
    assert actions("Handler", "sns") == actions("Sweep", "sns") == set()
    assert actions("Handler", "secretsmanager") == actions("Sweep", "secretsmanager") == set()
    for role in ("Notify", "Deliver"):
        assert actions(role, "sns") == {"sns:Publish"}
        assert actions(role, "secretsmanager") == {"secretsmanager:GetSecretValue"}
        named = "arn:aws:secretsmanager:eu-west-1:000000000000:secret:telemetry-alert-channels-??????"
        assert statements(role)["Channels"]["Resource"] == named
    assert actions("Deliver", "sqs") == {"sqs:SendMessage"}
    assert statements("Deliver")["DeadLetters"]["Resource"].endswith(":telemetry-alert-dead-letters")
    assert actions("Deliver", "lambda") == set()
    assert statements("Notify")["Deliver"]["Resource"].endswith(":telemetry-edge-deliver")
    assert actions("Notify", "kinesis") == actions("Notify", "s3") == set()
    assert actions("Handler", "s3") == {"s3:GetObject", "s3:ListBucket", "s3:PutObject"}
    assert statements("Handler")["Rules"]["Resource"].endswith(f"/{EDGE_RULES}*")
    for role in FUNCTIONS.values():
        for sid, statement in statements(role).items():
            listed = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            assert not any("*" in action for action in listed)
            assert statement["Resource"] != "*" or sid == "Trace"
            if any(action.startswith("kms:") for action in listed):
                assert "kms:ViaService" in statement["Condition"]["StringEquals"], "of a service, not by itself"


def test_the_channels_are_an_encrypted_secret_without_a_value() -> None:
    """A generated value would be a document that cannot be taken; what is written later is not the template's."""
    (secret,) = of_type(template(DATA), "AWS::SecretsManager::Secret").values()
    made = secret["Properties"]
    assert made["Name"] == "telemetry-alert-channels"
    assert "KmsKeyId" in made
    assert not made.keys() & {"SecretString", "GenerateSecretString"}
    assert secret["DeletionPolicy"] == "RetainExceptOnCreate"


def test_a_delivery_that_fails_is_not_tried_by_lambda_and_has_an_alarm() -> None:
    """What it has to send waits in the table, whatever becomes of a call."""
    made = template(SERVICES)
    (name,) = (
        key
        for key, each in of_type(made, "AWS::Lambda::Function").items()
        if each["Properties"]["FunctionName"] == "telemetry-edge-deliver"
    )
    (config,) = (
        each["Properties"]
        for each in of_type(made, "AWS::Lambda::EventInvokeConfig").values()
        if each["Properties"]["FunctionName"]["Ref"] == name
    )
    assert (config["MaximumRetryAttempts"], config["MaximumEventAgeInSeconds"]) == (0, 60)
    alarms = {key[: -len("00000000")]: each["Properties"] for key, each in of_type(made, _ALARM).items()}
    assert alarms["DeliverFails"]["Dimensions"] == [{"Name": "FunctionName", "Value": "telemetry-edge-deliver"}]
    assert alarms["ChannelLags"]["Dimensions"] == [{"Name": "function", "Value": "deliver"}]
    assert alarms["ChannelsBroken"]["Dimensions"] == [{"Name": "function", "Value": "notify"}]


def test_an_alarm_of_each_kind_goes_to_the_pipeline_s_topic() -> None:
    alarms = {a["Properties"]["MetricName"]: a["Properties"] for a in of_type(template(SERVICES), _ALARM).values()}
    assert set(alarms) == {
        "IteratorAge",
        "Errors",
        "Throttles",
        "Invocations",
        "OnFailureDestinationDeliveredEventCount",
        "DroppedEventCount",
        "ApproximateNumberOfMessagesVisible",
        "ApproximateAgeOfOldestMessage",
        "channels_broken",
        "oldest_ms",
    }
    for alarm in alarms.values():
        assert alarm["AlarmActions"] == alarm["OKActions"] == alarms["IteratorAge"]["AlarmActions"]
        assert "alertstopic" in alarm["AlarmActions"][0]["Ref"]
    assert alarms["Invocations"]["TreatMissingData"] == "breaching", "a clock that stands still measures nothing"


_ALARM = "AWS::CloudWatch::Alarm"


def test_whoever_is_subscribed_has_what_fails_kept(tmp_path: Path) -> None:
    config = PlatformConfig(warning_endpoints=("mailto:a@b.example",), critical_endpoints=("https://b.example/hook",))
    build(tmp_path, config).synth()
    made = json.loads((tmp_path / f"{DATA}.template.json").read_text())
    found = {
        (s["Properties"]["Protocol"], s["Properties"]["Endpoint"]): s["Properties"]
        for s in of_type(made, "AWS::SNS::Subscription").values()
    }
    assert set(found) == {("email", "a@b.example"), ("https", "https://b.example/hook")}
    for subscription in found.values():
        queue = subscription["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
        assert made["Resources"][queue]["Properties"]["QueueName"] == "telemetry-alert-dead-letters"


def test_an_endpoint_that_no_alert_can_be_sent_to_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not to 'http://plain'"):
        build(tmp_path, PlatformConfig(warning_endpoints=("http://plain",)))
