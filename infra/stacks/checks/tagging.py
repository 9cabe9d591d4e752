"""Everything says whose it is, and of which environment, size and part."""

from collections.abc import Mapping
from typing import Any

from infra.stacks.base import TAGS
from infra.stacks.checks.finding import Problems
from infra.stacks.checks.synthesised import Synthesised

# Types of ours that take tags. A type that is missing here is not checked; CloudFormation gives it the stack's tags if
# it takes any (CloudFormation guide, "Resource tags").
TAGGED = frozenset(
    {
        "AWS::Athena::WorkGroup",
        "AWS::CloudTrail::Trail",
        "AWS::CodeBuild::Project",
        "AWS::CodePipeline::Pipeline",
        "AWS::Cognito::UserPool",
        "AWS::DynamoDB::Table",
        "AWS::EC2::SecurityGroup",
        "AWS::EC2::Subnet",
        "AWS::EC2::VPC",
        "AWS::ECS::Cluster",
        "AWS::ECS::Service",
        "AWS::ECS::TaskDefinition",
        "AWS::Glue::Crawler",
        "AWS::IAM::Role",
        "AWS::IoT::ProvisioningTemplate",
        "AWS::IoT::TopicRule",
        "AWS::KMS::Key",
        "AWS::Kinesis::Stream",
        "AWS::KinesisFirehose::DeliveryStream",
        "AWS::Lambda::Function",
        "AWS::Logs::LogGroup",
        "AWS::RDS::DBCluster",
        "AWS::RDS::DBInstance",
        "AWS::RedshiftServerless::Namespace",
        "AWS::RedshiftServerless::Workgroup",
        "AWS::S3::Bucket",
        "AWS::SNS::Topic",
        "AWS::SQS::Queue",
        "AWS::SSM::Parameter",
        "AWS::SecretsManager::Secret",
    }
)
# Where a type keeps its tags, if not under Tags.
_ELSEWHERE = {"AWS::Cognito::UserPool": "UserPoolTags"}


def everything_is_tagged(environment: Synthesised) -> Problems:
    """Each of TAGS, with the environment's and size's own values."""
    own = {"environment": environment.config.name, "size": environment.config.size.value}
    for resource in environment.of_type(*TAGGED):
        # The CDK writes this function's resources itself, and hangs no tags on them.
        if resource.name.startswith("CustomVpcRestrictDefaultSG"):
            continue
        tags = _tags(resource.properties.get(_ELSEWHERE.get(resource.type, "Tags"), {}))
        if missing := [tag for tag in TAGS if not tags.get(tag)]:
            yield resource, f"has no tag {', '.join(missing)}"
        elif wrong := [tag for tag, value in own.items() if tags[tag] != value]:
            yield resource, f"is tagged {wrong[0]}={tags[wrong[0]]}: expected {own[wrong[0]]}"


def _tags(written: Any) -> Mapping[str, Any]:
    if isinstance(written, Mapping):
        return written
    return {tag["Key"]: tag["Value"] for tag in written}
