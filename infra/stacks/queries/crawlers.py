"""The crawlers of the raw and the curated zone."""

import json
from dataclasses import dataclass

from aws_cdk import Stack
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from infra.stacks.config import PlatformConfig
from infra.stacks.nag import accept, accept_wildcards
from infra.stacks.principals import for_this_account
from infra.stacks.statements import via
from iot_pipeline.contract import Table, Tables


@dataclass(frozen=True)
class Crawlers:
    """One crawler a zone."""

    raw: glue.CfnCrawler
    curated: glue.CfnCrawler


def add_crawlers(
    stack: Stack,
    config: PlatformConfig,
    bucket: s3.IBucket,
    key: kms.IKey | None,
    tables: Tables,
) -> Crawlers:
    """Crawlers that look and report, and touch no table that anyone reads.

    A crawler always adds the partitions it finds, whatever its schema change policy (AWS::Glue::Crawler,
    SchemaChangePolicy). Pointed at the served tables it would register superseded and half-written versions of
    curated partitions. So they write what they infer to a database of their own, where it can be compared with
    the contract's tables. The table level pins one table a zone: `curated/telemetry/v=<build>/year=...` stays one
    table with `v` as a partition key, and never becomes a table a version.
    """
    role = _role(stack, config, bucket, key, (tables.raw_telemetry, tables.curated_telemetry))
    raw = _crawler(stack, "RawZoneCrawler", config, bucket, role, tables.raw_telemetry)
    curated = _crawler(stack, "CuratedZoneCrawler", config, bucket, role, tables.curated_telemetry)
    return Crawlers(raw=raw, curated=curated)


def _crawler(
    stack: Stack,
    construct_id: str,
    config: PlatformConfig,
    bucket: s3.IBucket,
    role: iam.Role,
    table: Table,
) -> glue.CfnCrawler:
    zone = table.prefix.split("/", maxsplit=1)[0]
    crawler = glue.CfnCrawler(
        stack,
        construct_id,
        name=f"{config.name}-{zone}",
        description=f"Schema and partitions as found under {table.prefix}",
        role=role.role_arn,
        database_name=config.crawled_database,
        table_prefix=f"{zone}_",
        targets=glue.CfnCrawler.TargetsProperty(
            s3_targets=[glue.CfnCrawler.S3TargetProperty(path=f"s3://{bucket.bucket_name}/{table.prefix}")]
        ),
        # Folders are hours and builds, and neither changes once crawled. This mode needs LOG for both behaviours.
        recrawl_policy=glue.CfnCrawler.RecrawlPolicyProperty(recrawl_behavior="CRAWL_NEW_FOLDERS_ONLY"),
        schema_change_policy=glue.CfnCrawler.SchemaChangePolicyProperty(update_behavior="LOG", delete_behavior="LOG"),
        configuration=json.dumps(
            {
                "Version": 1.0,
                "Grouping": {
                    "TableGroupingPolicy": "CombineCompatibleSchemas",
                    # Counted from the bucket, which is level 1 (Glue guide, "Specifying the table location").
                    "TableLevelConfiguration": 1 + table.prefix.count("/"),
                },
            }
        ),
    )
    accept(crawler, "AwsSolutions-GL1", "A crawler's log names folders and columns; no telemetry is in it")
    # Glue takes on the role when the crawler is made, and refuses one that cannot read yet.
    crawler.node.add_dependency(role.node.find_child("DefaultPolicy"))
    return crawler


def _role(
    stack: Stack,
    config: PlatformConfig,
    bucket: s3.IBucket,
    key: kms.IKey | None,
    crawled: tuple[Table, ...],
) -> iam.Role:
    """A role that reads the crawled prefixes and writes the crawlers' own database; the managed policy allows more."""
    role = iam.Role(stack, "CrawlerRole", assumed_by=for_this_account("glue.amazonaws.com", config))
    objects = [config.lake_objects(table.prefix) for table in crawled]
    logs = stack.format_arn(service="logs", resource="log-group:/aws-glue/crawlers*")
    tables = stack.format_arn(service="glue", resource="table", resource_name=f"{config.crawled_database}/*")
    statements = {
        "ListLake": iam.PolicyStatement(
            actions=["s3:ListBucket"],
            resources=[bucket.bucket_arn],
            conditions={"StringLike": {"s3:prefix": [f"{table.prefix}*" for table in crawled]}},
        ),
        "LocateLake": iam.PolicyStatement(actions=["s3:GetBucketLocation"], resources=[bucket.bucket_arn]),
        "ReadLake": iam.PolicyStatement(actions=["s3:GetObject"], resources=objects),
        "WriteCatalog": iam.PolicyStatement(
            actions=[
                "glue:GetDatabase",
                "glue:GetTable",
                "glue:GetTables",
                "glue:CreateTable",
                "glue:UpdateTable",
                "glue:GetPartition",
                "glue:GetPartitions",
                "glue:BatchGetPartition",
                "glue:BatchCreatePartition",
                "glue:UpdatePartition",
                "glue:BatchUpdatePartition",
                # A crawler indexes the partitions of the tables it makes (Glue guide, "Customizing crawler behavior").
                "glue:GetPartitionIndexes",
                "glue:CreatePartitionIndex",
            ],
            resources=[
                stack.format_arn(service="glue", resource="catalog"),
                stack.format_arn(service="glue", resource="database", resource_name=config.crawled_database),
                tables,
            ],
        ),
        "Log": iam.PolicyStatement(
            actions=["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], resources=[logs]
        ),
    }
    if key:
        statements["Decrypt"] = via(stack, "s3", [key.key_arn], "kms:Decrypt")
    for sid, statement in statements.items():
        statement.sid = sid
        role.add_to_policy(statement)
    accept_wildcards(role, objects, "A crawler reads a whole zone")
    accept_wildcards(role, [tables], "A crawler makes the tables of its own database, whatever they are called")
    accept_wildcards(role, [logs], "Glue makes the log group, under a fixed prefix")
    return role
