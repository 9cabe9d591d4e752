"""The life of a deployment on the local AWS: a first one that fails, an update that is rolled back, a replacement, an
upgrade from a released version, and its end.

CloudFormation user guide: "Stack failure options", "Update behaviors of stack resources", "DeletionPolicy attribute"
(RetainExceptOnCreate).
"""

import copy
import io
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from infra.local.deploy import DeployError, DeployResult
from infra.local.deploy.deployment import SERVED, deploy_assembly, part_of
from infra.local.deploy.stacks import templates
from infra.local.emulator.process import start_emulator
from iot_pipeline_tests.support.aws_environment import pointing_to
from iot_pipeline_tests.support.emulator import LocalAws, eventually
from iot_pipeline_tests.support.inventory import inventory
from iot_pipeline_tests.support.released import NoHistoryError, released_assembly
from iot_pipeline_tests.support.templates import assembly

pytestmark = pytest.mark.integration

Template = dict[str, Any]
# A queue that gives up after no attempt at all, which SQS refuses; it comes last.
REFUSED = {"RedrivePolicy": {"deadLetterTargetArn": "arn:aws:sqs:eu-west-1:000000000000:none", "maxReceiveCount": 0}}
# What outlives its stack on purpose: data, the keys that it is encrypted with, people's accounts and their secrets,
# and what the network and the databases logged.
RETAINED = {
    "AWS::S3::Bucket": "bucket",
    "AWS::KMS::Key": "key",
    "AWS::DynamoDB::Table": "table",
    "AWS::Kinesis::Stream": "stream",
    "AWS::SecretsManager::Secret": "secret",
    "AWS::Cognito::UserPool": "user pool",
    "AWS::Logs::LogGroup": "log group",
    # Goes with its group, which is not kept.
    "AWS::Logs::LogStream": "",
}


@pytest.fixture
def aws(tmp_path: Path) -> Iterator[LocalAws]:
    """An empty local AWS, in the environment of the test."""
    emulator = start_emulator(tmp_path / "state")
    try:
        with pointing_to(emulator.environment):
            yield LocalAws(emulator, tmp_path)
    finally:
        emulator.stop()


def deployed(folder: Path, *parts: str) -> DeployResult:
    """Deploy all that is served of an assembly, or some parts of it."""
    return deploy_assembly(folder, Console(file=io.StringIO()), parts or SERVED)


def stacks_of(folder: Path) -> dict[str, str]:
    """The names of the stacks that are deployed here, by part and in order."""
    return {part_of(name): name for name in templates(folder) if part_of(name) in SERVED}


def changed(folder: Path, target: Path, stack: str, change: Callable[[Template], None]) -> Path:
    """A copy of an assembly with one template changed."""
    shutil.copytree(folder, target, dirs_exist_ok=True)
    path = target / f"{stack}.template.json"
    made = json.loads((folder / f"{stack}.template.json").read_text())
    change(made)
    path.write_text(json.dumps(made))
    return target


def fail_last(made: Template) -> None:
    """Add a resource that is refused when all others are there."""
    others = list(made["Resources"])
    made["Resources"]["Refused"] = {"Type": "AWS::SQS::Queue", "Properties": REFUSED, "DependsOn": others}


def state_of(aws: LocalAws, stack: str) -> tuple[Template, dict[str, str]]:
    """A stack's template and the resources that it says it has."""
    client = aws.client("cloudformation")
    resources = client.describe_stack_resources(StackName=stack)["StackResources"]
    template = copy.deepcopy(client.get_template(StackName=stack)["TemplateBody"])
    return template, {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in resources}


def destroy(aws: LocalAws, stack: str) -> str:
    """Delete a stack; its status when that is over, or why it failed."""
    client = aws.client("cloudformation")
    stack_id = client.describe_stacks(StackName=stack)["Stacks"][0]["StackId"]
    client.delete_stack(StackName=stack)

    def over() -> Any:
        found = client.describe_stacks(StackName=stack_id)["Stacks"][0]
        return None if found["StackStatus"].endswith("IN_PROGRESS") else found

    found = eventually(over, 60)
    return f"{found['StackStatus']} {found.get('StackStatusReason', '')}".strip()


def test_each_first_deployment_that_fails_leaves_nothing_and_can_be_repeated(aws: LocalAws, tmp_path: Path) -> None:
    for part, stack in stacks_of(assembly()).items():
        broken = changed(assembly(), tmp_path / "broken", stack, fail_last)
        before = inventory(aws.client)
        with pytest.raises(DeployError, match=rf"stack {stack} ended as ROLLBACK_COMPLETE(?s:.*)Refused"):
            deployed(broken, part)
        after = inventory(aws.client)
        assert after == before, f"{part}: {_difference(before, after)}"
        deployed(assembly(), part)


def test_each_update_that_fails_leaves_the_former_state(aws: LocalAws, tmp_path: Path) -> None:
    outputs = deployed(assembly()).outputs

    def change(made: Template) -> None:
        for resource in made["Resources"].values():
            match resource["Type"]:
                case "AWS::Logs::LogGroup":
                    resource["Properties"]["RetentionInDays"] = 7
                case "AWS::SQS::Queue":
                    resource["Properties"]["MessageRetentionPeriod"] = 60
                case "AWS::IAM::Policy":
                    resource["Properties"]["PolicyDocument"]["Statement"][0]["Action"] = "sts:GetCallerIdentity"
                case "AWS::IoT::TopicRule":
                    resource["Properties"]["TopicRulePayload"]["RuleDisabled"] = True
        made["Resources"]["Added"] = {"Type": "AWS::SNS::Topic", "Properties": {}}
        fail_last(made)

    for part, stack in stacks_of(assembly()).items():
        broken = changed(assembly(), tmp_path / "broken", stack, change)
        before, there = state_of(aws, stack), inventory(aws.client)
        with pytest.raises(DeployError, match=rf"stack {stack} ended as UPDATE_ROLLBACK_COMPLETE(?s:.*)Refused"):
            deployed(broken, part)
        assert state_of(aws, stack) == before
        assert inventory(aws.client) == there, f"{part}: {_difference(there, inventory(aws.client))}"
    # The read-back holds what the services have against the templates.
    again = deployed(assembly())
    assert again.outputs == outputs
    assert again.applied_afterwards == []


def test_a_replacement_makes_the_new_one_and_removes_the_old_one(aws: LocalAws, tmp_path: Path) -> None:
    deployed(assembly())
    stack = stacks_of(assembly())["Ingest"]

    def rename(made: Template) -> None:
        (rule,) = (one for one in made["Resources"].values() if one["Properties"].get("RuleName") == "telemetry")
        rule["Properties"]["RuleName"] = "telemetry_renamed"

    before = inventory(aws.client)
    deployed(changed(assembly(), tmp_path / "renamed", stack, rename), "Ingest")
    assert _difference(before, inventory(aws.client)) == {"rule": {"+telemetry_renamed", "-telemetry"}}


def test_what_is_destroyed_leaves_what_is_kept_on_purpose(aws: LocalAws) -> None:
    outputs = deployed(assembly()).outputs
    stacks = stacks_of(assembly())
    kept = {
        (RETAINED[resource["Type"]], _name(aws, name, logical_id))
        for name in stacks.values()
        for logical_id, resource in state_of(aws, name)[0]["Resources"].items()
        if resource.get("DeletionPolicy", "Delete").startswith("Retain")
    }
    kept = {(kind, name) for kind, name in kept if kind}
    before = inventory(aws.client)
    iot = aws.client("iot")
    iot.create_thing(thingName="d-1", thingTypeName=outputs["DeviceThingType"])
    for part, stack in reversed(stacks.items()):
        if part == "Ingest":
            # AWS deprecates a thing type and deletes it five minutes later, unless a thing has it ("Thing types").
            status = destroy(aws, stack)
            assert status.startswith("DELETE_FAILED")
            assert outputs["DeviceThingType"] in status or "Sensor" in status
            iot.delete_thing(thingName="d-1")
        assert destroy(aws, stack).startswith("DELETE_COMPLETE"), stack
    after = inventory(aws.client)
    left = {(kind, name) for kind, names in after.items() for name in names}
    assert left == kept | {("workgroup", "primary")}
    assert before.keys() > after.keys()


def test_a_released_version_is_upgraded_and_keeps_its_data(aws: LocalAws, tmp_path: Path) -> None:
    try:
        released = released_assembly(tmp_path)
    except NoHistoryError as error:
        pytest.skip(str(error))
    outputs = deployed(released).outputs
    before = {part: state_of(aws, stack) for part, stack in stacks_of(released).items()}
    key = "raw/telemetry/year=2026/month=01/day=01/hour=00/kept.gz"
    aws.client("s3").put_object(Bucket=outputs["LakeBucket"], Key=key, Body=b"kept")
    aws.client("iot").create_thing(thingName="d-1", thingTypeName=outputs["DeviceThingType"])

    upgraded = deployed(assembly()).outputs

    assert outputs.items() <= upgraded.items()
    assert aws.client("s3").get_object(Bucket=upgraded["LakeBucket"], Key=key)["Body"].read() == b"kept"
    assert aws.client("iot").describe_thing(thingName="d-1")["thingTypeName"] == upgraded["DeviceThingType"]
    for part, stack in stacks_of(assembly()).items():
        if part not in before:
            continue
        former, ids = before[part]
        _template, now = state_of(aws, stack)
        for logical_id, resource in former["Resources"].items():
            if resource.get("DeletionPolicy", "Delete").startswith("Retain"):
                assert now.get(logical_id) == ids[logical_id], f"{stack}: {logical_id} holds data and was replaced"
    assert deployed(assembly()).outputs == upgraded


def _name(aws: LocalAws, stack: str, logical_id: str) -> str:
    """The name that the inventory has for a resource: of a secret, whose id is its ARN, without the random end."""
    physical_id = state_of(aws, stack)[1][logical_id]
    return physical_id.rpartition(":")[2].rpartition("-")[0] if ":secret:" in physical_id else physical_id


def _difference(before: dict[str, set[str]], after: dict[str, set[str]]) -> dict[str, set[str]]:
    """What was added and what is gone, by kind."""
    found = {
        kind: {f"+{name}" for name in after.get(kind, set()) - before.get(kind, set())}
        | {f"-{name}" for name in before.get(kind, set()) - after.get(kind, set())}
        for kind in before.keys() | after.keys()
    }
    return {kind: names for kind, names in found.items() if names}
