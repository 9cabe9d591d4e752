import pytest
from aws_cdk.assertions import Match

from infra.stacks.config import PlatformConfig
from iot_pipeline.contract import Format, Table, tables
from iot_pipeline_tests.support.templates import assertions, of_type, template

BUCKET = "telemetry-lake-000000000000-eu-west-1"
TABLES = tables().all


def test_bucket_is_encrypted_private_versioned_and_logged() -> None:
    assertions("TelemetryLake").has_resource_properties(
        "AWS::S3::Bucket",
        {
            "BucketName": BUCKET,
            "BucketEncryption": {
                "ServerSideEncryptionConfiguration": [
                    {
                        "BucketKeyEnabled": True,
                        "ServerSideEncryptionByDefault": {
                            "SSEAlgorithm": "aws:kms",
                            "KMSMasterKeyID": Match.any_value(),
                        },
                    }
                ]
            },
            "PublicAccessBlockConfiguration": {
                "BlockPublicAcls": True,
                "BlockPublicPolicy": True,
                "IgnorePublicAcls": True,
                "RestrictPublicBuckets": True,
            },
            "VersioningConfiguration": {"Status": "Enabled"},
            "LoggingConfiguration": {"LogFilePrefix": "lake/"},
        },
    )


def test_data_outlives_its_stack() -> None:
    for kind in ("AWS::S3::Bucket", "AWS::KMS::Key"):
        for resource in of_type(template("TelemetryLake"), kind).values():
            assert resource["DeletionPolicy"] == "RetainExceptOnCreate"
            assert resource["UpdateReplacePolicy"] == "Retain"


def test_new_and_removed_raw_objects_are_announced_to_a_queue_that_sets_aside_after_five_attempts() -> None:
    made = template("TelemetryLake")
    (lake,) = (r for r in of_type(made, "AWS::S3::Bucket").values() if r["Properties"].get("BucketName") == BUCKET)
    created, removed = lake["Properties"]["NotificationConfiguration"]["QueueConfigurations"]
    assert (created["Event"], removed["Event"]) == ("s3:ObjectCreated:*", "s3:ObjectRemoved:*")
    for notification in (created, removed):
        assert notification["Filter"]["S3Key"]["Rules"] == [{"Name": "prefix", "Value": "raw/telemetry/"}]
        assert notification["Queue"] == created["Queue"]
    queue = made["Resources"][notification["Queue"]["Fn::GetAtt"][0]]["Properties"]
    assert queue["RedrivePolicy"]["maxReceiveCount"] == 5
    (policy,) = (
        name
        for name, p in of_type(made, "AWS::SQS::QueuePolicy").items()
        if {"Ref": notification["Queue"]["Fn::GetAtt"][0]} in p["Properties"]["Queues"]
    )
    assert policy in lake["DependsOn"], "S3 refuses the notification until the queue lets it send"


@pytest.mark.parametrize("table", TABLES, ids=lambda table: str(table.name))
def test_each_table_of_the_contract_is_in_the_catalog(table: Table) -> None:
    inputs = {
        r["Properties"]["TableInput"]["Name"]: r["Properties"]
        for r in of_type(template("TelemetryLake"), "AWS::Glue::Table").values()
    }
    made = inputs[table.name]["TableInput"]
    assert made["StorageDescriptor"]["Columns"] == [
        {"Name": c.name, "Type": c.type, "Comment": c.comment} for c in table.columns
    ]
    by_day = table.name in {"alert_history", "daily_telemetry"}
    keys = ("year", "month", "day") if by_day else ("year", "month", "day", "hour")
    assert [(k["Name"], k["Type"]) for k in made["PartitionKeys"]] == [(key, "string") for key in keys]
    for key, value in table.projection.items():
        assert made["Parameters"][key] == value
    assert ("storage.location.template" in made["Parameters"]) == table.projected


def test_projected_locations_are_where_firehose_writes() -> None:
    (delivery,) = of_type(template("TelemetryIngest"), "AWS::KinesisFirehose::DeliveryStream").values()
    prefix = delivery["Properties"]["ExtendedS3DestinationConfiguration"]["Prefix"]
    expected = prefix
    for pattern, key in (("yyyy", "year"), ("MM", "month"), ("dd", "day"), ("HH", "hour")):
        expected = expected.replace(f"!{{timestamp:{pattern}}}", f"${{{key}}}")
    for resource in of_type(template("TelemetryLake"), "AWS::Glue::Table").values():
        location = resource["Properties"]["TableInput"]["Parameters"].get("storage.location.template")
        if location:
            assert location["Fn::Join"][1][2] == f"/{expected}"


@pytest.mark.parametrize(
    ("table_format", "library", "parameters"),
    [
        (Format.JSON, "org.openx.data.jsonserde.JsonSerDe", {"ignore.malformed.json": "true"}),
        (
            Format.LINES,
            "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
            {"field.delim": "\u0001", "serialization.format": "\u0001"},
        ),
        (
            Format.PARQUET,
            "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
            {"serialization.format": "1"},
        ),
    ],
)
def test_serde_follows_the_format(table_format: Format, library: str, parameters: dict[str, str]) -> None:
    names = {table.name for table in TABLES if table.format == table_format}
    found = [
        r["Properties"]["TableInput"]["StorageDescriptor"]["SerdeInfo"]
        for r in of_type(template("TelemetryLake"), "AWS::Glue::Table").values()
        if r["Properties"]["TableInput"]["Name"] in names
    ]
    assert found == [{"SerializationLibrary": library, "Parameters": parameters}] * len(names)


def test_crawlers_write_to_their_own_database_and_delete_nothing() -> None:
    crawlers = of_type(template("TelemetryQueries"), "AWS::Glue::Crawler")
    assert {c["Properties"]["Name"] for c in crawlers.values()} == {"telemetry-raw", "telemetry-curated"}
    for crawler in crawlers.values():
        assert crawler["Properties"]["DatabaseName"] == "telemetry_crawled"
        assert crawler["Properties"]["SchemaChangePolicy"] == {"UpdateBehavior": "LOG", "DeleteBehavior": "LOG"}
        assert '"TableLevelConfiguration": 3' in crawler["Properties"]["Configuration"]


def test_workgroups_limit_the_scan_and_only_the_builds_does_not_enforce() -> None:
    config = PlatformConfig()
    usual, small = config.scan_cutoff_gib * 1024**3, config.tenant_scan_cutoff_gib * 1024**3
    groups = (("telemetry", True, usual), ("telemetry-tenants", True, small), ("telemetry-builds", False, usual))
    for name, enforced, cutoff in groups:
        assertions("TelemetryQueries").has_resource_properties(
            "AWS::Athena::WorkGroup",
            {
                "Name": name,
                "WorkGroupConfiguration": {
                    "BytesScannedCutoffPerQuery": cutoff,
                    "EnforceWorkGroupConfiguration": enforced,
                    "EngineVersion": {"SelectedEngineVersion": "Athena engine version 3"},
                    "PublishCloudWatchMetricsEnabled": True,
                    "ResultConfiguration": {"EncryptionConfiguration": {"EncryptionOption": "SSE_KMS"}},
                },
            },
        )


def test_people_s_results_have_a_bucket_of_their_own() -> None:
    locations = {
        r["Properties"]["Name"]: r["Properties"]["WorkGroupConfiguration"]["ResultConfiguration"]["OutputLocation"]
        for r in of_type(template("TelemetryQueries"), "AWS::Athena::WorkGroup").values()
    }
    assert locations == {
        "telemetry": "s3://telemetry-results-000000000000-eu-west-1/telemetry/",
        "telemetry-tenants": "s3://telemetry-results-000000000000-eu-west-1/telemetry-tenants/",
        "telemetry-builds": f"s3://{BUCKET}/athena-results/telemetry-builds/",
    }


def test_alarms_events_and_budgets_can_encrypt_for_the_alerts_topic_and_publish_to_it() -> None:
    """Either alone would drop every alarm (SNS guide, "Managing Amazon SNS encryption keys and costs")."""
    made = template("TelemetryLake")
    (topic,) = of_type(made, "AWS::SNS::Topic").values()
    key = made["Resources"][topic["Properties"]["KmsMasterKeyId"]["Fn::GetAtt"][0]]
    (policy,) = of_type(made, "AWS::SNS::TopicPolicy").values()
    services = {"Service": ["budgets.amazonaws.com", "cloudwatch.amazonaws.com", "events.amazonaws.com"]}
    statements = (
        (key["Properties"]["KeyPolicy"], ["kms:Decrypt", "kms:GenerateDataKey*"]),
        (policy["Properties"]["PolicyDocument"], "sns:Publish"),
    )
    for document, actions in statements:
        (granted,) = (s for s in document["Statement"] if s.get("Principal") == services)
        assert granted["Action"] == actions
        assert granted["Condition"] == {"StringEquals": {"aws:SourceAccount": "000000000000"}}
