"""The deployment against ministack's CloudFormation: what it makes, what it says, what it refuses."""

import copy
import dataclasses
import io
import json
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from infra.local.deploy import DeployError, DeployResult
from infra.local.deploy.deployment import SERVED, deploy_assembly
from infra.stacks.config import DEFAULT_NAME, PlatformConfig
from infra.stacks.ingest.rules import rule_sql
from iot_pipeline.contract import CONTRACT, METRICS, Metric, tables
from iot_pipeline_tests.support.ministack import Ministack, ministack
from iot_pipeline_tests.support.templates import assembly

pytestmark = pytest.mark.integration

OUTPUTS = {
    "LakeBucket",
    "ResultsBucket",
    "TopicRoot",
    "GlueDatabase",
    "AthenaWorkgroup",
    "AthenaTenantsWorkgroup",
    "AthenaBuildWorkgroup",
    "RawQueueUrl",
    "AlertsTopicArn",
    "RawCrawler",
    "CuratedCrawler",
    "SparkJob",
    "DeviceThingType",
    "DevicePolicy",
    "ProvisioningTemplate",
    "ClaimPolicy",
    "StreamName",
    "DeliveryStreamName",
    "RuleErrorQueueUrl",
    "WarehouseCopyRoleArn",
    "DeviceStateTable",
    "AlertsTable",
    "EdgeFailureBucket",
    "EdgeDeadLettersUrl",
    "AlertDeadLettersUrl",
    "WarningTopicArn",
    "CriticalTopicArn",
    "EdgeFunction",
    "EdgeMapping",
    "SweepFunction",
    "NotifyFunction",
    "DeliverFunction",
    "ChannelsSecret",
    "EdgeMetrics",
    "IntakeBucket",
    "IntakeFunction",
    "IntakeMetrics",
    "StreamOfGateway",
    "ConsoleTable",
    "ConsoleIssuer",
    "ConsoleClientId",
    "ConsoleUserPool",
}
DEPLOYED = [PlatformConfig(name=DEFAULT_NAME).stack(part) for part in SERVED]
EDGE_FUNCTIONS = ("Handler", "Sweep", "Notify", "Deliver")
# What ministack 1.5.33's CloudFormation takes without doing it.
DROPPED = {
    ("AWS::S3::Bucket", "AccessLogs", "LifecycleConfiguration"),
    ("AWS::S3::Bucket", "Lake", "BucketEncryption"),
    ("AWS::S3::Bucket", "Lake", "LifecycleConfiguration"),
    ("AWS::S3::Bucket", "Lake", "LoggingConfiguration"),
    ("AWS::S3::Bucket", "Results", "BucketEncryption"),
    ("AWS::S3::Bucket", "Results", "LifecycleConfiguration"),
    ("AWS::S3::Bucket", "Results", "LoggingConfiguration"),
    ("AWS::SNS::Topic", "Alerts", "KmsMasterKeyId"),
    ("AWS::Kinesis::Stream", "Stream", "StreamEncryption"),
    ("AWS::S3::Bucket", "Failures", "BucketEncryption"),
    ("AWS::S3::Bucket", "Failures", "LifecycleConfiguration"),
    ("AWS::S3::Bucket", "Kept", "BucketEncryption"),
    ("AWS::S3::Bucket", "Kept", "LifecycleConfiguration"),
    ("AWS::Kinesis::Stream", "GatewayStream", "StreamEncryption"),
    ("AWS::Lambda::Function", "Intake", "ReservedConcurrentExecutions"),
    ("AWS::SNS::Topic", "Warning", "KmsMasterKeyId"),
    ("AWS::SNS::Topic", "Critical", "KmsMasterKeyId"),
    *(
        ("AWS::DynamoDB::Table", table, setting)
        for table in ("DeviceState", "Alerts", "Table")
        for setting in ("PointInTimeRecoverySpecification", "SSESpecification", "TimeToLiveSpecification")
    ),
    *(("AWS::Lambda::Function", name, "ReservedConcurrentExecutions") for name in EDGE_FUNCTIONS),
}
# What plain ministack has no place for; our extension of mappings has. How many runs a job has is bounded
# nowhere here, and nobody is told of a long one.
NOWHERE = {
    ("AWS::Lambda::EventSourceMapping", "Records", "MetricsConfig"),
    ("AWS::Lambda::EventSourceMapping", "GatewayRecords", "MetricsConfig"),
    ("AWS::Glue::Job", "Backfill", "ExecutionProperty"),
    ("AWS::Glue::Job", "Backfill", "NotificationProperty"),
}
Template = dict[str, Any]


def run(folder: Path) -> tuple[DeployResult, str]:
    """A deployment and what it printed."""
    printed = io.StringIO()
    result = deploy_assembly(folder, Console(file=printed, width=400))
    return result, printed.getvalue()


def changed(folder: Path, tmp_path: Path, stack: str, change: Callable[[Template], None]) -> Path:
    """A copy of an assembly with one template changed."""
    copied = tmp_path / "assembly"
    shutil.copytree(folder, copied)
    path = copied / f"{stack}.template.json"
    made = json.loads(path.read_text())
    change(made)
    path.write_text(json.dumps(made))
    return copied


def named(resources: Template, prefix: str) -> str:
    """The logical id that begins so; the CDK adds a hash."""
    (name,) = (name for name in resources if name.startswith(prefix) and "Policy" not in name)
    return name


def dropped(lines: list[str]) -> set[tuple[str, str, str]]:
    """(type, construct, property) of each line of a report."""
    found = set()
    for line in lines:
        _, resource, problem = line.split(": ", maxsplit=2)
        kind, logical_id = resource.split()
        found.add((kind, re.sub("[0-9A-F]{8}$", "", logical_id), problem.split(" ")[0].split(".")[0]))
    return found


@pytest.fixture(scope="module")
def deployed(aws: Ministack) -> tuple[DeployResult, str]:
    return run(assembly())


def test_outputs_are_complete(deployed: tuple[DeployResult, str]) -> None:
    outputs = deployed[0].outputs
    assert set(outputs) == OUTPUTS
    assert all(outputs.values())
    assert outputs["LakeBucket"] == "telemetry-lake-000000000000-eu-west-1"


def test_what_the_emulator_dropped_is_said_and_applied_afterwards(deployed: tuple[DeployResult, str]) -> None:
    result, printed = deployed
    elsewhere = [line for line in result.pruned if not line.endswith(": no alarm on an expression of metrics")]
    assert all(line.startswith(("TelemetryNetwork: ", "TelemetryWarehouse: ")) for line in elsewhere)
    assert [line for line in result.pruned if line not in elsewhere] == [
        "TelemetrySpark: 2 AWS::CloudWatch::Alarm: no alarm on an expression of metrics"
    ]
    assert dropped(result.not_applied) == DROPPED | NOWHERE
    assert dropped(result.applied_afterwards) == DROPPED
    assert printed.count("not applied by the emulator") == len(NOWHERE), "the rest could be applied afterwards"
    for line in result.applied_afterwards:
        assert f"applied afterwards: {line}" in printed


def test_of_the_warehouse_the_copy_role_is_made_and_the_rest_is_said(
    aws: Ministack, deployed: tuple[DeployResult, str]
) -> None:
    result, printed = deployed
    arn = result.outputs["WarehouseCopyRoleArn"]
    role = aws.client("iam").get_role(RoleName=arn.rsplit("/")[-1])["Role"]
    assert role["Arn"] == arn
    trusted = role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["Service"]
    assert set(trusted) == {"redshift.amazonaws.com", "redshift-serverless.amazonaws.com"}
    for gone in ("AWS::RDS::DBCluster", "AWS::RedshiftServerless::Workgroup", "AWS::EC2::VPC", "output RegistryHost"):
        assert any(gone in line for line in printed.splitlines() if line.startswith("left out here: "))


def test_applied_settings_are_in_the_services(aws: Ministack, deployed: tuple[DeployResult, str]) -> None:
    outputs = deployed[0].outputs
    s3, bucket = aws.client("s3"), outputs["LakeBucket"]
    (rule,) = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert len(s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]) == 11
    assert s3.get_bucket_logging(Bucket=bucket)["LoggingEnabled"]["TargetPrefix"] == "lake/"
    stream = aws.client("kinesis").describe_stream_summary(StreamName=outputs["StreamName"])["StreamDescriptionSummary"]
    assert stream["EncryptionType"] == "KMS"


def test_only_raw_objects_are_announced(aws: Ministack, deployed: tuple[DeployResult, str]) -> None:
    outputs = deployed[0].outputs
    s3, sqs = aws.client("s3"), aws.client("sqs")
    for key in ("tmp/a.gz", "raw/telemetry/year=2026/month=01/day=01/hour=00/a.gz", "raw/other/a.gz"):
        s3.put_object(Bucket=outputs["LakeBucket"], Key=key, Body=b"x")
    s3.put_object(Bucket=outputs["LakeBucket"], Key="raw/telemetry/last", Body=b"x")

    keys: list[str] = []
    deadline = time.monotonic() + 20
    while "raw/telemetry/last" not in keys and time.monotonic() < deadline:
        got = sqs.receive_message(QueueUrl=outputs["RawQueueUrl"], MaxNumberOfMessages=10, WaitTimeSeconds=1)
        for message in got.get("Messages", []):
            body = json.loads(message["Body"])
            keys += [record["s3"]["object"]["key"] for record in body.get("Records", [])]
    assert sorted(keys) == [
        "raw/telemetry/last",
        "raw/telemetry/year%3D2026/month%3D01/day%3D01/hour%3D00/a.gz",
    ]


def test_a_message_nobody_can_handle_is_set_aside(aws: Ministack, deployed: tuple[DeployResult, str]) -> None:
    sqs = aws.client("sqs")
    attributes = sqs.get_queue_attributes(QueueUrl=deployed[0].outputs["RawQueueUrl"], AttributeNames=["All"])
    redrive = json.loads(attributes["Attributes"]["RedrivePolicy"])
    assert int(redrive["maxReceiveCount"]) == 5
    dead = sqs.get_queue_url(QueueName=redrive["deadLetterTargetArn"].rsplit(":")[-1])
    assert dead["QueueUrl"]


def test_tables_are_those_of_the_contract(aws: Ministack, deployed: tuple[DeployResult, str]) -> None:
    glue = aws.client("glue")
    bucket = deployed[0].outputs["LakeBucket"]
    for table in tables().all:
        found = glue.get_table(DatabaseName="telemetry", Name=table.name)["Table"]
        assert [(c["Name"], c["Type"]) for c in found["StorageDescriptor"]["Columns"]] == [
            (c.name, c.type) for c in table.columns
        ]
        assert found["StorageDescriptor"]["Location"] == f"s3://{bucket}/{table.prefix}"
        if table.projected:
            assert found["Parameters"]["storage.location.template"] == (
                f"s3://{bucket}/{table.prefix}year=${{year}}/month=${{month}}/day=${{day}}/hour=${{hour}}/"
            )
    lines = glue.get_table(DatabaseName="telemetry", Name="raw_lines")["Table"]["StorageDescriptor"]["SerdeInfo"]
    assert lines["Parameters"]["field.delim"] == "\u0001"


def test_rules_and_delivery_are_in_place(aws: Ministack, deployed: tuple[DeployResult, str]) -> None:
    outputs = deployed[0].outputs
    iot = aws.client("iot")
    sql = rule_sql()
    for name, statement in (("telemetry", sql.telemetry), ("telemetry_malformed", sql.malformed)):
        rule = iot.get_topic_rule(ruleName=name)["rule"]
        assert rule["sql"] == statement
        assert rule["actions"][0]["kinesis"]["streamName"] == outputs["StreamName"]
        assert rule["errorAction"]["sqs"]["queueUrl"] == outputs["RuleErrorQueueUrl"]
    stream = aws.client("firehose").describe_delivery_stream(DeliveryStreamName=outputs["DeliveryStreamName"])
    destination = stream["DeliveryStreamDescription"]["Destinations"][0]["ExtendedS3DestinationDescription"]
    assert destination["BucketARN"] == f"arn:aws:s3:::{outputs['LakeBucket']}"
    assert destination["ProcessingConfiguration"]["Processors"][0]["Type"] == "AppendDelimiterToRecord"


def test_a_second_deployment_changes_nothing(aws: Ministack, deployed: tuple[DeployResult, str]) -> None:
    cloudformation = aws.client("cloudformation")

    def events() -> list[str]:
        return [
            event["EventId"]
            for stack in DEPLOYED
            for event in cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
        ]

    before = events()
    result, printed = run(assembly())
    assert events() == before
    assert printed.count(": unchanged") == len(DEPLOYED)
    assert (result.outputs, result.pruned) == (deployed[0].outputs, deployed[0].pruned)
    assert (dropped(result.not_applied), result.applied_afterwards) == (NOWHERE, [])


def test_a_new_metric_adds_columns_and_keeps_the_partitions(aws: Ministack, deployed: tuple[DeployResult, str]) -> None:
    glue = aws.client("glue")
    curated = {"DatabaseName": "telemetry", "TableName": "curated_telemetry"}
    descriptor = glue.get_table(DatabaseName="telemetry", Name="curated_telemetry")["Table"]["StorageDescriptor"]
    location = "s3://telemetry-lake-000000000000-eu-west-1/curated/telemetry/v=1/year=2026/month=01/day=01/hour=00/"
    values = ["2026", "01", "01", "00"]
    glue.create_partition(
        **curated, PartitionInput={"Values": values, "StorageDescriptor": {**descriptor, "Location": location}}
    )
    metric: Metric = dataclasses.replace(METRICS[0], name="turbidity")
    contract = dataclasses.replace(CONTRACT, metrics=(*METRICS, metric))

    def columns() -> dict[str, list[str]]:
        found = glue.get_tables(DatabaseName="telemetry")["TableList"]
        return {t["Name"]: [f"{c['Name']} {c['Type']}" for c in t["StorageDescriptor"]["Columns"]] for t in found}

    before = columns()
    result, printed = run(assembly(contract))
    after = columns()
    run(assembly())

    assert "TelemetryLake: updated" in printed
    assert "TelemetryIngest: unchanged" in printed
    assert dropped(result.not_applied) == NOWHERE
    assert set(after["curated_telemetry"]) - set(before["curated_telemetry"]) == {"turbidity double"}
    assert [c for c in after["curated_telemetry"] if c != "turbidity double"] == before["curated_telemetry"]
    assert "turbidity:string" in " ".join(after["raw_telemetry"])
    assert set(after["ledger"]) - set(before["ledger"]) == {"min_turbidity double", "max_turbidity double"}
    assert [c for c in after["ledger"] if "turbidity" not in c] == before["ledger"]
    for name in ("raw_lines", "quarantined_telemetry"):
        assert after[name] == before[name]
    partition = glue.get_partition(**curated, PartitionValues=values)["Partition"]
    assert partition["StorageDescriptor"]["Location"] == location


def test_an_unsupported_type_is_left_out_and_said(
    aws: Ministack, deployed: tuple[DeployResult, str], tmp_path: Path
) -> None:
    def add_workflow(made: Template) -> None:
        made["Resources"]["Flow"] = {"Type": "AWS::Glue::Workflow", "Properties": {"Name": "nightly"}}
        made["Outputs"]["FlowName"] = {"Value": {"Ref": "Flow"}}

    result, printed = run(changed(assembly(), tmp_path, "TelemetryIngest", add_workflow))
    assert [line for line in result.pruned if line.startswith("TelemetryIngest")] == [
        "TelemetryIngest: AWS::Glue::Workflow Flow: type not supported",
        "TelemetryIngest: output FlowName: refers to Flow",
    ]
    assert all(f"left out here: {line}" in printed for line in result.pruned)
    assert set(result.outputs) == OUTPUTS


def test_what_the_path_needs_and_does_not_get_is_an_error(aws: Ministack, deployed: tuple[DeployResult, str]) -> None:
    iot = aws.client("iot")
    rule = iot.get_topic_rule(ruleName="telemetry_malformed")["rule"]
    payload = {key: rule[key] for key in ("sql", "actions", "awsIotSqlVersion", "errorAction")}
    weakened = copy.deepcopy(payload)
    del weakened["errorAction"]
    iot.replace_topic_rule(ruleName="telemetry_malformed", topicRulePayload=weakened)
    with pytest.raises(
        DeployError, match=r"telemetry's path depends on(?s:.*)MalformedTelemetry: TopicRulePayload.errorAction"
    ):
        run(assembly())

    iot.delete_topic_rule(ruleName="telemetry_malformed")
    with pytest.raises(DeployError, match="MalformedTelemetry cannot be read back"):
        run(assembly())

    iot.create_topic_rule(ruleName="telemetry_malformed", topicRulePayload=payload)
    assert dropped(run(assembly())[0].not_applied) == NOWHERE


def test_a_stack_that_fails_says_why_and_the_next_deployment_mends_it(
    aws: Ministack, deployed: tuple[DeployResult, str], tmp_path: Path
) -> None:
    def dead_letters_nowhere(made: Template) -> None:
        queue = made["Resources"][named(made["Resources"], "RawObjects")]
        queue["Properties"]["RedrivePolicy"]["maxReceiveCount"] = 0

    with pytest.raises(DeployError, match=r"stack TelemetryLake ended as UPDATE_ROLLBACK_COMPLETE(?s:.*)RawObjects"):
        run(changed(assembly(), tmp_path, "TelemetryLake", dead_letters_nowhere))
    result, _ = run(assembly())
    assert set(result.outputs) == OUTPUTS


def test_a_first_deployment_that_fails_can_be_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown_queue(made: Template) -> None:
        bucket = made["Resources"][named(made["Resources"], "Lake")]
        queues = bucket["Properties"]["NotificationConfiguration"]["QueueConfigurations"]
        queues[0]["Queue"] = "arn:aws:sqs:eu-west-1:000000000000:nowhere"

    with ministack(tmp_path / "aws") as fresh:
        for name, value in fresh.environment.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(DeployError, match=r"stack TelemetryLake ended as ROLLBACK_COMPLETE(?s:.*)nowhere"):
            run(changed(assembly(), tmp_path, "TelemetryLake", unknown_queue))
        result, _ = run(assembly())
        assert set(result.outputs) == OUTPUTS


def test_after_a_crash_the_lake_is_taken_over_with_its_objects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = "raw/telemetry/year=2026/month=01/day=01/hour=00/kept.gz"
    bodies = []
    for crashed in (False, True):
        with ministack(tmp_path / "aws") as running:
            for name, value in running.environment.items():
                monkeypatch.setenv(name, value)
            result, _ = run(assembly())
            s3 = running.client("s3")
            if not crashed:
                s3.put_object(Bucket=result.outputs["LakeBucket"], Key=key, Body=b"kept")
            bodies.append(s3.get_object(Bucket=result.outputs["LakeBucket"], Key=key)["Body"].read())
            assert s3.get_bucket_notification_configuration(Bucket=result.outputs["LakeBucket"])["QueueConfigurations"]
            running.kill()
    assert bodies == [b"kept", b"kept"]
