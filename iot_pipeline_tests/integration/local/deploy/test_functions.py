"""A packaged function on a stream, deployed from a cloud assembly: uploaded, invoked with records, read back."""

import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from infra.local.deploy import DeployError, DeployResult
from infra.local.deploy.deployment import deploy_assembly
from infra.stacks.bundles import EDGE, built
from iot_pipeline.contract import Reason
from iot_pipeline_tests.support.aws_environment import pointing_to
from iot_pipeline_tests.support.emulator import ACCOUNT, REGION, LocalAws, eventually, unique

ASSETS = f"cdk-hnb659fds-assets-{ACCOUNT}-{REGION}"
# What a mapping of the edge will say: each property has a value that is not the default.
MAPPING: dict[str, Any] = {
    "StartingPosition": "TRIM_HORIZON",
    "BatchSize": 7,
    "MaximumBatchingWindowInSeconds": 0,
    "MaximumRetryAttempts": 2,
    "MaximumRecordAgeInSeconds": 3600,
    "BisectBatchOnFunctionError": True,
    "ParallelizationFactor": 2,
    "FunctionResponseTypes": ["ReportBatchItemFailures"],
    "Enabled": True,
    "Tags": [{"Key": "part", "Value": "edge"}],
}
# It stands for the edge's handler, which is not there yet: what it judges goes to S3.
HANDLER = """\
import base64
import os

import boto3
from iot_pipeline.contract.judge import Judge

judge = Judge()


def handler(event, _context):
    lines = [base64.b64decode(record["kinesis"]["data"]) for record in event["Records"]]
    outcomes = [str(reading.outcome) for line in lines for reading in judge.line(line)]
    boto3.client("s3").put_object(Bucket=os.environ["BUCKET"], Key="VERSION", Body=" ".join(outcomes).encode())
    return {"batchItemFailures": []}
"""


class Edge:
    """A stack of a stream, a function and the mapping between them."""

    def __init__(self, aws: LocalAws, folder: Path) -> None:
        self.aws = aws
        self.folder = folder
        # A stack is called after an environment and a part.
        self.stack = f"{unique('t').replace('-', '').capitalize()}Edge"
        self.bucket = aws.bucket()
        folder.mkdir()

    def deploy(self, version: str, **mapping: Any) -> tuple[DeployResult, str]:
        """Deploy with the function in a version; what the deployment printed."""
        key = f"{self.stack}{version}"
        with built(EDGE) as package:
            shutil.copytree(package, self.folder / f"asset.{key}", dirs_exist_ok=True)
        (self.folder / f"asset.{key}" / "probe.py").write_text(HANDLER.replace("VERSION", version))
        self._write("manifest.json", {"artifacts": self._artifacts()})
        self._write("edge.template.json", self._template(f"{key}.zip", MAPPING | mapping))
        target = {"bucketName": ASSETS, "objectKey": f"{key}.zip"}
        source = {"path": f"asset.{key}", "packaging": "zip"}
        self._write("edge.assets.json", {"files": {key: {"source": source, "destinations": {"here": target}}}})
        printed = io.StringIO()
        return deploy_assembly(self.folder, Console(file=printed, width=400)), printed.getvalue()

    def judged(self, version: str) -> str:
        """What a version of the function said of a record that is put now."""
        stream = self.aws.client("kinesis")
        stream.put_record(StreamName=self.stack, Data=b"hello", PartitionKey="k")
        eventually(lambda: version in self.aws.keys(self.bucket))
        return str(self.aws.body(self.bucket, version).decode())

    def _artifacts(self) -> dict[str, Any]:
        return {
            "assets": {"type": "cdk:asset-manifest", "properties": {"file": "edge.assets.json"}},
            self.stack: {"type": "aws:cloudformation:stack", "properties": {"templateFile": "edge.template.json"}},
        }

    def _template(self, key: str, mapping: dict[str, Any]) -> dict[str, Any]:
        function = {
            "FunctionName": self.stack,
            "Runtime": "python3.14",
            "Architectures": ["arm64"],
            "Handler": "probe.handler",
            "Role": self.aws.role(),
            "Timeout": 30,
            "MemorySize": 256,
            "ReservedConcurrentExecutions": 3,
            "Environment": {"Variables": {"BUCKET": self.bucket}},
            "Code": {"S3Bucket": ASSETS, "S3Key": key},
            "Tags": [{"Key": "part", "Value": "edge"}],
        }
        source = {"FunctionName": {"Ref": "Judge"}, "EventSourceArn": {"Fn::GetAtt": ["Lines", "Arn"]}}
        failures = {"DestinationConfig": {"OnFailure": {"Destination": {"Fn::GetAtt": ["Failed", "Arn"]}}}}
        stream = {"Name": self.stack, "StreamModeDetails": {"StreamMode": "ON_DEMAND"}, "RetentionPeriodHours": 24}
        return {
            "Resources": {
                "Lines": {"Type": "AWS::Kinesis::Stream", "Properties": stream},
                "Failed": {"Type": "AWS::SQS::Queue", "Properties": {}},
                "Judge": {"Type": "AWS::Lambda::Function", "Properties": function},
                "Source": {"Type": "AWS::Lambda::EventSourceMapping", "Properties": {**source, **failures, **mapping}},
            }
        }

    def _write(self, name: str, document: Any) -> None:
        (self.folder / name).write_text(json.dumps(document))


@pytest.fixture
def edge(local_aws: LocalAws, tmp_path: Path) -> Iterator[Edge]:
    """A stack of its own, not deployed yet, and the environment that leads to the local AWS."""
    made = Edge(local_aws, tmp_path / "assembly")
    with pointing_to(local_aws.emulator.environment):
        yield made
    local_aws.client("cloudformation").delete_stack(StackName=made.stack)


def test_a_packaged_function_judges_what_comes_through_the_stream(edge: Edge) -> None:
    result, printed = edge.deploy("one")
    assert "packages of functions: 1 uploaded" in printed
    assert result.pruned == []
    unapplied = [line for line in result.not_applied if not line.startswith(tuple(result.applied_afterwards))]
    assert unapplied == [], "each property is applied, by CloudFormation or afterwards by the service"
    assert {line.rpartition(" ")[2] for line in result.applied_afterwards} == {"ReservedConcurrentExecutions", "Tags"}
    assert edge.judged("one") == Reason.MALFORMED_JSON

    again, printed = edge.deploy("one")
    assert (again.not_applied, "uploaded" in printed, f"{edge.stack}: unchanged" in printed) == ([], False, True)

    changed, printed = edge.deploy("two", BatchSize=9)
    assert "packages of functions: 1 uploaded" in printed
    assert changed.not_applied == []
    assert edge.judged("two") == Reason.MALFORMED_JSON


def test_what_the_mapping_does_not_have_is_said_by_name(edge: Edge) -> None:
    edge.deploy("one")
    functions = edge.aws.client("lambda")
    (mapping,) = functions.list_event_source_mappings(FunctionName=edge.stack)["EventSourceMappings"]
    functions.update_event_source_mapping(UUID=mapping["UUID"], BatchSize=50, MaximumRetryAttempts=9)
    result, _ = edge.deploy("one")
    where = f"{edge.stack}: AWS::Lambda::EventSourceMapping Source"
    assert result.not_applied == [
        f"{where}: BatchSize is 50, wanted 7",
        f"{where}: MaximumRetryAttempts is 9, wanted 2",
    ]
    assert result.applied_afterwards == [f"{where}: BatchSize", f"{where}: MaximumRetryAttempts"]
    assert edge.deploy("one")[0].not_applied == []


def test_what_the_emulator_has_no_place_for_is_said(edge: Edge) -> None:
    result, printed = edge.deploy("one", TumblingWindowInSeconds=30)
    (line,) = (line for line in result.not_applied if not line.startswith(tuple(result.applied_afterwards)))
    assert line.endswith(" Source: TumblingWindowInSeconds is not set, wanted 30")
    assert f"not applied by the emulator: {line}" in printed


def test_a_function_that_runs_other_code_is_an_error(edge: Edge) -> None:
    edge.deploy("one")
    edge.aws.client("s3").put_object(Bucket=ASSETS, Key="other", Body=b"PK\x05\x06" + bytes(18))
    edge.aws.client("lambda").update_function_code(FunctionName=edge.stack, S3Bucket=ASSETS, S3Key="other")
    with pytest.raises(DeployError, match=r"Judge: Code is "):
        edge.deploy("one")
