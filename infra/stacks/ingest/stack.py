"""Ingestion: IoT rules to Kinesis, and Firehose from there to the raw zone; or the rules to the raw zone at once."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_iot as iot
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.stacks.base import PlatformStack
from infra.stacks.config import PlatformConfig
from infra.stacks.ingest.devices import add_device_policy, add_thing_type
from infra.stacks.ingest.direct import allow_objects, s3_action
from infra.stacks.ingest.provisioning import add_provisioning
from infra.stacks.ingest.record_conversion import add_raw_columns, conversion_permissions, convert
from infra.stacks.ingest.rules import SQL_VERSION, rule_sql
from infra.stacks.nag import accept, accept_wildcards
from infra.stacks.parameters import publish, read
from infra.stacks.principals import for_this_account
from infra.stacks.statements import via
from iot_pipeline.contract import topic_filter
from iot_pipeline.contract.layout import FAILED_DELIVERY, RAW

# By arrival hour, UTC: Firehose stamps the time at which it took the buffer's oldest record.
HOUR_FOLDERS = "year=!{timestamp:yyyy}/month=!{timestamp:MM}/day=!{timestamp:dd}/hour=!{timestamp:HH}/"

# The logical id of the construct's own role in the first release's stacks. A delivery stream whose source has another
# role is replaced (CloudFormation template reference, "AWS::KinesisFirehose::DeliveryStream"), and what the former one
# still buffers may be lost. Under its former id the role is changed in place.
FIRST_SOURCE_ROLE = "DeliveryServiceRole262EE3F9"


class IngestStack(PlatformStack):
    """From the broker to the raw zone."""

    def __init__(self, scope: Construct, config: PlatformConfig) -> None:
        super().__init__(scope, "Ingest", config, holds_data=False)
        thing_type = add_thing_type(self, config)
        policy = add_device_policy(self, config)
        provisioning = add_provisioning(self, config, thing_type, policy)
        if config.parts.stream:
            stream = read(self, config, "stream")
            self._rules_to_stream(stream)
            delivery = self._delivery(stream)
            publish(self, config, {"delivery-stream": delivery.delivery_stream_name})
            self.outputs(DeliveryStreamName=delivery.delivery_stream_name)
        else:
            self._rules_to_lake()
        self.outputs(
            DeviceThingType=thing_type.ref,
            DevicePolicy=policy.ref,
            TopicRoot=config.topic_root,
            ProvisioningTemplate=provisioning.template.ref,
            ClaimPolicy=provisioning.claim_policy.ref,
        )

    def _rules_to_stream(self, stream: str) -> None:
        role = self._rule_role()
        role.add_to_policy(iam.PolicyStatement(actions=["kinesis:PutRecord"], resources=[self._stream_arn(stream)]))
        # One device's messages stay in order, on one shard.
        kinesis_action = iot.CfnTopicRule.KinesisActionProperty(
            stream_name=stream, partition_key="${topic(4)}", role_arn=role.role_arn
        )
        self._rules(role, iot.CfnTopicRule.ActionProperty(kinesis=kinesis_action))

    def _rules_to_lake(self) -> None:
        role = self._rule_role()
        allow_objects(self, role)
        self._rules(role, s3_action(self, role))

    def _rule_role(self) -> iam.Role:
        role = iam.Role(self, "RuleRole", assumed_by=for_this_account("iot.amazonaws.com", self.config))
        errors_arn = read(self, self.config, "rule-errors-arn")
        role.add_to_policy(iam.PolicyStatement(actions=["sqs:SendMessage"], resources=[errors_arn]))
        return role

    def _rules(self, role: iam.Role, action: iot.CfnTopicRule.ActionProperty) -> None:
        sql = rule_sql(topic_filter(self.config.topic_root))
        statements = {"Telemetry": ("", sql.telemetry), "MalformedTelemetry": ("_malformed", sql.malformed)}
        for construct_id, (suffix, statement) in statements.items():
            rule = iot.CfnTopicRule(
                self,
                construct_id,
                rule_name=self.config.name + suffix,
                topic_rule_payload=iot.CfnTopicRule.TopicRulePayloadProperty(
                    sql=statement,
                    aws_iot_sql_version=SQL_VERSION,
                    rule_disabled=False,
                    actions=[action],
                    error_action=iot.CfnTopicRule.ActionProperty(
                        sqs=iot.CfnTopicRule.SqsActionProperty(
                            queue_url=read(self, self.config, "rule-errors-url"),
                            role_arn=role.role_arn,
                            use_base64=False,
                        )
                    ),
                ),
            )
            rule.node.add_dependency(role.node.find_child("DefaultPolicy"))

    def _stream_arn(self, stream: str) -> str:
        return self.format_arn(service="kinesis", resource="stream", resource_name=stream)

    def _delivery(self, stream: str) -> firehose.DeliveryStream:
        log = logs.LogGroup(
            self,
            "DeliveryLog",
            retention=logs.RetentionDays.THREE_MONTHS,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        key = kms.Key.from_key_arn(self, "LakeKey", read(self, self.config, "lake-key"))
        parquet = self.config.raw_is_parquet
        # Firehose calls a version, here the newest (Firehose guide, "Transform source data").
        columns = f"{add_raw_columns(self).function_arn}:$LATEST" if parquet else None
        role = self._delivery_role(key, log, columns)
        reader = self._source_role(stream)
        source = kinesis.Stream.from_stream_arn(self, "Stream", self._stream_arn(stream))
        delivery = firehose.DeliveryStream(
            self,
            "Delivery",
            # The construct's own would be trusted for every account's streams, and could do more than is called.
            role=reader.without_policy_updates(),
            source=firehose.KinesisStreamSource(source),
            destination=firehose.S3Bucket(
                s3.Bucket.from_bucket_name(self, "Lake", self.config.lake_bucket),
                encryption_key=key,
                # The construct would also grant deleting, and all of the bucket.
                role=role.without_policy_updates(),
                compression=firehose.Compression.GZIP,
                # Kinesis records carry no newline; without one the objects would be a single line.
                processors=[firehose.AppendDelimiterToRecordProcessor()],
                buffering_size=cdk.Size.mebibytes(self.config.firehose_buffer_mib),
                buffering_interval=cdk.Duration.seconds(self.config.firehose_interval_seconds),
                data_output_prefix=RAW + HOUR_FOLDERS,
                error_output_prefix=f"{FAILED_DELIVERY}!{{firehose:error-output-type}}/{HOUR_FOLDERS}",
                logging_config=firehose.EnableLogging(log),
            ),
        )
        for needed in (role, reader):
            delivery.node.add_dependency(needed.node.find_child("DefaultPolicy"))
        if columns:
            convert(self, delivery, columns, role, RAW + HOUR_FOLDERS)
        accept(delivery, "AwsSolutions-KDF1", "The source stream is encrypted; this setting is for direct puts only")
        return delivery

    def _source_role(self, stream: str) -> iam.Role:
        """What Firehose needs to read the stream (Firehose guide, "Controlling access", Amazon S3 destination)."""
        role = iam.Role(self, "DeliverySource", assumed_by=for_this_account("firehose.amazonaws.com", self.config))
        made = role.node.default_child
        if not isinstance(made, iam.CfnRole):
            raise TypeError(f"a role is made as {made!r}")
        made.override_logical_id(FIRST_SOURCE_ROLE)
        role.add_to_policy(
            iam.PolicyStatement(
                sid="Read",
                actions=[
                    f"kinesis:{name}" for name in ("DescribeStream", "GetRecords", "GetShardIterator", "ListShards")
                ],
                resources=[self._stream_arn(stream)],
            )
        )
        return role

    def _delivery_role(self, key: kms.IKey, log: logs.LogGroup, columns: str | None) -> iam.Role:
        """What Firehose needs to write to the lake (Firehose guide, "Controlling access", Amazon S3 destination)."""
        role = iam.Role(self, "DeliveryRole", assumed_by=for_this_account("firehose.amazonaws.com", self.config))
        objects = [self.config.lake_objects(prefix) for prefix in (RAW, FAILED_DELIVERY)]
        statements = {
            "FindBucket": iam.PolicyStatement(
                actions=["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"],
                resources=[self.config.bucket_arn(self.config.lake_bucket)],
            ),
            "Write": iam.PolicyStatement(
                actions=["s3:PutObject", "s3:GetObject", "s3:AbortMultipartUpload"], resources=objects
            ),
            "Encrypt": via(self, "s3", [key.key_arn], "kms:GenerateDataKey", "kms:Decrypt"),
            "Log": iam.PolicyStatement(actions=["logs:PutLogEvents"], resources=[log.log_group_arn]),
            **(conversion_permissions(self, columns) if columns else {}),
        }
        for sid, statement in statements.items():
            statement.sid = sid
            role.add_to_policy(statement)
        accept_wildcards(role, objects, "Firehose names its objects itself, under these two prefixes")
        return role
