"""Which function reads which resource type."""

from collections.abc import Callable, Iterator, Mapping

from infra.local.deploy.readback import access, functions, glue, ingestion, messaging, storage
from infra.local.deploy.readback.clients import Clients
from infra.local.deploy.readback.setting import Setting
from infra.local.deploy.resources import Resource

READERS: Mapping[str, Callable[[Resource, Clients], Iterator[Setting]]] = {
    "AWS::S3::Bucket": storage.bucket,
    "AWS::S3::BucketPolicy": storage.bucket_policy,
    "AWS::KMS::Key": storage.key,
    "AWS::KMS::Alias": storage.key_alias,
    "AWS::SSM::Parameter": storage.parameter,
    "AWS::SQS::Queue": messaging.queue,
    "AWS::SQS::QueuePolicy": messaging.queue_policy,
    "AWS::SNS::Topic": messaging.topic,
    "AWS::SNS::TopicPolicy": messaging.topic_policy,
    "AWS::Kinesis::Stream": ingestion.stream,
    "AWS::KinesisFirehose::DeliveryStream": ingestion.delivery,
    "AWS::IoT::TopicRule": ingestion.rule,
    "AWS::IoT::Policy": ingestion.policy,
    "AWS::IoT::ThingType": ingestion.thing_type,
    "AWS::IoT::ProvisioningTemplate": ingestion.provisioning_template,
    "AWS::Glue::Database": glue.database,
    "AWS::Glue::Table": glue.table,
    "AWS::Glue::Crawler": glue.crawler,
    "AWS::Athena::WorkGroup": glue.workgroup,
    "AWS::Lambda::Function": functions.function,
    "AWS::Lambda::EventSourceMapping": functions.event_source_mapping,
    "AWS::Lambda::Permission": functions.permission,
    "AWS::IAM::Role": access.role,
    "AWS::IAM::Policy": access.inline_policy,
    "AWS::Logs::LogGroup": access.log_group,
    "AWS::Logs::LogStream": access.log_stream,
}

# Properties that say where or how, not what: reading the rest back already goes through them.
ADDRESSING = {
    "AWS::IAM::Policy": {"PolicyName", "Roles"},
    "AWS::Kinesis::Stream": {"Name"},
    "AWS::SSM::Parameter": {"Name", "Type"},
    "AWS::Logs::LogStream": {"LogGroupName"},
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
