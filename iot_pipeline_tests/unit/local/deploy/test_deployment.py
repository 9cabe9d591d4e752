"""What the deployment does before it talks to anyone: pruning, resolving, comparing, refusing real AWS."""

import io
from typing import Any

import pytest
from rich.console import Console

from infra.local.deploy.deployment import SERVED, deploy_assembly, part_of
from infra.local.deploy.prune import not_for_here, prune, references, unsupported
from infra.local.deploy.readback.clients import Clients
from infra.local.deploy.readback.readers import READERS, settings
from infra.local.deploy.readback.setting import Setting
from infra.local.deploy.resources import Resource, Stack
from infra.local.deploy.stacks import DeployError
from iot_pipeline_tests.support.templates import STACKS, assembly, template


def resource(resource_type: str, **more: Any) -> dict[str, Any]:
    return {"Type": resource_type, **more}


def test_prune_takes_what_refers_to_a_pruned_resource_and_says_why() -> None:
    made: dict[str, Any] = {
        "Resources": {
            "Flow": resource("AWS::Glue::Workflow"),
            "Trigger": resource("AWS::Glue::Trigger", Properties={"WorkflowName": {"Ref": "Flow"}}),
            "Alarm": resource("AWS::CloudWatch::Alarm", Properties={"Name": {"Fn::Sub": "${Trigger}-late"}}),
            "Queue": resource("AWS::SQS::Queue", DependsOn=["Flow", "Topic"]),
            "Topic": resource("AWS::SNS::Topic"),
        },
        "Outputs": {"Late": {"Value": {"Fn::GetAtt": ["Alarm", "Arn"]}}, "Url": {"Value": {"Ref": "Queue"}}},
    }
    pruned, lines = prune(made, unsupported(made, {"AWS::Glue::Workflow"}))
    assert set(pruned["Resources"]) == {"Queue", "Topic"}
    assert pruned["Resources"]["Queue"]["DependsOn"] == ["Topic"]
    assert set(pruned["Outputs"]) == {"Url"}
    assert lines == (
        "AWS::Glue::Workflow Flow: type not supported",
        "AWS::Glue::Trigger Trigger: refers to Flow",
        "AWS::CloudWatch::Alarm Alarm: refers to Trigger",
        "output Late: refers to Alarm",
    )
    assert "Flow" in made["Resources"], "the caller's template stays whole"


def test_what_is_left_out_for_one_reason_shares_a_line() -> None:
    made: dict[str, Any] = {
        "Resources": {
            "Near": resource("AWS::EC2::Subnet"),
            "Far": resource("AWS::EC2::Subnet"),
            "Net": resource("AWS::EC2::VPC"),
            "Registry": resource("AWS::RDS::DBCluster", Properties={"Subnets": [{"Ref": "Near"}]}),
            "Sum": resource("AWS::CloudWatch::Alarm", Properties={"Metrics": [{"Expression": "a + b"}]}),
            "Alarm": resource("AWS::CloudWatch::Alarm", Properties={"MetricName": "Errors"}),
        },
        "Outputs": {name: {"Value": {"Fn::GetAtt": ["Registry", name]}} for name in ("Host", "Port")},
    }
    pruned, lines = prune(made, not_for_here(made))
    assert set(pruned["Resources"]) == {"Alarm"}
    assert pruned["Outputs"] == {}
    assert lines == (
        "2 AWS::EC2::Subnet, AWS::EC2::VPC Net: no local process runs in a VPC",
        "AWS::RDS::DBCluster Registry: the registry is the PostgreSQL of infra/local/postgres",
        "AWS::CloudWatch::Alarm Sum: no alarm on an expression of metrics",
        "output Host, Port: refers to Registry",
    )


def test_a_function_goes_with_the_custom_resources_it_serves_and_no_others() -> None:
    def custom(function: str, **more: Any) -> dict[str, Any]:
        return resource("Custom::Thing", Properties={"ServiceToken": {"Fn::GetAtt": [function, "Arn"]}, **more})

    code = {"Code": {"S3Bucket": "cdk-hnb659fds-assets-0-eu-west-1", "S3Key": "x.zip"}}
    made = {
        "Resources": {
            "Net": resource("AWS::EC2::VPC"),
            **{name: resource("AWS::Lambda::Function", Properties=code) for name in ("Idle", "Busy", "Own")},
            "A": custom("Idle", Net={"Ref": "Net"}),
            "B": custom("Busy", Net={"Ref": "Net"}),
            "C": custom("Busy"),
        }
    }
    pruned, lines = prune(made, not_for_here(made))
    assert set(pruned["Resources"]) == {"Busy", "Own", "C"}
    assert "AWS::Lambda::Function Idle: serves A alone" in lines


def test_of_the_warehouse_the_copy_role_remains_and_nothing_dangles() -> None:
    made = template("TelemetryWarehouse")
    pruned, _ = prune(made, not_for_here(made))
    assert set(pruned["Outputs"]) == {"WarehouseCopyRoleArn"}
    types = {r["Type"] for r in pruned["Resources"].values()}
    assert types == {
        "AWS::IAM::Role",
        "AWS::IAM::Policy",
        "AWS::KMS::Key",
        "AWS::KMS::Alias",
        "AWS::Logs::LogGroup",
        "AWS::SecretsManager::Secret",
        "AWS::SSM::Parameter",
    }
    named = {name for name in references(pruned) if not name.startswith("AWS::")}
    assert named <= set(pruned["Resources"]) | set(pruned["Parameters"])
    assert {p["Default"] for p in pruned["Parameters"].values()} == {"/telemetry/lake-key"}
    depended = {name for r in pruned["Resources"].values() for name in r.get("DependsOn", [])}
    assert depended <= set(pruned["Resources"])


def stack(made: dict[str, Any], **physical_ids: str) -> Stack:
    return Stack("000000000000", "eu-west-1", made, physical_ids, {"Published": "value"})


def test_intrinsic_functions_are_resolved() -> None:
    made = {
        "Resources": {
            "Queue": resource("AWS::SQS::Queue"),
            "User": resource(
                "AWS::Test::User",
                Properties={
                    "Url": {"Ref": "Queue"},
                    "Arn": {"Fn::GetAtt": ["Queue", "Arn"]},
                    "Joined": {"Fn::Join": ["/", ["a", {"Ref": "AWS::Region"}]]},
                    "Read": [{"Ref": "Published"}],
                    "Text": "${year}",
                },
            ),
        }
    }
    user = stack(made, Queue="http://localhost/000000000000/lines", User="u").resources()[1]
    assert user.properties == {
        "Url": "http://localhost/000000000000/lines",
        "Arn": "arn:aws:sqs:eu-west-1:000000000000:lines",
        "Joined": "a/eu-west-1",
        "Read": ["value"],
        "Text": "${year}",
    }


@pytest.mark.parametrize(
    ("node", "named"),
    [({"Fn::Select": [0, ["a"]]}, "Fn::Select"), ({"Fn::GetAtt": ["Queue", "QueueUrl"]}, "QueueUrl")],
)
def test_an_intrinsic_function_we_do_not_know_is_an_error(node: dict[str, Any], named: str) -> None:
    made = {"Resources": {"Queue": resource("AWS::SQS::Queue", Properties={"X": node})}}
    with pytest.raises(DeployError, match=named):
        stack(made, Queue="q").resources()


def test_a_queue_is_named_by_the_end_of_its_url() -> None:
    named = {"X": {"Fn::GetAtt": ["Queue", "QueueName"]}}
    made = {"Resources": {"Queue": resource("AWS::SQS::Queue", Properties=named)}}
    (queue,) = stack(made, Queue="http://localhost/000000000000/q").resources()
    assert queue.properties == {"X": "q"}


@pytest.mark.parametrize(
    ("wanted", "got", "lines"),
    [
        ({"a": 1, "b": {"c": True}}, {"a": "1", "b": {"c": "true", "more": 1}}, []),
        ({"a": {"b": 1}}, {"a": {}}, ["P.a.b is not set, wanted 1"]),
        ({"a": 1}, None, ['P is not set, wanted {"a": 1}']),
        ([1, 2], [1], ["P is [1], wanted [1, 2]"]),
        ([{"a": 1}, {"a": 2}], [{"a": 1}, {"a": 3}], ["P[1].a is 3, wanted 2"]),
        ("True", True, ['P is true, wanted "True"']),
        (False, None, ["P is not set, wanted false"]),
    ],
)
def test_differences_name_the_path_and_both_values(wanted: Any, got: Any, lines: list[str]) -> None:
    assert Setting("P", wanted, lambda: got).differences() == lines


def test_every_resource_type_of_the_platform_can_be_read_back() -> None:
    for name in (name for name in STACKS if part_of(name) in SERVED):
        made, _ = prune(template(name), not_for_here(template(name)))
        assert {r["Type"] for r in made["Resources"].values()} <= set(READERS)


def test_a_property_nobody_reads_is_never_taken_for_applied() -> None:
    queue = Resource("Q", "AWS::Unheard::Of", "q", {"Anything": {"x": 1}})
    (setting,) = settings(queue, Clients())
    assert setting.differences() == ['Anything is not set, wanted {"x": 1}']


def test_real_aws_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.delenv("AWS_ENDPOINT_URL_CLOUDFORMATION", raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    with pytest.raises(DeployError, match=r"local AWS.*amazonaws\.com: set AWS_ENDPOINT_URL"):
        deploy_assembly(assembly(), Console(file=io.StringIO()))


def test_a_missing_region_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    with pytest.raises(DeployError, match="AWS_DEFAULT_REGION"):
        deploy_assembly(assembly(), Console(file=io.StringIO()))
