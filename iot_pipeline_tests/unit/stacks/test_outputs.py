"""The outputs of the stacks: what the platform and its operators read."""

import pytest

from iot_pipeline_tests.support.templates import template

OUTPUTS = {
    "TelemetryLake": {
        "LakeBucket",
        "ResultsBucket",
        "GlueDatabase",
        "RawQueueUrl",
        "AlertsTopicArn",
        "StreamName",
        "RuleErrorQueueUrl",
    },
    "TelemetryQueries": {
        "AthenaWorkgroup",
        "AthenaTenantsWorkgroup",
        "AthenaBuildWorkgroup",
        "RawCrawler",
        "CuratedCrawler",
    },
    "TelemetrySpark": {"SparkJob"},
    "TelemetryEdgeData": {
        "DeviceStateTable",
        "AlertsTable",
        "EdgeFailureBucket",
        "EdgeDeadLettersUrl",
        "AlertDeadLettersUrl",
        "WarningTopicArn",
        "CriticalTopicArn",
        "ChannelsSecret",
    },
    "TelemetryEdge": {
        "EdgeFunction",
        "EdgeMapping",
        "SweepFunction",
        "NotifyFunction",
        "DeliverFunction",
        "EdgeMetrics",
    },
    "TelemetryIntake": {"IntakeBucket", "IntakeFunction", "IntakeMetrics", "StreamOfGateway"},
    "TelemetryPull": {"PullTable", "PullFunctionPrefix", "PullDeadLettersUrl"},
    "TelemetryNetwork": {"ClientSecurityGroup"},
    "TelemetryIngest": {
        "DeviceThingType",
        "DevicePolicy",
        "ProvisioningTemplate",
        "ClaimPolicy",
        "TopicRoot",
        "DeliveryStreamName",
    },
    "TelemetryConsoleData": {"ConsoleTable", "ConsoleUserPool", "ConsoleIssuer", "ConsoleClientId"},
    "TelemetryWarehouse": {
        "RegistryHost",
        "RegistryPort",
        "RegistrySecretArn",
        "WarehouseHost",
        "WarehousePort",
        "WarehouseSecretArn",
        "WarehouseCopyRoleArn",
    },
    "TelemetryImages": {"DagsterRepository", "ConsoleRepository"},
    "TelemetryOrchestrationData": {"DagsterDatabaseHost", "ComputeLogBucket"},
    "TelemetryOrchestration": {"DagsterCluster", "DagsterCodeService", "DagsterRunTaskDefinition"},
    "TelemetryEntrance": {"ConsoleAddress", "DagsterAddress"},
    "TelemetryConsole": {"ConsoleService"},
    "TelemetrySecurity": {"AuditBucket"},
}


@pytest.mark.parametrize("stack", OUTPUTS)
def test_outputs_are_those_the_platform_reads(stack: str) -> None:
    found = set(template(stack)["Outputs"])
    assert found == OUTPUTS[stack]
