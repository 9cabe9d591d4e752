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
from iot_pipeline.contract.tables import streamed_telemetry
from iot_pipeline_tests.support.templates import STACKS, assembly, of_type, template

# Properties by which the stacks give names of their own choosing, in an account and region or in all the world.
_NAMES = {
    "AliasName",
    "AnalyzerName",
    "BucketName",
    "ConfigRuleName",
    "ConsumerName",
    "DBClusterIdentifier",
    "DashboardName",
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
    "TrailName",
    "UserPoolName",
    "WorkgroupName",
}


PROTECTED = {
    "TelemetryLake",
    "TelemetryEdgeData",
    "TelemetryIntake",
    "TelemetryPull",
    "TelemetryConsoleData",
    "TelemetryWarehouse",
    "TelemetryOrchestrationData",
    "TelemetrySecurity",
}
# Logs, and the images that run: kept when their stack goes, though it may go.
KEEPING = {"TelemetryNetwork", "TelemetryImages", "TelemetryOrchestration", "TelemetryConsole"}


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
    own = re.compile(
        r"telemetry[-_](?!malformed|now\b)|[/:]telemetry/(?!v=|year=)|TelemetryLake|topic/dt/|client/claim-"
    )
    zones = {table.prefix for table in (*tables().all, streamed_telemetry())}
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
    assert read <= published
    # What the pipeline's builds wear: only production has one (test_delivery.py).
    assert published - read == {"/telemetry/client-access"}


def test_each_domain_has_a_key_of_its_own() -> None:
    keys = {
        alias["Properties"]["AliasName"]: (stack, alias["Properties"]["TargetKeyId"]["Fn::GetAtt"][0])
        for stack in STACKS
        for alias in of_type(template(stack), "AWS::KMS::Alias").values()
    }
    assert set(keys) == {
        f"alias/telemetry/{domain}"
        for domain in ("lake", "alerts", "edge", "pull", "console", "registry", "warehouse", "orchestration", "audit")
    }
    assert len(set(keys.values())) == 9


def test_each_key_lets_in_the_services_that_encrypt_by_themselves_and_no_other() -> None:
    """All others use a key in the name of a role, whose own policy says so: what the root statement of each key allows.

    CloudTrail, CloudWatch Logs and the services that publish alerts have no role; a key that did not name them would
    drop their records and alarms without a word (field notes: no tool flags it).
    """
    found: dict[str, set[str]] = {}
    for stack in STACKS:
        made = template(stack)
        for alias in of_type(made, "AWS::KMS::Alias").values():
            key = made["Resources"][alias["Properties"]["TargetKeyId"]["Fn::GetAtt"][0]]["Properties"]
            named = [s["Principal"].get("Service", []) for s in key["KeyPolicy"]["Statement"]]
            services = {one for each in named for one in ([each] if isinstance(each, str) else each)}
            found[alias["Properties"]["AliasName"].rpartition("/")[2]] = services
            for statement in key["KeyPolicy"]["Statement"]:
                if "Service" in statement["Principal"]:
                    compared = statement["Condition"]["StringEquals"]
                    assert {"aws:SourceAccount", "aws:SourceArn"} & compared.keys(), (
                        "any account's service could use it"
                    )
    assert found == {
        "lake": set(),
        "alerts": {"budgets.amazonaws.com", "cloudwatch.amazonaws.com", "events.amazonaws.com"},
        "edge": set(),
        "pull": set(),
        "console": {"logs.eu-west-1.amazonaws.com"},
        "registry": set(),
        "warehouse": set(),
        "orchestration": {"logs.eu-west-1.amazonaws.com"},
        "audit": {"cloudtrail.amazonaws.com"},
    }


def test_two_environments_do_not_share_a_metric_of_their_own() -> None:
    for environment, prefix in (("telemetry", "IotPipeline"), ("blue", "IotPipeline/blue")):
        own = set()
        for path in assembly(name=environment).glob("*.template.json"):
            for alarm in of_type(json.loads(path.read_text()), "AWS::CloudWatch::Alarm").values():
                namespace = alarm["Properties"].get("Namespace", "AWS/")
                own |= {namespace} if not namespace.startswith("AWS/") else set()
        assert own == {f"{prefix}/{of}" for of in ("Edge", "Dagster", "Intake", "Pull")}


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
    assert keeps == (stack in {*KEEPING, *PROTECTED})


def test_zones_and_range_are_the_configurations() -> None:
    subnets = of_type(template("TelemetryNetwork"), "AWS::EC2::Subnet").values()
    assert [s["Properties"]["AvailabilityZone"] for s in subnets] == ["eu-west-1a", "eu-west-1b", "eu-west-1c"]
    (vpc,) = of_type(template("TelemetryNetwork"), "AWS::EC2::VPC").values()
    assert vpc["Properties"]["CidrBlock"] == PlatformConfig().vpc_cidr


@pytest.mark.parametrize("name", ["", "Blue", "a", "two-words", "9lives", "a" * 17])
def test_a_name_that_aws_would_refuse_is_refused_here(name: str) -> None:
    with pytest.raises(ValueError, match="lower-case letters and digits"):
        PlatformConfig(name=name)


@pytest.mark.parametrize(
    ("minutes", "seconds", "base", "limit"),
    # A build every five minutes that keeps 8 RPU awake for 150 s: 96 RPU-hours a day, and half as much.
    [(5, 150, 8, 144), (30, 150, 8, 24), (1, 300, 8, 288)],
)
def test_the_warehouse_s_limit_is_what_its_builds_need_and_half_as_much(
    minutes: int, seconds: int, base: int, limit: int
) -> None:
    config = PlatformConfig(build_interval_minutes=minutes, warehouse_seconds_a_build=seconds, warehouse_base_rpu=base)
    assert config.warehouse_rpu_hours_a_day == limit
    needed = min(24, 24 * 60 / minutes * seconds / 3600) * base
    assert config.warehouse_rpu_hours_a_day >= needed * 1.5


@pytest.mark.parametrize(
    "wrong", [{"build_interval_minutes": 31}, {"warehouse_seconds_a_build": 59}, {"canary_minutes": 0}]
)
def test_a_cadence_that_cannot_be_is_refused_by_its_name(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        PlatformConfig(**wrong)  # type: ignore[arg-type]  # keys of one type among fields of several


def test_the_flags_are_those_that_the_cdk_recommends() -> None:
    packages = resources.files("aws_cdk") / "_jsii"
    (bundle,) = (p for p in packages.iterdir() if p.name.startswith("aws-cdk-lib@"))
    with bundle.open("rb") as file, tarfile.open(fileobj=file) as archive:
        member = archive.extractfile("package/recommended-feature-flags.json")
        assert member is not None
        assert json.load(member) == RECOMMENDED
