"""Firehose to Parquet: the function that makes records rows, and what is added to the delivery stream for it.

Amazon Data Firehose developer guide, "Convert input data format", "Partition streaming data" and "Transform source
data". The stream's own compression has to be off: Parquet compresses its columns.
"""

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs

from infra.stacks.alarming import add_alarm, metric
from infra.stacks.base import PlatformStack
from infra.stacks.bundles import ARRIVAL, built
from infra.stacks.nag import accept_role_dependency
from iot_pipeline.contract import tables

# What Firehose hands to the function at once, before base64 (API reference, ProcessorParameter: 0.2 to 3 MiB). Its
# answer holds each record as a line and as columns, and may have 6 MB.
_HANDED_MIB = "1.0"
_HANDED_SECONDS = "60"
# Firehose's own default, after which a batch is given up to the error prefix.
_RETRIES = "3"
# Parquet's columns by gzip: Snappy, the default, is half as large again (docs/firehose-parquet.md).
_COMPRESSION = "GZIP"
# Under the hour, whose folder is the partition that everything else knows; Athena reads folders below a partition's.
TENANT_FOLDER = "tenant=!{partitionKeyFromLambda:tenant}/"


def add_raw_columns(stack: PlatformStack) -> lambda_.Function:
    """The function. It reads nothing but what it is handed, and is called by nothing but the delivery stream's role."""
    log = logs.LogGroup(
        stack,
        "RawColumnsLog",
        retention=logs.RetentionDays.THREE_MONTHS,
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )
    role = iam.Role(stack, "RawColumnsRole", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    role.add_to_policy(
        iam.PolicyStatement(
            sid="Log", actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[log.log_group_arn]
        )
    )
    with built(ARRIVAL) as package:
        function = lambda_.Function(
            stack,
            "RawColumns",
            function_name=stack.config.raw_columns_function,
            description="Makes each record of the stream a row of the raw zone's Parquet",
            runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=lambda_.Architecture.ARM_64,
            handler="iot_pipeline.arrival.firehose_columns.handle",
            code=lambda_.Code.from_asset(str(package)),
            # Without updates the construct cannot add statements of its own.
            role=role.without_policy_updates(),
            # Firehose waits five minutes (Firehose guide, "Transform source data").
            timeout=cdk.Duration.minutes(1),
            memory_size=512,
            log_group=log,
        )
    function.node.add_dependency(role.node.find_child("DefaultPolicy"))
    accept_role_dependency(function)
    named = {"FunctionName": function.function_name}
    why = "Firehose's transformation failed: three times in a row its records go to the error prefix"
    add_alarm(stack, "RawColumnsErrors", why, metric("AWS/Lambda", "Errors", named, "Sum"), 1)
    return function


def convert(
    stack: PlatformStack, delivery: firehose.DeliveryStream, function: str, role: iam.Role, prefix: str
) -> None:
    """Have the delivery stream hand its records to the function (an ARN) and write what comes back as Parquet.

    `prefix` is that of the objects, below which a tenant's folder may be put.
    """
    resource = delivery.node.default_child
    if not isinstance(resource, firehose.CfnDeliveryStream):
        raise TypeError(f"the delivery stream's resource is {type(resource).__name__}")
    wanted: dict[str, Any] = {
        "CompressionFormat": "UNCOMPRESSED",
        "ProcessingConfiguration": {"Enabled": True, "Processors": [_processor(function, role)]},
        "DataFormatConversionConfiguration": _conversion(stack, role),
    }
    if stack.config.firehose_partition:
        wanted |= {"DynamicPartitioningConfiguration": {"Enabled": True}, "Prefix": prefix + TENANT_FOLDER}
    for name, value in wanted.items():
        resource.add_property_override(f"ExtendedS3DestinationConfiguration.{name}", value)


def conversion_permissions(stack: PlatformStack, function: str) -> dict[str, iam.PolicyStatement]:
    """What the delivery stream's role needs beside writing (Firehose guide, "Controlling access")."""
    config = stack.config
    table = f"{config.database}/{tables().raw_telemetry.name}"
    return {
        "Transform": iam.PolicyStatement(
            actions=["lambda:InvokeFunction", "lambda:GetFunctionConfiguration"], resources=[function]
        ),
        "Schema": iam.PolicyStatement(
            actions=["glue:GetTable", "glue:GetTableVersion", "glue:GetTableVersions"],
            resources=[
                stack.format_arn(service="glue", resource="catalog"),
                stack.format_arn(service="glue", resource="database", resource_name=config.database),
                stack.format_arn(service="glue", resource="table", resource_name=table),
            ],
        ),
    }


def _processor(function: str, role: iam.Role) -> dict[str, Any]:
    parameters = {
        "LambdaArn": function,
        "RoleArn": role.role_arn,
        "NumberOfRetries": _RETRIES,
        "BufferSizeInMBs": _HANDED_MIB,
        "BufferIntervalInSeconds": _HANDED_SECONDS,
    }
    return {
        "Type": "Lambda",
        "Parameters": [{"ParameterName": name, "ParameterValue": value} for name, value in parameters.items()],
    }


def _conversion(stack: PlatformStack, role: iam.Role) -> dict[str, Any]:
    return {
        "Enabled": True,
        "SchemaConfiguration": {
            "CatalogId": stack.account,
            "RoleARN": role.role_arn,
            "DatabaseName": stack.config.database,
            "TableName": tables().raw_telemetry.name,
            "Region": stack.region,
            "VersionId": "LATEST",
        },
        "InputFormatConfiguration": {"Deserializer": {"OpenXJsonSerDe": {"CaseInsensitive": False}}},
        "OutputFormatConfiguration": {"Serializer": {"ParquetSerDe": {"Compression": _COMPRESSION}}},
    }
