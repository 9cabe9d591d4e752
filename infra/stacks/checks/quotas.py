"""AWS's quotas against what an environment reaches; each with the page that it comes from."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from infra.stacks.checks.documents import ROLE
from infra.stacks.checks.finding import Problems
from infra.stacks.checks.synthesised import Resource, Synthesised, listed, reference, text

_CLOUDFORMATION = "CloudFormation guide, Understand CloudFormation quotas"
_IAM = "IAM user guide, IAM and AWS STS quotas"
_IOT = "AWS General Reference, AWS IoT Core endpoints and quotas"
_LAMBDA = "AWS Lambda guide, Lambda quotas"
# Concurrency that no function has reserved has to remain (AWS Lambda guide, "Configuring reserved concurrency").
_ACCOUNT_CONCURRENCY, _UNRESERVED = 1000, 100

Reached = Iterator[tuple[str, str, int]]


@dataclass(frozen=True)
class Quota:
    """A limit of AWS's: `measure` yields (stack, resource, what it reaches)."""

    name: str
    limit: int
    page: str
    measure: Callable[[Synthesised], Reached]


@dataclass(frozen=True)
class Reaching:
    """How far one resource is towards a quota."""

    quota: Quota
    stack: str
    resource: str
    reached: int


def reaching(environment: Synthesised) -> list[Reaching]:
    """Everything that a quota counts, with how far it is."""
    return [Reaching(quota, *found) for quota in QUOTAS for found in quota.measure(environment)]


def quotas_are_kept(environment: Synthesised) -> Problems:
    """Nothing is larger, longer or more than AWS takes: it would be refused in the middle of a deployment."""
    for found in reaching(environment):
        if found.reached > found.quota.limit:
            body = environment.templates[found.stack]["Resources"].get(found.resource, {"Type": "", "Properties": {}})
            at = Resource(found.stack, found.resource, body["Type"], body.get("Properties", {}), body)
            yield at, f"{found.quota.name}: {found.reached:,}, and AWS takes {found.quota.limit:,} ({found.quota.page})"


def _entries(key: str) -> Callable[[Synthesised], Reached]:
    def measure(environment: Synthesised) -> Reached:
        for stack, template in environment.templates.items():
            yield stack, key, len(template.get(key, {}))

    return measure


def _template_bytes(environment: Synthesised) -> Reached:
    for stack, template in environment.templates.items():
        yield stack, "template", len(json.dumps(template, separators=(",", ":")).encode())


def _characters(document: object) -> int:
    """A policy's characters; white space does not count (IAM and IoT alike)."""
    return len("".join(json.dumps(document, separators=(",", ":")).split()))


def _documents(resource_type: str, *path: str) -> Callable[[Synthesised], Reached]:
    def measure(environment: Synthesised) -> Reached:
        for resource in environment.of_type(resource_type):
            document = resource.properties
            for key in path:
                document = document.get(key, {})
            if document:
                yield resource.stack, resource.name, _characters(document)

    return measure


def _inline_policies(environment: Synthesised) -> Reached:
    """What stands in the role and in policies of its own; a managed policy has a quota to itself."""
    for role in environment.of_type(ROLE):
        documents = [policy["PolicyDocument"] for policy in listed(role.properties.get("Policies"))]
        documents += [it.properties["PolicyDocument"] for it in _attached(environment, role, "AWS::IAM::Policy")]
        yield role.stack, role.name, sum(map(_characters, documents))


def _managed_policies(environment: Synthesised) -> Reached:
    """Those that the role names, and those that name the role."""
    for role in environment.of_type(ROLE):
        naming = list(_attached(environment, role, "AWS::IAM::ManagedPolicy"))
        yield role.stack, role.name, len(listed(role.properties.get("ManagedPolicyArns"))) + len(naming)


def _attached(environment: Synthesised, role: Resource, resource_type: str) -> Iterator[Resource]:
    for policy in environment.of_type(resource_type):
        if policy.stack == role.stack and role.name in map(reference, listed(policy.properties.get("Roles"))):
            yield policy


def _reserved(environment: Synthesised) -> Reached:
    functions = list(environment.of_type("AWS::Lambda::Function"))
    if functions:
        reserved = sum(int(f.properties.get("ReservedConcurrentExecutions", 0)) for f in functions)
        yield functions[0].stack, "all functions", reserved


def _environment_bytes(environment: Synthesised) -> Reached:
    for function in environment.of_type("AWS::Lambda::Function"):
        variables = function.properties.get("Environment", {}).get("Variables", {})
        yield function.stack, function.name, sum(len(name) + len(text(value)) for name, value in variables.items())


def _numbers(resource_type: str, key: str) -> Callable[[Synthesised], Reached]:
    def measure(environment: Synthesised) -> Reached:
        for resource in environment.of_type(resource_type):
            if isinstance(resource.properties.get(key), int):
                yield resource.stack, resource.name, resource.properties[key]

    return measure


def _items(resource_type: str, key: str) -> Callable[[Synthesised], Reached]:
    def measure(environment: Synthesised) -> Reached:
        for resource in environment.of_type(resource_type):
            yield resource.stack, resource.name, len(listed(resource.properties.get(key)))

    return measure


def _total(*resource_types: str) -> Callable[[Synthesised], Reached]:
    def measure(environment: Synthesised) -> Reached:
        found = Counter(resource.stack for resource in environment.of_type(*resource_types))
        if found:
            yield next(iter(found)), f"all {resource_types[0].rpartition('::')[2]}", found.total()

    return measure


def _lifecycle_rules(environment: Synthesised) -> Reached:
    for bucket in environment.of_type("AWS::S3::Bucket"):
        rules = listed(bucket.properties.get("LifecycleConfiguration", {}).get("Rules"))
        yield bucket.stack, bucket.name, len(rules)


def _security_group_rules(environment: Synthesised) -> Reached:
    found = Counter(
        (rule.stack, text(rule.properties.get("GroupId", "")))
        for rule in environment.of_type("AWS::EC2::SecurityGroupIngress")
    )
    for group in environment.of_type("AWS::EC2::SecurityGroup"):
        own = len(listed(group.properties.get("SecurityGroupIngress")))
        yield group.stack, group.name, own + found[group.stack, f"${{{group.name}.GroupId}}"]


def _parameter_bytes(environment: Synthesised) -> Reached:
    for parameter in environment.of_type("AWS::SSM::Parameter"):
        yield parameter.stack, parameter.name, len(text(parameter.properties.get("Value", "")))


def _rule_actions(environment: Synthesised) -> Reached:
    for rule in environment.of_type("AWS::IoT::TopicRule"):
        yield rule.stack, rule.name, len(listed(rule.properties["TopicRulePayload"]["Actions"]))


QUOTAS = (
    Quota("resources of a stack", 500, _CLOUDFORMATION, _entries("Resources")),
    Quota("parameters of a stack", 200, _CLOUDFORMATION, _entries("Parameters")),
    Quota("outputs of a stack", 200, _CLOUDFORMATION, _entries("Outputs")),
    Quota("bytes of a template in S3", 1_048_576, _CLOUDFORMATION, _template_bytes),
    Quota("characters of a role's inline policies", 10_240, _IAM, _inline_policies),
    Quota("characters of a managed policy", 6_144, _IAM, _documents("AWS::IAM::ManagedPolicy", "PolicyDocument")),
    Quota("characters of a role's trust", 2_048, _IAM, _documents(ROLE, "AssumeRolePolicyDocument")),
    Quota("managed policies of a role", 10, _IAM, _managed_policies),
    Quota("roles of an account", 1_000, _IAM, _total(ROLE)),
    Quota("characters of an IoT policy", 2_048, _IOT, _documents("AWS::IoT::Policy", "PolicyDocument")),
    Quota("actions of an IoT rule", 10, _IOT, _rule_actions),
    Quota("bytes of a bucket's policy", 20_480, "S3 user guide, Bucket policies", _documents("AWS::S3::BucketPolicy")),
    Quota("bytes of a key's policy", 32_768, "KMS guide, Resource quotas", _documents("AWS::KMS::Key", "KeyPolicy")),
    Quota(
        "lifecycle rules of a bucket", 1_000, "S3 user guide, Setting an S3 Lifecycle configuration", _lifecycle_rules
    ),
    Quota("reserved concurrency", _ACCOUNT_CONCURRENCY - _UNRESERVED, _LAMBDA, _reserved),
    Quota("bytes of a function's environment", 4_096, _LAMBDA, _environment_bytes),
    Quota("seconds of a function", 900, _LAMBDA, _numbers("AWS::Lambda::Function", "Timeout")),
    Quota("MB of a function's memory", 10_240, _LAMBDA, _numbers("AWS::Lambda::Function", "MemorySize")),
    Quota("records of a batch of Kinesis", 10_000, _LAMBDA, _numbers("AWS::Lambda::EventSourceMapping", "BatchSize")),
    Quota(
        "targets of a rule", 5, "EventBridge guide, Amazon EventBridge quotas", _items("AWS::Events::Rule", "Targets")
    ),
    Quota(
        "actions of an alarm",
        5,
        "CloudWatch guide, CloudWatch service quotas",
        _items("AWS::CloudWatch::Alarm", "AlarmActions"),
    ),
    Quota("indexes of a table", 20, "DynamoDB guide, Quotas", _items("AWS::DynamoDB::Table", "GlobalSecondaryIndexes")),
    Quota("rules of a security group", 60, "Amazon VPC guide, Amazon VPC quotas", _security_group_rules),
    Quota("bytes of a parameter", 4_096, "Systems Manager guide, Parameter tiers", _parameter_bytes),
    Quota("buckets of an account", 10_000, "S3 user guide, Bucket quotas", _total("AWS::S3::Bucket")),
    Quota("streams on demand", 50, "Kinesis guide, Quotas and limits", _total("AWS::Kinesis::Stream")),
    Quota(
        "tables of a database",
        200_000,
        "AWS General Reference, AWS Glue endpoints and quotas",
        _total("AWS::Glue::Table"),
    ),
    Quota("interface endpoints of a VPC", 50, "Amazon VPC guide, Amazon VPC quotas", _total("AWS::EC2::VPCEndpoint")),
)
