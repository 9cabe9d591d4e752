"""What Dagster's tasks may do: the code location looks, runs build, two kinds of runs have more, each by its role."""

from collections.abc import Iterable

from infra.stacks.base import PlatformStack
from infra.stacks.edge.names import DELIVER, NOTIFY, SEVERITIES, SWEEP
from infra.stacks.edge.tables import ALERT_INDEXES
from infra.stacks.services.asking import asking, counting
from infra.stacks.services.places import REGISTRY_READER, REGISTRY_WRITER, WAREHOUSE_PIPELINE, Places
from infra.stacks.statements import READ_STREAM, Statements, allow, listing, table_keys, via
from iot_pipeline.contract import Contract, layout, tables
from iot_pipeline.contract.layout import RECONCILED
from iot_pipeline.lake.publishing import BUILD_TABLE_PREFIX
from iot_pipeline.lake.statements import DEVICE_VIEW, TELEMETRY_VIEW
from iot_pipeline.spark.order import PIPES
from iot_pipeline.streaming.statements import NOW_VIEW, RECENT_VIEW

# Raw is the devices' own: nothing but a removal may take from it.
_BUILT = (layout.JUDGED, layout.LEDGER, layout.QUARANTINE, layout.CURATED, layout.DAILY)
_ZONES = (*_BUILT, layout.ALERT_HISTORY)
BACKFILLS = "backfills/"
# What statements of Athena and our own code read.
_READ = (layout.RAW, *_ZONES, layout.REMOVALS, layout.REGISTRY, BACKFILLS)
_MULTIPART = ("s3:AbortMultipartUpload", "s3:ListMultipartUploadParts")
# The edge's records that a mapping gave up on (AWS Lambda guide, "Retain discarded batch records for a Kinesis Data
# Streams event source in Lambda").
_FAILED_RECORDS = "aws/lambda/"


def looking(places: Places) -> Statements:
    """What sensors and schedules do: drain the queue of raw objects, look at the lake, keep alerts of the pipeline."""
    return {
        "Drain": allow([places.raw_queue], "sqs:ReceiveMessage", "sqs:DeleteMessage"),
        **_reading(places, _READ),
        **_lake_key(places),
        **_statements(places),
        **counting(places),
        "Alerts": allow([places.alerts], "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"),
        **_episodes(places, "open"),
        "Workflow": allow(
            [places.stack.format_arn(service="glue", resource="workflow", resource_name=places.config.build_workflow)],
            "glue:GetWorkflowRuns",
        ),
        **_signing_in(places, REGISTRY_READER),
    }


def building(places: Places, contract: Contract) -> Statements:
    """What runs do: build and publish versions of partitions, load, crawl, clean up, and check what the edge does."""
    crawlers = [_crawler(places.stack, zone) for zone in ("raw", "curated")]
    return {
        "CountDeadLetters": allow(places.dead_letters, "sqs:GetQueueAttributes"),
        "ListFailed": listing(places.failures, [_FAILED_RECORDS]),
        **_reading(places, (*_READ, layout.EDGE_RULES, layout.STREAMED), listed=(layout.FAILED_DELIVERY,)),
        **_lake_key(places),
        **_statements(places),
        "Build": allow(_objects(places, _BUILT), "s3:PutObject", "s3:DeleteObject", *_MULTIPART),
        "TakeTurns": allow(_objects(places, [layout.PUBLISHING]), "s3:GetObject", "s3:PutObject"),
        "Snapshot": allow(_objects(places, [layout.ALERT_HISTORY, layout.REGISTRY]), "s3:PutObject", "s3:DeleteObject"),
        "Note": allow(_objects(places, [layout.EDGE_RULES, layout.DBT_DOCS]), "s3:PutObject"),
        **_publishing(places, contract),
        # The catalog itself is among what statements ask.
        "Crawled": allow(places.catalog("*", database=places.config.crawled_database)[1:], "glue:GetTables"),
        "Crawlers": allow(crawlers, "glue:GetCrawler", "glue:StartCrawler"),
        "Alerts": allow([places.alerts], "dynamodb:Scan", "dynamodb:GetItem", "dynamodb:UpdateItem"),
        **_episodes(places, *ALERT_INDEXES),
        "Stream": allow([places.stream], *READ_STREAM),
        # CloudWatch has no resources for metrics.
        "Metrics": allow(["*"], "cloudwatch:GetMetricStatistics"),
        **_signing_in(places, REGISTRY_READER),
        **_reconciling(places),
        **_views(places, TELEMETRY_VIEW, DEVICE_VIEW, RECENT_VIEW, NOW_VIEW),
        "RunSpark": allow(
            [places.stack.format_arn(service="glue", resource="job", resource_name=places.config.spark_job)],
            "glue:StartJobRun",
            "glue:GetJobRun",
            "glue:BatchStopJobRun",
        ),
        "TalkToSpark": allow(_objects(places, [PIPES]), "s3:GetObject", "s3:PutObject", "s3:DeleteObject"),
    }


def _reconciling(places: Places) -> Statements:
    """What holds the streamed micro-batches against the curated hours, and removes those that are curated."""
    return {
        "ListStreamed": listing(places.lake, [RECONCILED]),
        "RemoveStreamed": allow(_objects(places, [layout.STREAMED]), "s3:DeleteObject"),
        "Reconcile": allow(_objects(places, [RECONCILED]), "s3:PutObject"),
        "Streamed": allow(places.catalog("streamed_telemetry"), "glue:BatchDeletePartition"),
    }


def rebuilding(places: Places, contract: Contract) -> Statements:
    """What retention and erasures do beside removing: build again what is left."""
    answers = [*_objects(places, _BUILT), _answers(places)]
    return {
        "Parts": allow(answers, *_MULTIPART),
        "Uploads": allow([places.lake], "s3:GetBucketLocation", "s3:ListBucketMultipartUploads"),
        **_lake_key(places),
        **_statements(places),
        **_publishing(places, contract),
        **_signing_in(places, REGISTRY_WRITER),
    }


def removing(places: Places, contract: Contract) -> Statements:
    """What retention and erasures do: remove objects of any zone and their versions, and what names a device."""
    stack = places.stack
    config = stack.config
    buckets = [places.lake, places.failures, places.results, *([places.intake] if config.producers else [])]
    # Whatever names somebody in a table of DynamoDB is removed, or a word is put in its place.
    kept = [places.console, *([places.pull] if config.vendors else [])]
    kept_keys = [places.console_key, *([places.pull_key] if config.vendors else [])]
    versioned = [it.name for it in tables(contract).all]
    return {
        "ListVersions": allow(buckets, "s3:ListBucket", "s3:ListBucketVersions"),
        "Rewrite": allow(
            [f"{bucket}/*" for bucket in buckets],
            *("s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion"),
        ),
        "FailuresKey": via(stack, "s3", [places.edge_key], "kms:Decrypt", "kms:GenerateDataKey"),
        "Unregister": allow(places.catalog(*versioned), "glue:BatchDeletePartition"),
        "Alerts": allow([places.alerts], "dynamodb:GetItem", "dynamodb:UpdateItem"),
        **_episodes(places, *ALERT_INDEXES),
        "RemoveItems": allow([places.state, places.alerts, *kept], "dynamodb:Scan", "dynamodb:DeleteItem"),
        "Redact": allow(kept, "dynamodb:UpdateItem"),
        "KeptKeys": table_keys(stack, kept_keys),
        "Streamed": allow(places.catalog("streamed_telemetry"), "glue:UpdatePartition"),
        "RemoveMessages": allow(
            places.dead_letters, "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"
        ),
        "RemoveThings": allow(
            [_iot(stack, "thing", "*")],
            # A device that is decommissioned leaves its name, made anew if it is gone (`things.bury`).
            "iot:CreateThing",
            "iot:DescribeThing",
            "iot:UpdateThing",
            "iot:DeleteThing",
            "iot:ListThingPrincipals",
        ),
        # What is attached to a certificate is authorised on the certificate (service authorization reference, AWS IoT).
        "RemoveCertificates": allow(
            [_iot(stack, "cert", "*")],
            "iot:DescribeCertificate",
            "iot:UpdateCertificate",
            "iot:DeleteCertificate",
            "iot:DetachThingPrincipal",
            "iot:DetachPolicy",
            "iot:ListPrincipalThings",
        ),
        # Neither has a resource.
        "FindUnclaimed": allow(["*"], "iot:ListAttachedPolicies", "iot:ListCertificates"),
    }


def replaying(places: Places) -> Statements:
    """What the replay of dead letters does: send each again by its own way, and then take it away."""
    stack = places.stack
    config = stack.config
    failed = [f"{places.failures}/{_FAILED_RECORDS}*", *_objects(places, [layout.FAILED_DELIVERY])]
    names = [config.edge_function(role) for role in (SWEEP, NOTIFY, DELIVER)]
    functions = [f"{stack.format_arn(service='lambda', resource='function')}:{name}" for name in names]
    topics = [stack.format_arn(service="sns", resource=config.alert_topic(severity)) for severity in SEVERITIES]
    return {
        "ListFailed": listing(places.failures, [_FAILED_RECORDS]),
        "List": listing(places.lake, [layout.FAILED_DELIVERY, layout.EDGE_RULES]),
        "Rules": allow(_objects(places, [layout.EDGE_RULES]), "s3:GetObject"),
        "TakeLetters": allow(places.dead_letters, "sqs:ReceiveMessage", "sqs:DeleteMessage"),
        "SetAside": allow(failed, "s3:GetObject", "s3:PutObject", "s3:DeleteObject"),
        "FailedKeys": via(stack, "s3", [places.edge_key, places.lake_key], "kms:Decrypt", "kms:GenerateDataKey"),
        "SendAgain": allow([places.stream], "kinesis:PutRecords"),
        "States": allow([places.state], "dynamodb:BatchGetItem", "dynamodb:PutItem"),
        "Alerts": allow([places.alerts], "dynamodb:PutItem", "dynamodb:UpdateItem"),
        **_episodes(places, "pending"),
        "CallAgain": allow(functions, "lambda:InvokeFunction"),
        "TellAgain": allow(topics, "sns:Publish"),
        "TopicKey": via(stack, "sns", [places.alerts_key], "kms:Decrypt", "kms:GenerateDataKey"),
    }


def watching(places: Places) -> Statements:
    """What the watcher does: it keeps alerts, in one transaction with what it knows."""
    return {
        "Alerts": allow([places.alerts], "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"),
        "TableKey": table_keys(places.stack, [places.edge_key]),
    }


def _reading(places: Places, prefixes: Iterable[str], listed: Iterable[str] = ()) -> Statements:
    prefixes = tuple(prefixes)
    answers = _answers(places)
    return {
        # Athena looks for parts of earlier results (its guide, "Control access to Amazon S3 from Athena").
        "Locate": allow([places.lake], "s3:GetBucketLocation", "s3:ListBucketMultipartUploads"),
        "List": listing(places.lake, (*prefixes, *listed, f"{layout.QUERY_RESULTS}{_builds(places)}/")),
        "Read": allow(_objects(places, prefixes), "s3:GetObject"),
        "Answers": allow([answers], "s3:GetObject", "s3:PutObject", *_MULTIPART),
    }


def _answers(places: Places) -> str:
    """Where the workgroup of the builds keeps its results."""
    return f"{places.lake}/{layout.QUERY_RESULTS}{_builds(places)}/*"


def _builds(places: Places) -> str:
    return f"{places.config.name}-builds"


def _lake_key(places: Places) -> Statements:
    return {"LakeKey": via(places.stack, "s3", [places.lake_key], "kms:Decrypt", "kms:GenerateDataKey")}


def _statements(places: Places) -> Statements:
    return asking(places, [places.workgroups()["builds"]])


def _publishing(places: Places, contract: Contract) -> Statements:
    zones = tables(contract)
    versioned = [it.name for it in zones.all if it not in (zones.raw_telemetry, zones.raw_lines)]
    return {
        "Publish": allow(places.catalog(*versioned), "glue:BatchCreatePartition", "glue:BatchUpdatePartition"),
        "BuildTables": allow(
            places.catalog(f"{BUILD_TABLE_PREFIX}*"),
            "glue:CreateTable",
            "glue:DeleteTable",
            "glue:BatchCreatePartition",
        ),
        **_views(places, TELEMETRY_VIEW, DEVICE_VIEW),
    }


def _views(places: Places, *names: str) -> Statements:
    """The views that people read, which are made anew where a compaction or a reconciliation finds them old."""
    return {"Views": allow(places.catalog(*names), "glue:CreateTable", "glue:UpdateTable")}


def _episodes(places: Places, *indexes: str) -> Statements:
    return {
        "Episodes": allow([f"{places.alerts}/index/{name}" for name in indexes], "dynamodb:Query"),
        "TableKey": table_keys(places.stack, [places.edge_key]),
    }


def _signing_in(places: Places, registry_user: str) -> Statements:
    """The databases' passwords, and the keys that they are under."""
    secrets = [places.secret(registry_user), places.secret(WAREHOUSE_PIPELINE)]
    return {
        "SignIn": allow(secrets, "secretsmanager:GetSecretValue"),
        "SecretKeys": via(places.stack, "secretsmanager", places.secret_keys, "kms:Decrypt"),
    }


def _objects(places: Places, prefixes: Iterable[str]) -> list[str]:
    return [places.config.lake_objects(prefix) for prefix in prefixes]


def _crawler(stack: PlatformStack, zone: str) -> str:
    return stack.format_arn(service="glue", resource="crawler", resource_name=f"{stack.config.name}-{zone}")


def _iot(stack: PlatformStack, kind: str, name: str) -> str:
    return stack.format_arn(service="iot", resource=kind, resource_name=name)
