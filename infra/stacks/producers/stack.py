"""The intake: a stream and a role for each producer without certificates, and the function that forwards from them."""

import json

import aws_cdk as cdk
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.stacks.base import PlatformStack
from infra.stacks.bundles import INTAKE, built
from infra.stacks.config import PlatformConfig
from infra.stacks.lake.lifecycle import expire
from infra.stacks.nag import accept, accept_role_dependency
from infra.stacks.parameters import read
from infra.stacks.private_bucket import private_bucket
from infra.stacks.producers.alarms import add_alarms, add_stream_alarms
from infra.stacks.producers.declared import Producer
from infra.stacks.producers.roles import add_intake_role, add_producer_role

# Twice the time for which the function itself tries to forward a batch.
_TIMEOUT = cdk.Duration.seconds(60)
_MEMORY_MIB = 1024


class IntakeStack(PlatformStack):
    """From the producers' streams to the platform's. What waits in a stream outlives the stack."""

    def __init__(self, scope: Construct, config: PlatformConfig) -> None:
        super().__init__(scope, "Intake", config, holds_data=True)
        self._bucket()
        streams = {producer: self._stream(producer) for producer in config.producers}
        function = self._function(streams)
        for producer, stream in streams.items():
            mapping = self._mapping(producer, stream, function)
            add_stream_alarms(self, producer.construct_id, stream.stream_name, mapping)
        add_alarms(self)
        self.outputs(
            IntakeBucket=config.intake_bucket,
            IntakeFunction=function.function_name,
            IntakeMetrics=config.intake_metrics,
            **{f"StreamOf{producer.construct_id}": stream.stream_name for producer, stream in streams.items()},
        )

    def _bucket(self) -> None:
        """Of what was refused, and of what the mappings gave up on, under the edge's key."""
        key = kms.Key.from_key_arn(self, "EdgeKey", read(self, self.config, "edge-key"))
        name = self.config.intake_bucket
        bucket = private_bucket(
            self, "Kept", key, [expire("kept-records", None, self.config.edge_failure_days)], name=name
        )
        accept(bucket, "AwsSolutions-S1", "The intake and Lambda write here, one operator reads")

    def _stream(self, producer: Producer) -> kinesis.Stream:
        """Named, for the producer's side; provisioned: a shard costs less than a stream on demand that is idle."""
        config = self.config
        stream = kinesis.Stream(
            self,
            f"{producer.construct_id}Stream",
            stream_name=config.producer(producer.name),
            stream_mode=kinesis.StreamMode.PROVISIONED,
            shard_count=producer.shards,
            # As the platform's own stream.
            encryption=kinesis.StreamEncryption.MANAGED,
            retention_period=cdk.Duration.hours(config.stream_retention_hours),
            removal_policy=cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        )
        add_producer_role(self, producer, stream.stream_arn)
        return stream

    def _function(self, streams: dict[Producer, kinesis.Stream]) -> lambda_.Function:
        config = self.config
        log = logs.LogGroup(
            self, "IntakeLog", retention=logs.RetentionDays.THREE_MONTHS, removal_policy=cdk.RemovalPolicy.DESTROY
        )
        platform_stream = read(self, config, "stream")
        to = self.format_arn(service="kinesis", resource="stream", resource_name=platform_stream)
        role = add_intake_role(self, to, [stream.stream_arn for stream in streams.values()], log)
        # By the names that the streams have, so that the text is one and not put together of references.
        whose = {
            self.format_arn(service="kinesis", resource="stream", resource_name=config.producer(producer.name)): {
                "name": producer.name,
                "tenant": producer.tenant,
                "sites": producer.sites,
            }
            for producer in streams
        }
        with built(INTAKE) as package:
            code = lambda_.Code.from_asset(str(package))
            function = lambda_.Function(
                self,
                "Intake",
                function_name=config.intake_function,
                description="Forwards what producers put, with the identity that their streams prove",
                runtime=lambda_.Runtime.PYTHON_3_14,
                architecture=lambda_.Architecture.ARM_64,
                handler="iot_pipeline.intake.handler.handle",
                code=code,
                environment={
                    "IOT_STREAM": platform_stream,
                    "IOT_REFUSED_BUCKET": config.intake_bucket,
                    "IOT_METRIC_NAMESPACE": config.intake_metrics,
                    "IOT_PRODUCERS": json.dumps(whose, separators=(",", ":")),
                },
                role=role.without_policy_updates(),
                memory_size=_MEMORY_MIB,
                timeout=_TIMEOUT,
                # A shard has one batch in flight.
                reserved_concurrent_executions=sum(producer.shards for producer in streams),
                tracing=lambda_.Tracing.ACTIVE,
                log_group=log,
                logging_format=lambda_.LoggingFormat.JSON,
                application_log_level_v2=lambda_.ApplicationLogLevel.INFO,
                system_log_level_v2=lambda_.SystemLogLevel.WARN,
            )
        function.node.add_dependency(role.node.find_child("DefaultPolicy"))
        accept_role_dependency(function)
        return function

    def _mapping(self, producer: Producer, stream: kinesis.Stream, function: lambda_.Function) -> str:
        """As the edge's mapping, but from the stream's beginning: what was sent is taken. Returns its id."""
        config = self.config
        failures = config.bucket_arn(config.intake_bucket)
        mapping = lambda_.CfnEventSourceMapping(
            self,
            f"{producer.construct_id}Records",
            function_name=function.function_arn,
            event_source_arn=stream.stream_arn,
            starting_position="TRIM_HORIZON",
            batch_size=config.edge_batch_size,
            parallelization_factor=1,
            bisect_batch_on_function_error=True,
            function_response_types=["ReportBatchItemFailures"],
            maximum_retry_attempts=config.edge_retries,
            maximum_record_age_in_seconds=config.edge_record_age_hours * 3600,
            destination_config=lambda_.CfnEventSourceMapping.DestinationConfigProperty(
                on_failure=lambda_.CfnEventSourceMapping.OnFailureProperty(destination=failures)
            ),
            metrics_config=lambda_.CfnEventSourceMapping.MetricsConfigProperty(metrics=["EventCount"]),
        )
        mapping.node.add_dependency(self.node.find_child("IntakeRole").node.find_child("DefaultPolicy"))
        return mapping.attr_id
