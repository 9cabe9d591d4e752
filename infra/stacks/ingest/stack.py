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
from infra.stacks.ingest.rules import SQL_VERSION, rule_sql
from infra.stacks.nag import accept, accept_wildcards
from infra.stacks.parameters import read
from iot_pipeline.contract import topic_filter
from iot_pipeline.contract.layout import FAILED_DELIVERY, RAW

# By arrival hour, UTC: Firehose stamps the time at which it took the buffer's oldest record.
HOUR_FOLDERS = "year=!{timestamp:yyyy}/month=!{timestamp:MM}/day=!{timestamp:dd}/hour=!{timestamp:HH}/"


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
            self.outputs(DeliveryStreamName=self._delivery(stream).delivery_stream_name)
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
        # For this account's rules alone (AWS IoT developer guide, "Cross-service confused deputy prevention").
        this_account = {"StringEquals": {"aws:SourceAccount": self.config.account}}
        role = iam.Role(self, "RuleRole", assumed_by=iam.ServicePrincipal("iot.amazonaws.com", conditions=this_account))
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
        role = self._delivery_role(key, log)
        source = kinesis.Stream.from_stream_arn(self, "Stream", self._stream_arn(stream))
        delivery = firehose.DeliveryStream(
            self,
            "Delivery",
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
        delivery.node.add_dependency(role.node.find_child("DefaultPolicy"))
        accept(delivery, "AwsSolutions-KDF1", "The source stream is encrypted; this setting is for direct puts only")
        return delivery

    def _delivery_role(self, key: kms.IKey, log: logs.LogGroup) -> iam.Role:
        """What Firehose needs to write to the lake (Firehose guide, "Controlling access", Amazon S3 destination)."""
        role = iam.Role(self, "DeliveryRole", assumed_by=iam.ServicePrincipal("firehose.amazonaws.com"))
        objects = [self.config.lake_objects(prefix) for prefix in (RAW, FAILED_DELIVERY)]
        statements = {
            "FindBucket": iam.PolicyStatement(
                actions=["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"],
                resources=[f"arn:aws:s3:::{self.config.lake_bucket}"],
            ),
            "Write": iam.PolicyStatement(
                actions=["s3:PutObject", "s3:GetObject", "s3:AbortMultipartUpload"], resources=objects
            ),
            "Encrypt": iam.PolicyStatement(actions=["kms:GenerateDataKey", "kms:Decrypt"], resources=[key.key_arn]),
            "Log": iam.PolicyStatement(actions=["logs:PutLogEvents"], resources=[log.log_group_arn]),
        }
        for sid, statement in statements.items():
            statement.sid = sid
            role.add_to_policy(statement)
        accept_wildcards(role, objects, "Firehose names its objects itself, under these two prefixes")
        return role
