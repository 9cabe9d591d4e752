"""What Ref and Fn::GetAtt give: names and ARNs (CloudFormation guide, the "Return values" of each resource type).

A name that AWS makes is `generated`, what it begins with: the stack and the logical id. It is nobody else's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from infra.stacks.config import PlatformConfig


@dataclass(frozen=True)
class Kind:
    """A resource type: the property that names it, its ARN with `{name}`, and whether Ref gives the ARN."""

    named_by: str
    arn: str
    ref_is_arn: bool = False


_REGIONAL = "arn:aws:{service}:{{region}}:{{account}}:"


def _kind(service: str, named_by: str, resource: str, *, ref_is_arn: bool = False) -> Kind:
    return Kind(named_by, _REGIONAL.format(service=service) + resource, ref_is_arn)


KINDS: Mapping[str, Kind] = {
    "AWS::S3::Bucket": Kind("BucketName", "arn:aws:s3:::{name}"),
    "AWS::IAM::Role": Kind("RoleName", "arn:aws:iam::{account}:role/{name}"),
    "AWS::IAM::ManagedPolicy": Kind("ManagedPolicyName", "arn:aws:iam::{account}:policy/{name}", ref_is_arn=True),
    "AWS::Athena::WorkGroup": _kind("athena", "Name", "workgroup/{name}"),
    "AWS::CloudTrail::Trail": _kind("cloudtrail", "TrailName", "trail/{name}"),
    "AWS::CloudWatch::Alarm": _kind("cloudwatch", "AlarmName", "alarm:{name}"),
    "AWS::CodeBuild::Project": _kind("codebuild", "Name", "project/{name}"),
    "AWS::CodePipeline::Pipeline": _kind("codepipeline", "Name", "{name}"),
    "AWS::Cognito::UserPool": _kind("cognito-idp", "UserPoolId", "userpool/{name}"),
    "AWS::DynamoDB::Table": _kind("dynamodb", "TableName", "table/{name}"),
    "AWS::EC2::VPC": _kind("ec2", "VpcName", "vpc/{name}"),
    "AWS::ECR::Repository": _kind("ecr", "RepositoryName", "repository/{name}"),
    "AWS::ECS::Cluster": _kind("ecs", "ClusterName", "cluster/{name}"),
    "AWS::ECS::Service": _kind("ecs", "ServiceName", "service/{name}", ref_is_arn=True),
    "AWS::ECS::TaskDefinition": _kind("ecs", "Family", "task-definition/{name}", ref_is_arn=True),
    "AWS::Events::Rule": _kind("events", "Name", "rule/{name}"),
    "AWS::Glue::Crawler": _kind("glue", "Name", "crawler/{name}"),
    "AWS::Glue::Database": _kind("glue", "DatabaseInput", "database/{name}"),
    "AWS::Glue::Job": _kind("glue", "Name", "job/{name}"),
    "AWS::Glue::Workflow": _kind("glue", "Name", "workflow/{name}"),
    "AWS::IoT::TopicRule": _kind("iot", "RuleName", "rule/{name}"),
    "AWS::KMS::Key": _kind("kms", "KeyName", "key/{name}"),
    "AWS::Kinesis::Stream": _kind("kinesis", "Name", "stream/{name}"),
    "AWS::KinesisFirehose::DeliveryStream": _kind("firehose", "DeliveryStreamName", "deliverystream/{name}"),
    "AWS::Lambda::Function": _kind("lambda", "FunctionName", "function:{name}"),
    "AWS::Logs::LogGroup": _kind("logs", "LogGroupName", "log-group:{name}:*"),
    "AWS::RDS::DBCluster": _kind("rds", "DBClusterIdentifierName", "cluster:{name}"),
    "AWS::RedshiftServerless::Namespace": _kind("redshift-serverless", "NamespaceIdName", "namespace/{name}"),
    "AWS::RedshiftServerless::Workgroup": _kind("redshift-serverless", "WorkgroupIdName", "workgroup/{name}"),
    "AWS::SNS::Topic": _kind("sns", "TopicName", "{name}", ref_is_arn=True),
    "AWS::SQS::Queue": _kind("sqs", "QueueName", "{name}"),
    "AWS::SSM::Parameter": _kind("ssm", "Name", "parameter{name}"),
    # Secrets Manager puts six characters behind the name (its guide, "What's in a Secrets Manager secret?").
    "AWS::SecretsManager::Secret": _kind("secretsmanager", "Name", "secret:{name}-??????", ref_is_arn=True),
    "AWS::StepFunctions::StateMachine": _kind("states", "StateMachineName", "stateMachine:{name}", ref_is_arn=True),
    "AWS::Synthetics::Canary": _kind("synthetics", "Name", "canary:{name}"),
}
# An ARN by another name than `Arn`.
_ARN_ATTRIBUTES = ("Arn", "TopicArn", "Workgroup.WorkgroupArn", "Namespace.NamespaceArn")
_NAME_ATTRIBUTES = ("QueueName", "TopicName", "Name")


def reference(config: PlatformConfig, generated: str, kind: str, properties: Mapping[str, Any]) -> str:
    """What Ref gives for a resource."""
    if kind == "AWS::SQS::Queue":
        return f"https://sqs.{config.region}.amazonaws.com/{config.account}/{_name(generated, kind, properties)}"
    known = KINDS.get(kind)
    if known is not None and known.ref_is_arn:
        return attribute(config, generated, kind, properties, "Arn")
    return _name(generated, kind, properties)


def attribute(config: PlatformConfig, generated: str, kind: str, properties: Mapping[str, Any], wanted: str) -> str:
    """What Fn::GetAtt gives: an ARN, a name, or a text that stands for what AWS makes."""
    if wanted in _NAME_ATTRIBUTES:
        return _name(generated, kind, properties)
    if kind == "AWS::Kinesis::StreamConsumer" and wanted == "ConsumerARN":
        return f"{properties['StreamARN']}/consumer/{properties['ConsumerName']}:1"
    known = KINDS.get(kind)
    if known is None or wanted not in _ARN_ATTRIBUTES:
        # An ARN of AWS's making is nobody else's either.
        unknown = f"arn:aws:made-by-aws:{config.region}:{config.account}:" if wanted.lower().endswith("arn") else ""
        return f"{unknown}{generated}.{wanted}"
    return known.arn.format(region=config.region, account=config.account, name=_name(generated, kind, properties))


def _name(generated: str, kind: str, properties: Mapping[str, Any]) -> str:
    known = KINDS.get(kind)
    return str(named(kind, properties) or generated) if known else generated


def named(kind: str, properties: Mapping[str, Any]) -> str:
    """The name that a template gives a resource of one of KINDS; empty where AWS makes one."""
    if kind == "AWS::Glue::Database":
        return str(properties.get("DatabaseInput", {}).get("Name", ""))
    return str(properties.get(KINDS[kind].named_by, ""))
