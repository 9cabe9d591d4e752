"""What the Glue job of backfills may do: read raw, write and publish the zones that follow, answer Dagster."""

from aws_cdk import aws_iam as iam

from infra.stacks.base import PlatformStack
from infra.stacks.principals import for_this_account
from infra.stacks.statements import Statements, add_statements, allow, listing, via
from iot_pipeline.contract import Contract, layout, tables
from iot_pipeline.lake.publishing import BUILD_TABLE_PREFIX
from iot_pipeline.spark.order import PIPES

_ZONES = (layout.JUDGED, layout.LEDGER, layout.QUARANTINE, layout.CURATED)


def add_job_role(stack: PlatformStack, contract: Contract) -> iam.Role:
    """The role of the job and of its workers."""
    role = iam.Role(
        stack,
        "JobRole",
        description="The Glue job that judges and curates large backfills",
        assumed_by=for_this_account("glue.amazonaws.com", stack.config),
    )
    wildcards = "A backfill reads and writes whole zones, and Glue makes the log groups, under a fixed prefix"
    add_statements(role, _statements(stack, contract), wildcards)
    return role


def _statements(stack: PlatformStack, contract: Contract) -> Statements:
    config, lake = stack.config, stack.config.bucket_arn(stack.config.lake_bucket)
    key = stack.lake_key("JobKey")
    logs = stack.format_arn(service="logs", resource="log-group:/aws-glue/jobs/*")
    keyed = {"LakeKey": via(stack, "s3", [key.key_arn], "kms:Decrypt", "kms:GenerateDataKey")} if key else {}
    read = (layout.RAW, *_ZONES, layout.REMOVALS, PIPES)
    return {
        "List": listing(lake, (layout.RAW, *_ZONES, layout.REMOVALS)),
        "Read": allow([config.lake_objects(prefix) for prefix in read], "s3:GetObject"),
        "Build": allow([config.lake_objects(prefix) for prefix in _ZONES], "s3:PutObject", "s3:AbortMultipartUpload"),
        "TakeTurns": allow([config.lake_objects(layout.PUBLISHING)], "s3:GetObject", "s3:PutObject"),
        "Answer": allow([config.lake_objects(PIPES)], "s3:PutObject"),
        **_catalog(stack, contract),
        **keyed,
        "Log": allow([logs], "logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"),
    }


def _catalog(stack: PlatformStack, contract: Contract) -> Statements:
    zones, database = tables(contract), stack.config.database
    above = [
        stack.format_arn(service="glue", resource="catalog"),
        stack.format_arn(service="glue", resource="database", resource_name=database),
    ]

    def of(*names: str) -> list[str]:
        own = (stack.format_arn(service="glue", resource="table", resource_name=f"{database}/{name}") for name in names)
        return [*above, *own]

    built = (zones.judged_telemetry, zones.ledger, zones.quarantined_telemetry, zones.curated_telemetry)
    return {
        "Publish": allow(
            of(*(table.name for table in built)),
            "glue:GetTable",
            "glue:BatchGetPartition",
            "glue:BatchCreatePartition",
            "glue:BatchUpdatePartition",
        ),
        # Publishing drops a build's throw-away table, of which Spark makes none.
        "BuildTables": allow(of(f"{BUILD_TABLE_PREFIX}*"), "glue:DeleteTable"),
    }
