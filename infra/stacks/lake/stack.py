"""The lake's data: buckets, catalog, the stream and the queues that lead to it, and the alerts topic."""

import aws_cdk as cdk
from aws_cdk import aws_kinesis as kinesis
from constructs import Construct

from infra.stacks.base import PlatformStack
from infra.stacks.config import PlatformConfig
from infra.stacks.lake.alerts import add_alerts
from infra.stacks.lake.buckets import add_buckets
from infra.stacks.lake.catalog import add_database, add_tables
from infra.stacks.lake.queues import add_raw_queues, add_rule_errors
from infra.stacks.parameters import publish
from iot_pipeline.contract import Contract, former_ledger, raw_as_parquet, tables
from iot_pipeline.contract.tables import registry_history, streamed_telemetry


class LakeStack(PlatformStack):
    """Everything of the lake that holds data, at rest or on its way."""

    def __init__(self, scope: Construct, config: PlatformConfig, contract: Contract) -> None:
        super().__init__(scope, "Lake", config, holds_data=True)
        keys = config.parts.customer_keys
        key = self.key("Key", "lake", f"Data at rest of {config.name}: lake bucket and query results") if keys else None
        raw = add_raw_queues(self)
        buckets = add_buckets(self, key, raw.objects, tables(contract).raw_telemetry.prefix)
        alerts = add_alerts(self)
        # The catalog is data: which version of a partition is the current one stands in Glue alone.
        database = add_database(
            self, "Database", config.database, "The lake's tables, made from the telemetry contract"
        )
        raw_tables = {table.name: table for table in raw_as_parquet(contract)} if config.raw_is_parquet else {}
        served = [raw_tables.get(table.name, table) for table in tables(contract).all]
        add_tables(self, database, buckets.lake, (*served, *registry_history(), former_ledger(contract)))
        if config.parts.stream:
            add_tables(self, database, buckets.lake, [streamed_telemetry(contract)])
        add_database(self, "CrawledDatabase", config.crawled_database, "What the crawlers found, for comparison")
        errors = add_rule_errors(self)
        if config.parts.stream:
            self._stream()
        if key:
            publish(self, config, {"lake-key": key.key_arn})
        if alerts.key:
            publish(self, config, {"alerts-key": alerts.key.key_arn})
        publish(
            self,
            config,
            {
                "alerts-topic": alerts.topic.topic_arn,
                "rule-errors-url": errors.queue_url,
                "rule-errors-arn": errors.queue_arn,
            },
        )
        if config.parts.guards:
            dead = raw.dead_letters.queue_arn
            publish(self, config, {"raw-queue-arn": raw.objects.queue_arn, "raw-dead-letters-arn": dead})
        if config.domain:
            publish(self, config, {"access-logs": buckets.logs.bucket_name})
        if config.parts.services:
            publish(self, config, {"raw-queue-url": raw.objects.queue_url})
        self.outputs(
            LakeBucket=buckets.lake.bucket_name,
            ResultsBucket=buckets.results.bucket_name,
            GlueDatabase=database.ref,
            RawQueueUrl=raw.objects.queue_url,
            AlertsTopicArn=alerts.topic.topic_arn,
            RuleErrorQueueUrl=errors.queue_url,
        )

    def _stream(self) -> None:
        stream = kinesis.Stream(
            self,
            "Stream",
            stream_mode=kinesis.StreamMode.ON_DEMAND,
            # Kinesis' own key: data passes through here for two days, and no other account reads it.
            encryption=kinesis.StreamEncryption.MANAGED,
            retention_period=cdk.Duration.hours(self.config.stream_retention_hours),
            removal_policy=cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        )
        publish(self, self.config, {"stream": stream.stream_name})
        self.outputs(StreamName=stream.stream_name)
