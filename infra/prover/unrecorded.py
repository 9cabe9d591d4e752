"""What the record of calls cannot say: calls that stand in the source and that no demo or test makes, each with why."""

from collections.abc import Mapping

# (site, operation): what it is on, as in recorded_calls.tsv.
UNRECORDED: Mapping[tuple[str, str], tuple[str, ...]] = {
    # The episode that a state was to be written with, by itself, after another writer has won: alerts alone.
    ("iot_pipeline.edge.state_store:StateStore._record", "dynamodb:PutItem"): ("EdgeData.Alerts91F83244",),
    # The canary is a device of the environment's own; its file is a package by itself and no module of the product's.
    ("canary_device:handler", "iot-data:Publish"): (
        "topic/{config.topic_root}/platform/canary/{config.name}-canary/telemetry",
    ),
    ("canary_device:newest", "dynamodb:GetItem"): ("EdgeData.DeviceState03394A42",),
    # The crawl starter is deployed where an environment says so, and no demo does.
    ("iot_pipeline.arrival.crawl:Starter.take", "glue:GetCrawler"): ("Queries.RawZoneCrawler",),
    ("iot_pipeline.arrival.crawl:Starter._ask_for", "glue:StartCrawler"): ("Queries.RawZoneCrawler",),
    ("iot_pipeline.arrival.crawl:Starter._again", "sqs:SendMessage"): ("Queries.ArrivalsD4970207",),
    ("iot_pipeline.arrival.crawl:Starter._give_up", "sqs:SendMessage"): ("Queries.CrawlDeadLettersA9FA3AEA",),
    # Producers' records: the demo has no producer.
    ("iot_pipeline.intake.devices:Devices._look_up", "iot:DescribeThing"): ("thing/*",),
    ("iot_pipeline.intake.refusals:Refusals._write", "s3:PutObject"): ("Intake.Kept118DB03B/refused/*",),
    ("iot_pipeline.producer.put:put_once", "kinesis:PutRecords"): ("Lake.Stream790BDEE4",),
    # A vendor's API is pulled in no demo. `{own}` is what the ids of the calling function's own constructs begin with.
    ("iot_pipeline.pull.pull_state:PullStates.acquire", "dynamodb:UpdateItem"): ("Pull.Cursors3BCEA47F",),
    ("iot_pipeline.pull.pull_state:PullStates._put", "dynamodb:PutItem"): ("Pull.Cursors3BCEA47F",),
    ("iot_pipeline.pull.pull_state:PullStates.note_gap", "dynamodb:PutItem"): ("Pull.Cursors3BCEA47F",),
    ("iot_pipeline.pull.pull_state:PullStates.close_gap", "dynamodb:DeleteItem"): ("Pull.Cursors3BCEA47F",),
    ("iot_pipeline.pull.pulled_objects:PulledObjects.land", "s3:PutObject"): ("Lake.Lake5F1B88EA/raw/telemetry/*",),
    ("iot_pipeline.pull.pulled_objects:PulledObjects.keep_unreadable", "s3:PutObject"): (
        "Lake.Lake5F1B88EA/failed-delivery/pull/*",
    ),
    ("iot_pipeline.pull.scheduled_pull:read_secret", "secretsmanager:GetSecretValue"): ("Pull.{own}Secret",),
    # Glue runs the streaming job, and a test its parts under the tests' own credentials.
    ("iot_pipeline.streaming.batches:Batches._write", "s3:PutObject"): ("Lake.Lake5F1B88EA/streamed/telemetry/*",),
    ("iot_pipeline.streaming.batches:Batches._keep_unjudged", "s3:PutObject"): (
        "EdgeData.Failures8A3E1A2F/streaming/*",
    ),
    **{
        (f"iot_pipeline.streaming.batches:Batches.{function}", f"glue:{operation}"): (
            "Lake.Database/streamed_telemetry",
        )
        for function, operation in (
            ("_partition", "GetTable"),
            ("_commit", "CreatePartition"),
            ("_update", "UpdatePartition"),
        )
    },
    # The hook's file is a package by itself too; the names of things are what devices say.
    ("new_things_only:handler", "iot:DescribeThing"): ("thing/*",),
    # The smoke test runs on AWS alone. What each is on: service authorization reference, AWS IoT.
    ("infra.smoke:registered", "iot:CreateThing"): ("thing/{config.name}-smoke-*",),
    ("infra.smoke:registered", "iot:DeleteThing"): ("thing/{config.name}-smoke-*",),
    **dict.fromkeys(
        [
            ("infra.smoke:registered", f"iot:{name}")
            for name in (
                *("AttachPolicy", "AttachThingPrincipal", "DeleteCertificate"),
                *("DetachPolicy", "DetachThingPrincipal", "UpdateCertificate"),
            )
        ],
        ("cert/*",),
    ),
    ("infra.smoke:registered", "iot:CreateCertificateFromCsr"): ("*",),
    ("infra.smoke:main", "iot:DescribeEndpoint"): ("*",),
    ("infra.smoke:arrived", "s3:ListObjectsV2"): ("Lake.Lake5F1B88EA/raw/telemetry/*",),
    ("infra.smoke:arrived", "s3:GetObject"): ("Lake.Lake5F1B88EA/raw/telemetry/*",),
    # Where the databases are, for the migrations.
    ("infra.deploy_to_aws:places", "cloudformation:DescribeStacks"): ("stack/{warehouse_stack}/*",),
}
# (site, operation): the partition key of all items that it is on, where the code asks for those of one alone.
LEADING_KEYS: Mapping[tuple[str, str], str] = {("canary_device:newest", "dynamodb:GetItem"): "{config.canary}"}
# (site, operation): why it is no call of AWS, or where the prover has it from.
NEVER: Mapping[tuple[str, str], str] = {
    ("iot_pipeline.streaming.glue_job:publish_measures", "cloudwatch:PutMetricData"): (
        "it has no resource but a namespace, which aws_calls/glue_jobs.py says"
    ),
    **dict.fromkeys(
        [
            (f"iot_pipeline.warehouse.landing:{function}", f"{service}:CreateTable")
            for function in ("_changes_of", "migrate")
            for service in ("dynamodb", "glue")
        ],
        "`create_table` renders a statement of SQL",
    ),
    ("iot_pipeline.lake.catalog:Catalog.drop_table", "dynamodb:DeleteTable"): "the catalog's client is Glue's",
    ("iot_pipeline.connections.credentials:credentials", "secretsmanager:GetSecretValue"): (
        "`get_secret_value` is pydantic's, of a password from the environment"
    ),
    ("iot_pipeline.edge.notify:Notifier.run", "sns:Publish"): "`publish` is the router's, which has no client of SNS",
}
# Sites to which an object that is not there is an answer. S3 says so to those alone who may list (S3 API reference,
# GetObject, "Permissions"), and 403 to all others.
MISSING_IS_AN_ANSWER = (
    *("iot_pipeline.edge.rules_source:RulesSource._refresh", "iot_pipeline.registry.alert_rules:published_if_changed"),
    *("iot_pipeline.backfill.planner:Planner.read", "iot_pipeline.alert_history.export:Exporter._read"),
    *("iot_pipeline.erasure.stored:Bucket.read", "iot_pipeline.console.query.executions:Executions.csv"),
)
