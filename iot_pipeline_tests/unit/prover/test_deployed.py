"""Templates resolved, and what the prover says of roles that nobody has told it of."""

from typing import Any

import pytest

from infra.prover.deployed import Environment
from infra.prover.proving import prove
from infra.stacks.config import PlatformConfig

CONFIG = PlatformConfig(account="111122223333", name="try")
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}],
}
DATA: dict[str, Any] = {
    "Resources": {
        "Stream1": {"Type": "AWS::Kinesis::Stream", "Properties": {}},
        "Published": {
            "Type": "AWS::SSM::Parameter",
            "Properties": {"Name": "/try/stream", "Value": {"Ref": "Stream1"}},
        },
    }
}
USER: dict[str, Any] = {
    "Parameters": {"P": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/try/stream"}},
    "Resources": {
        "Queue1": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "letters"}},
        "Role1": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": TRUST}},
    },
}


def _environment(**resources: Any) -> Environment:
    user = {**USER, "Resources": {**USER["Resources"], **resources}}
    return Environment(CONFIG, {"TryData": DATA, "TryUser": user})


@pytest.mark.parametrize(
    ("value", "resolved"),
    [
        ({"Ref": "P"}, "TryData-Stream1"),
        ({"Fn::Join": ["/", ["a", {"Ref": "P"}]]}, "a/TryData-Stream1"),
        ({"Fn::GetAtt": ["Queue1", "Arn"]}, "arn:aws:sqs:eu-west-1:111122223333:letters"),
        ({"Ref": "Queue1"}, "https://sqs.eu-west-1.amazonaws.com/111122223333/letters"),
        ({"Fn::Sub": "${AWS::Partition}:${Queue1.QueueName}:${!kept}"}, "aws:letters:${kept}"),
        ({"Fn::Sub": ["${a}-${AWS::Region}", {"a": {"Ref": "P"}}]}, "TryData-Stream1-eu-west-1"),
        ({"Fn::Select": [1, {"Fn::Split": [":", "x:y"]}]}, "y"),
        ({"a": {"Ref": "AWS::NoValue"}, "b": [1, {"Ref": "AWS::NoValue"}]}, {"b": [1]}),
        ({"Fn::GetAtt": ["Role1", "Arn"]}, "arn:aws:iam::111122223333:role/TryUser-Role1"),
    ],
)
def test_references_are_resolved(value: Any, resolved: Any) -> None:
    assert _environment().resolve("TryUser", value) == resolved


def test_a_function_that_is_not_known_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="Fn::FindInMap is not known"):
        _environment().resolve("TryUser", {"Fn::FindInMap": ["a", "b", "c"]})


def test_a_role_that_nobody_takes_on_is_a_finding() -> None:
    (finding,) = prove(_environment()).findings
    assert str(finding).startswith("TryUser/Role1: no resource takes it on")


def test_a_role_of_which_nobody_has_said_what_it_calls_is_a_finding() -> None:
    machine = {"Type": "AWS::StepFunctions::StateMachine", "Properties": {"RoleArn": {"Fn::GetAtt": ["Role1", "Arn"]}}}
    (finding,) = prove(_environment(Machine1=machine)).findings
    assert "TryUser/Machine1 (AWS::StepFunctions::StateMachine, RoleArn): say in infra/prover/aws_calls" in str(finding)


def test_a_role_that_is_left_out_is_told_with_its_reason() -> None:
    parameters = {"AthenaParameters": {"RoleArn": {"Fn::GetAtt": ["Role1", "Arn"]}}}
    source = {"Type": "AWS::QuickSight::DataSource", "Properties": {"DataSourceParameters": parameters}}
    proved = prove(_environment(Source1=source))
    assert list(proved.unproved) == ["TryUser/Role1"]
    assert proved.findings == ()


def test_a_process_of_which_nobody_has_said_what_it_calls_is_a_finding() -> None:
    (finding,) = prove(_environment(Task1=_task("reporter"))).findings
    assert "TryUser/Task1: say in infra/prover/needs.py what the process reporter calls" in str(finding)


def _task(process: str) -> dict[str, Any]:
    container = {"Name": process, "Command": ["sh"]}
    role = {"Fn::GetAtt": ["Role1", "Arn"]}
    return {
        "Type": "AWS::ECS::TaskDefinition",
        "Properties": {"TaskRoleArn": role, "ContainerDefinitions": [container]},
    }


def test_what_the_environment_before_has_published_is_read() -> None:
    user = {"Parameters": {"P": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/try/stream"}}}
    before = Environment(CONFIG, {"TryData": DATA})
    after = Environment(CONFIG, {"NextDelivery": {**user, "Resources": {}}}, before)
    assert after.resolve("NextDelivery", {"Ref": "P"}) == "TryData-Stream1"


def test_a_parameter_that_nobody_writes_is_refused_by_name() -> None:
    user = {"Parameters": {"P": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/try/none"}}}
    alone = Environment(CONFIG, {"TryUser": {**user, "Resources": {}}})
    with pytest.raises(ValueError, match="/try/none is read and no stack of try publishes it"):
        alone.resolve("TryUser", {"Ref": "P"})


def test_the_names_of_two_stacks_are_two() -> None:
    environment = _environment(Stream1={"Type": "AWS::Kinesis::Stream", "Properties": {}})
    arns = {environment.arn(stream) for stream in environment.of_type("AWS::Kinesis::Stream")}
    assert len(arns) == 2
