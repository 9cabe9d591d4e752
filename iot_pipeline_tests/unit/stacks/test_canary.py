"""The canary sends what the contract takes, sees its reading in the state that the edge writes, and tells of a loss."""

import importlib
import json
import time
from types import ModuleType
from typing import Any

import pytest

from infra.stacks.config import PlatformConfig
from iot_pipeline.contract.envelope import CLIENT, DEVICE, RECEIVED_AT, SITE, TENANT, TRACE
from iot_pipeline.contract.judge import Judge
from iot_pipeline.edge.device_state import DeviceState
from iot_pipeline_tests.support.templates import of_type, template

STACK = "TelemetryObservability"


def function() -> dict[str, Any]:
    (made,) = of_type(template(STACK), "AWS::Lambda::Function").values()
    properties: dict[str, Any] = made["Properties"]
    return properties


class Broker:
    """Takes what is published, and has the edge take the first `lost` messages not."""

    def __init__(self, lost: int = 0) -> None:
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.lost = lost

    def publish(self, *, topic: str, qos: int, payload: bytes) -> None:
        assert qos == 1
        self.sent.append((topic, json.loads(payload)))


class States:
    """The table of live states, with what the edge has made of the broker's messages."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker

    def get_item(self, *, TableName: str, Key: dict[str, Any], ConsistentRead: bool) -> dict[str, Any]:  # noqa: N803  # boto3's names
        assert (TableName, ConsistentRead) == ("telemetry-device-state", True)
        if len(self.broker.sent) <= self.broker.lost:
            return {}
        reading = self.broker.sent[-1][1]["readings"][0]
        state = DeviceState(Key["device"]["S"], newest=(reading["ts"], reading["seq"]))
        return {"Item": {"device": Key["device"], "body": {"S": state.encode()}}}


@pytest.fixture
def canary(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    for name, value in function()["Environment"]["Variables"].items():
        monkeypatch.setenv(name, value)
    module = importlib.import_module("infra.stacks.observability.lambdas.canary_device")
    monkeypatch.setattr(module, "broker", Broker())
    monkeypatch.setattr(module, "states", States(module.broker))
    monkeypatch.setattr(module, "_PAUSE_SECONDS", 0.01)
    return module


def told(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)
    (directive,) = found["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == PlatformConfig().metrics
    assert directive["Dimensions"] == [["function"]]
    return {metric["Name"]: found[metric["Name"]] for metric in directive["Metrics"]}


def test_its_messages_are_valid_readings_of_the_contract_whose_values_change(canary: ModuleType) -> None:
    now, values = int(time.time()), set()
    for minute in range(10):
        message = canary.message(now + 60 * minute)
        envelope = {TENANT: "platform", SITE: "canary", DEVICE: message["device_id"], CLIENT: "n/a", TRACE: "t"}
        line = message | {field.name: value for field, value in envelope.items()}
        line[RECEIVED_AT.name] = (now + 60 * minute) * 1000 + 200
        (reading,) = Judge().line(json.dumps(line))
        assert str(reading.outcome) == "valid"
        values.add(message["readings"][0]["temperature"])
    assert len(values) == 10, "a value that stays is an alert of a stuck sensor"


def test_it_finds_its_reading_in_the_state_that_the_edge_writes(
    canary: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    found = canary.handler({}, None)
    assert found["arrived"] == 1
    assert 0 <= found["arrival_ms"] < 5_000
    assert told(capsys.readouterr().out) == found
    ((topic, message),) = canary.broker.sent
    assert topic == "dt/platform/canary/telemetry-canary/telemetry"
    assert message["device_id"] == "telemetry-canary"


def test_a_message_that_never_arrives_is_told_as_lost(
    canary: ModuleType, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WITHIN_SECONDS", "0.05")
    canary.broker.lost = 1
    assert canary.handler({}, None) == {"arrived": 0}
    assert told(capsys.readouterr().out) == {"arrived": 0}


def test_an_older_reading_in_the_state_is_not_taken_for_the_one_sent(canary: ModuleType) -> None:
    canary.broker.sent.append(("earlier", canary.message(int(time.time()) - 60)))
    assert canary.newest() < int(time.time())


def test_a_broker_that_refuses_is_told_as_lost_and_fails_the_call(
    canary: ModuleType, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: object) -> None:
        raise ConnectionError("refused")

    monkeypatch.setattr(canary.broker, "publish", refuse)
    with pytest.raises(ConnectionError, match="refused"):
        canary.handler({}, None)
    assert told(capsys.readouterr().out) == {"arrived": 0}


def test_it_may_publish_on_its_own_topic_and_read_its_own_item_alone() -> None:
    (policy,) = of_type(template(STACK), "AWS::IAM::Policy").values()
    statements = {s["Sid"]: s for s in policy["Properties"]["PolicyDocument"]["Statement"]}
    assert set(statements) == {"Send", "Look", "TableKey", "Log", "Trace"}
    own = "arn:aws:iot:eu-west-1:000000000000:topic/dt/platform/canary/telemetry-canary/telemetry"
    assert (statements["Send"]["Action"], statements["Send"]["Resource"]) == ("iot:Publish", own)
    assert statements["Look"]["Action"] == "dynamodb:GetItem"
    assert statements["Look"]["Resource"].endswith(":table/telemetry-device-state")
    assert statements["Look"]["Condition"] == {
        "ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["telemetry-canary"]}
    }


def test_the_clock_calls_it_as_often_as_the_configuration_says() -> None:
    (rule,) = of_type(template(STACK), "AWS::Events::Rule").values()
    assert rule["Properties"]["ScheduleExpression"] == f"rate({PlatformConfig().canary_minutes} minutes)"
    assert function()["Timeout"] < 60, "the next call would find the function's one place taken"
