"""Ingestion: IoT rules to a Kinesis stream, Firehose from there to the lake's raw zone."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_iot as iot
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.stacks.config import PlatformConfig
from infra.stacks.ingest.devices import add_device_policy, add_thing_type
from infra.stacks.ingest.provisioning import add_provisioning
from infra.stacks.ingest.rules import SQL_VERSION, rule_sql
from infra.stacks.lake.stack import LakeStack
from infra.stacks.nag import accept, accept_wildcards
from iot_pipeline.contract.layout import FAILED_DELIVERY, RAW

# By arrival hour, UTC: Firehose stamps the time at which it took the buffer's oldest record.
HOUR_FOLDERS = "year=!{timestamp:yyyy}/month=!{timestamp:MM}/day=!{timestamp:dd}/hour=!{timestamp:HH}/"


class IngestStack(cdk.Stack):
    """From the broker to the raw zone."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: PlatformConfig,
        lake: LakeStack,
        env: cdk.Environment,
        synthesizer: cdk.IStackSynthesizer,
    ) -> None:
        super().__init__(scope, construct_id, env=env, synthesizer=synthesizer)
        self.config = config
        thing_type = add_thing_type(self, config)
        policy = add_device_policy(self, config)
        provisioning = add_provisioning(self, config, thing_type, policy)
        stream = kinesis.Stream(
            self,
            "Stream",
            stream_mode=kinesis.StreamMode.ON_DEMAND,
            # Kinesis' own key: data passes through here for two days, and no other account reads it.
            encryption=kinesis.StreamEncryption.MANAGED,
            retention_period=cdk.Duration.hours(config.stream_retention_hours),
            removal_policy=cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        )
        errors = self._rule_errors()
        self._rules(stream, errors)
        delivery = self._delivery(stream, lake)
        outputs = {
            "DeviceThingType": thing_type.ref,
            "DevicePolicy": policy.ref,
            "ProvisioningTemplate": provisioning.template.ref,
            "ClaimPolicy": provisioning.claim_policy.ref,
            "StreamName": stream.stream_name,
            "DeliveryStreamName": delivery.delivery_stream_name,
            "RuleErrorQueueUrl": errors.queue_url,
        }
        for name, value in outputs.items():
            cdk.CfnOutput(self, name, value=value)

    def _rule_errors(self) -> sqs.Queue:
        """Where a message goes that the rule could not hand to Kinesis, with its payload (base64) and the failure."""
        queue = sqs.Queue(
            self,
            "RuleErrors",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=cdk.Duration.days(14),
        )
        accept(queue, "AwsSolutions-SQS3", "This is a dead-letter queue: of the IoT rules, by their error action")
        return queue

    def _rules(self, stream: kinesis.Stream, errors: sqs.Queue) -> None:
        # For this account's rules alone (AWS IoT developer guide, "Cross-service confused deputy prevention").
        this_account = {"StringEquals": {"aws:SourceAccount": self.config.account}}
        role = iam.Role(self, "RuleRole", assumed_by=iam.ServicePrincipal("iot.amazonaws.com", conditions=this_account))
        role.add_to_policy(iam.PolicyStatement(actions=["kinesis:PutRecord"], resources=[stream.stream_arn]))
        role.add_to_policy(iam.PolicyStatement(actions=["sqs:SendMessage"], resources=[errors.queue_arn]))
        sql = rule_sql()
        statements = {"Telemetry": ("", sql.telemetry), "MalformedTelemetry": ("_malformed", sql.malformed)}
        for construct_id, (suffix, statement) in statements.items():
            rule = iot.CfnTopicRule(
                self,
                construct_id,
                rule_name=self.config.name.replace("-", "_") + suffix,
                topic_rule_payload=iot.CfnTopicRule.TopicRulePayloadProperty(
                    sql=statement,
                    aws_iot_sql_version=SQL_VERSION,
                    rule_disabled=False,
                    actions=[
                        iot.CfnTopicRule.ActionProperty(
                            kinesis=iot.CfnTopicRule.KinesisActionProperty(
                                stream_name=stream.stream_name,
                                # One device's messages stay in order, on one shard.
                                partition_key="${topic(4)}",
                                role_arn=role.role_arn,
                            )
                        )
                    ],
                    error_action=iot.CfnTopicRule.ActionProperty(
                        sqs=iot.CfnTopicRule.SqsActionProperty(
                            queue_url=errors.queue_url, role_arn=role.role_arn, use_base64=False
                        )
                    ),
                ),
            )
            rule.node.add_dependency(role.node.find_child("DefaultPolicy"))

    def _delivery(self, stream: kinesis.Stream, lake: LakeStack) -> firehose.DeliveryStream:
        log = logs.LogGroup(
            self,
            "DeliveryLog",
            retention=logs.RetentionDays.THREE_MONTHS,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        role = self._delivery_role(lake, log)
        delivery = firehose.DeliveryStream(
            self,
            "Delivery",
            source=firehose.KinesisStreamSource(stream),
            destination=firehose.S3Bucket(
                lake.bucket,
                encryption_key=lake.key,
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

    def _delivery_role(self, lake: LakeStack, log: logs.LogGroup) -> iam.Role:
        """What Firehose needs to write to the lake (Firehose guide, "Controlling access", Amazon S3 destination)."""
        role = iam.Role(self, "DeliveryRole", assumed_by=iam.ServicePrincipal("firehose.amazonaws.com"))
        objects = [self.config.lake_objects(prefix) for prefix in (RAW, FAILED_DELIVERY)]
        statements = {
            "FindBucket": iam.PolicyStatement(
                actions=["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"],
                resources=[lake.bucket.bucket_arn],
            ),
            "Write": iam.PolicyStatement(
                actions=["s3:PutObject", "s3:GetObject", "s3:AbortMultipartUpload"], resources=objects
            ),
            "Encrypt": iam.PolicyStatement(
                actions=["kms:GenerateDataKey", "kms:Decrypt"], resources=[lake.key.key_arn]
            ),
            "Log": iam.PolicyStatement(actions=["logs:PutLogEvents"], resources=[log.log_group_arn]),
        }
        for sid, statement in statements.items():
            statement.sid = sid
            role.add_to_policy(statement)
        accept_wildcards(role, objects, "Firehose names its objects itself, under these two prefixes")
        return role
