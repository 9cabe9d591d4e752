"""What an environment's name reaches: everything with a fixed name, and every line from one stack to another."""

import json
import re
import tarfile
from importlib import resources
from typing import Any

import pytest

from infra.stacks.config import PlatformConfig
from infra.stacks.feature_flags import RECOMMENDED
from iot_pipeline.contract import tables
from iot_pipeline_tests.support.templates import STACKS, assembly, of_type, template

# Properties by which the stacks give names of their own choosing, in an account and region or in all the world.
_NAMES = {
    "AliasName",
    "BucketName",
    "ConsumerName",
    "DBClusterIdentifier",
    "Domain",
    "FunctionName",
    "LogGroupName",
    "Name",
    "NamespaceName",
    "PolicyName",
    "QueueName",
    "RuleName",
    "TableName",
    "TemplateName",
    "ThingTypeName",
    "TopicName",
    "UserPoolName",
    "WorkgroupName",
}


PROTECTED = {
    "TelemetryLake",
    "TelemetryEdgeData",
    "TelemetryConsoleData",
    "TelemetryWarehouse",
    "TelemetryOrchestrationData",
}


def fixed_names(made: dict[str, Any]) -> set[tuple[str, str]]:
    """(type, name) of each resource that the template itself names."""
    found = set()
    for resource in made["Resources"].values():
        properties = resource.get("Properties", {})
        properties = properties | properties.get("DatabaseInput", {}) | properties.get("TableInput", {})
        # A table is named within its database, and an inline policy within its role.
        if resource["Type"] in {"AWS::Glue::Table", "AWS::IAM::Policy"}:
            continue
        named = (properties[key] for key in _NAMES & properties.keys())
        found |= {(resource["Type"], name) for name in named if isinstance(name, str)}
    return found


def names_of(environment: str) -> set[tuple[str, str]]:
    paths = sorted(assembly(name=environment).glob("*.template.json"))
    assert len(paths) == len(STACKS)
    return {("stack", p.name) for p in paths}.union(*(fixed_names(json.loads(p.read_text())) for p in paths))


def test_two_environments_share_no_name() -> None:
    telemetry, blue = names_of("telemetry"), names_of("blue")
    assert len(telemetry) == len(blue) >= 25
    assert telemetry & blue == set()


def test_nothing_of_the_default_environment_is_in_another_s_templates() -> None:
    own = re.compile(r"telemetry[-_](?!malformed)|[/:]telemetry/(?!v=|year=)|TelemetryLake|topic/dt/|client/claim-")
    zones = {table.prefix for table in tables().all}
    for path in assembly(name="blue").glob("*.template.json"):
        text = path.read_text()
        for zone in zones:
            text = text.replace(zone, "")
        assert own.findall(text) == [], path.name


def test_no_stack_exports_and_none_imports() -> None:
    for stack in STACKS:
        made = template(stack)
        assert not [key for key, output in made.get("Outputs", {}).items() if "Export" in output]
        assert "Fn::ImportValue" not in json.dumps(made)
        assert "Fn::GetStackOutput" not in json.dumps(made)


def test_what_a_stack_reads_another_publishes() -> None:
    published = {
        p["Properties"]["Name"] for stack in STACKS for p in of_type(template(stack), "AWS::SSM::Parameter").values()
    }
    parameters = [p for stack in STACKS for p in template(stack).get("Parameters", {}).values()]
    read = {p["Default"] for p in parameters if p["Type"].startswith("AWS::SSM::")}
    assert read == published


def test_each_domain_has_a_key_of_its_own() -> None:
    keys = {
        alias["Properties"]["AliasName"]: (stack, alias["Properties"]["TargetKeyId"]["Fn::GetAtt"][0])
        for stack in STACKS
        for alias in of_type(template(stack), "AWS::KMS::Alias").values()
    }
    assert set(keys) == {
        f"alias/telemetry/{domain}"
        for domain in ("lake", "alerts", "edge", "console", "registry", "warehouse", "orchestration")
    }
    assert len(set(keys.values())) == 7


def test_stacks_that_hold_data_cannot_be_deleted() -> None:
    artifacts = json.loads((assembly() / "manifest.json").read_text())["artifacts"]
    protected = {name for name in STACKS if artifacts[name]["properties"].get("terminationProtection")}
    assert protected == PROTECTED


@pytest.mark.parametrize("stack", STACKS)
def test_nothing_that_is_kept_stands_in_the_way_of_a_first_deployment_tried_again(stack: str) -> None:
    """What has a fixed name would, if the deployment that failed left it behind: it is kept, but not on creation."""
    made = template(stack)
    kept = {name: it for name, it in made["Resources"].items() if it.get("DeletionPolicy") == "Retain"}
    assert fixed_names({"Resources": kept}) == set()
    keeps = any(it.get("DeletionPolicy") == "RetainExceptOnCreate" for it in made["Resources"].values())
    assert keeps == (stack in {"TelemetryNetwork", *PROTECTED})


def test_zones_and_range_are_the_configurations() -> None:
    subnets = of_type(template("TelemetryNetwork"), "AWS::EC2::Subnet").values()
    assert [s["Properties"]["AvailabilityZone"] for s in subnets] == ["eu-west-1a", "eu-west-1b", "eu-west-1c"]
    (vpc,) = of_type(template("TelemetryNetwork"), "AWS::EC2::VPC").values()
    assert vpc["Properties"]["CidrBlock"] == PlatformConfig().vpc_cidr


@pytest.mark.parametrize("name", ["", "Blue", "a", "two-words", "9lives", "a" * 17])
def test_a_name_that_aws_would_refuse_is_refused_here(name: str) -> None:
    with pytest.raises(ValueError, match="lower-case letters and digits"):
        PlatformConfig(name=name)


def test_the_flags_are_those_that_the_cdk_recommends() -> None:
    packages = resources.files("aws_cdk") / "_jsii"
    (bundle,) = (p for p in packages.iterdir() if p.name.startswith("aws-cdk-lib@"))
    with bundle.open("rb") as file, tarfile.open(fileobj=file) as archive:
        member = archive.extractfile("package/recommended-feature-flags.json")
        assert member is not None
        assert json.load(member) == RECOMMENDED
