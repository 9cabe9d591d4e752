"""The intake's stack, and the producers as environments.toml declares them."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infra.stacks.config import PlatformConfig
from infra.stacks.environments import environment
from infra.stacks.producers.declared import Producer
from infra.stacks.sizes import Size
from iot_pipeline_tests.support.templates import of_type, template

GATEWAY = Producer("gateway", "acme", ("hamburg", "lyon"))


def _policy(role_prefix: str) -> list[dict[str, Any]]:
    found = of_type(template("TelemetryIntake"), "AWS::IAM::Policy")
    (document,) = [r["Properties"]["PolicyDocument"] for name, r in found.items() if name.startswith(role_prefix)]
    statements: list[dict[str, Any]] = document["Statement"]
    return statements


def test_a_producer_may_put_to_its_own_stream_and_nothing_else() -> None:
    (statement,) = _policy("GatewayRole")
    (stream,) = of_type(template("TelemetryIntake"), "AWS::Kinesis::Stream")
    assert statement["Action"] == "kinesis:PutRecords"
    assert statement["Resource"] == {"Fn::GetAtt": [stream, "Arn"]}


def test_its_role_is_for_whoever_has_its_tag() -> None:
    roles = of_type(template("TelemetryIntake"), "AWS::IAM::Role")
    (role,) = [r["Properties"] for name, r in roles.items() if name.startswith("GatewayRole")]
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Condition"] == {"StringEquals": {"aws:PrincipalTag/producer": "gateway"}}
    assert role["RoleName"] == "telemetry-producer-gateway"


def test_the_function_knows_a_producer_by_its_stream_alone() -> None:
    functions = of_type(template("TelemetryIntake"), "AWS::Lambda::Function")
    (function,) = [r["Properties"] for r in functions.values() if r["Properties"].get("FunctionName")]
    (whose,) = json.loads(function["Environment"]["Variables"]["IOT_PRODUCERS"]).items()
    arn, producer = whose
    assert arn.endswith(":stream/telemetry-producer-gateway")
    assert producer == {"name": "gateway", "tenant": "acme", "sites": ["hamburg", "lyon"]}


def test_every_limit_of_the_mapping_is_set() -> None:
    (mapping,) = of_type(template("TelemetryIntake"), "AWS::Lambda::EventSourceMapping").values()
    properties = mapping["Properties"]
    assert properties["StartingPosition"] == "TRIM_HORIZON"
    assert properties["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert properties["MaximumRetryAttempts"] > 0
    assert properties["MaximumRecordAgeInSeconds"] > 0
    assert "intake" in json.dumps(properties["DestinationConfig"])


def test_a_producer_is_declared_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "environments.toml"
    file.write_text('[a1]\n[[a1.producers]]\nname = "gateway"\ntenant = "acme"\nsites = ["hamburg", "lyon"]\n')
    assert environment("a1", file).producers == (GATEWAY,)
    assert environment("staging").producers == ()


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ('name = "g1"\ntenant = "acme"', "sites must be set"),
        ('name = "g1"\ntenant = "acme"\nsites = []', "sites must be set"),
        ('name = "g1"\ntenant = "acme"\nsites = [1]', "expected a list of texts"),
        ('name = "g1"\ntenant = 1\nsites = ["a"]', "expected str"),
        ('name = "g1"\ntenant = "acme"\nsites = ["a"]\nshards = true', "expected int"),
        ('name = "g1"\ntenant = "acme"\nsites = ["a"]\ncolour = "red"', "no such setting"),
        ('name = "G1"\ntenant = "acme"\nsites = ["a"]', "lower-case letters"),
        ('name = "g1"\ntenant = "acme"\nsites = ["a"]\nshards = 0', "shards must be 1 to 200"),
    ],
)
def test_what_is_declared_wrong_is_refused_by_name(tmp_path: Path, written: str, problem: str) -> None:
    file = tmp_path / "environments.toml"
    file.write_text(f"[a1]\n[[a1.producers]]\n{written}\n")
    with pytest.raises(ValueError, match=problem):
        environment("a1", file)


def test_a_name_occurs_once_and_a_prototype_has_no_stream() -> None:
    with pytest.raises(ValueError, match="each name may occur once"):
        PlatformConfig(producers=(GATEWAY, replace(GATEWAY, tenant="globex")))
    with pytest.raises(ValueError, match="this size has no stream"):
        PlatformConfig(size=Size.PROTOTYPE, producers=(GATEWAY,))
