"""The function of one vendor: its package with the vendor's file, its role, its secret."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_destinations as destinations
from aws_cdk import aws_logs as logs
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sqs as sqs

from infra.stacks.base import PlatformStack
from infra.stacks.bundles import PULL, built
from infra.stacks.nag import accept, accept_role_dependency
from infra.stacks.statements import add_statements, allow, table_keys, via
from iot_pipeline.contract.layout import RAW
from iot_pipeline.pull.pulled_objects import UNREADABLE
from iot_pipeline.pull.vendor import Vendor

# AWS Lambda guide, "Lambda quotas": a function runs for at most 900 s.
_LONGEST_SECONDS = 900
# So long before the next call a call ends, which would find the function's one place taken.
_BEFORE_NEXT_SECONDS = 10
_VENDOR_FILE = "vendor.toml"


@dataclass(frozen=True)
class Places:
    """What all functions of vendors share: the table's ARN, its key and that of the lake, and the failed calls."""

    table: str
    key: kms.Key
    lake_key: kms.IKey
    dead_letters: sqs.Queue


def construct_name(vendor: Vendor) -> str:
    """What the ids of a vendor's constructs begin with."""
    return "".join(part.capitalize() for part in vendor.name.split("-"))


def add_pull_function(stack: PlatformStack, vendor: Vendor, file: Path, where: Places) -> lambda_.Function:
    """The function. One call at a time, and a call that fails is not repeated: the next does what it left."""
    config, name = stack.config, construct_name(vendor)
    log = logs.LogGroup(
        stack, f"{name}Log", retention=logs.RetentionDays.THREE_MONTHS, removal_policy=cdk.RemovalPolicy.DESTROY
    )
    secret = _secret(stack, vendor, where.key)
    role = _role(stack, vendor, log, secret, where)
    with built(PULL) as package:
        shutil.copyfile(file, package / _VENDOR_FILE)
        code = lambda_.Code.from_asset(str(package))
        function = lambda_.Function(
            stack,
            f"{name}Function",
            function_name=config.pull_function(vendor.name),
            description=f"Pulls readings from {vendor.name} into the raw zone",
            runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=lambda_.Architecture.ARM_64,
            handler="iot_pipeline.pull.scheduled_pull.handle",
            code=code,
            environment={
                "IOT_LAKE_BUCKET": config.lake_bucket,
                "IOT_PULL_TABLE": config.pull_table,
                "IOT_PULL_SECRET": config.pull_secret(vendor.name),
                "IOT_PULL_VENDOR_FILE": _VENDOR_FILE,
                "IOT_METRIC_NAMESPACE": config.pull_metrics,
            },
            # Without updates the construct cannot add statements of its own.
            role=role.without_policy_updates(),
            # An answer of 16 MiB, its text, what it parses to and the lines of it.
            memory_size=512,
            timeout=cdk.Duration.seconds(min(_LONGEST_SECONDS, vendor.every_minutes * 60 - _BEFORE_NEXT_SECONDS)),
            reserved_concurrent_executions=1,
            tracing=lambda_.Tracing.ACTIVE,
            log_group=log,
            logging_format=lambda_.LoggingFormat.JSON,
            application_log_level_v2=lambda_.ApplicationLogLevel.INFO,
            system_log_level_v2=lambda_.SystemLogLevel.WARN,
            on_failure=destinations.SqsDestination(where.dead_letters),
            retry_attempts=0,
            max_event_age=cdk.Duration.minutes(max(1, min(vendor.every_minutes, 360))),
        )
    function.node.add_dependency(role.node.find_child("DefaultPolicy"))
    accept_role_dependency(function)
    return function


def _secret(stack: PlatformStack, vendor: Vendor, key: kms.Key) -> str:
    """An empty secret, which an operator fills; its ARN with the six characters that Secrets Manager adds to a name."""
    name = stack.config.pull_secret(vendor.name)
    secret = secretsmanager.CfnSecret(
        stack,
        f"{construct_name(vendor)}Secret",
        name=name,
        description=f"How to sign in to {vendor.name}: docs/api-pull.md says what it holds",
        kms_key_id=key.key_arn,
    )
    secret.apply_removal_policy(cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)
    accept(secret, "AwsSolutions-SMG4", "The vendor makes its credentials, and rotates none")
    return f"{stack.format_arn(service='secretsmanager', resource='secret')}:{name}-??????"


def _role(stack: PlatformStack, vendor: Vendor, log: logs.LogGroup, secret: str, where: Places) -> iam.Role:
    """Writes objects of two prefixes and the cursors, reads its own secret, and can neither read nor list the lake."""
    config = stack.config
    role = iam.Role(stack, f"{construct_name(vendor)}Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    land = allow([config.lake_objects(RAW), config.lake_objects(UNREADABLE)], "s3:PutObject")
    key = where.key.key_arn
    statements = {
        "Land": land,
        "LakeKey": via(stack, "s3", [where.lake_key.key_arn], "kms:GenerateDataKey"),
        "Cursors": allow([where.table], "dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:UpdateItem"),
        "TableKey": table_keys(stack, [key]),
        "Secret": allow([secret], "secretsmanager:GetSecretValue"),
        "SecretKey": via(stack, "secretsmanager", [key], "kms:Decrypt"),
        "DeadLetters": allow([where.dead_letters.queue_arn], "sqs:SendMessage"),
        "Log": allow([log.log_group_arn], "logs:CreateLogStream", "logs:PutLogEvents"),
    }
    add_statements(role, statements, "Each page is an object of its own, named after what it holds")
    trace = {"Trace": allow(["*"], "xray:PutTelemetryRecords", "xray:PutTraceSegments")}
    add_statements(role, trace, "X-Ray's traces have no ARN (service authorization reference, AWS X-Ray)")
    return role
