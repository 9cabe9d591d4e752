"""The lake: bucket, arrival notifications, catalog, Athena, alerts topic."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.stacks.config import PlatformConfig
from infra.stacks.lake.catalog import add_database, add_tables
from infra.stacks.lake.crawlers import add_crawlers
from infra.stacks.lake.lifecycle import lake_lifecycle
from infra.stacks.lake.workgroups import add_workgroups
from infra.stacks.nag import accept
from iot_pipeline.contract import Contract, former_ledger, tables

# A message is one object of Firehose: five receptions mean that it cannot be handled, not that it was unlucky.
MAX_RECEIVES = 5


class LakeStack(cdk.Stack):
    """Everything that holds data at rest, and what tells of its arrival."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: PlatformConfig,
        contract: Contract,
        env: cdk.Environment,
        synthesizer: cdk.IStackSynthesizer,
    ) -> None:
        super().__init__(scope, construct_id, env=env, synthesizer=synthesizer)
        self.config = config
        self.key = kms.Key(
            self,
            "Key",
            description=f"Data at rest of {config.name}: lake bucket, query results, alerts",
            enable_key_rotation=True,
            removal_policy=cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        )
        raw = tables(contract).raw_telemetry.prefix
        self.raw_queue = self._raw_queue()
        self.bucket = self._bucket(raw)
        self.alerts = sns.Topic(self, "Alerts", master_key=self.key, enforce_ssl=True)
        database = add_database(self, "Database", config.name, "The lake's tables, made from the telemetry contract")
        add_tables(self, database, self.bucket, (*tables(contract).all, former_ledger(contract)))
        crawled = add_database(
            self, "CrawledDatabase", config.crawled_database, "What the crawlers found, for comparison"
        )
        crawlers = add_crawlers(self, config, crawled, self.bucket, self.key, tables(contract))
        workgroups = add_workgroups(self, config, self.bucket, self.key)
        outputs = {
            "LakeBucket": self.bucket.bucket_name,
            "GlueDatabase": database.ref,
            "AthenaWorkgroup": workgroups.people.ref,
            "AthenaBuildWorkgroup": workgroups.builds.ref,
            "RawQueueUrl": self.raw_queue.queue_url,
            "AlertsTopicArn": self.alerts.topic_arn,
            "RawCrawler": crawlers.raw.ref,
            "CuratedCrawler": crawlers.curated.ref,
        }
        for name, value in outputs.items():
            cdk.CfnOutput(self, name, value=value)

    def _raw_queue(self) -> sqs.Queue:
        """SSE-SQS and not the lake's key: key, bucket and queue would each need the other first."""
        dead = sqs.Queue(
            self,
            "RawDeadLetters",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=cdk.Duration.days(14),
        )
        queue = sqs.Queue(
            self,
            "RawObjects",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            # Longer than one tick of the sensor that drains it, which deletes only after it has reported.
            visibility_timeout=cdk.Duration.minutes(5),
            retention_period=cdk.Duration.days(14),
            dead_letter_queue=sqs.DeadLetterQueue(queue=dead, max_receive_count=MAX_RECEIVES),
        )
        queue.add_to_resource_policy(
            iam.PolicyStatement(
                sid="LakeBucketSends",
                principals=[iam.ServicePrincipal("s3.amazonaws.com")],
                actions=["sqs:SendMessage"],
                resources=[queue.queue_arn],
                conditions={
                    "ArnEquals": {"aws:SourceArn": f"arn:aws:s3:::{self.config.lake_bucket}"},
                    "StringEquals": {"aws:SourceAccount": self.config.account},
                },
            )
        )
        return queue

    def _bucket(self, raw_prefix: str) -> s3.Bucket:
        """The lake bucket.

        Versioned: raw is the only copy of what devices sent, and everything else is made from it. A mistaken delete
        or overwrite can be undone for `noncurrent_days`; so can the removal of an old version of a partition.
        """
        logs = s3.Bucket(
            self,
            "AccessLogs",
            # The log delivery service cannot write to a bucket whose default encryption uses a customer key.
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            lifecycle_rules=[s3.LifecycleRule(id="logs", expiration=cdk.Duration.days(self.config.log_days))],
            removal_policy=cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        )
        accept(logs, "AwsSolutions-S1", "This bucket takes the access logs; logging itself would never end")
        bucket = s3.Bucket(
            self,
            "Lake",
            bucket_name=self.config.lake_bucket,
            encryption=s3.BucketEncryption.KMS,
            encryption_key=self.key,
            bucket_key_enabled=True,
            enforce_ssl=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            versioned=True,
            server_access_logs_bucket=logs,
            server_access_logs_prefix="lake/",
            lifecycle_rules=lake_lifecycle(self.config),
            removal_policy=cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        )
        self._notify(bucket, raw_prefix)
        return bucket

    def _notify(self, bucket: s3.Bucket, prefix: str) -> None:
        """Set the notification as a property: the construct's own way is a Lambda that edits the bucket."""
        resource = bucket.node.default_child
        if not isinstance(resource, s3.CfnBucket):
            raise TypeError(f"the bucket's resource is {type(resource).__name__}, expected CfnBucket")
        resource.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
            queue_configurations=[
                s3.CfnBucket.QueueConfigurationProperty(
                    event="s3:ObjectCreated:*",
                    queue=self.raw_queue.queue_arn,
                    filter=s3.CfnBucket.NotificationFilterProperty(
                        s3_key=s3.CfnBucket.S3KeyFilterProperty(
                            rules=[s3.CfnBucket.FilterRuleProperty(name="prefix", value=prefix)]
                        )
                    ),
                )
            ]
        )
        policy = self.raw_queue.node.find_child("Policy")
        bucket.node.add_dependency(policy)
