"""What Dagster's tasks may do: the code location looks, runs build, two kinds of runs have more, each by its role."""

from collections.abc import Iterable

from infra.stacks.base import PlatformStack
from infra.stacks.edge.names import DELIVER, NOTIFY, SEVERITIES, SWEEP
from infra.stacks.edge.tables import ALERT_INDEXES
from infra.stacks.services.asking import asking
from infra.stacks.services.places import REGISTRY_READER, REGISTRY_WRITER, WAREHOUSE_PIPELINE, Places
from infra.stacks.statements import READ_STREAM, Statements, allow, listing, table_keys, via
from iot_pipeline.contract import Contract, layout, tables
from iot_pipeline.lake.publishing import BUILD_TABLE_PREFIX
from iot_pipeline.lake.statements import DEVICE_VIEW, TELEMETRY_VIEW
from iot_pipeline.spark.order import PIPES

# Raw is the devices' own: nothing but a removal may take from it.
_ZONES = (layout.JUDGED, layout.LEDGER, layout.QUARANTINE, layout.CURATED, layout.DAILY, layout.ALERT_HISTORY)
BACKFILLS = "backfills/"
_READ = (layout.RAW, *_ZONES, layout.REMOVALS, layout.REGISTRY, layout.EDGE_RULES, layout.FAILED_DELIVERY, BACKFILLS)
_ITEMS = ("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem")
_MULTIPART = ("s3:AbortMultipartUpload", "s3:ListMultipartUploadParts")
# The edge's records that a mapping gave up on (AWS Lambda guide, "Retain discarded batch records for a Kinesis Data
# Streams event source in Lambda").
_FAILED_RECORDS = "aws/lambda/"


def looking(places: Places) -> Statements:
    """What a sensor does, and every run too: it drains the queue, looks at everything, keeps alerts."""
    stack = places.stack
    answers = [f"{places.lake}/{layout.QUERY_RESULTS}*"]
    crawlers = [_crawler(stack, zone) for zone in ("raw", "curated")]
    return {
        "Drain": allow([places.raw_queue], "sqs:ReceiveMessage", "sqs:DeleteMessage"),
        "CountDeadLetters": allow(places.dead_letters, "sqs:GetQueueAttributes"),
        "Locate": allow([places.lake], "s3:GetBucketLocation"),
        "List": listing(places.lake, (*_READ, layout.QUERY_RESULTS)),
        "ListFailed": listing(places.failures, [_FAILED_RECORDS]),
        "Read": allow(_objects(places, _READ), "s3:GetObject"),
        "Answers": allow(answers, "s3:GetObject", "s3:PutObject", *_MULTIPART),
        "LakeKey": via(stack, "s3", [places.lake_key], "kms:Decrypt", "kms:GenerateDataKey"),
        **asking(places, [places.workgroups()["builds"]]),
        "Crawled": allow(places.catalog("*", database=stack.config.crawled_database), "glue:GetTables"),
        "Crawlers": allow(crawlers, "glue:GetCrawler"),
        "Alerts": allow([places.alerts], "dynamodb:Scan", *_ITEMS),
        "Episodes": allow([f"{places.alerts}/index/{name}" for name in ALERT_INDEXES], "dynamodb:Query"),
        "TableKey": table_keys(stack, [places.edge_key]),
        "Stream": allow([places.stream], *READ_STREAM),
        # CloudWatch has no resources for metrics.
        "Metrics": allow(["*"], "cloudwatch:GetMetricStatistics"),
        "SignIn": allow(
            [places.secret(REGISTRY_READER), places.secret(WAREHOUSE_PIPELINE)], "secretsmanager:GetSecretValue"
        ),
    }


def building(places: Places, contract: Contract) -> Statements:
    """What a run does besides: builds and publishes versions of partitions, loads, crawls, cleans up after itself."""
    stack, lake = places.stack, places.lake
    zones = tables(contract)
    versioned = [it.name for it in zones.all if it not in (zones.raw_telemetry, zones.raw_lines)]
    return {
        "Uploads": allow([lake], "s3:ListBucketMultipartUploads"),
        "Build": allow(_objects(places, _ZONES), "s3:PutObject", "s3:DeleteObject", *_MULTIPART),
        "Snapshot": allow(_objects(places, [layout.REGISTRY]), "s3:PutObject", "s3:DeleteObject"),
        "Note": allow(_objects(places, [layout.EDGE_RULES, layout.DBT_DOCS, BACKFILLS]), "s3:PutObject"),
        "Publish": allow(
            places.catalog(*versioned),
            "glue:BatchCreatePartition",
            "glue:BatchUpdatePartition",
            "glue:UpdatePartition",
        ),
        "BuildTables": allow(
            places.catalog(f"{BUILD_TABLE_PREFIX}*"),
            "glue:CreateTable",
            "glue:DeleteTable",
            "glue:BatchCreatePartition",
        ),
        # The views that people read are made anew where a compaction finds them old.
        "Views": allow(places.catalog(TELEMETRY_VIEW, DEVICE_VIEW), "glue:CreateTable", "glue:UpdateTable"),
        "Crawl": allow([_crawler(stack, zone) for zone in ("raw", "curated")], "glue:StartCrawler"),
        "RunSpark": allow(
            [stack.format_arn(service="glue", resource="job", resource_name=stack.config.spark_job)],
            "glue:StartJobRun",
            "glue:GetJobRun",
            "glue:BatchStopJobRun",
        ),
        "TalkToSpark": allow(_objects(places, [PIPES]), "s3:GetObject", "s3:PutObject", "s3:DeleteObject"),
    }


def removing(places: Places, contract: Contract) -> Statements:
    """What retention and erasures do: remove objects of any zone and their versions, and what names a device."""
    stack = places.stack
    config = stack.config
    buckets = [places.lake, places.failures, places.results]
    everything = [f"{bucket}/*" for bucket in buckets]
    versioned = [it.name for it in tables(contract).all]
    functions = [config.edge_function(), config.edge_function(SWEEP), config.edge_function(NOTIFY)]
    logs = [stack.format_arn(service="logs", resource=f"log-group:/aws/lambda/{name}*") for name in functions]
    things = [_iot(stack, "thing", "*"), _iot(stack, "cert", "*")]
    return {
        "ListVersions": allow(buckets, "s3:ListBucket", "s3:ListBucketVersions"),
        "ReadVersions": allow(everything, "s3:GetObject", "s3:GetObjectVersion"),
        "Rewrite": allow(everything, "s3:PutObject"),
        "Remove": allow(everything, "s3:DeleteObject", "s3:DeleteObjectVersion"),
        "FailuresKey": via(stack, "s3", [places.edge_key], "kms:Decrypt", "kms:GenerateDataKey"),
        "Unregister": allow(places.catalog(*versioned), "glue:BatchDeletePartition"),
        "RemoveItems": allow([places.state, places.alerts], "dynamodb:Scan", "dynamodb:DeleteItem"),
        "RemoveMessages": allow(
            places.dead_letters, "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"
        ),
        "FindLogs": allow([stack.format_arn(service="logs", resource="log-group:*")], "logs:DescribeLogGroups"),
        "SearchLogs": allow(logs, "logs:FilterLogEvents"),
        "RemoveThings": allow(
            things,
            # A device that is decommissioned leaves its name, made anew if it is gone (`things.bury`).
            "iot:CreateThing",
            "iot:DescribeThing",
            "iot:UpdateThing",
            "iot:DeleteThing",
            "iot:ListThingPrincipals",
            "iot:DetachThingPrincipal",
            "iot:DescribeCertificate",
            "iot:UpdateCertificate",
            "iot:DeleteCertificate",
            "iot:ListAttachedPolicies",
            "iot:DetachPolicy",
        ),
        "WriteRegistry": allow([places.secret(REGISTRY_WRITER)], "secretsmanager:GetSecretValue"),
    }


def replaying(places: Places) -> Statements:
    """What the replay of dead letters does: send each again by its own way, and then take it away."""
    stack = places.stack
    config = stack.config
    failed = [f"{places.failures}/{_FAILED_RECORDS}*", *_objects(places, [layout.FAILED_DELIVERY])]
    names = [config.edge_function(role) for role in (SWEEP, NOTIFY, DELIVER)]
    functions = [f"{stack.format_arn(service='lambda', resource='function')}:{name}" for name in names]
    topics = [stack.format_arn(service="sns", resource=config.alert_topic(severity)) for severity in SEVERITIES]
    alerts_key = places.alerts_key
    return {
        "TakeLetters": allow(places.dead_letters, "sqs:ReceiveMessage", "sqs:DeleteMessage"),
        "SetAside": allow(failed, "s3:GetObject", "s3:PutObject", "s3:DeleteObject"),
        "FailuresKey": via(stack, "s3", [places.edge_key], "kms:Decrypt", "kms:GenerateDataKey"),
        "SendAgain": allow([places.stream], "kinesis:PutRecords"),
        "States": allow([places.state], "dynamodb:BatchGetItem", *_ITEMS),
        "CallAgain": allow(functions, "lambda:InvokeFunction"),
        "TellAgain": allow(topics, "sns:Publish"),
        "TopicKey": via(stack, "sns", [alerts_key], "kms:Decrypt", "kms:GenerateDataKey"),
    }


def watching(places: Places) -> Statements:
    """What the watcher does: it keeps alerts, in one transaction with what it knows."""
    return {
        "Alerts": allow([places.alerts], *_ITEMS),
        "TableKey": table_keys(places.stack, [places.edge_key]),
    }


def _objects(places: Places, prefixes: Iterable[str]) -> list[str]:
    return [places.config.lake_objects(prefix) for prefix in prefixes]


def _crawler(stack: PlatformStack, zone: str) -> str:
    return stack.format_arn(service="glue", resource="crawler", resource_name=f"{stack.config.name}-{zone}")


def _iot(stack: PlatformStack, kind: str, name: str) -> str:
    return stack.format_arn(service="iot", resource=kind, resource_name=name)
