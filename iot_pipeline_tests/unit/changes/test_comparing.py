"""What a reviewer is told of changes of the stacks; each change is made in the templates that the stacks give."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console

from infra.changes.change_lines import report_lines
from infra.changes.comparing import Change, Kind, compare
from infra.changes.replacing import replacing_paths
from infra.stacks.checks import Synthesised
from infra.stacks.config import PlatformConfig
from iot_pipeline_tests.support.templates import STACKS, of_type, template

Template = dict[str, Any]


def environment() -> dict[str, Template]:
    return {stack: template(stack) for stack in STACKS}


def changed(stack: str, change: Callable[[Template], None]) -> list[Change]:
    after = environment()
    change(after[stack])
    return compare(Synthesised(environment()), Synthesised(after))


def named(made: Template, beginning: str, resource_type: str) -> Any:
    return next(r for name, r in of_type(made, resource_type).items() if name.startswith(beginning))


def printed(changes: list[Change]) -> str:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, color_system="standard", width=500, highlight=False)
    for line in report_lines(changes):
        console.print(line)
    return out.getvalue()


def test_nothing_differs_of_two_equal_versions() -> None:
    assert compare(Synthesised(environment()), Synthesised(environment())) == []
    assert printed([]).strip() == "no template differs"


def test_a_renamed_bucket_is_replaced_and_red() -> None:
    def rename(made: Template) -> None:
        named(made, "Lake", "AWS::S3::Bucket")["Properties"]["BucketName"] = "other"

    changes = changed("TelemetryLake", rename)
    (bucket,) = (c for c in changes if c.resource.type == "AWS::S3::Bucket")
    assert (bucket.kind, bucket.loses_data, bucket.stays_behind) == (Kind.REPLACED, True, True)
    assert bucket.properties == ("BucketName: telemetry-lake-000000000000-eu-west-1 -> other  (replaces)",)
    said = printed(changes)
    assert "\x1b[31m" in said
    assert "1 with data: replaced or removed" in said


def test_what_names_a_replaced_bucket_by_a_replacing_property_is_replaced_too() -> None:
    def rename(made: Template) -> None:
        named(made, "Lake", "AWS::S3::Bucket")["Properties"]["BucketName"] = "other"

    policies = [c for c in changed("TelemetryLake", rename) if c.resource.type == "AWS::S3::BucketPolicy"]
    assert [(c.kind, c.loses_data) for c in policies] == [(Kind.REPLACED, False)]


def test_a_table_s_other_key_replaces_it() -> None:
    def key(made: Template) -> None:
        table = named(made, "DeviceState", "AWS::DynamoDB::Table")["Properties"]
        table["KeySchema"][0]["AttributeName"] = table["AttributeDefinitions"][0]["AttributeName"] = "thing"

    (change,) = changed("TelemetryEdgeData", key)
    assert change.kind is Kind.PERHAPS_REPLACED
    assert change.loses_data
    assert "KeySchema.0.AttributeName: device -> thing  (replaces)" in change.properties


def test_what_names_a_table_that_is_perhaps_replaced_is_perhaps_replaced_too() -> None:
    (name,) = (n for n in of_type(template("TelemetryEdgeData"), "AWS::DynamoDB::Table") if n.startswith("DeviceState"))
    source = {"Fn::GetAtt": [name, "StreamArn"]}
    reader = {"Type": "AWS::Lambda::EventSourceMapping", "Properties": {"EventSourceArn": source, "FunctionName": "f"}}
    before, after = environment(), environment()
    for made in (before, after):
        made["TelemetryEdgeData"]["Resources"]["Reader"] = reader
    after["TelemetryEdgeData"]["Resources"][name]["Properties"]["KeySchema"][0]["AttributeName"] = "thing"
    found = {c.resource.name: c for c in compare(Synthesised(before), Synthesised(after))}
    assert {name: change.kind for name, change in found.items()} == {
        name: Kind.PERHAPS_REPLACED,
        "Reader": Kind.PERHAPS_REPLACED,
    }
    assert found["Reader"].properties == ("EventSourceArn: of a resource that is perhaps replaced",)


def test_a_registry_s_other_database_replaces_it_and_another_ceiling_does_not() -> None:
    def database(made: Template) -> None:
        named(made, "Registry", "AWS::RDS::DBCluster")["Properties"]["DatabaseName"] = "devices"

    def ceiling(made: Template) -> None:
        scaling = named(made, "Registry", "AWS::RDS::DBCluster")["Properties"]["ServerlessV2ScalingConfiguration"]
        scaling["MaxCapacity"] = 8

    assert changed("TelemetryWarehouse", database)[0].kind is Kind.REPLACED
    (change,) = changed("TelemetryWarehouse", ceiling)
    assert (change.kind, change.loses_data) == (Kind.CHANGED, False)
    assert change.properties == ("ServerlessV2ScalingConfiguration.MaxCapacity: 4 -> 8",)


def test_a_removed_table_is_red_and_says_what_becomes_of_its_data() -> None:
    def remove(made: Template) -> None:
        (name,) = (n for n in of_type(made, "AWS::DynamoDB::Table") if n.startswith("DeviceState"))
        del made["Resources"][name]

    (change,) = changed("TelemetryEdgeData", remove)
    assert (change.kind, change.loses_data, change.stays_behind) == (Kind.REMOVED, True, True)
    assert "the old one stays in the account" in printed([change])


def test_an_opened_security_group_comes_first() -> None:
    def open_to_all(made: Template) -> None:
        group = named(made, "RegistryAccess", "AWS::EC2::SecurityGroup")["Properties"]
        group["SecurityGroupIngress"] = [{"CidrIp": "0.0.0.0/0", "IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432}]

    (change,) = changed("TelemetryNetwork", open_to_all)
    assert change.security[0].startswith("~ SecurityGroupIngress: nothing -> ")
    assert "0.0.0.0/0" in change.security[0]
    said = printed([change])
    assert said.index("Security") < said.index("Changed")


def test_a_role_s_new_statement_and_its_lost_condition_are_told_by_line() -> None:
    def widen(made: Template) -> None:
        statements = named(made, "RuleRole", "AWS::IAM::Policy")["Properties"]["PolicyDocument"]["Statement"]
        statements.append({"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "*"})
        trust = named(made, "RuleRole", "AWS::IAM::Role")["Properties"]["AssumeRolePolicyDocument"]
        del trust["Statement"][0]["Condition"]

    lines = [line for change in changed("TelemetryIngest", widen) for line in change.security]
    assert set(lines) == {
        "+ Allow s3:GetObject on *",
        "+ Allow s3:PutObject on *",
        "+ Allow iot.amazonaws.com sts:AssumeRole",
        '- Allow iot.amazonaws.com sts:AssumeRole if {"StringEquals": {"aws:SourceAccount": "000000000000"}}',
    }


def test_public_access_and_clear_text_are_security() -> None:
    def expose(made: Template) -> None:
        bucket = named(made, "Lake", "AWS::S3::Bucket")["Properties"]
        bucket["PublicAccessBlockConfiguration"]["BlockPublicPolicy"] = False
        del named(made, "Stream", "AWS::Kinesis::Stream")["Properties"]["StreamEncryption"]

    lines = [line for change in changed("TelemetryLake", expose) for line in change.security]
    assert {line.split(":")[0] for line in lines} == {"~ PublicAccessBlockConfiguration", "~ StreamEncryption"}


def test_another_package_is_one_line() -> None:
    def build(made: Template) -> None:
        named(made, "Handler", "AWS::Lambda::Function")["Properties"]["Code"]["S3Key"] = "other.zip"

    (change,) = changed("TelemetryEdge", build)
    assert change.properties == ("Code: another package",)


def test_a_type_without_a_schema_is_refused() -> None:
    with pytest.raises(ValueError, match="AWS::No::Such has no schema in eu-west-1"):
        replacing_paths("AWS::No::Such", PlatformConfig().region)


def test_every_type_of_ours_has_a_schema() -> None:
    for resource in Synthesised(environment()).resources:
        replacing_paths(resource.type, PlatformConfig().region)
