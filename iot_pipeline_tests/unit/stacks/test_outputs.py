"""The outputs of the stacks: what the platform and its operators read."""

import pytest

from iot_pipeline_tests.support.templates import template

OUTPUTS = {
    "TelemetryLake": {
        "LakeBucket",
        "GlueDatabase",
        "AthenaWorkgroup",
        "AthenaBuildWorkgroup",
        "RawQueueUrl",
        "AlertsTopicArn",
        "RawCrawler",
        "CuratedCrawler",
    },
    "TelemetryIngest": {
        "DeviceThingType",
        "DevicePolicy",
        "ProvisioningTemplate",
        "ClaimPolicy",
        "StreamName",
        "DeliveryStreamName",
        "RuleErrorQueueUrl",
    },
    "TelemetryWarehouse": {
        "RegistryHost",
        "RegistryPort",
        "RegistrySecretArn",
        "WarehouseHost",
        "WarehousePort",
        "WarehouseSecretArn",
        "WarehouseCopyRoleArn",
        "ClientSecurityGroup",
    },
}


@pytest.mark.parametrize("stack", OUTPUTS)
def test_outputs_are_those_the_platform_reads(stack: str) -> None:
    found = {key for key in template(stack)["Outputs"] if not key.startswith("ExportsOutput")}
    assert found == OUTPUTS[stack]
