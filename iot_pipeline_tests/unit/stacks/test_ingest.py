from typing import Any

from aws_cdk.assertions import Match

from infra.stacks.ingest.rules import rule_sql
from iot_pipeline.contract import topic_of
from iot_pipeline_tests.support.templates import assertions, of_type, template


def test_stream_is_on_demand_encrypted_and_keeps_two_days() -> None:
    assertions("TelemetryLake").has_resource_properties(
        "AWS::Kinesis::Stream",
        {
            "StreamModeDetails": {"StreamMode": "ON_DEMAND"},
            "StreamEncryption": {"EncryptionType": "KMS", "KeyId": "alias/aws/kinesis"},
            "RetentionPeriodHours": 48,
        },
    )


def test_two_rules_share_stream_partition_key_and_error_queue() -> None:
    rules = {
        r["Properties"]["RuleName"]: r["Properties"]["TopicRulePayload"]
        for r in of_type(template("TelemetryIngest"), "AWS::IoT::TopicRule").values()
    }
    sql = rule_sql()
    assert {name: payload["Sql"] for name, payload in rules.items()} == {
        "telemetry": sql.telemetry,
        "telemetry_malformed": sql.malformed,
    }
    first, second = ({k: v for k, v in payload.items() if k != "Sql"} for payload in rules.values())
    assert first == second
    assert first["AwsIotSqlVersion"] == "2016-03-23"
    assert first["Actions"][0]["Kinesis"]["PartitionKey"] == "${topic(4)}"
    assert "Sqs" in first["ErrorAction"]


def test_rules_may_put_to_their_stream_and_queue_only() -> None:
    made = template("TelemetryIngest")
    (policy,) = (p for name, p in of_type(made, "AWS::IAM::Policy").items() if name.startswith("RuleRole"))
    granted = {s["Action"]: s["Resource"] for s in policy["Properties"]["PolicyDocument"]["Statement"]}
    published = {parameter["Default"]: {"Ref": name} for name, parameter in made["Parameters"].items()}
    arn = ["arn:aws:kinesis:eu-west-1:000000000000:stream/", published["/telemetry/stream"]]
    assert granted == {
        "kinesis:PutRecord": {"Fn::Join": ["", arn]},
        "sqs:SendMessage": published["/telemetry/rule-errors-arn"],
    }


def test_delivery_buffers_compresses_delimits_and_separates_errors() -> None:
    hour = "year=!{timestamp:yyyy}/month=!{timestamp:MM}/day=!{timestamp:dd}/hour=!{timestamp:HH}/"
    assertions("TelemetryIngest").has_resource_properties(
        "AWS::KinesisFirehose::DeliveryStream",
        {
            "DeliveryStreamType": "KinesisStreamAsSource",
            "ExtendedS3DestinationConfiguration": {
                "BufferingHints": {"IntervalInSeconds": 60, "SizeInMBs": 64},
                "CompressionFormat": "GZIP",
                "Prefix": f"raw/telemetry/{hour}",
                "ErrorOutputPrefix": f"failed-delivery/!{{firehose:error-output-type}}/{hour}",
                "ProcessingConfiguration": {
                    "Enabled": True,
                    "Processors": [Match.object_like({"Type": "AppendDelimiterToRecord"})],
                },
                "CloudWatchLoggingOptions": {"Enabled": True},
            },
        },
    )


def test_delivery_can_neither_delete_nor_write_outside_its_prefixes() -> None:
    made = template("TelemetryIngest")
    policies = [p["Properties"]["PolicyDocument"]["Statement"] for p in of_type(made, "AWS::IAM::Policy").values()]
    statements: list[dict[str, Any]] = [statement for policy in policies for statement in policy]
    actions = {a for s in statements for a in (s["Action"] if isinstance(s["Action"], list) else [s["Action"]])}
    assert not any("Delete" in action or action.endswith("*") for action in actions)
    (writing,) = (s for s in statements if "s3:PutObject" in s["Action"])
    bucket = "arn:aws:s3:::telemetry-lake-000000000000-eu-west-1"
    assert writing["Resource"] == [f"{bucket}/failed-delivery/*", f"{bucket}/raw/telemetry/*"]


THING_NAME = "${iot:Connection.Thing.ThingName}"
TENANT, SITE = (f"${{iot:Connection.Thing.Attributes[{name}]}}" for name in ("tenant", "site"))


def test_a_device_connects_as_itself_and_publishes_its_own_telemetry() -> None:
    policy = of_type(template("TelemetryIngest"), "AWS::IoT::Policy")["DevicePermissions"]
    statements = policy["Properties"]["PolicyDocument"]["Statement"]
    arn = "arn:aws:iot:eu-west-1:000000000000"
    assert [(s["Action"], s["Resource"]) for s in statements] == [
        ("iot:Connect", f"{arn}:client/${{iot:Connection.Thing.ThingName}}"),
        (
            "iot:Publish",
            f"{arn}:topic/{topic_of(TENANT, SITE, THING_NAME)}",
        ),
    ]


def test_a_claim_asks_for_a_certificate_and_registers_with_it_and_nothing_else() -> None:
    policy = of_type(template("TelemetryIngest"), "AWS::IoT::Policy")["ClaimPermissions"]
    arn = "arn:aws:iot:eu-west-1:000000000000"
    requests = [
        "$aws/certificates/create/json",
        "$aws/certificates/create-from-csr/json",
        "$aws/provisioning-templates/telemetry-claim/provision/json",
    ]
    replies = [f"{request}/{reply}" for request in requests for reply in ("accepted", "rejected")]
    assert {s["Action"]: s["Resource"] for s in policy["Properties"]["PolicyDocument"]["Statement"]} == {
        "iot:Connect": [f"{arn}:client/claim-*"],
        "iot:Publish": [f"{arn}:topic/{request}" for request in requests],
        "iot:Receive": [f"{arn}:topic/{reply}" for reply in replies],
        "iot:Subscribe": [f"{arn}:topicfilter/{reply}" for reply in replies],
    }


def test_only_the_template_may_call_its_hook() -> None:
    made = template("TelemetryIngest")
    (provisioning,) = of_type(made, "AWS::IoT::ProvisioningTemplate").values()
    (permission,) = of_type(made, "AWS::Lambda::Permission").items()
    arn = "arn:aws:iot:eu-west-1:000000000000:provisioningtemplate/telemetry-claim"
    assert provisioning["Properties"]["TemplateName"] == "telemetry-claim"
    assert permission[0] in provisioning["DependsOn"], "AWS tries the hook when the template is made"
    assert permission[1]["Properties"] | {"FunctionName": None} == {
        "Action": "lambda:InvokeFunction",
        "FunctionName": None,
        "Principal": "iot.amazonaws.com",
        "SourceAccount": "000000000000",
        "SourceArn": arn,
    }
