"""On what the calls of the console's and of Dagster's code are that no record tells: as the source says it.

A zone is one of iot_pipeline/contract/layout.py. What certificates and things are asked for is authorised on: service
authorization reference, AWS IoT.
"""

from collections.abc import Mapping

from iot_pipeline.contract import layout
from iot_pipeline.contract.layout import RECONCILED

_LAKE, _FAILURES = "Lake.Lake5F1B88EA", "EdgeData.Failures8A3E1A2F"
_STATE, _ALERTS = "EdgeData.DeviceState03394A42", "EdgeData.Alerts91F83244"
# The tables of the console and of the pulls.
_KEPT = ("ConsoleData.TableCD117FA1", "Pull.Cursors3BCEA47F")
_LETTERS = ("EdgeData.EdgeDeadLetters4C088667", "EdgeData.AlertDeadLettersF434D1E0", "Lake.RuleErrors5B59A54D")
_OF_RUNS = "backfills/"
# Zones whose partitions are built in versions.
_BUILT = (layout.JUDGED, layout.LEDGER, layout.QUARANTINE, layout.CURATED, layout.DAILY)
_VERSIONED = (*_BUILT, layout.ALERT_HISTORY)
_PUBLISHED = (
    *("judged_telemetry", "ledger", "quarantined_telemetry", "curated_telemetry", "daily_telemetry", "alert_history"),
)
_CRAWLERS = ("Queries.RawZoneCrawler", "Queries.CuratedZoneCrawler")
_ALL_GROUPS = ("Queries.Workgroup", "Queries.TenantsWorkgroup")


def _zones(*zones: str) -> tuple[str, ...]:
    return tuple(f"{_LAKE}/{zone}*" for zone in zones)


def _on(home: str, on: tuple[str, ...], *calls: str) -> dict[tuple[str, str], tuple[str, ...]]:
    """Calls of a module's functions, each `function service:Operation`, that are on the same."""
    return {(f"{home}:{function}", call): on for function, call in (each.split() for each in calls)}


# Where the workgroups of people and of tenants keep their results.
_ANSWERS = ("Lake.Results25575328/{config.name}/*", "Lake.Results25575328/{config.name}-tenants/*")
_EVERYWHERE = (f"{_LAKE}/*", f"{_FAILURES}/*", "Intake.Kept118DB03B/*", "Lake.Results25575328/*")
_THINGS = "iot_pipeline.registry.things"
_CATALOG = "iot_pipeline.lake.catalog"

_OF_THINGS: Mapping[tuple[str, str], tuple[str, ...]] = {
    **_on(
        _THINGS,
        ("thing/*",),
        *("bury iot:CreateThing", "bury iot:UpdateThing", "create_thing iot:CreateThing", "find iot:DescribeThing"),
        *("remove_thing iot:DeleteThing", "principals iot:ListThingPrincipals", "label_site iot:UpdateThing"),
        "revive iot:UpdateThing",
    ),
    **_on(
        _THINGS,
        ("cert/*",),
        *("remove_certificate iot:DeleteCertificate", "remove_unclaimed iot:DeleteCertificate"),
        *("remove_unclaimed iot:DescribeCertificate", "remove_unclaimed iot:ListPrincipalThings"),
        *("_disarm iot:DetachPolicy", "_disarm iot:DetachThingPrincipal", "_disarm iot:UpdateCertificate"),
    ),
    # Neither is on a resource.
    **_on(_THINGS, ("*",), "remove_unclaimed iot:ListCertificates", "_policies iot:ListAttachedPolicies"),
    **_on(_THINGS, ("*",), "create_certificate iot:CreateCertificateFromCsr"),
    **_on(
        "iot_pipeline.registry.onboarding",
        ("cert/*",),
        *("_create iot:AttachPolicy", "_create iot:AttachThingPrincipal", "_create iot:UpdateCertificate"),
    ),
    **_on("iot_pipeline.registry.onboarding", ("thing/*",), "_create iot:CreateThing"),
}
_OF_CONSOLE: Mapping[tuple[str, str], tuple[str, ...]] = {
    **_on(
        "iot_pipeline.console.query.executions",
        _ALL_GROUPS,
        *("Executions._described athena:GetQueryExecution", "Executions.columns athena:GetQueryResults"),
        *("Executions.page athena:GetQueryResults", "Executions._started athena:StartQueryExecution"),
        *("Executions.cancel athena:StopQueryExecution", "Executions.refreshed athena:StopQueryExecution"),
    ),
    **_on(
        "iot_pipeline.console.bounded_athena", ("Queries.Workgroup",), "BoundedAthena._stop athena:StopQueryExecution"
    ),
    **_on("iot_pipeline.console.query.executions", _ANSWERS, "Executions.csv s3:GetObject"),
    **_on("iot_pipeline.console.query.sizes", _zones(*_VERSIONED), "Catalogued._footer s3:GetObject"),
    **_on(
        "iot_pipeline.console.query.sizes",
        ("Lake.Database/*",),
        *("Catalogued.partitions glue:GetPartitions", "Catalogued.table glue:GetTable"),
    ),
    **_on(
        "iot_pipeline.lake.spending",
        ("Queries.Workgroup", "Queries.TenantsWorkgroup", "Queries.BuildWorkgroup"),
        "_described athena:BatchGetQueryExecution",
    ),
    # CloudWatch has no resources for metrics.
    **_on("iot_pipeline.console.health.edge_latency", ("*",), "_latencies cloudwatch:GetMetricData"),
    **_on(
        "iot_pipeline.console.identity.directory",
        ("ConsoleData.Users0A0EEA89",),
        *("Directory._join cognito-idp:AdminAddUserToGroup", "Directory._join cognito-idp:CreateGroup"),
        *("Directory.add cognito-idp:AdminCreateUser", "Directory.add cognito-idp:AdminDeleteUser"),
        *("Directory.find cognito-idp:AdminGetUser", "Directory.assign cognito-idp:AdminRemoveUserFromGroup"),
        *("Directory.enable cognito-idp:AdminDisableUser", "Directory.enable cognito-idp:AdminEnableUser"),
        *("Directory.find cognito-idp:AdminListGroupsForUser", "Directory.people cognito-idp:ListGroups"),
        *("Directory.people cognito-idp:ListUsers", "Directory._members cognito-idp:ListUsersInGroup"),
    ),
    **_on(
        "iot_pipeline.console.store",
        ("ConsoleData.TableCD117FA1",),
        *("Store.remove dynamodb:DeleteItem", "Store.get dynamodb:GetItem", "Store.put dynamodb:PutItem"),
        "Store.below dynamodb:Query",
    ),
    **_on(
        "iot_pipeline.console.live.shards",
        ("Lake.Stream790BDEE4",),
        *("StreamReader._read kinesis:GetRecords", "StreamReader._iterator kinesis:GetShardIterator"),
        "StreamReader._shards kinesis:ListShards",
    ),
}
_OF_THE_LAKE: Mapping[tuple[str, str], tuple[str, ...]] = {
    **_on(
        _CATALOG,
        tuple(f"Lake.Database/{name}" for name in _PUBLISHED),
        *("Catalog.publish glue:BatchCreatePartition", "Catalog.publish glue:BatchUpdatePartition"),
    ),
    **_on(
        _CATALOG,
        ("Lake.Database/*",),
        *("Catalog.publish glue:GetTable", "Catalog.table_columns glue:GetTable", "Catalog.table_names glue:GetTables"),
        *("Catalog._get glue:BatchGetPartition", "Catalog._pages glue:GetPartitions"),
        *("Catalog.columns glue:GetPartition", "Catalog.is_absent glue:GetPartition"),
    ),
    **_on(_CATALOG, ("Lake.Database/build_*",), "Catalog.drop_table glue:DeleteTable"),
    **_on(
        _CATALOG,
        tuple(f"Lake.Database/{name}" for name in (*_PUBLISHED, "raw_telemetry", "raw_lines")),
        "Catalog.remove glue:BatchDeletePartition",
    ),
    **_on(
        "iot_pipeline.resources.crawlers", _CRAWLERS, "Crawlers.crawl glue:GetCrawler", "Crawlers.found glue:GetCrawler"
    ),
    **_on("iot_pipeline.resources.crawlers", _CRAWLERS, "Crawlers.crawl glue:StartCrawler"),
    **_on("iot_pipeline.resources.crawlers", ("Lake.CrawledDatabase/*",), "Crawlers.found glue:GetTables"),
    **_on("iot_pipeline.lake.objects", _zones(layout.RAW), "Objects.any_at s3:ListObjectsV2"),
    **_on("iot_pipeline.lake.objects", _zones(layout.RAW, *_BUILT), "Objects.at s3:ListObjectsV2"),
    **_on(
        "iot_pipeline.lake.unreadable", _zones(layout.RAW), "_problem s3:GetObject", "_problem_of_parquet s3:GetObject"
    ),
    **_on(
        "iot_pipeline.lake.removals",
        _zones(layout.REMOVALS),
        *("Removals._get s3:GetObject", "Removals._put s3:PutObject"),
    ),
    **_on(
        "iot_pipeline.lake.object_lock",
        _zones(layout.PUBLISHING),
        *("ObjectLock.take s3:GetObject", "ObjectLock._put s3:PutObject"),
    ),
    **_on("iot_pipeline.lake.retention", _zones(layout.RAW), "Retention._raw_before s3:ListObjectsV2"),
    **_on("iot_pipeline.lake.retention", _zones(layout.RAW, *_VERSIONED), "delete s3:DeleteObjects"),
    **_on(
        "iot_pipeline.lake.cleanup",
        _zones(*_VERSIONED),
        *("_delete s3:DeleteObjects", "_folders s3:ListObjectsV2", "_objects s3:ListObjectsV2"),
    ),
    **_on("iot_pipeline.warehouse.snapshot", _zones(layout.REGISTRY), "SnapshotLoader._remove_before s3:DeleteObjects"),
    **_on(
        "iot_pipeline.registry.alert_rules",
        _zones(layout.EDGE_RULES),
        *("published_if_changed s3:GetObject", "published s3:PutObject"),
    ),
    **_on("iot_pipeline.resources.dbt", _zones(layout.DBT_DOCS), "DbtDocs.publish s3:PutObject"),
    **_on(
        "iot_pipeline.resources.registry",
        _zones(layout.REGISTRY_SITES, layout.REGISTRY_DEVICES),
        "RegistryResource.publish_history s3:PutObject",
    ),
    **_on(
        "iot_pipeline.backfill.planner",
        _zones(_OF_RUNS),
        *("Planner.read s3:GetObject", "Planner.needed s3:ListObjectsV2", "Planner.write s3:PutObject"),
    ),
    **_on("iot_pipeline.resources.edge", ("*",), "EdgeResource.last_sweep cloudwatch:GetMetricStatistics"),
    **_on(
        "iot_pipeline.edge.replay",
        ("Edge.Sweep576358E8", "Edge.Notify29C25B1B", "Edge.Deliver72E7B226"),
        "Replayer._invoke lambda:Invoke",
    ),
}
_STREAMED = ("Lake.Database/streamed_telemetry",)
_OF_GLUE_JOBS: Mapping[tuple[str, str], tuple[str, ...]] = {
    **_on(
        "iot_pipeline.resources.spark_job",
        ("Spark.Backfill",),
        *("_run_to_its_end glue:StartJobRun", "_run_to_its_end glue:BatchStopJobRun", "_followed glue:GetJobRun"),
    ),
    **_on(
        "iot_pipeline.resources.workflows",
        ("Upkeep.BuildBySpark",),
        "Workflows.runs glue:GetWorkflowRuns",
    ),
    **_on(
        "iot_pipeline.streaming.batches",
        _STREAMED,
        *("Batches.all glue:GetPartitions", "Batches.unregister glue:BatchDeletePartition"),
    ),
    **_on(
        "iot_pipeline.streaming.batches",
        _zones(layout.STREAMED),
        *("Batches._objects s3:ListObjectsV2", "Batches.delete_unused s3:DeleteObjects"),
    ),
    **_on(
        "iot_pipeline.streaming.reconciling",
        _zones(RECONCILED),
        *("Reconciliation._is_noted s3:ListObjectsV2", "Reconciliation._note s3:PutObject"),
    ),
}
# What the job of backfills reads and writes; of the tables those that a backfill builds.
_FILLED = _zones(layout.JUDGED, layout.LEDGER, layout.QUARANTINE, layout.CURATED)
_FILLED_TABLES = tuple(f"Lake.Database/{name}" for name in _PUBLISHED[:4])
_OF_SPARK: Mapping[tuple[str, str], tuple[str, ...]] = {
    **_on("iot_pipeline.spark.reading", (*_zones(layout.RAW), *_FILLED), "_body s3:GetObject"),
    **_on(
        "iot_pipeline.spark.writing",
        _FILLED,
        *("_Object.upload s3:PutObject", "_Object.upload s3:CreateMultipartUpload", "_Object.upload s3:UploadPart"),
        *("_Object.upload s3:CompleteMultipartUpload", "_Object.upload s3:AbortMultipartUpload"),
    ),
}
# Sites that others share, who do more there.
OF_BACKFILLS: Mapping[tuple[str, str], tuple[str, ...]] = {
    **_on(
        _CATALOG,
        _FILLED_TABLES,
        *("Catalog.publish glue:BatchCreatePartition", "Catalog.publish glue:BatchUpdatePartition"),
        *("Catalog.publish glue:GetTable", "Catalog._get glue:BatchGetPartition"),
    ),
    **_on("iot_pipeline.lake.objects", (*_zones(layout.RAW), *_FILLED), "Objects.at s3:ListObjectsV2"),
}
_OF_LETTERS: Mapping[tuple[str, str], tuple[str, ...]] = {
    **_on(
        "iot_pipeline.edge.replay",
        ("EdgeData.Critical6684A27F", "EdgeData.WarningC64150F6"),
        "Replayer._publish sns:Publish",
    ),
    **_on(
        "iot_pipeline.edge.dead_letters",
        _LETTERS,
        *("DeadLetters._messages sqs:ReceiveMessage", "DeadLetters.remove sqs:DeleteMessage"),
    ),
}
_OF_ERASURES: Mapping[tuple[str, str], tuple[str, ...]] = {
    **_on(
        "iot_pipeline.erasure.edge_steps",
        (_STATE, _ALERTS),
        "EdgeEraser.erase_items dynamodb:DeleteItem",
    ),
    **_on("iot_pipeline.erasure.item_steps", (_STATE, _ALERTS, *_KEPT), "items_of dynamodb:Scan"),
    **_on(
        "iot_pipeline.erasure.item_steps",
        _KEPT,
        *("ItemEraser._erase_kept dynamodb:DeleteItem", "ItemEraser._set dynamodb:UpdateItem"),
    ),
    **_on(
        "iot_pipeline.erasure.edge_steps",
        _LETTERS,
        *("EdgeEraser._messages sqs:ReceiveMessage", "EdgeEraser.erase_letters sqs:DeleteMessage"),
        "EdgeEraser._show sqs:ChangeMessageVisibility",
    ),
    **_on("iot_pipeline.erasure.log_search", ("log-group:*",), "LogSearch.groups logs:DescribeLogGroups"),
    # CloudFormation names the groups; which of them, the search asks the functions.
    **_on("iot_pipeline.erasure.log_search", ("log-group:*",), "LogSearch._in logs:FilterLogEvents"),
    **_on("iot_pipeline.erasure.log_search", ("*",), "LogSearch._named lambda:ListFunctions"),
    **_on(
        "iot_pipeline.erasure.stored",
        _EVERYWHERE,
        *("Bucket.purge s3:DeleteObjects", "Bucket.read s3:GetObject", "Bucket.versions s3:ListObjectVersions"),
        "Bucket.write s3:PutObject",
    ),
    **_on("iot_pipeline.erasure.alert_steps", _zones(layout.ALERT_HISTORY), "_publish s3:PutObject"),
}
# Sites that name versions of objects, for which S3 has actions of their own (S3 API reference, "Permissions" of each).
OF_VERSIONS = (
    *("iot_pipeline.erasure.stored:Bucket.purge", "iot_pipeline.erasure.stored:Bucket.read"),
    *("iot_pipeline.erasure.stored:Bucket.versions", "iot_pipeline.lake.retention:delete"),
)
PLACES: Mapping[tuple[str, str], tuple[str, ...]] = {
    **_OF_THINGS,
    **_OF_CONSOLE,
    **_OF_THE_LAKE,
    **_OF_GLUE_JOBS,
    **_OF_SPARK,
    **_OF_LETTERS,
    **_OF_ERASURES,
}
