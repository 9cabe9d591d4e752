"""Which function reads which resource type."""

from collections.abc import Callable, Iterator, Mapping

from infra.local.deploy.readback import (
    buckets_and_keys,
    clock_and_alarms,
    glue_and_athena,
    ingestion,
    lambdas,
    messaging,
    roles_and_logs,
    sign_in,
    tables,
)
from infra.local.deploy.readback.clients import Clients
from infra.local.deploy.readback.setting import Setting
from infra.local.deploy.resources import Resource

READERS: Mapping[str, Callable[[Resource, Clients], Iterator[Setting]]] = {
    "AWS::S3::Bucket": buckets_and_keys.bucket,
    "AWS::S3::BucketPolicy": buckets_and_keys.bucket_policy,
    "AWS::KMS::Key": buckets_and_keys.key,
    "AWS::KMS::Alias": buckets_and_keys.key_alias,
    "AWS::SSM::Parameter": buckets_and_keys.parameter,
    "AWS::SecretsManager::Secret": buckets_and_keys.secret,
    "AWS::SQS::Queue": messaging.queue,
    "AWS::SQS::QueuePolicy": messaging.queue_policy,
    "AWS::SNS::Topic": messaging.topic,
    "AWS::SNS::TopicPolicy": messaging.topic_policy,
    "AWS::SNS::Subscription": messaging.subscription,
    "AWS::DynamoDB::Table": tables.table,
    "AWS::Cognito::UserPool": sign_in.user_pool,
    "AWS::Cognito::UserPoolGroup": sign_in.group,
    "AWS::Cognito::UserPoolClient": sign_in.client,
    "AWS::Cognito::UserPoolDomain": sign_in.domain,
    "AWS::Events::Rule": clock_and_alarms.rule,
    "AWS::CloudWatch::Alarm": clock_and_alarms.alarm,
    "AWS::Kinesis::Stream": ingestion.stream,
    "AWS::Kinesis::StreamConsumer": ingestion.consumer,
    "AWS::KinesisFirehose::DeliveryStream": ingestion.delivery,
    "AWS::IoT::TopicRule": ingestion.rule,
    "AWS::IoT::Policy": ingestion.policy,
    "AWS::IoT::ThingType": ingestion.thing_type,
    "AWS::IoT::ProvisioningTemplate": ingestion.provisioning_template,
    "AWS::Glue::Database": glue_and_athena.database,
    "AWS::Glue::Table": glue_and_athena.table,
    "AWS::Glue::Crawler": glue_and_athena.crawler,
    "AWS::Glue::Job": glue_and_athena.job,
    "AWS::Athena::WorkGroup": glue_and_athena.workgroup,
    "AWS::Lambda::Function": lambdas.function,
    "AWS::Lambda::EventSourceMapping": lambdas.event_source_mapping,
    "AWS::Lambda::EventInvokeConfig": lambdas.event_invoke_config,
    "AWS::Lambda::Permission": lambdas.permission,
    "AWS::IAM::Role": roles_and_logs.role,
    "AWS::IAM::Policy": roles_and_logs.inline_policy,
    "AWS::Logs::LogGroup": roles_and_logs.log_group,
    "AWS::Logs::LogStream": roles_and_logs.log_stream,
}

# Properties that say where or how, not what: reading the rest back already goes through them.
ADDRESSING = {
    "AWS::IAM::Policy": {"PolicyName", "Roles"},
    "AWS::Kinesis::Stream": {"Name"},
    "AWS::SSM::Parameter": {"Name", "Type"},
    "AWS::Logs::LogStream": {"LogGroupName"},
    "AWS::SQS::Queue": {"QueueName"},
    "AWS::SNS::Topic": {"TopicName"},
    "AWS::Lambda::EventInvokeConfig": {"FunctionName", "Qualifier"},
    "AWS::SQS::QueuePolicy": {"PolicyDocument", "Queues"},
    "AWS::SNS::TopicPolicy": {"PolicyDocument", "Topics"},
    # Of code that stands in the template only a call would show it; a package has its own setting.
    "AWS::Lambda::Function": {"Code"},
    "AWS::Lambda::Permission": {"Action", "FunctionName", "Principal", "SourceAccount", "SourceArn"},
    # Only a deletion would show it.
    "AWS::Athena::WorkGroup": {"RecursiveDeleteOption"},
}


def settings(resource: Resource, clients: Clients) -> Iterator[Setting]:
    """The settings to read back, and for each property that nothing reads one that can never be found."""
    reader = READERS.get(resource.type)
    found = list(reader(resource, clients)) if reader else []
    yield from found
    covered = {setting.property for setting in found} | ADDRESSING.get(resource.type, set())
    for name, value in resource.properties.items():
        if name not in covered:
            yield Setting(name, value, lambda: None)
