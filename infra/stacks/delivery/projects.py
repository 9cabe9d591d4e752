"""The builds of the delivery, each with a role of its own that may do what its steps do."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import aws_cdk as cdk
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3

from infra.stacks.base import PlatformStack
from infra.stacks.nag import accept, accept_wildcards
from infra.stacks.principals import for_this_account
from infra.stacks.statements import allow

# Python, Node, Docker and the AWS command line are in it (CodeBuild guide, "Docker images provided by CodeBuild").
# On arm64, as what it builds.
_IMAGE = "aws/codebuild/amazonlinux-aarch64-standard:3.0"
_HOURS = 2


@dataclass(frozen=True)
class Network:
    """Where a build runs that reaches the databases."""

    vpc: str
    subnets: list[str]
    group: str


@dataclass(frozen=True)
class Build:
    """A step of the delivery: its file in `.ci/delivery`, what it may do beside reading its source, where it runs."""

    name: str
    file: str
    statements: Mapping[str, iam.PolicyStatement] = field(default_factory=dict)
    # Resources that its statements end with `*`, and why.
    wildcards: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    network: Network | None = None
    docker: bool = False
    # Whether it works on the repository, and whether a later action is given what it makes.
    clones: bool = True
    hands_on: bool = False


def add_project(
    stack: PlatformStack, build: Build, artifacts: s3.Bucket, key: kms.Key, connection: str
) -> codebuild.CfnProject:
    """The project of a build, its log and its role. Its source comes from the pipeline, as a clone."""
    log = logs.LogGroup(
        stack,
        f"{build.name}Log",
        retention=logs.RetentionDays.THREE_MONTHS,
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )
    role = iam.Role(stack, f"{build.name}Role", assumed_by=for_this_account("codebuild.amazonaws.com", stack.config))
    objects = artifacts.arn_for_objects("*")
    always = {
        "Log": allow([log.log_group_arn], "logs:CreateLogStream", "logs:PutLogEvents"),
        "Artifacts": allow([objects], "s3:GetObject", "s3:GetObjectVersion", *(["s3:PutObject"] * build.hands_on)),
        "ArtifactKey": allow([key.key_arn], "kms:Decrypt", *(["kms:GenerateDataKey"] * build.hands_on)),
    }
    if build.clones:
        always["Clone"] = allow([connection], "codeconnections:UseConnection")
    if build.network:
        always |= _network_statements(stack, build.network)
    for sid, statement in {**always, **build.statements}.items():
        statement.sid = sid
        role.add_to_policy(statement)
    accept_artifacts(role, artifacts)
    for resource, reason in build.wildcards.items():
        accept_wildcards(role, [resource], reason)
    if build.network:
        accept_wildcards(role, ["*", _interfaces(stack)], "Each build in a VPC gets an interface of AWS's making")
    project = codebuild.CfnProject(
        stack,
        build.name,
        name=f"{stack.config.delivery}-{_kebab(build.name)}",
        service_role=role.role_arn,
        encryption_key=key.key_arn,
        artifacts=codebuild.CfnProject.ArtifactsProperty(type="CODEPIPELINE"),
        source=codebuild.CfnProject.SourceProperty(type="CODEPIPELINE", build_spec=f".ci/delivery/{build.file}"),
        environment=codebuild.CfnProject.EnvironmentProperty(
            type="ARM_CONTAINER",
            compute_type="BUILD_GENERAL1_LARGE" if build.file == "test.yml" else "BUILD_GENERAL1_SMALL",
            image=_IMAGE,
            privileged_mode=build.docker,
            environment_variables=[
                codebuild.CfnProject.EnvironmentVariableProperty(name=name, value=value)
                for name, value in build.environment.items()
            ],
        ),
        timeout_in_minutes=_HOURS * 60,
        logs_config=codebuild.CfnProject.LogsConfigProperty(
            cloud_watch_logs=codebuild.CfnProject.CloudWatchLogsConfigProperty(
                status="ENABLED", group_name=log.log_group_name
            )
        ),
        vpc_config=_vpc_config(build.network),
    )
    project.node.add_dependency(role.node.find_child("DefaultPolicy"))
    if build.docker:
        reason = "Docker's daemon runs within the build; it builds our Dockerfile, and its role deploys nothing"
        accept(project, "Platform::builds_are_not_privileged", reason)
        accept(project, "AwsSolutions-CB3", reason)
    return project


def accept_artifacts(role: iam.Role, artifacts: s3.Bucket) -> None:
    """Accept that a role reads and writes the whole bucket of the artifacts."""
    resource = artifacts.node.default_child
    if not isinstance(resource, s3.CfnBucket):
        raise TypeError(f"the bucket's resource is {type(resource).__name__}, expected CfnBucket")
    name = cdk.Stack.of(role).get_logical_id(resource)
    accept_wildcards(role, [f"<{name}.Arn>/*"], "CodePipeline names the artifacts, in a bucket of their own")


def _interfaces(stack: PlatformStack) -> str:
    return stack.format_arn(service="ec2", resource="network-interface", resource_name="*")


def _vpc_config(network: Network | None) -> codebuild.CfnProject.VpcConfigProperty | None:
    if network is None:
        return None
    return codebuild.CfnProject.VpcConfigProperty(
        vpc_id=network.vpc, subnets=network.subnets, security_group_ids=[network.group]
    )


def _network_statements(stack: PlatformStack, network: Network) -> dict[str, iam.PolicyStatement]:
    """What CodeBuild does to run in a VPC (CodeBuild guide, "Allow CodeBuild access to AWS services required to create
    a VPC network interface").
    """
    subnets = [stack.format_arn(service="ec2", resource="subnet", resource_name=subnet) for subnet in network.subnets]
    described = [
        f"ec2:{call}"
        for call in (
            "DescribeDhcpOptions",
            "DescribeNetworkInterfaces",
            "DescribeSecurityGroups",
            "DescribeSubnets",
            "DescribeVpcs",
        )
    ]
    lend = allow([_interfaces(stack)], "ec2:CreateNetworkInterfacePermission")
    lend.add_condition("StringEquals", {"ec2:AuthorizedService": "codebuild.amazonaws.com"})
    lend.add_condition("ArnEquals", {"ec2:Subnet": subnets})
    return {
        "SeeNetwork": allow(["*"], *described, "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface"),
        "LendInterface": lend,
    }


def _kebab(name: str) -> str:
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name).removeprefix("-")
