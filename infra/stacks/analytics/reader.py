"""The role by which QuickSight asks Athena."""

from aws_cdk import aws_iam as iam

from infra.stacks.base import PlatformStack
from infra.stacks.nag import accept_wildcards
from infra.stacks.parameters import read
from infra.stacks.principals import for_this_account
from infra.stacks.statements import via
from iot_pipeline.contract import Contract, tables
from iot_pipeline.contract.tables import registry_history


def add_reader(stack: PlatformStack, contract: Contract) -> iam.Role:
    """It reads the curated zone and the registry's copy, in the workgroup of people, and nothing else.

    QuickSight guide, "Run queries as an IAM role in Amazon Athena"; Athena user guide, "Configure access to databases
    and tables in the AWS Glue Data Catalog" and "Example workgroup policies".
    """
    config = stack.config
    asked = (tables(contract).curated_telemetry, *registry_history())
    objects = [config.lake_objects(table.prefix) for table in asked]
    results = config.bucket_arn(config.results_bucket)
    written = f"{results}/{config.name}/*"
    role = iam.Role(
        stack,
        "ReaderRole",
        description="QuickSight's questions to the lake",
        assumed_by=for_this_account("quicksight.amazonaws.com", config),
    )
    glue: dict[str, list[str | None]] = {
        "catalog": [None],
        "database": [config.database],
        "table": [f"{config.database}/{table.name}" for table in asked],
    }
    statements = {
        "Ask": iam.PolicyStatement(
            actions=[
                "athena:GetQueryExecution",
                "athena:GetQueryResults",
                "athena:GetWorkGroup",
                "athena:StartQueryExecution",
                "athena:StopQueryExecution",
            ],
            resources=[stack.format_arn(service="athena", resource="workgroup", resource_name=config.name)],
        ),
        "Describe": iam.PolicyStatement(
            actions=["glue:GetDatabase", "glue:GetPartition", "glue:GetPartitions", "glue:GetTable"],
            resources=[
                stack.format_arn(service="glue", resource=kind, resource_name=name)
                for kind, names in glue.items()
                for name in names
            ],
        ),
        "List": iam.PolicyStatement(
            actions=["s3:ListBucket"],
            resources=[config.bucket_arn(config.lake_bucket)],
            conditions={"StringLike": {"s3:prefix": [f"{table.prefix}*" for table in asked]}},
        ),
        "Read": iam.PolicyStatement(actions=["s3:GetObject"], resources=objects),
        "Results": iam.PolicyStatement(
            actions=["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"], resources=[written]
        ),
        "FindResults": iam.PolicyStatement(actions=["s3:GetBucketLocation", "s3:ListBucket"], resources=[results]),
        "Key": via(stack, "s3", [read(stack, config, "lake-key")], "kms:Decrypt", "kms:GenerateDataKey"),
    }
    for sid, statement in statements.items():
        statement.sid = sid
        role.add_to_policy(statement)
    accept_wildcards(role, [*objects, written], "Questions read whole zones, and Athena names the results itself")
    return role
