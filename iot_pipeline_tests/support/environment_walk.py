"""All that an environment's stacks have made on the local AWS: each resource by type and ARN, and each policy."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from infra.iam.policy import Policy, parse
from infra.local.deploy.deployment import SERVED
from infra.local.deploy.resources import Resource, Stack
from infra.stacks.config import PlatformConfig
from iot_pipeline_tests.support.emulator import ACCOUNT, REGION, LocalAws

# ARNs by type (Service authorization reference, "Resource types defined by ..."), of a resource and of what lies in
# it; `{name}` is the physical id.
_HERE = f"{REGION}:{ACCOUNT}"
_ARNS: dict[str, tuple[str, ...]] = {
    "AWS::Athena::WorkGroup": (f"arn:aws:athena:{_HERE}:workgroup/{{name}}",),
    "AWS::CloudWatch::Alarm": (f"arn:aws:cloudwatch:{_HERE}:alarm:{{name}}",),
    "AWS::Cognito::UserPool": (f"arn:aws:cognito-idp:{_HERE}:userpool/{{name}}",),
    "AWS::DynamoDB::Table": tuple(
        f"arn:aws:dynamodb:{_HERE}:table/{{name}}{part}" for part in ("", "/index/open", "/stream/2026")
    ),
    "AWS::Events::Rule": (f"arn:aws:events:{_HERE}:rule/{{name}}",),
    "AWS::Glue::Crawler": (f"arn:aws:glue:{_HERE}:crawler/{{name}}",),
    "AWS::Glue::Database": tuple(f"arn:aws:glue:{_HERE}:{kind}/{{name}}" for kind in ("database", "table")),
    "AWS::IAM::Role": (f"arn:aws:iam::{ACCOUNT}:role/{{name}}",),
    "AWS::IoT::Policy": (f"arn:aws:iot:{_HERE}:policy/{{name}}",),
    "AWS::IoT::ProvisioningTemplate": (f"arn:aws:iot:{_HERE}:provisioningtemplate/{{name}}",),
    "AWS::IoT::ThingType": (f"arn:aws:iot:{_HERE}:thingtype/{{name}}",),
    "AWS::IoT::TopicRule": (f"arn:aws:iot:{_HERE}:rule/{{name}}",),
    "AWS::KMS::Alias": (f"arn:aws:kms:{_HERE}:{{name}}",),
    "AWS::KMS::Key": (f"arn:aws:kms:{_HERE}:key/{{name}}",),
    "AWS::Kinesis::Stream": (f"arn:aws:kinesis:{_HERE}:stream/{{name}}",),
    "AWS::KinesisFirehose::DeliveryStream": (f"arn:aws:firehose:{_HERE}:deliverystream/{{name}}",),
    "AWS::Lambda::EventSourceMapping": (f"arn:aws:lambda:{_HERE}:event-source-mapping:{{name}}",),
    "AWS::Lambda::Function": tuple(f"arn:aws:lambda:{_HERE}:function:{{name}}{part}" for part in ("", ":1")),
    "AWS::Logs::LogGroup": tuple(f"arn:aws:logs:{_HERE}:log-group:{{name}}{part}" for part in ("", ":log-stream:a")),
    "AWS::S3::Bucket": tuple(
        f"arn:aws:s3:::{{name}}{part}" for part in ("", "/raw/telemetry/a", "/curated/telemetry/a", "/rules/a", "/a")
    ),
    "AWS::SNS::Topic": ("{name}",),
    "AWS::SQS::Queue": (f"arn:aws:sqs:{_HERE}:{{last}}",),
    "AWS::SSM::Parameter": (f"arn:aws:ssm:{_HERE}:parameter{{name}}",),
    "AWS::SecretsManager::Secret": ("{name}",),
}
# Parts of another resource: IAM knows no ARN of theirs.
WITHOUT_ARN = {
    "AWS::Cognito::UserPoolClient",
    "AWS::Cognito::UserPoolDomain",
    "AWS::Cognito::UserPoolGroup",
    "AWS::Glue::Table",
    "AWS::IAM::Policy",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::Permission",
    "AWS::Logs::LogStream",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueuePolicy",
}


@dataclass(frozen=True)
class Attached:
    """A policy, and what it is attached to: a role's, or a resource's by its type."""

    owner: str
    policy: Policy


@dataclass(frozen=True)
class Environment:
    """An environment's resources as deployed, properties resolved."""

    name: str
    resources: tuple[Resource, ...]

    @property
    def identities(self) -> set[tuple[str, str]]:
        """(type, physical id) of each, within whatever holds it."""
        return {(made.type, self._within(made)) for made in self.resources}

    def _within(self, made: Resource) -> str:
        if made.type == "AWS::Glue::Table":
            return f"{made.properties['DatabaseName']}.{made.physical_id}"
        if made.type == "AWS::Cognito::UserPoolGroup":
            return f"{made.properties['UserPoolId']}.{made.physical_id}"
        return made.physical_id

    def arns(self) -> list[str]:
        """The ARNs of all, with some of what lies in them; KeyError for a type that is listed in neither table."""
        return [
            pattern.format(name=made.physical_id, last=made.physical_id.rsplit("/", 1)[-1])
            for made in self.resources
            if made.type not in WITHOUT_ARN
            for pattern in _ARNS[made.type]
        ]

    def identity_policies(self) -> Iterator[Attached]:
        """The policies of all roles."""
        for made in self.resources:
            if made.type == "AWS::IAM::Policy":
                yield Attached(str(made.properties["Roles"]), parse(made.properties["PolicyDocument"]))
            for inline in made.properties.get("Policies", []) if made.type == "AWS::IAM::Role" else []:
                yield Attached(made.logical_id, parse(inline["PolicyDocument"]))

    def resource_policies(self) -> Iterator[Attached]:
        """The policies of buckets, queues, topics, keys and functions."""
        for made in self.resources:
            properties = made.properties
            if made.type == "AWS::KMS::Key":
                yield Attached("key", parse(properties["KeyPolicy"]))
            elif made.type in {"AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy"}:
                yield Attached(made.type.split("::")[1].lower(), parse(properties["PolicyDocument"]))
            elif made.type == "AWS::Lambda::Permission":
                yield Attached("lambda", parse({"Statement": [_permission(properties)]}))


def walked(running: LocalAws, name: str) -> Environment:
    """What the stacks of the environment `name` have made."""
    cloudformation, ssm = running.client("cloudformation"), running.client("ssm")
    resources: list[Resource] = []
    for part in SERVED:
        stack = PlatformConfig(name=name).stack(part)
        # botocore parses a JSON template, though the API reference says text.
        template = cloudformation.get_template(StackName=stack, TemplateStage="Original")["TemplateBody"]
        made = cloudformation.describe_stack_resources(StackName=stack)["StackResources"]
        wanted = template.get("Parameters", {})
        values = {key: ssm.get_parameter(Name=p["Default"])["Parameter"]["Value"] for key, p in wanted.items()}
        ids = {found["LogicalResourceId"]: found["PhysicalResourceId"] for found in made}
        resources += Stack(ACCOUNT, REGION, template, ids, values).resources()
    return Environment(name, tuple(resources))


def _permission(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The statement that a permission adds to its function's policy (AWS Lambda API reference, AddPermission)."""
    return {
        "Effect": "Allow",
        "Action": properties["Action"],
        "Resource": properties["FunctionName"],
        "Principal": {"Service": properties["Principal"]},
        "Condition": {
            "ArnLike": {"aws:SourceArn": properties["SourceArn"]},
            "StringEquals": {"aws:SourceAccount": properties["SourceAccount"]},
        },
    }
